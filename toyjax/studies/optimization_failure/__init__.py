r"""How often does gradient descent fail on the toy ReLU autoencoder?

The model y = ReLU(W'Wx + b) squeezes n features into m < n hidden dimensions
and sees each feature alone (X = I, full batch). For m = 2 and n >= 3 there are
exact solutions: a regular n-gon of feature directions is one. Yet training can
stall with a feature unlearned: dead at b = 1/n, shared over a few inputs,
merged with another, or off. This script trains every seed, says how each one
stands at the observed steps, and counts: outcomes.png and summary.csv give
shares with 95 % Wilson intervals, survival.png the share not yet solved at
every step. Many failures heal with time: read the curves, not one step.
Flags with lists span a grid; all its configurations share their seeds.

  python -m scripts.optimization_failure --workdir=runs/first
  python -m scripts.optimization_failure --num_features=7 --num_seeds=1024 \
    --learning_rate=1e-3,3e-3,1e-2 --workdir=runs/rates
"""

from toyjax.studies.base import grid_study
from toyjax.studies.optimization_failure import trial
from toyjax.studies.optimization_failure.report import report
from toyjax.studies.optimization_failure.settings import (
  SETTINGS,
  complete,
  shorten,
)
from toyjax.toys import relu_autoencoder

STUDY = grid_study(
  'optimization_failure',
  SETTINGS,
  report,
  num_seeds=4096,
  complete=complete,
  relabel=trial.relabel,
  always=('num_features', 'num_hidden'),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=relu_autoencoder.Outcome,
  attrs=lambda values: {
    'solved_sse': values['solved_sse'],
    **relu_autoencoder.THRESHOLDS._asdict(),
  },
  shorten=shorten,
)

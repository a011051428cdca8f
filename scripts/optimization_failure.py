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

import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  autoencoder_trial,
  experiments,
  failure_report,
  grids,
  launch,
  optimizer_flags,
  sweep_script,
)
from scripts.shared.failure_grid import LISTS, SCIENCE, make_groups
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import (
  MOST_FEATURES,
  define_float,
  define_integer,
)
from toyjax import optimizers, store
from toyjax.toys import relu_autoencoder

positive = number(float, 0.0, exclusive=True)

define_list(
  'num_features', [6, 7, 8], number(int, 2, MOST_FEATURES), 'n, features.'
)
define_list(
  'num_hidden', [2], number(int, 1, MOST_FEATURES), 'm, hidden dimensions.'
)
optimizer_flags.define(
  optimizer='adamw', learning_rate=1e-3, rate_help='Peak learning rate.'
)
define_list(
  'init',
  ['glorot_normal'],
  choice(tuple(relu_autoencoder.INITS)),
  f'Among {", ".join(relu_autoencoder.INITS)}; always drawn per seed.',
)
define_list(
  'init_scale', [1.0], positive, "Multiplies the init's standard deviation."
)
define_list(
  'loss_reduction',
  ['mean'],
  choice(relu_autoencoder.LOSS_REDUCTIONS),
  'mean (over samples and features) or sum.',
)
flags.DEFINE_enum(
  'schedule', 'constant', optimizers.SCHEDULES, 'Of the learning rate.'
)
define_integer(
  'warmup_steps', 2500, 'Warm-up of the warmup_cosine schedule.', 0
)
define_integer('num_steps', 25_000, 'Steps of each run.', 2)
experiments.define_observed(
  'observe_steps', [1000, 2500, 5000, 10_000, 15_000, 25_000], least=2
)
define_float(
  'solved_sse',
  1e-2,
  'A run is solved when its sum of squared errors over the n samples is below.',
  lower=0.0,
)
experiments.define_sweep_flags(
  num_seeds=4096, workdir='runs/optimization_failure'
)


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  num_steps = settings['num_steps']
  settings['observe_steps'] = experiments.observed('observe_steps', num_steps)
  optimizer_flags.check(settings)
  warmup_steps = settings['warmup_steps']
  if settings['schedule'] != 'constant' and warmup_steps >= num_steps:
    raise flags.Error(
      f'--warmup_steps={warmup_steps} must be < --num_steps={num_steps}'
    )
  return settings


def describe(
  group: grids.Group, settings: dict[str, Any]
) -> sweep_script.Description:
  """Returns the observed steps and the thresholds for the store."""
  del group
  return sweep_script.Description(
    coordinates={
      'step': store.Coordinate('step', np.asarray(settings['observe_steps']))
    },
    attrs={
      'solved_sse': settings['solved_sse'],
      **relu_autoencoder.THRESHOLDS._asdict(),
    },
  )


def report(
  path: pathlib.Path,
  groups: list[grids.Group],
  settings: dict[str, Any],
  relabel: bool,
) -> dict[str, Any]:
  """Writes tables and figures; returns what the labels hang on."""
  failure_report.write(path, groups, settings, columns=LISTS, relabel=relabel)
  return {
    'solved_sse': settings['solved_sse'],
    'thresholds': relu_autoencoder.THRESHOLDS._asdict(),
  }


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  sweep_script.run(
    sweep_script.Sweep(
      script='optimization_failure',
      read_settings=read_settings,
      may_differ=('solved_sse',),
      make_groups=make_groups,
      make_trial=autoencoder_trial.make_trial,
      variables=autoencoder_trial.VARIABLES,
      describe=describe,
      summarize=autoencoder_trial.count_last_step,
      num_steps='num_steps',
      observe_steps='observe_steps',
      report=report,
    )
  )


if __name__ == '__main__':
  launch.run(main)

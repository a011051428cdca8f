r"""How often does a net 1-2-2-1 learn √x, and what do the others do?

A small ReLU net y = W3 ReLU(W2 ReLU(W1 x + b1) + b2) + b3 is fitted to a
function of one variable. It can bend the line at six places at most, and many
of its seeds bend nothing: a layer whose units are all off answers one constant,
units that never switch make one line. This script trains every seed and says
how it stands at the observed steps (summary.csv, outcomes.png), counts the
straight pieces of its formula exactly, against the most there can be
(regions.csv, regions.png), evaluates that formula in plain Python floats
against the net (agreement.csv), counts dead units (units.csv) and where runs of
each kind went after it (transitions.csv), and sets errors against the
operations of one answer, beside Newton's iteration (errors.csv, errors.png).

The source of the net tells neither the interval of x nor the optimizer, its
rate and its steps: those of this script are ours, and all of them are flags.
Flags with lists span a grid; all its configurations share their seeds.

  python -m scripts.sqrt_failure --workdir=runs/sqrt
  python -m scripts.sqrt_failure --hidden_dim=2,4,8 --target=sqrt,sin \
    --num_seeds=1024 --workdir=runs/widths
"""

from toyjax.studies.base import grid_study
from toyjax.studies.sqrt_failure import trial
from toyjax.studies.sqrt_failure.report import report
from toyjax.studies.sqrt_failure.settings import SETTINGS, complete
from toyjax.toys import sqrt_mlp

STUDY = grid_study(
  'sqrt_failure',
  SETTINGS,
  report,
  num_seeds=4096,
  complete=complete,
  relabel=trial.relabel,
  always=('hidden_dim',),
  make_trial=trial.make_trial,
  variables=trial.VARIABLES,
  outcome=sqrt_mlp.Outcome,
  attrs=lambda values: {
    'solved_rmse': values['solved_rmse'],
    **sqrt_mlp.THRESHOLDS._asdict(),
  },
  large=('num_points',),
)

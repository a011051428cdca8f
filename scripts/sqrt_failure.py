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

import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  experiments,
  grids,
  launch,
  sqrt_flags,
  sqrt_report,
  sqrt_trial,
  sweep_script,
)
from scripts.shared.number_flags import (
  MOST_POINTS,
  define_float,
  define_integer,
)
from toyjax import store
from toyjax.toys import sqrt_mlp

# What the tables hang on, but no run.
REPORTED = (
  'solved_rmse',
  'num_counted',
  'num_checked',
  'newton_start',
  'newton_iterations',
)

sqrt_flags.define()
experiments.define_observed('observe_steps', [200, 500, 1000, 2000], least=2)
define_integer(
  'num_counted',
  1000,
  'Runs a configuration whose formula is found and compared: the first ones.',
  lower=1,
)
define_integer(
  'num_checked',
  1000,
  'Even points of the interval at which a formula is compared with its net.',
  lower=2,
  upper=MOST_POINTS,
)
define_float(
  'newton_start',
  1.0,
  "Where Newton's iteration for √x starts, at every x.",
  lower=1e-6,
)
define_integer(
  'newton_iterations',
  12,
  "Of Newton's iteration, three operations each.",
  0,
  upper=1000,
)
experiments.define_sweep_flags(num_seeds=4096, workdir='runs/sqrt_failure')


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  settings = sqrt_flags.read()
  settings['observe_steps'] = experiments.observed(
    'observe_steps', settings['num_steps']
  )
  return {**{n: flags.FLAGS[n].value for n in REPORTED}, **settings}


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
      'solved_rmse': settings['solved_rmse'],
      **sqrt_mlp.THRESHOLDS._asdict(),
    },
  )


def report(
  path: pathlib.Path,
  groups: list[grids.Group],
  settings: dict[str, Any],
  relabel: bool,
) -> dict[str, Any]:
  """Writes tables and figures; returns what they hang on beside the runs."""
  sqrt_report.write(path, groups, settings, relabel=relabel)
  return {
    **{name: settings[name] for name in REPORTED},
    'thresholds': sqrt_mlp.THRESHOLDS._asdict(),
  }


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  sweep_script.run(
    sweep_script.Sweep(
      script='sqrt_failure',
      read_settings=read_settings,
      may_differ=REPORTED,
      make_groups=sqrt_flags.make_groups,
      make_trial=sqrt_trial.make_trial,
      variables=sqrt_trial.VARIABLES,
      describe=describe,
      summarize=sqrt_trial.count_last_step,
      num_steps='num_steps',
      observe_steps='observe_steps',
      report=report,
    )
  )


if __name__ == '__main__':
  launch.run(main)

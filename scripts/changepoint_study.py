r"""How well do policies find a change that is known, and how sure are they?

Simulated traces: T positions, the first low position uniform over them, the
rate p1 before it and p2 from it on, numbers or drawn from the prior. A first
low position of 0 leaves nothing to fall: such traces have no guilty sentence
(elsewhere it is the one before) and are kept, for the prior has them too.

Interrupted, the same command goes on: finished sweeps are kept in --workdir.

Every policy sees the same traces with the same keys. study.csv is one long
table: location errors, coverage of three intervals, calibration of the
posterior, rollouts until one position holds --mass (runs that never get there
are counted as such), the distance to limits for known rates, false alarms of
the e-processes on traces that never fall, power on those that do, and rounds
of parallel rollouts. Policies: ADAPTIVE ones, and FIXED designs in which no
outcome decides what comes next. Searches stop by themselves, if the budget lets
them. Some bring their own budget: 64 rollouts a position for exhaustive_64 and
cliff, 16 for searches named free.

  python -m scripts.changepoint_study --workdir=runs/study
  python -m scripts.changepoint_study --policies=eig,omega --priors=weak \
    --p1=.8 --p2=.2,.4 --num_traces=200 --workdir=runs/small
"""

import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  changepoint_choices,
  changepoint_rivals,
  changepoint_study,
  experiments,
  launch,
  precision,
)
from scripts.shared.changepoint_studies import DRAWN, rate_pairs
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import (
  MOST_POINTS,
  MOST_UNITS,
  define_float,
  define_integer,
  define_num_devices,
  define_seed,
)
from scripts.shared.path_flags import define_path
from toyjax import manifest


def _rate(text: str) -> float | str:
  if text == DRAWN:
    return text
  value = number(float, 0.0, exclusive=True)(text)
  if value >= 1.0:
    raise ValueError(f'{text} must be < 1')
  return value


SCIENCE = (
  *('policies', 'priors', 'num_positions', 'p1', 'p2', 'num_traces'),
  *('num_null_traces', 'num_rollouts', 'batch_sizes', 'level', 'alpha'),
  *('mass', 'seed'),
)

define_list(
  'policies',
  [
    *('eig', 'expected_entropy', 'git_bayesect', 'thompson', 'median'),
    *('split_median', 'uniform', 'omega', 'omega_fair', 'adaptive_bisection'),
    *('adaptive_bisection_free', 'pivotal', 'pivotal_free', 'exhaustive'),
    *('exhaustive_64', 'cliff'),
  ],
  choice(tuple(changepoint_rivals.POLICIES)),
  f'Among {", ".join(changepoint_rivals.POLICIES)}. The first is the one of '
  'the coverage table.',
)
define_list(
  'priors',
  list(changepoint_choices.PRIORS),
  choice(tuple(changepoint_choices.PRIORS)),
  'What is believed of p1 and p2: '
  + '; '.join(
    f'{name}, Beta{before} and Beta{after}'
    for name, (before, after) in changepoint_choices.PRIORS.items()
  )
  + '. The first is the one of the policy table and of the false alarms.',
)
define_integer(
  'num_positions', 64, 'T, positions of a trace.', 2, upper=MOST_UNITS
)
define_list(
  'p1',
  [DRAWN, 0.7],
  _rate,
  'Rates before the change, or "prior": drawn from the assumed prior.',
)
define_list(
  'p2',
  [DRAWN, 0.05, 0.1, 0.2, 0.3],
  _rate,
  'Rates from the change on, or "prior". All pairs of numbers are run, and '
  '"prior" only with "prior": then the assumed prior is the true one.',
)
define_integer(
  'num_traces', 1000, 'Traces per configuration.', 2, upper=100 * MOST_POINTS
)
define_integer(
  'num_null_traces',
  400,
  'Traces per kind for false alarms and power.',
  2,
  upper=100 * MOST_POINTS,
)
define_integer(
  'num_rollouts',
  100,
  'Budget of rollouts a trace (published: 100).',
  1,
  upper=MOST_POINTS,
)
define_list(
  'batch_sizes', [1, 4, 8, 16], number(int, 1), 'q, rollouts in parallel.'
)
define_float(
  'level', 0.8, 'Level of the intervals (published: 80 %).', 0.0, 1.0
)
define_float('alpha', 0.05, 'Rate of false alarms that is promised.', 0.0, 1.0)
define_float(
  'mass', 0.95, 'Posterior mass to stop at (git_bayesect: .95).', 0.0, 1.0
)
# False alarms are counted on traces of the seed after it.
define_seed('Seed of the traces and of the rollouts.', beside=1)
define_integer(
  'chunk_size',
  1024,
  'Traces computed at a time. Part of the study: code for another size rounds '
  'otherwise, and a choice between two positions that are nearly as good may '
  'fall the other way. A folder keeps its own.',
  lower=1,
)
define_num_devices(
  'Host (CPU) devices the traces are spread over; 0 means one for each core.'
)
define_path(
  'workdir', 'runs/changepoint_study', 'Folder for study.csv and figures.'
)


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  settings: dict[str, Any] = {name: flags.FLAGS[name].value for name in SCIENCE}
  for name in ('level', 'alpha', 'mass'):
    if not 0.0 < settings[name] < 1.0:
      raise flags.Error(f'--{name}={settings[name]} must be in (0, 1)')
  precision.check(
    settings, 'float32', below_one=('level', 'alpha', 'mass', 'p1', 'p2')
  )
  pairs = rate_pairs(settings['p1'], settings['p2'])
  if not pairs:
    raise flags.Error('--p1 and --p2: "prior" in one needs "prior" in both')
  if (DRAWN in settings['p1']) != (DRAWN in settings['p2']):
    print('"prior" stands in one of --p1 and --p2 only: left out', flush=True)
  for before, after in pairs:
    if DRAWN in (before, after):
      continue
    if np.float32(before) <= np.float32(after):
      raise flags.Error(f'--p1={before} must be above --p2={after}')
  if max(settings['batch_sizes']) > settings['num_rollouts']:
    raise flags.Error(
      f'--batch_sizes={max(settings["batch_sizes"])} exceeds '
      f'--num_rollouts={settings["num_rollouts"]}'
    )
  return settings


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('changepoint_study'):
    settings = read_settings()
    path = pathlib.Path(FLAGS.workdir)
    # A device's share is one batch, whose size may move last bits.
    num_devices = experiments.find_num_devices(FLAGS.num_devices, path)
    experiments.setup_jax(num_devices=num_devices, dtype='float32')
    changepoint_study.require_room(settings)
    with manifest.Workdir(
      path,
      script='changepoint_study',
      science=settings,
      extent={},
      layout={'chunk_size': FLAGS.chunk_size, 'num_devices': num_devices},
      environment=experiments.environment(),
    ) as workdir:
      rows = changepoint_study.run(settings, FLAGS.chunk_size, workdir)
      changepoint_study.report(workdir.path, rows, settings)


if __name__ == '__main__':
  launch.run(main)

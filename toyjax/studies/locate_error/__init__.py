r"""Where does a chain of thought go wrong?

Reads one math-rollouts problem folder: rollouts from every position of a
trace, each right or wrong. Says whether the rate of success falls at all
(DROP, NO_DROP or UNDECIDED, by e-values that hold at any stopping time), where
(the index of the first low accuracy; the guilty sentence is the one before),
how sure that is, what several changes look like, and what in the data speaks
against the answer. Writes report.md, positions.csv and trajectory.png.

  python -m scripts.locate_error \
    --trace=../shared/data/math_rollouts/raw/problem_2236
  python -m scripts.locate_error --trace=... --num_rollouts=100 --policy=eig

The second replays an active run: 100 rollouts, each drawn with the recorded
share of the position that the policy chooses.
"""

import pathlib

from toyjax import memory
from toyjax.parsers import SettingError
from toyjax.settings import Values, text_of
from toyjax.studies import traces
from toyjax.studies.base import Plan, Task
from toyjax.studies.locate_error import located
from toyjax.studies.locate_error.locating import locate
from toyjax.studies.locate_error.report import report
from toyjax.studies.locate_error.settings import SETTINGS


@traces.setting_errors()
def prepare(values: Values) -> Plan:
  """Returns the plan: the trace is read here, and located in float64.

  Raises:
    SettingError: where the trace cannot be read, or has too few positions.
  """
  read = traces.read(values)
  trace = located.prepare(
    read.trace, none=values['none'], numbers=values['numbers']
  )
  size = len(trace.chunk_indices)
  if size < 2:
    raise SettingError(
      f'--trace={values["trace"]} has rollouts at {size} positions: at least 2 '
      'are needed'
    )
  num_draws = values['num_draws']
  memory.require(8 * num_draws * size, f'--num_draws={num_draws}')
  return Plan(
    folder=pathlib.Path(values['workdir']),
    science={
      **STUDY.science(values),
      'concentration': [text_of(rho) for rho in values['concentration']],
      'trace': traces.digest(read.folder, read.trace),
    },
    run=lambda workdir: report(read, locate(trace, values), values),
    dtype='float64',
  )


STUDY = Task('locate_error', SETTINGS, prepare, required=('trace',))

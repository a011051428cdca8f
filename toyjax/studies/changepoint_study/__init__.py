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

from toyjax.settings import Values
from toyjax.studies.base import Plan, Task
from toyjax.studies.changepoint_study import sweeping
from toyjax.studies.changepoint_study.report import report
from toyjax.studies.changepoint_study.settings import SETTINGS, complete
from toyjax.studies.folders import find_num_devices


def prepare(values: Values) -> Plan:
  """Returns the plan: sweeps that the folder lacks, then the report of all."""
  # A device's share is one batch, whose size may move last bits.
  num_devices = find_num_devices(values['num_devices'], values['workdir'])
  return Plan(
    folder=pathlib.Path(values['workdir']),
    science=STUDY.science(values),
    run=lambda workdir: report(sweeping.run(values, workdir), values),
    layout={'chunk_size': values['chunk_size'], 'num_devices': num_devices},
    num_devices=num_devices,
    check=lambda: sweeping.require_room(values),
  )


STUDY = Task(
  'changepoint_study',
  SETTINGS,
  prepare,
  complete=complete,
  dtypes=lambda values: ['float32'],
)

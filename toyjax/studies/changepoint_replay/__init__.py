r"""Do a few rollouts find the change that exhaustive sampling finds?

Of each recorded trace we know how many rollouts from each position were right,
k of n. A replay draws new rollouts with the chance k/n at a position, as the
policy asks for them: at most --num_rollouts of them, where exhaustive sampling
took some 100 at every position. Its answer is compared with the most probable
index of the first low accuracy given all recorded rollouts under the same
prior; the guilty sentence is the one before that index. So a hit means that
the few rollouts agree with the many under one model, not that the model is
right: where the rate rises, one change is a rise and no sentence is guilty. The
verdicts DROP, NO_DROP and UNDECIDED ask for that, with a false-alarm rate for
all traces that never fall; NO_DROP is about one lasting drop, not about one
that recovers.

--policy and --prior take lists; all of them meet the same draws. replay.csv
has a row for each trace under each of them and one for all traces, every share
with its count and 95 % Wilson interval. The intervals are about more replays of
these traces, not about other traces. replay.png shows those shares,
trajectories.png the first replay of every trace.

  python -m scripts.changepoint_replay --workdir=runs/replay
  python -m scripts.changepoint_replay --policy=eig,uniform,thompson \
    --prior=published,weak --workdir=runs/policies
"""

import pathlib

from toyjax import memory
from toyjax.manifest import Workdir
from toyjax.settings import FIXED, Values, names_of
from toyjax.studies.base import Plan, Report, Task
from toyjax.studies.changepoint_replay.recorded import (
  find_exhaustive,
  pad,
  read_traces,
)
from toyjax.studies.changepoint_replay.replaying import replay
from toyjax.studies.changepoint_replay.report import report
from toyjax.studies.changepoint_replay.settings import SETTINGS
from toyjax.studies.folders import find_num_devices


def prepare(values: Values) -> Plan:
  """Returns the plan: replays that the folder lacks, then the report of all.

  Raises:
    SettingError: where the traces cannot be read.
  """
  found, counts = read_traces(values['counts'], skip_bad=values['skip_bad'])
  num_devices = find_num_devices(values['num_devices'], values['workdir'])
  layout = {name: values[name] for name in ('chunk_size', 'map')}
  if values['map'] == 'vmap':
    # A device's share is one batch, whose size may move last bits.
    layout['num_devices'] = num_devices
  num_replays = values['num_repeats'] * len(found) * len(values['prior'])

  def run(workdir: Workdir) -> Report:
    recorded = pad(found)
    exhaustive = {
      prior: find_exhaustive(recorded, prior, values)
      for prior in values['prior']
    }
    replays = list(replay(recorded, exhaustive, values, workdir))
    return report(replays, found, exhaustive, values)

  return Plan(
    folder=pathlib.Path(values['workdir']),
    science={
      'counts': counts,
      **{name: values[name] for name in names_of(SETTINGS, FIXED)},
    },
    run=run,
    extent={'num_repeats': values['num_repeats']},
    layout=layout,
    dtype=values['dtype'],
    num_devices=num_devices,
    check=lambda: memory.require_runs(num_replays, 8),
  )


STUDY = Task('changepoint_replay', SETTINGS, prepare)

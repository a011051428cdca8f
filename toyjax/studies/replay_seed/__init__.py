r"""Runs one stored run of optimization_failure again, and draws all of it.

A sweep keeps each run at a few steps. This script takes one of its runs, by
its number in its group, and trains it again from the settings in the folder's
manifest, now observed at hundreds of steps. It then says whether the weights
are the stored ones bit for bit at every stored step, and if not, from which
step on and by how many units in the last place, whether the labels agree, and
what differs between the machines. With --whole_chunk it also runs the run's
whole chunk by the very program of the sweep.

Into WORKDIR/replays/GROUP_runK it writes comparison.csv, the trajectory
(results.zarr) and pictures: training.png (the latent plane at the end; SSE,
norms and biases through training), stages.png (the plane on its way), gram.png
(W'W), tilt.png (the latent polygon in three output dimensions) and
animation.gif, beside animation.mp4 where ffmpeg is there.

  python -m scripts.optimization_failure --num_features=7 --num_seeds=512 \
    --workdir=runs/seven
  python -m scripts.replay_seed --workdir=runs/seven --run=11
"""

from toyjax import parsers
from toyjax.parsers import MOST_POINTS, NATURAL, Number, SettingError
from toyjax.settings import Values, fixed, machine, reported
from toyjax.studies import folders, optimization_failure, options, replaying
from toyjax.studies.base import Plan, Task
from toyjax.studies.replay_seed.report import report

SETTINGS = (
  *folders.rows(
    'Folder of scripts.optimization_failure that holds the run.',
    'replays/GROUP_runK',
  ),
  machine(
    'group',
    '',
    str,
    'Group of the run, such as n7_m2; may be left out if alone.',
  ),
  fixed('run', 0, NATURAL, 'Number of the run in its group, from 0.'),
  fixed(
    'num_observed',
    400,
    Number(int, 4, MOST_POINTS),
    'Steps at which the run is observed: half log-spaced, half even; all '
    'stored steps come on top.',
  ),
  reported('num_stages', 6, Number(int, 2, 30), 'Panels of stages.png.'),
  reported(
    'num_frames',
    60,
    Number(int, 0, 10_000),
    'Frames of the animation; 0 makes none.',
  ),
  reported(
    'tilt_outputs',
    [],
    NATURAL,
    'Three outputs of the tilt view: to the right, to the back, upright. Left '
    'alone, the shortest row is upright.',
    is_vector=True,
  ),
  reported(
    'whole_chunk',
    False,
    parsers.truth,
    "Also run the run's whole chunk again, by the very program of the sweep.",
  ),
  options.num_devices('Host (CPU) devices; 0 means as many as the sweep had.'),
)


def prepare(values: Values) -> Plan:
  """Returns the plan: one run is trained again."""
  run, outputs = values['run'], values['tilt_outputs']
  original = replaying.read_run(
    values['workdir'], optimization_failure.STUDY, values['group'], run
  )
  group = original.stage.name
  num_features = original.stage.values['num_features']
  if outputs and (
    not len(outputs) == len(set(outputs)) == 3 or max(outputs) >= num_features
  ):
    raise SettingError(
      f'--tilt_outputs={",".join(map(str, outputs))} must be three different '
      f'features of 0..{num_features - 1}'
    )
  own = {'group': group, 'run': run, 'num_observed': values['num_observed']}
  return original.folder.plan(
    values,
    f'replays/{group}_run{run}',
    lambda workdir: report(original, workdir, values),
    science=original.folder.values | own,
    extent={},
    num_devices=values['num_devices'] or original.num_devices,
  )


STUDY = Task('replay_seed', SETTINGS, prepare)

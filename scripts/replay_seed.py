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

import pathlib

from absl import app, flags
import jax
import numpy as np

from scripts.shared import (
  autoencoder_trial,
  experiments,
  grids,
  launch,
  seed_replay,
  seed_replay_figures,
  stored_folder,
  tables,
)
from scripts.shared.number_flags import (
  MOST_POINTS,
  define_integer,
  define_num_devices,
)
from scripts.shared.path_flags import define_path
from toyjax import manifest, store
from toyjax.stored_runs import StoredRuns
from toyjax.toys import relu_autoencoder

define_path(
  'workdir',
  'runs/optimization_failure',
  'Folder of scripts.optimization_failure that holds the run.',
)
flags.DEFINE_string(
  'group', '', 'Group of the run, such as n7_m2; may be left out if alone.'
)
define_integer('run', 0, 'Number of the run in its group, from 0.', 0)
define_path(
  'output', '', "Folder for the results; '' is WORKDIR/replays/GROUP_runK."
)
define_integer(
  'num_observed',
  400,
  'Steps at which the run is observed: half log-spaced, half even; all stored '
  'steps come on top.',
  lower=4,
  upper=MOST_POINTS,
)
define_integer('num_stages', 6, 'Panels of stages.png.', lower=2, upper=30)
define_integer(
  'num_frames',
  60,
  'Frames of the animation; 0 makes none.',
  lower=0,
  upper=10_000,
)
flags.DEFINE_list(
  'tilt_outputs',
  [],
  'Three outputs of the tilt view: to the right, to the back, upright. Left '
  'alone, the shortest row is upright.',
)
flags.DEFINE_bool(
  'whole_chunk',
  False,
  "Also run the run's whole chunk again, by the very program of the sweep.",
)
define_num_devices('Host (CPU) devices; 0 means as many as the sweep had.')


def tilt_outputs(num_features: int) -> tuple[int, int, int] | None:
  """Returns the outputs of the tilt view, or None to choose them.

  Raises:
    flags.Error: unless they are three features.
  """
  outputs = flags.FLAGS.tilt_outputs
  if not outputs:
    return None
  names = [str(i) for i in range(num_features)]
  if len(set(outputs)) != 3 or len(outputs) != 3 or set(outputs) - set(names):
    raise flags.Error(
      f'--tilt_outputs={",".join(outputs)} must be three different features '
      f'of 0..{num_features - 1}'
    )
  return int(outputs[0]), int(outputs[1]), int(outputs[2])


def replay(
  original: seed_replay.Original, steps: list[int], workdir: manifest.Workdir
) -> dict[str, np.ndarray]:
  """Trains the run again, observed at `steps`, and returns what was seen."""
  settings = {**original.settings, 'observe_steps': steps}
  group, run = original.group, original.run
  grids.run_group(
    group,
    autoencoder_trial.make_trial(group.static, settings),
    jax.tree.map(lambda leaf: leaf[run : run + 1], original.xs()),
    path=workdir.path / 'results.zarr',
    identity=workdir.identity,
    chunk_size=original.manifest['layout']['chunk_size'],
    map_name=original.manifest['layout']['map'],
    variables=autoencoder_trial.VARIABLES,
    coordinates={'step': store.Coordinate('step', np.asarray(steps))},
    attrs={
      'solved_sse': settings['solved_sse'],
      **relu_autoencoder.THRESHOLDS._asdict(),
    },
    summarize=autoencoder_trial.count_last_step,
    work_per_run=settings['num_steps'],
  )
  runs = StoredRuns(workdir.path / 'results.zarr', group.name)
  return {name: runs.read(name)[0] for name in seed_replay.COMPARED}


def check(
  original: seed_replay.Original,
  steps: list[int],
  seen: dict[str, np.ndarray],
  path: pathlib.Path,
) -> None:
  """Compares the replay with the store; prints, and writes comparison.csv."""
  observed = original.settings['observe_steps']
  at = [steps.index(step) for step in observed]
  rows = seed_replay.compare(
    'alone',
    observed,
    original.stored,
    {name: values[at] for name, values in seen.items()},
  )
  print(f'run alone, observed more often: {seed_replay.describe(rows)}')
  if flags.FLAGS.whole_chunk:
    again = seed_replay.rerun_chunk(original)
    chunk_rows = seed_replay.compare(
      'whole_chunk', observed, original.stored, again
    )
    print(f"the sweep's own program: {seed_replay.describe(chunk_rows)}")
    rows += chunk_rows
  elif any(row['max_ulps'] for row in rows):
    print('--whole_chunk runs its whole chunk by the very same program')
  if any(row['max_ulps'] for row in rows):
    different = seed_replay.environment_differences(
      original.environment, experiments.environment()
    )
    print('\n'.join(different or ['nothing differs between the machines']))
  tables.write_csv(path / 'comparison.csv', rows)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  with experiments.one_line_errors('replay_seed'):
    original = seed_replay.read_run(FLAGS.workdir, FLAGS.group, FLAGS.run)
    group, settings = original.group, original.settings
    outputs = tilt_outputs(group.static['num_features'])
    experiments.setup_jax(
      num_devices=FLAGS.num_devices or original.num_devices,
      dtype=settings['dtype'],
    )
    name = f'{group.name}_run{FLAGS.run}'
    default = pathlib.Path(FLAGS.workdir) / 'replays' / name
    path = pathlib.Path(FLAGS.output) if FLAGS.output else default
    steps = seed_replay.trajectory_steps(settings, FLAGS.num_observed)
    with stored_folder.output(
      path,
      script='replay_seed',
      science={
        **settings,
        'group': group.name,
        'run': FLAGS.run,
        'num_observed': FLAGS.num_observed,
      },
      extent={},
      layout=original.manifest['layout'],
    ) as workdir:
      seen = replay(original, steps, workdir)
      check(original, steps, seen, path)
      left_out = seed_replay_figures.draw_all(
        path,
        seed_replay_figures.make_trajectory(
          f'Run {FLAGS.run} of {group.name}',
          steps,
          seen,
          settings['solved_sse'],
        ),
        num_stages=FLAGS.num_stages,
        num_frames=FLAGS.num_frames,
        outputs=outputs,
      )
    print('\n'.join([*left_out, f'all of it is in {path}']))


if __name__ == '__main__':
  launch.run(main)

r"""From a failed state, which learning rates recover - and is the edge fractal?

The toy ReLU autoencoder (n features, two hidden dimensions, X = I) starts in
symmetric failure: row 0 dead at b = 1/n, the others a regular polygon that
solves their features. The biases of two rows are raised by Delta and plain
gradient descent runs on. One pixel is one run: learning rate across, Delta
upwards, colour the sum of |W_i|. The script writes

  map.png, summary.csv, edges.csv   the map, its endings, its edges row by row
  zooms.png, zooms.csv              windows that close in on both edges
  dimensions.png, dimensions.csv    box-counting dimension, against a smooth
                                    null, a float64 control and nudged starts
  lyapunov.png, lyapunov.csv        how far neighbouring starts are driven apart
  scan.csv                          variants of what the source leaves open

A run recovers when its SSE stays below --solved_sse for the last --window
steps. Each stage is stored chunk by chunk: the same command resumes.

  python -m scripts.chaos_map --workdir=runs/chaos_map
  python -m scripts.chaos_map --learning_rate_range=2.1,2.3 \
    --delta_range=0.09,0.11 --zoom_levels=0 --workdir=runs/window
  python -m scripts.chaos_map --size=2048 --dry_run
"""

import functools
import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  chaos_results,
  chaos_runs,
  chaos_study,
  estimates,
  experiments,
  launch,
  memory,
  precision,
)
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import (
  MOST_FEATURES,
  MOST_POINTS,
  define_float,
  define_integer,
)
from toyjax import manifest
from toyjax.analysis import chaos
from toyjax.analysis.chaos_endings import THRESHOLDS

VARIANT = (*chaos_runs.VARIANT, 'keep_mirror')
RANGES = ('learning_rate_range', 'delta_range')
SCAN = (
  'scan_loss_reductions',
  'scan_separations',
  'scan_norm_factors',
  'scan_deltas',
)
FEW_PIXELS = 64
SIZES = ('size', 'lyapunov_size', 'scan_size')
ZOOM = ('zoom_size', 'zoom_factor', 'num_chains')
SCIENCE = (
  *VARIANT,
  *RANGES,
  *SIZES,
  *ZOOM,
  *SCAN,
  'observe_steps',
  'window',
  'solved_sse',
  'dtype',
)

# The study gives n, the ranges, 10,000 steps, and a map whose colours span 8.5
# to 14.1 with an edge from 1.55 to 2.4. No variant of the scan shows that after
# 10,000 steps; after 25,000, the length of the study's other runs, one does.
define_list(
  'observe_steps',
  [10_000, 25_000],
  number(int, 2),
  'Increasing multiples of --window at which the map is drawn; the last ends '
  'the runs.',
)
define_list(
  'learning_rate_range', [0.5, 3.0], number(float, 0.0), 'Left, right.'
)
define_list('delta_range', [0.0, 0.2], number(float, 0.0), 'Bottom, top.')
define_integer('num_features', 7, 'n, features.', 4, upper=MOST_FEATURES)
define_integer(
  'separation',
  1,
  'Corners of the polygon between the two raised rows: 1 raises next '
  'neighbours, rows 1 and n - 1.',
  1,
)
define_float(
  'norm_factor', 1.0, '|W_i| at the start over the least that solves.', 1.0
)
flags.DEFINE_enum(
  'loss_reduction',
  'mean',
  chaos.LOSS_REDUCTIONS,
  'The sum of squared errors over the n samples divided by n^2, n or 1.',
)
flags.DEFINE_bool(
  'keep_mirror',
  False,
  'Project every step on mirror-symmetric states, which exact arithmetic never '
  'leaves.',
)
define_integer('window', 100, 'Steps over which an ending is judged.', 2)
define_float('solved_sse', 1e-2, 'A run has recovered below this.', 0.0)
define_integer(
  'size', 256, 'Pixels of the map along each axis.', 8, upper=46_340
)
define_integer(
  'lyapunov_size',
  64,
  'The same for the Lyapunov map; 0 leaves it out.',
  0,
  upper=46_340,
)
define_integer(
  'zoom_levels',
  4,
  'Windows into each edge; 0 leaves zooms out.',
  0,
  upper=100,
)
define_integer(
  'zoom_size', 32, 'Pixels of a window along an axis.', 16, upper=MOST_FEATURES
)
define_float('zoom_factor', 8.0, 'Between successive windows.', 2.0)
define_integer('num_chains', 1, 'Chains of windows on each edge.', 1, upper=100)
define_integer(
  'scan_size',
  48,
  'Learning rates for each Delta of the scan; 0 leaves the scan out.',
  0,
  upper=MOST_POINTS,
)
define_list(
  'scan_loss_reductions',
  chaos.LOSS_REDUCTIONS,
  choice(chaos.LOSS_REDUCTIONS),
  'Variants of --loss_reduction to scan.',
)
define_list(
  'scan_separations', [1, 2, 3], number(int, 1), 'Variants of --separation.'
)
define_list(
  'scan_norm_factors',
  [1.0, 1.1],
  number(float, 1.0),
  'Variants of --norm_factor.',
)
define_list(
  'scan_deltas',
  [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
  number(float, 0.0),
  'Values of Delta of the scan.',
)
experiments.define_machine_flags(workdir='runs/chaos_map')


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  settings['zoom_levels'] = FLAGS.zoom_levels
  # Zooms are made in both precisions.
  precision.check(
    settings, 'float32' if FLAGS.zoom_levels else settings['dtype']
  )
  for name in RANGES:
    ends = settings[name]
    if len(ends) != 2 or ends[0] >= ends[1]:
      raise flags.Error(f'--{name} takes two increasing numbers: {ends}')
    pixels = np.linspace(ends[0], ends[1], settings['size']).astype(
      settings['dtype']
    )
    if len(np.unique(pixels)) < len(pixels):
      raise flags.Error(
        f'--{name}={ends[0]},{ends[1]} is too narrow for --size={len(pixels)}: '
        f'pixels would be one number in {settings["dtype"]}'
      )
  steps, window = settings['observe_steps'], settings['window']
  if steps != sorted(steps) or any(step % window for step in steps):
    raise flags.Error(
      f'--observe_steps must be increasing multiples of --window={window}: '
      f'{steps}'
    )
  separations = {settings['separation']}
  if settings['scan_size']:
    separations |= set(settings['scan_separations'])
  for separation in sorted(separations):
    try:
      chaos.raised_rows(
        num_features=settings['num_features'], separation=separation
      )
    except ValueError as error:
      raise flags.Error(f'--separation: {error}') from None
  return settings


def stages(settings: dict[str, Any]) -> list[chaos_runs.Stage]:
  """Returns the stages whose runs are known in advance: all but the zooms."""
  found = [chaos_study.map_stage(settings)]
  if settings['lyapunov_size']:
    found.append(chaos_study.lyapunov_stage(settings))
  if settings['scan_size']:
    found += chaos_study.scan_stages(settings)
  return found


def print_estimate(
  settings: dict[str, Any], map_name: str, chunk_size: int
) -> None:
  """Prints what the stages will take, from a chunk of a few steps each."""
  seconds, disk = 0.0, 0
  num_steps = settings['observe_steps'][-1]
  # Of a large map a smaller one tells the speed.
  few = settings | {name: min(settings[name], FEW_PIXELS) for name in SIZES}
  found = zip(stages(few), chaos_study.num_runs(settings), strict=True)
  for stage, num_runs in [*found, *chaos_study.zoom_sizes(settings)]:
    cost = estimates.estimate(
      functools.partial(chaos_runs.make_trial, stage, settings),
      stage.xs,
      num_runs=num_runs,
      num_steps=num_steps,
      chunk_size=chunk_size,
      map_name=map_name,
    )
    seconds += cost.elapsed_seconds
    disk += cost.disk_bytes * len(settings['observe_steps'])
    print(
      f'{stage.name}: {cost.num_runs:,} runs x {num_steps:,} steps at '
      f'{cost.steps_per_second:.3g} steps/s, about '
      f'{cost.elapsed_seconds / 60:.1f} minutes'
    )
  print(
    f'about {seconds / 60:.1f} minutes, at most {disk / 2**20:.1f} MiB on '
    'disk; nothing was written'
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('chaos_map'):
    settings = read_settings()
    # Stages of both precisions share a process; each fixes its own dtype.
    experiments.setup_jax(num_devices=FLAGS.num_devices, dtype='float64')
    chunk_size = experiments.find_chunk_size(FLAGS.chunk_size, path)
    if FLAGS.dry_run:
      print_estimate(settings, FLAGS.map, chunk_size)
      return
    memory.require_runs(max(chaos_study.num_runs(settings)), 24)
    with manifest.Workdir(
      path,
      script='chaos_map',
      science={name: settings[name] for name in SCIENCE},
      extent={'zoom_levels': settings['zoom_levels']},
      layout={'chunk_size': chunk_size, 'map': FLAGS.map},
      environment=experiments.environment(),
    ) as workdir:
      compute = functools.partial(
        chaos_runs.compute,
        settings=settings,
        path=path / 'results.zarr',
        identity=workdir.identity,
        chunk_size=chunk_size,
        map_name=FLAGS.map,
      )
      chaos_results.report_map(path, settings, compute)
      if settings['lyapunov_size']:
        chaos_results.report_lyapunov(path, settings, compute)
      if settings['scan_size']:
        chaos_results.report_scan(path, settings, compute)
      if settings['zoom_levels']:
        chaos_results.report_zooms(path, settings, compute)
      workdir.note(summary={'thresholds': THRESHOLDS._asdict()})
      print(f'\ntables and figures are in {path}')


if __name__ == '__main__':
  launch.run(main)

"""Does the size of a chunk matter for speed? The grounds for the default.

Runs the same seeds of X = I with AdamW in chunks of several sizes, one size
after the other and all again, and prints seed-steps a second: medians of
repeats, without compilation.

  python -m benchmarks.chunk_sizes
  python -m benchmarks.chunk_sizes --num_features=20 --chunk_size=256,4096
"""

import time

from absl import app, flags
import jax
import numpy as np

from benchmarks import adamw_runs
from toyjax import chunks, tables
from toyjax.command import launch, machine
from toyjax.command.flags import define
from toyjax.parsers import COUNT, FEATURES
from toyjax.settings import fixed

SETTINGS = (
  fixed(
    'chunk_size',
    [256, 512, 1024, 2048, 4096, 16_384],
    COUNT,
    'Runs computed at a time.',
  ),
  fixed('num_features', 7, FEATURES, 'n, features.'),
  fixed('num_seeds', 16_384, COUNT, 'Seeds of a sweep.'),
  fixed('num_steps', 1000, COUNT, 'Steps of each run.'),
  fixed('repeats', 5, COUNT, 'Sweeps with each size.'),
)

define(SETTINGS)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  machine.setup_jax(num_devices=0, dtype='float32')
  trial = adamw_runs.make_trial(
    num_features=FLAGS.num_features,
    observe_steps=[FLAGS.num_steps],
    dtype='float32',
  )
  xs = adamw_runs.make_xs(
    seed=0, indices=np.arange(FLAGS.num_seeds), dtype='float32'
  )
  mesh = chunks.local_mesh()
  program = chunks.compile_chunk(trial, xs, mesh, 'lanes')

  def run(chunk_size: int) -> float:
    size = chunks.padded_size(FLAGS.num_seeds, chunk_size, program.multiple)
    start = time.perf_counter()
    for first in range(0, FLAGS.num_seeds, chunk_size):
      rows = np.minimum(np.arange(first, first + size), FLAGS.num_seeds - 1)
      chunk = jax.tree.map(lambda leaf, rows=rows: leaf[rows], xs)
      jax.block_until_ready(program.run(chunk))
    return time.perf_counter() - start

  times: dict[int, list[float]] = {size: [] for size in FLAGS.chunk_size}
  for repeat in range(FLAGS.repeats + 1):
    for size, seconds in times.items():
      elapsed_seconds = run(size)
      if repeat:  # The first compiles.
        seconds.append(elapsed_seconds)
  work = FLAGS.num_seeds * FLAGS.num_steps
  print(
    f'{mesh.size} x {jax.local_devices()[0].device_kind}, n = '
    f'{FLAGS.num_features}, {FLAGS.num_seeds:,} seeds x {FLAGS.num_steps:,} '
    f'steps; the default is {chunks.default_size(mesh)}'
  )
  print(
    tables.align(
      ('chunk', 'seed-steps/s', 'range'),
      [
        [
          f'{size}',
          f'{work / np.median(seconds):.3g}',
          f'[{work / max(seconds):.3g}, {work / min(seconds):.3g}]',
        ]
        for size, seconds in times.items()
      ],
    )
  )


if __name__ == '__main__':
  launch.run(main)

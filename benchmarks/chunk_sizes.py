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
from scripts.shared import experiments, launch, tables
from scripts.shared.list_flags import define_list, number
from scripts.shared.number_flags import MOST_FEATURES, define_integer
from toyjax import chunks

define_list(
  'chunk_size',
  [256, 512, 1024, 2048, 4096, 16_384],
  number(int, 1),
  'Runs computed at a time.',
)
define_integer('num_features', 7, 'n, features.', 2, upper=MOST_FEATURES)
define_integer('num_seeds', 16_384, 'Seeds of a sweep.', 1)
define_integer('num_steps', 1000, 'Steps of each run.', 1)
define_integer('repeats', 5, 'Sweeps with each size.', 1)


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  experiments.setup_jax(num_devices=0, dtype='float32')
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
    tables.format_table(
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

r"""How much memory does a sweep of many seeds take at its peak?

Runs the main script as a process of its own, into a temporary folder, and
compares the largest resident memory it ever had with a limit; the exit status
is 1 above it.

  python -m benchmarks.memory
  python -m benchmarks.memory --num_seeds=10000 --num_steps=100
"""

import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from absl import app, flags

from toyjax.command.flags import define
from toyjax.parsers import COUNT, FEATURES, NOT_NEGATIVE, SEVERAL
from toyjax.settings import fixed

ROOT = pathlib.Path(__file__).parents[1]

SETTINGS = (
  fixed('num_features', 7, FEATURES, 'n, features.'),
  fixed('num_seeds', 100_000, COUNT, 'Seeds of the sweep.'),
  fixed('num_steps', 2000, SEVERAL, 'Steps of each run.'),
  fixed('limit_gib', 3.0, NOT_NEGATIVE, 'Limit of the resident memory, GiB.'),
)

define(SETTINGS)


def peak_children_bytes() -> int:
  """Returns the peak resident memory of the largest finished child."""
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
  return peak if sys.platform == 'darwin' else 1024 * peak


def run_sweep(*, num_features: int, num_seeds: int, num_steps: int) -> None:
  """Runs the main script into a folder that is then removed."""
  with tempfile.TemporaryDirectory() as folder:
    subprocess.run(
      [
        sys.executable,
        '-m',
        'scripts.optimization_failure',
        f'--num_features={num_features}',
        f'--num_seeds={num_seeds}',
        f'--num_steps={num_steps}',
        f'--workdir={pathlib.Path(folder) / "sweep"}',
      ],
      cwd=ROOT,
      stdout=subprocess.DEVNULL,
      check=True,
    )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  start = time.monotonic()
  run_sweep(
    num_features=FLAGS.num_features,
    num_seeds=FLAGS.num_seeds,
    num_steps=FLAGS.num_steps,
  )
  elapsed_seconds = time.monotonic() - start
  peak_gib = peak_children_bytes() / 2**30
  print(
    f'n={FLAGS.num_features}, {FLAGS.num_seeds:,} seeds x '
    f'{FLAGS.num_steps:,} steps in {elapsed_seconds:.0f} s: peak resident '
    f'memory {peak_gib:.2f} GiB, limit {FLAGS.limit_gib:g} GiB'
  )
  if peak_gib > FLAGS.limit_gib:
    sys.exit('benchmarks.memory: the sweep needs more memory than its limit')


if __name__ == '__main__':
  app.run(main)

"""Times a program of seed_steps, and sees how much memory it takes."""

import ctypes
import math
import pathlib
import sys
import time

import numpy as np

from benchmarks import seed_steps_problems as problems

_MIN_REPEAT_SECONDS = 0.05


def _status_bytes(field: str) -> int:
  """Returns a size from Linux's account of this process."""
  for line in pathlib.Path('/proc/self/status').read_text('utf-8').splitlines():
    if line.startswith(f'{field}:'):
      return 1024 * int(line.split()[1])
  raise OSError(f'no {field} in /proc/self/status')


def run_and_weigh(program: problems.Program) -> tuple[float, float | None]:
  """Runs a program once.

  Returns:
    Its seconds, and by how many MiB the resident memory rose at its peak, the
    initial weights not counted; None where the system does not tell. A lower
    bound: memory that the process kept from an earlier program is not seen.
  """
  weighs = sys.platform == 'linux'
  before = 0
  if weighs:
    try:
      ctypes.CDLL(None).malloc_trim(0)
      # Resets the peak.
      pathlib.Path('/proc/self/clear_refs').write_text('5', 'utf-8')
      before = _status_bytes('VmRSS')
    except (OSError, AttributeError):
      weighs = False
  start = time.perf_counter()
  program.run()
  elapsed_seconds = time.perf_counter() - start
  if not weighs:
    return elapsed_seconds, None
  return elapsed_seconds, (_status_bytes('VmHWM') - before) / 2**20


def repeat(
  program: problems.Program,
  *,
  run_seconds: float,
  num_repeats: int,
  max_seconds: float,
) -> np.ndarray:
  """Returns the seconds of a run, repeated.

  Args:
    program: what is timed; it ran before.
    run_seconds: about what a run takes.
    num_repeats: repeats, unless time runs out. A repeat is several runs where
      one is short.
    max_seconds: no repeat is begun that would end after this; one always is.
  """
  start = time.perf_counter()
  share = max_seconds / (2 * num_repeats)
  num_runs = max(1, round(max(share, _MIN_REPEAT_SECONDS) / run_seconds))
  times: list[float] = []
  while len(times) < num_repeats:
    elapsed_seconds = time.perf_counter() - start
    if times and elapsed_seconds + num_runs * times[-1] > max_seconds:
      break
    before = time.perf_counter()
    for _ in range(num_runs):
      program.run()
    times.append((time.perf_counter() - before) / num_runs)
  return np.asarray(times)


def slope(x: list[float], y: list[float]) -> float:
  """Returns the exponent a of the fit y = c x^a, NaN for a single x."""
  if len(set(x)) < 2:
    return math.nan
  return float(np.polyfit(np.log(x), np.log(y), 1)[0])


def largest_differences(a: list[np.ndarray], b: list[np.ndarray]) -> np.ndarray:
  """Returns the largest absolute difference of each seed's weights [S]."""
  differences = [
    np.abs(x - y).reshape((len(x), -1)).max(axis=1) for x, y in zip(a, b)
  ]
  return np.max(differences, axis=0)

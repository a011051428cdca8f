"""How far a sweep is, as a line on stderr.

runs of a chunk, their counts --Progress--> bar, rate, counts so far
"""

from collections import Counter
from collections.abc import Callable, Mapping
import time
from typing import Any

import tqdm

from toyjax.base import ArrayTree

# Chunk of results -> counts by name.
Summarize = Callable[[ArrayTree], Mapping[str, int]]


class Progress:
  """A bar with ETA, work per second and running counts, or nothing at all."""

  def __init__(self, name: str | None, num_runs: int, work_per_run: int):
    self._bar = tqdm.tqdm(
      total=num_runs, desc=name, unit='run', disable=name is None
    )
    self._work_per_run = work_per_run
    self._counts: Counter[str] = Counter()
    self._computed = 0
    self._start = time.monotonic()

  def __enter__(self) -> 'Progress':
    return self

  def __exit__(self, *error: Any) -> None:
    self._bar.close()

  def skip(self, num_runs: int, counts: Mapping[str, int]) -> None:
    """Counts runs that the store already had."""
    if not self._bar.disable:
      self._bar.initial += num_runs  # They say nothing of the speed.
    self._counts.update(counts)
    self._bar.update(num_runs)

  def add(self, num_runs: int, counts: Mapping[str, int]) -> None:
    """Counts runs that were computed."""
    self._computed += num_runs
    self._counts.update(counts)
    elapsed_seconds = max(time.monotonic() - self._start, 1e-9)
    rate = self._computed * self._work_per_run / elapsed_seconds
    shown = ' '.join(f'{k}={v}' for k, v in self._counts.items() if v)
    self._bar.set_postfix_str(f'{rate:.3g} steps/s {shown}', refresh=False)
    self._bar.update(num_runs)

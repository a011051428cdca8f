"""What runs take of the machine's memory, found without making any of them.

trial, one x --shapes_of--> shapes; bytes --require--> nothing, or one line
"""

from collections.abc import Callable, Iterable
import os
from typing import Any

import jax

from toyjax import chunks, run_sizes
from toyjax.base import ArrayTree
from toyjax.lanes.blocks import SMALL_BLOCK, is_tiny
from toyjax.parsers import SettingError

_LARGE = 512
_LIMITS = '/sys/fs/cgroup/memory.max'


def of_machine() -> int:
  """Returns the bytes of memory that this process may have."""
  sizes = [os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')]
  try:
    with open(_LIMITS, encoding='utf-8') as file:
      sizes.append(int(file.read()))
  except (OSError, ValueError):
    pass  # No limit, or none that is known.
  return min(sizes)


def require(num_bytes: int, what: str) -> None:
  """Refuses what this machine cannot hold.

  Raises:
    SettingError: saying what, and how much it takes.
  """
  if num_bytes > of_machine():
    raise SettingError(
      f'{what} take {num_bytes / 2**30:,.0f} GiB of memory, more than the '
      f'{of_machine() / 2**30:,.0f} GiB of this machine'
    )


def require_runs(num_runs: int, row_bytes: int) -> None:
  """Refuses more runs than there is memory for their numbers and keys.

  Raises:
    SettingError: saying how many runs, and how much they take.
  """
  # A key and an index beside the numbers, and the index once more.
  require(
    num_runs * (row_bytes + 16), f'{num_runs:,} runs, before any is made,'
  )


def is_large(sizes: Iterable[Any]) -> bool:
  """Whether nets of such sizes may have no room: where not, none is traced."""
  return max(size for size in sizes if isinstance(size, int)) >= _LARGE


def require_room(
  make_trial: Callable[[], chunks.Trial],
  few: Any,
  sizes: Iterable[Any],
  *,
  num_runs: int,
  chunk_size: int,
) -> None:
  """Refuses runs that have no room, before they have a folder.

  Args:
    make_trial: returns x -> results.
    few: some of the runs, for their shapes.
    sizes: of the nets. Where none is large, the trial is not even traced.
    num_runs: in all.
    chunk_size: runs per chunk.

  Raises:
    SettingError: saying how much they take.
  """
  row_bytes = run_sizes.num_bytes(few) // len(jax.tree.leaves(few)[0])
  require_runs(num_runs, row_bytes)
  if is_large(sizes):
    one = jax.tree.map(lambda leaf: leaf[0], few)
    shapes_of(make_trial(), one, num_runs=num_runs, chunk_size=chunk_size)


def shapes_of(
  trial: chunks.Trial, x: Any, *, num_runs: int, chunk_size: int
) -> ArrayTree:
  """Returns the shapes of a run's results, if a chunk of runs has room.

  A lower bound is looked at: the results of a chunk, and what the loops of one
  block of its runs carry along.

  Args:
    trial: x -> results.
    x: one run.
    num_runs: in all.
    chunk_size: runs per chunk.

  Raises:
    SettingError: saying how much they take.
  """
  closed, results = jax.make_jaxpr(trial, return_shape=True)(x)
  carried = run_sizes.carried_bytes(closed.jaxpr)
  tiny = is_tiny(closed.jaxpr)
  block = SMALL_BLOCK if tiny else chunks.vmap_block(closed.jaxpr)
  num = min(num_runs, chunk_size)
  require(
    num * run_sizes.num_bytes(results) + min(num, block) * carried,
    f'{num:,} runs, a chunk,',
  )
  return results

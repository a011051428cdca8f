"""Pivotal-token search: it halves a segment while its ends differ.

References:
  [1] Abdin et al. 2024, Phi-4 technical report, section 4.3 (pivotal token
      search), arXiv:2412.08905; github.com/codelion/pts, `subdivide_sequence`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference.changepoint import Beta
from toyjax.inference.changepoint.searches import (
  Search,
  num_at_node,
  share_at_node,
)

# Of shares k / n in float32: a gap of exactly .2 shall count.
ROUNDING = 1e-6


class _Tested(NamedTuple):
  """Shares of right rollouts at the ranks tested so far, -1 elsewhere."""

  shares: Array
  num_positions: Array


def pivotal_search(*, num_per_node: int, least_gap: float) -> Search:
  """Pivotal-token search: halves a segment while its ends differ [1].

  Both ends are tested, then the middle of the first segment between tested
  ranks whose ends differ by at least least_gap, up or down, until none is
  longer than one. The location is the end of the segment that falls most, if
  by least_gap: its middle where the budget left it longer. [1] uses .2; here
  each node is tested once, as in its paper, and halved by length.

  Args:
    num_per_node: rollouts at each node, >= 1.
    least_gap: in (0, 1].
  """
  if num_per_node < 1 or not 0 < least_gap <= 1:
    raise ValueError(f'num_per_node {num_per_node}, least_gap {least_gap}')

  def start(num_positions: Array, size: int) -> _Tested:
    return _Tested(
      jnp.full(size, -1.0, jnp.float32), num_positions.astype(jnp.int32)
    )

  def segments(memory: _Tested) -> tuple[Array, Array, Array]:
    """Returns where segments end, their lengths and their falls, [T] each."""
    ranks = jnp.arange(len(memory.shares), dtype=jnp.int32)
    is_tested = memory.shares >= 0.0
    reached = jax.lax.cummax(jnp.where(is_tested, ranks, -1))
    start = jnp.concatenate([jnp.full(1, -1, jnp.int32), reached[:-1]])
    falls = memory.shares[jnp.maximum(start, 0)] - memory.shares
    return is_tested & (start >= 0), ranks - start, falls

  def to_halve(memory: _Tested) -> Array:
    is_end, lengths, falls = segments(memory)
    return is_end & (lengths > 1) & (jnp.abs(falls) >= least_gap - ROUNDING)

  def ends_tested(memory: _Tested) -> tuple[Array, Array]:
    last = memory.shares[memory.num_positions - 1]
    return memory.shares[0] >= 0.0, last >= 0.0

  def node(memory: _Tested) -> Array:
    end = jnp.argmax(to_halve(memory)).astype(jnp.int32)
    _, lengths, _ = segments(memory)
    middle = end - lengths[end] + lengths[end] // 2
    first, last = ends_tested(memory)
    inner = jnp.where(last, middle, memory.num_positions - 1)
    return jnp.where(first, inner, 0)

  def move(memory: _Tested, counts: Beta) -> _Tested:
    is_here = jnp.arange(len(memory.shares)) == node(memory)
    share = share_at_node(counts).astype(jnp.float32)
    return memory._replace(shares=jnp.where(is_here, share, memory.shares))

  def is_done(memory: _Tested) -> Array:
    first, last = ends_tested(memory)
    return first & last & ~jnp.any(to_halve(memory))

  def location(memory: _Tested) -> Array:
    is_end, lengths, falls = segments(memory)
    falls = jnp.where(is_end, falls, -1.0)
    end = jnp.argmax(falls).astype(jnp.int32)
    middle = end - (lengths[end] - 1) // 2
    is_fall = falls[end] >= least_gap - ROUNDING
    return jnp.where(is_fall, middle, memory.num_positions)

  return Search(
    start=start,
    node=node,
    is_full=lambda memory, counts: num_at_node(counts) >= num_per_node,
    move=move,
    is_done=is_done,
    location=location,
  )

"""How many seeds `lanes` computes at a time on a CPU, and how.

xs [S, ...] --in_blocks--> block [B, ...] after block -> results [S, ...]
"""

from collections.abc import Callable
import math
from typing import Any

import jax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array, ArrayTree
from toyjax.lanes import control

# Multiplications in one contraction of one seed above which XLA's own dot may
# be faster. Lanes are 2.8 times faster at 12,500 (n = 50, M = 5) and 0.7 times
# at 40,960 (n = 64, M = 10).
MAX_PRODUCTS = 2**14
# Seeds in a block: wide for vector units, small for the cache. A program whose
# largest contraction has more multiplications takes the smaller block.
BLOCK, SMALL_BLOCK, SMALL_BLOCK_FROM = 128, 32, 1024
# On a GPU: one seed for each thread of four warps, on Hopper one warpgroup.
KERNEL_BLOCK = 128


def is_tiny(jaxpr: core.Jaxpr) -> bool:
  """Whether `lanes` pays for a per-seed program: no contraction is large."""
  return largest_contraction(jaxpr) <= MAX_PRODUCTS


def largest_contraction(jaxpr: core.Jaxpr) -> float:
  """Returns the multiplications of a per-seed program's largest contraction.

  Where a program has loops, those outside of them are few and do not count. A
  contraction over an axis too long to be unrolled counts as infinite.
  """
  found = control.contractions(jaxpr)
  looped = [products for in_loop, products in found if in_loop]
  return max(looped or [products for _, products in found], default=0)


def block_size(jaxpr: core.Jaxpr) -> int:
  """Returns how many seeds of a tiny program are computed at a time."""
  is_large = largest_contraction(jaxpr) > SMALL_BLOCK_FROM
  return SMALL_BLOCK if is_large else BLOCK


def suits(jaxpr: core.Jaxpr) -> bool:
  """Whether a program is faster in blocks: in a loop, on JAX's present CPU.

  Without a loop each number is used once or twice, wherever it lies.
  """
  return (
    jax.default_backend() == 'cpu'
    and control.has_loop(jaxpr)
    and not jaxpr.effects
  )


def in_blocks(
  mapped: Callable[[Any], ArrayTree], xs: ArrayTree, block: int
) -> ArrayTree:
  """Computes block after block: its numbers stay in the cache for all steps.

  Args:
    mapped: pytree of arrays [B, ...] -> results [B, ...].
    xs: such arrays [S, ...]; the last block is filled with the last seed.
    block: B.

  Returns:
    The results [S, ...].
  """
  (size, *_), *_ = (x.shape for x in jax.tree.leaves(xs))
  num_blocks = math.ceil(size / block)
  padded = num_blocks * block

  def split(x: Array) -> Array:
    if padded > size:
      last = jnp.broadcast_to(x[-1:], (padded - size, *x.shape[1:]))
      x = jnp.concatenate([x, last])
    return x.reshape((num_blocks, block, *x.shape[1:]))

  def join(results: Any) -> Array:
    return results.reshape((padded, *results.shape[2:]))[:size]

  return jax.tree.map(join, jax.lax.map(mapped, jax.tree.map(split, xs)))

"""Prefix sums and the place of the maximum, in operations that vectorise.

On a CPU, XLA makes `jnp.cumsum` a windowed sum and `jnp.argmax` a loop over
pairs, neither of them with vector instructions; together they took two thirds
of an active run. These take additions, maxima and minima alone.
"""

import itertools

import jax.numpy as jnp

from toyjax.base import Array

# Additions in a chain. Short ones compile fast and fuse into one loop.
BLOCK = 16


def cumulative_sum(x: Array) -> Array:
  """Returns x_0 + ... + x_t for each t, [T], as `jnp.cumsum` but for rounding.

  Chains within blocks of 16, and the blocks' sums by the same rule: O(T)
  numbers, and less rounding than one chain.

  Args:
    x: [T], T >= 1.
  """
  size = len(x)
  if size <= BLOCK:
    return jnp.stack(list(itertools.accumulate(x[i] for i in range(size))))
  rows = jnp.pad(x, (0, -size % BLOCK)).reshape(-1, BLOCK)
  columns = list(itertools.accumulate(rows[:, i] for i in range(BLOCK)))
  before = jnp.pad(cumulative_sum(columns[-1])[:-1], (1, 0))
  return (jnp.stack(columns, axis=1) + before[:, None]).reshape(-1)[:size]


def first_maximum(x: Array) -> Array:
  """Returns the first index of the maximum of x [T], int32 []; NaN: T - 1."""
  last = len(x) - 1
  indices = jnp.arange(len(x), dtype=jnp.int32)
  return jnp.min(jnp.where(x == jnp.max(x), indices, last))

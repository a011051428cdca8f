"""Many sparse rows, a block of them in memory at a time.

draw(numbers of rows) --make--> RowBlocks, .rows(place) -> [B, N]

Rows that fit one block are kept as they are: on a CPU a dense product of 1,000
features is as fast as gathers of the ten that are there. More rows are kept by
their entries and made dense block by block.
"""

from collections.abc import Callable
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import scipy

from toyjax.base import Array


class RowBlocks(NamedTuple):
  """T rows in equal blocks.

  Attributes:
    num_blocks: how many.
    size: B, rows in each.
    rows: number of a block -> its rows [B, N].
  """

  num_blocks: int
  size: int
  rows: Callable[[Array], Array]


def make(
  draw: Callable[[Array], Array],
  *,
  num_rows: int,
  largest: int,
  density: float,
) -> RowBlocks:
  """Returns rows that are drawn once, and kept.

  Args:
    draw: numbers [B] of rows -> these rows [B, N].
    num_rows: T.
    largest: rows in a block, at most.
    density: share of a row's entries that are not 0, at most.
  """
  blocks = drawn_anew(draw, num_rows=num_rows, largest=largest)
  if blocks.num_blocks == 1:
    kept = blocks.rows(jnp.int32(0))
    return blocks._replace(rows=lambda place: kept)
  num_features = jax.eval_shape(blocks.rows, jnp.int32(0)).shape[1]
  most = most_entries(
    num_features=num_features, density=density, num_rows=num_rows
  )

  def by_entries(row: Array) -> tuple[Array, Array]:
    (indices,) = jnp.nonzero(row, size=most, fill_value=num_features)
    return indices, jnp.append(row, jnp.zeros((1,), row.dtype))[indices]

  def dense(indices: Array, entries: Array) -> Array:
    empty = jnp.zeros((num_features,), entries.dtype)
    return empty.at[indices].add(entries, mode='drop')

  indices, entries = jax.lax.map(
    lambda place: jax.vmap(by_entries)(blocks.rows(place)),
    jnp.arange(blocks.num_blocks),
  )
  return blocks._replace(
    rows=lambda place: jax.vmap(dense)(indices[place], entries[place])
  )


def drawn_anew(
  draw: Callable[[Array], Array], *, num_rows: int, largest: int
) -> RowBlocks:
  """Returns rows that are drawn each time they are asked for, see `make`."""
  number = math.ceil(num_rows / largest)
  while num_rows % number:
    number += 1
  size = num_rows // number
  return RowBlocks(
    number, size, lambda place: draw(place * size + jnp.arange(size))
  )


def most_entries(*, num_features: int, density: float, num_rows: int) -> int:
  """Returns K that no row exceeds but with probability 1e-9, of all T rows.

  Args:
    num_features: N.
    density: probability of each entry.
    num_rows: T.
  """
  most = scipy.stats.binom.isf(1e-9 / num_rows, num_features, density)
  return min(num_features, max(int(most), 1))


def summed(loss: Callable[[Array], Array], blocks: RowBlocks) -> Array:
  """Returns Σ over blocks of the loss of each, [].

  Its derivative holds one block at a time, too.

  Args:
    loss: rows [B, N] -> [].
    blocks: of rows.
  """
  if blocks.num_blocks == 1:
    return loss(blocks.rows(jnp.int32(0)))
  one = jax.checkpoint(lambda place: loss(blocks.rows(place)))
  return jnp.sum(jax.lax.map(one, jnp.arange(blocks.num_blocks)))

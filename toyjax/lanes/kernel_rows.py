"""How the arrays of a kernel lie in memory: rows [K, S], one lane a seed."""

from collections.abc import Sequence
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array
from toyjax.lanes.blocks import KERNEL_BLOCK
from toyjax.lanes.cells import Cells, is_key

BLOCK = KERNEL_BLOCK


class Rows(NamedTuple):
  """How an array lies in memory: [K, S], or [T, K, S] where it is scanned.

  Attributes:
    shape: for one seed, and one step where it is scanned.
    dtype: of the array.
    length: steps T, or None.
    varies: whether it has a seed axis.
  """

  shape: tuple[int, ...]
  dtype: Any
  length: int | None
  varies: bool

  def num_rows(self) -> int:
    """Returns K: keys are two numbers each."""
    return math.prod(self.shape) * (2 if is_key(self.dtype) else 1)

  def stored_dtype(self) -> Any:
    """Returns the type in memory: keys and booleans are integers there."""
    if is_key(self.dtype):
      return np.dtype(np.uint32)
    return np.dtype(np.int32) if self.dtype == bool else np.dtype(self.dtype)

  def stored_shape(self, size: int) -> tuple[int, ...]:
    """Returns the shape in memory, given the number of seeds."""
    steps = () if self.length is None else (self.length,)
    return (*steps, self.num_rows(), *((size,) if self.varies else ()))

  def stored(self, size: int) -> jax.ShapeDtypeStruct:
    """Returns shape and type in memory, given the number of seeds."""
    return jax.ShapeDtypeStruct(self.stored_shape(size), self.stored_dtype())

  def store(self, array: Array, size: int) -> Array:
    """Returns an array as it lies in memory, with `size` seeds."""
    if is_key(self.dtype):
      array = jax.random.key_data(array)
      array = jnp.moveaxis(array, -1, -2) if self.varies else array
    array = array.astype(self.stored_dtype())
    if not self.varies:
      return array.reshape(self.stored_shape(size))
    num_seeds = array.shape[-1]
    array = array.reshape(self.stored_shape(num_seeds))
    padding = [(0, 0)] * (array.ndim - 1) + [(0, size - num_seeds)]
    return jnp.pad(array, padding, mode='edge')

  def restore(self, stored: Array, size: int) -> Array:
    """The inverse of `store`."""
    array = stored[..., :size]
    steps = () if self.length is None else (self.length,)
    halves = (2,) if is_key(self.dtype) else ()
    array = array.reshape((*steps, *self.shape, *halves, size))
    if halves:
      return jax.random.wrap_key_data(
        jnp.moveaxis(array, -2, -1), impl='threefry2x32'
      )
    return array.astype(self.dtype)

  def load(self, ref: Any, step: Any = None) -> Cells:
    """Reads the cells, of one step where the array is scanned."""
    prefix = () if self.length is None else (step,)
    suffix = (slice(None),) if self.varies else ()
    rows = [ref[(*prefix, k, *suffix)] for k in range(self.num_rows())]
    if is_key(self.dtype):
      return Cells(self.shape, tuple(zip(rows[::2], rows[1::2])))
    if self.dtype == bool:
      rows = [row != 0 for row in rows]
    return Cells(self.shape, tuple(rows))

  def save(self, ref: Any, items: Sequence[Any], step: Any = None) -> None:
    """Writes the cells, vectors [B], of one step where it is scanned."""
    prefix = () if self.length is None else (step,)
    for k, row in enumerate(jax.tree.leaves(items)):
      ref[(*prefix, k, slice(None))] = row.astype(self.stored_dtype())

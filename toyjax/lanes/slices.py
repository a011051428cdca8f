"""How `lanes` reads and writes slices that start where the program says.

Along an axis where each seed starts at a place of its own, all places are
compared with it in turn, as in `lookups`. Along the others all seeds read or
write together.
"""

from collections.abc import Sequence
import functools
import math
import operator

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.lanes.lookups import MAX_PLACES, choose
from toyjax.lanes.rules import rule
from toyjax.lanes.values import (
  Context,
  Value,
  align,
  by_vmap,
  shape_of,
  spread,
  varying,
)

# Places above which writing a slice may be slower than `jax.vmap`.
MAX_WRITTEN = 256

# Negative indices were resolved when the program was traced.
_read = functools.partial(lax.dynamic_slice, allow_negative_indices=False)
_write = functools.partial(
  lax.dynamic_update_slice, allow_negative_indices=False
)


def _int32_starts(
  starts: Sequence[Value], shape: Sequence[int], sizes: Sequence[int]
) -> list[Value]:
  """Returns where slices start, in a type that holds all places of the array.

  What lies outside of the array and does not fit is moved to the nearest place
  from where a slice fits, as XLA would.
  """
  found = []
  for start, n, size in zip(starts, shape, sizes):
    array = jnp.asarray(start.array)
    if array.dtype != jnp.int32:
      if array.dtype.itemsize >= 4:
        array = jnp.clip(array, 0, n - size)
      array = array.astype(jnp.int32)
    found.append(Value(array, start.varies))
  return found


def _own_axes(
  shape: Sequence[int], sizes: Sequence[int], starts: Sequence[Value]
) -> list[int]:
  """Returns the axes along which seeds may start at different places."""
  return [
    k for k, start in enumerate(starts) if start.varies and sizes[k] < shape[k]
  ]


def _shared_starts(starts: Sequence[Value]) -> list[Array]:
  """Returns where all seeds start; 0 where not, and along the seed axis."""
  zero = jnp.int32(0)
  return [*(zero if start.varies else start.array for start in starts), zero]


def _own_start(start: Value, last: int, rank: int) -> Array:
  """Returns where each seed starts, [1, ..., S] of rank + 1 axes."""
  return align(Value(jnp.clip(start.array, 0, last), True), rank)


def _holds_keys(value: Value) -> bool:
  return jnp.issubdtype(value.array.dtype, jax.dtypes.extended)


@rule('dynamic_slice')
def _dynamic_slice(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  operand, *starts = values
  shape, sizes = shape_of(equation.invars[0]), equation.params['slice_sizes']
  own = _own_axes(shape, sizes, starts)
  last = [n - size for n, size in zip(shape, sizes)]
  num_places = math.prod(last[axis] + 1 for axis in own)
  if not starts or num_places > MAX_PLACES or (own and _holds_keys(operand)):
    return by_vmap(context, equation, values)
  starts = _int32_starts(starts, shape, sizes)
  array = align(operand, len(shape))
  reached = [shape[k] if k in own else size for k, size in enumerate(sizes)]
  array = _read(array, _shared_starts(starts), (*reached, array.shape[-1]))
  for axis in own:
    slices = [
      lax.slice_in_dim(array, k, k + sizes[axis], axis=axis)
      for k in range(last[axis] + 1)
    ]
    place = _own_start(starts[axis], last[axis], len(shape))
    array = lax.optimization_barrier(choose(place, slices))
  return varying([jnp.broadcast_to(array, (*sizes, context.size))])


@rule('dynamic_update_slice')
def _dynamic_update_slice(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  operand, update, *starts = values
  shape, sizes = map(shape_of, equation.invars[:2])
  own = _own_axes(shape, sizes, starts)
  if (
    not starts
    or any(sizes[axis] != 1 for axis in own)
    or math.prod(shape[axis] for axis in own) > MAX_WRITTEN
    or (own and _holds_keys(operand))
  ):
    return by_vmap(context, equation, values)
  starts = _int32_starts(starts, shape, sizes)
  array = spread(operand, shape, context.size)
  new = spread(update, sizes, context.size)
  corner = _shared_starts(starts)
  if own:
    reached = [shape[k] if k in own else size for k, size in enumerate(sizes)]
    old = _read(array, corner, (*reached, context.size))
    hits = []
    for axis in own:
      start = _own_start(starts[axis], shape[axis] - 1, len(shape))
      hits.append(start == lax.broadcasted_iota(start.dtype, old.shape, axis))
    hit = functools.reduce(operator.and_, hits)
    new = lax.optimization_barrier(jnp.where(hit, new, old))
  return varying([_write(array, new, corner)])

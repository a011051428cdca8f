"""How `lanes` reads and writes entries of small tables.

Where all seeds share the indices, the seed axis is one more axis of each entry.
Where each seed has its own, every place of the table is compared with the index
in turn: a few selections of whole vectors instead of a lookup for each seed.
What is not selected is never multiplied, so it may be NaN. Large tables are
left to `jax.vmap`.
"""

from collections.abc import Callable, Sequence
import math
from typing import Any, NamedTuple

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array
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

# Places of a table, and comparisons of a scatter, above which `jax.vmap` may be
# faster.
MAX_PLACES, MAX_COMPARISONS = 16, 256

# How an update changes an entry. Products are missing: the derivative of one
# that is not selected may be NaN.
COMBINE: dict[str, Callable[[Array, Array], Array]] = {
  'scatter': lambda entry, update: update,
  'scatter-add': jnp.add,
  'scatter-sub': jnp.subtract,
  'scatter-min': jnp.minimum,
  'scatter-max': jnp.maximum,
}


class Layout(NamedTuple):
  """How the entries that are read or written lie in a table.

  Attributes:
    indexed: axes of the table that an index points into, in the index's order.
    whole: all other axes of the table, in the order they have in the entries.
    windows: axes of the entries that the indices lack.
    lookups: axes of the entries that the table lacks.
  """

  indexed: tuple[int, ...]
  whole: tuple[int, ...]
  windows: tuple[int, ...]
  lookups: tuple[int, ...]


def _lay_out(
  ranks: tuple[int, int],
  windows: Sequence[int],
  indexed: Sequence[int],
  batch: Sequence[int],
  index_batch: Sequence[int],
) -> Layout:
  """Makes a layout from dimension numbers.

  Args:
    ranks: of the table and of the entries.
    windows: as in `Layout`.
    indexed: as in `Layout`.
    batch: axes of the table that are axes of the indices, too.
    index_batch: the same axes in the indices.
  """
  table_rank, entries_rank = ranks
  in_indices = [k for k in range(entries_rank) if k not in windows]
  in_entries = dict(zip(batch, (in_indices[k] for k in index_batch)))
  not_indexed = [k for k in range(table_rank) if k not in indexed]
  in_entries |= zip((k for k in not_indexed if k not in batch), windows)
  return Layout(
    indexed=tuple(indexed),
    whole=tuple(sorted(not_indexed, key=in_entries.__getitem__)),
    windows=tuple(windows),
    lookups=tuple(k for k in in_indices if k not in in_entries.values()),
  )


def _sizes(shape: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
  return tuple(shape[axis] for axis in axes)


def _is_small(
  layout: Layout,
  cut: Sequence[int],
  table: core.Var | core.Literal,
  entries: core.Var | core.Literal,
) -> bool:
  """Whether entries are whole rows of a small table of numbers.

  Args:
    layout: where the entries lie in the table.
    cut: axes of the table that the entries lack.
    table: the variable of the table.
    entries: the variable of the entries.
  """
  shape, entries_shape = shape_of(table), shape_of(entries)
  aval: Any = table.aval
  return (
    sorted(cut) == sorted(layout.indexed)
    and _sizes(shape, layout.whole)
    == _sizes(entries_shape, _but(layout.lookups, len(entries_shape)))
    and 0 < math.prod(_sizes(shape, layout.indexed)) <= MAX_PLACES
    and not jnp.issubdtype(aval.dtype, jax.dtypes.extended)  # No keys.
  )


def _but(axes: Sequence[int], rank: int) -> tuple[int, ...]:
  """Returns all other axes."""
  return tuple(k for k in range(rank) if k not in axes)


def _flatten(array: Array, axes: Sequence[int], rest: Sequence[int]) -> Array:
  """Returns an array [..., S] as [product of axes, *rest, S]."""
  array = lax.transpose(array, (*axes, *rest, array.ndim - 1))
  length = math.prod(array.shape[: len(axes)])
  return array.reshape((length, *array.shape[len(axes) :]))


def _restore(
  array: Array, shape: Sequence[int], axes: Sequence[int], rest: Sequence[int]
) -> Array:
  """The inverse of `_flatten`, for an array of this shape before S."""
  order = (*axes, *rest, len(shape))
  array = array.reshape((*_sizes(shape, axes), *array.shape[1:]))
  return lax.transpose(array, sorted(range(len(order)), key=order.__getitem__))


def _places(
  indices: Array, shape: Sequence[int], layout: Layout
) -> tuple[Array, Array]:
  """Returns where indices point to, in a table of this shape.

  Returns:
    The number of the place nearest to each index, and whether the index is in
    the table; both with the axes of the entries, where windows have length 1.
  """
  place, inside = jnp.int32(0), jnp.bool(True)
  for k, size in enumerate(_sizes(shape, layout.indexed)):
    index = indices[..., k, :]
    nearest = jnp.clip(index, 0, size - 1)
    inside &= index == nearest
    place = place * size + nearest.astype(jnp.int32)
  return (
    lax.expand_dims(place, layout.windows),
    lax.expand_dims(inside, layout.windows),
  )


def choose(place: Array, entries: Sequence[Array]) -> Array:
  """Returns entries[place], where no place is outside."""
  chosen = entries[-1]
  for k, entry in enumerate(entries[:-1]):
    chosen = jnp.where(place == k, entry, chosen)
  return chosen


@rule('gather')
def _gather(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  table, indices = values
  if not indices.varies:
    return [_gather_together(context, equation, table, indices)]
  params, numbers = equation.params, equation.params['dimension_numbers']
  shape, index_shape = map(shape_of, equation.invars)
  out_shape = shape_of(equation.outvars[0])
  layout = _lay_out(
    (len(shape), len(out_shape)),
    numbers.offset_dims,
    numbers.start_index_map,
    numbers.operand_batching_dims,
    numbers.start_indices_batching_dims,
  )
  cut = numbers.collapsed_slice_dims
  if params['mode'] == lax.GatherScatterMode.ONE_HOT or not _is_small(
    layout, cut, equation.invars[0], equation.outvars[0]
  ):
    return by_vmap(context, equation, values)
  place, inside = _places(align(indices, len(index_shape)), shape, layout)
  rows = _flatten(align(table, len(shape)), layout.indexed, layout.whole)
  chosen = choose(place, [lax.expand_dims(row, layout.lookups) for row in rows])
  if params['mode'] == lax.GatherScatterMode.FILL_OR_DROP:
    fill = jnp.asarray(params['fill_value'], chosen.dtype)
    chosen = jnp.where(inside, chosen, fill)
  chosen = jnp.broadcast_to(chosen, (*out_shape, context.size))
  return varying([lax.optimization_barrier(chosen)])


def _gather_together(
  context: Context, equation: core.JaxprEqn, table: Value, indices: Value
) -> Value:
  """Reads the same places for all seeds."""
  params, numbers = equation.params, equation.params['dimension_numbers']
  offsets = (*numbers.offset_dims, len(shape_of(equation.outvars[0])))
  params = {
    **params,
    'dimension_numbers': numbers._replace(offset_dims=offsets),
    'slice_sizes': (*params['slice_sizes'], context.size),
  }
  read = equation.primitive.bind(table.array, indices.array, **params)
  return Value(read, True)


@rule('scatter-mul', *COMBINE)
def _scatter(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  table, indices, updates = values
  if not indices.varies:
    return [_scatter_together(context, equation, values)]
  params, numbers = equation.params, equation.params['dimension_numbers']
  shape, index_shape, update_shape = map(shape_of, equation.invars)
  layout = _lay_out(
    (len(shape), len(update_shape)),
    numbers.update_window_dims,
    numbers.scatter_dims_to_operand_dims,
    numbers.operand_batching_dims,
    numbers.scatter_indices_batching_dims,
  )
  combine = _combination(equation)
  num_places = math.prod(_sizes(shape, layout.indexed))
  num_lookups = math.prod(_sizes(update_shape, layout.lookups))
  cut = numbers.inserted_window_dims
  if (
    combine is None
    or num_places * num_lookups > MAX_COMPARISONS
    or not _is_small(layout, cut, equation.invars[0], equation.invars[2])
  ):
    return by_vmap(context, equation, values)
  place, inside = _places(align(indices, len(index_shape)), shape, layout)
  if params['mode'] != lax.GatherScatterMode.CLIP:
    place = jnp.where(inside, place, num_places)  # Is written nowhere.
  rest = _but(layout.lookups, len(update_shape))
  rows = _flatten(align(table, len(shape)), layout.indexed, layout.whole)
  number = lax.broadcasted_iota(place.dtype, rows.shape, 0)
  for now, update in zip(
    _flatten(place, layout.lookups, rest),
    _flatten(align(updates, len(update_shape)), layout.lookups, rest),
  ):
    rows = jnp.where(now[None] == number, combine(rows, update[None]), rows)
  rows = jnp.broadcast_to(rows, (*rows.shape[:-1], context.size))
  written = _restore(rows, shape, layout.indexed, layout.whole)
  return varying([lax.optimization_barrier(written)])


def _scatter_together(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> Value:
  """Writes to the same places for all seeds."""
  table, indices, updates = values
  params, numbers = equation.params, equation.params['dimension_numbers']
  shape, _, update_shape = map(shape_of, equation.invars)
  windows = (*numbers.update_window_dims, len(update_shape))
  numbers = numbers._replace(update_window_dims=windows)
  written = equation.primitive.bind(
    spread(table, shape, context.size),
    indices.array,
    spread(updates, update_shape, context.size),
    **{**params, 'dimension_numbers': numbers},
  )
  return Value(written, True)


def _combination(
  equation: core.JaxprEqn,
) -> Callable[[Array, Array], Array] | None:
  """Returns how an update changes an entry; None where it is not in the list.

  A 'scatter' with a program of its own applies any function to the entries.
  """
  name = equation.primitive.name
  if name == 'scatter' and equation.params['update_jaxpr'] is not None:
    return None
  return COMBINE.get(name)

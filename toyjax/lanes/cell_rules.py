"""How each primitive acts on cells, the numbers of a program in a kernel.

Elementwise primitives act on each cell. Primitives that only move numbers are
run on the positions of the cells, while the program is built. Contractions and
sums become chains of multiply-adds.
"""

from collections.abc import Callable, Sequence
import functools
import itertools
import math
from typing import Any

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from toyjax.lanes.cells import (
  Builder,
  Cells,
  UnsupportedError,
  align,
  is_known,
  is_known_cell,
  rule,
)
from toyjax.lanes.rules import product_dtype, wide_dtype
from toyjax.lanes.values import bind, dtype_of, shape_of

# Cells of one contraction above which a kernel would be slow to compile.
MAX_PRODUCTS = 2**14


@rule(
  *"""
  abs acos acosh add add_any and asin asinh atan atan2 atanh
  bitcast_convert_type cbrt ceil clamp clz convert_element_type copy copy_p cos
  cosh div eq erf_inv exp exp2 expm1 floor ge gt integer_pow is_finite le log
  log1p log2 logistic lt max min mul ne neg nextafter not one_minus_square or
  population_count pow rem rsqrt select_n shift_left shift_right_arithmetic
  shift_right_logical sign sin sinh sqrt square stop_gradient sub tan tanh xor
  """.split()
)
def _elementwise(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  shape = shape_of(equation.outvars[0])
  columns = [operand.broadcast(shape) for operand in operands]
  apply = functools.partial(_apply, builder, equation)
  return [Cells(shape, tuple(map(apply, *columns)))]


def _apply(builder: Builder, equation: core.JaxprEqn, *cells: Any) -> Any:
  name = equation.primitive.name
  if any(isinstance(cell, tuple) for cell in cells):  # Keys: both halves.
    pairs = [c if isinstance(c, tuple) else (c, c) for c in cells]
    return tuple(_apply(builder, equation, *halves) for halves in zip(*pairs))
  if name in ('shift_left', 'shift_right_logical') and _is_full(cells[1]):
    return cells[1].dtype.type(0)
  if name == 'add_any':
    return lax.add(*builder.align(*cells))
  if name in ('copy', 'copy_p', 'stop_gradient'):
    return cells[0]
  return bind(equation, builder.align(*cells))[0]


def _is_full(shift: Any) -> bool:
  """Whether a shift is known to leave no bit: hardware may not define it."""
  return is_known_cell(shift) and int(shift) >= 8 * shift.itemsize


@rule(
  *"""
  broadcast_in_dim concatenate dynamic_slice dynamic_update_slice expand_dims
  gather pad reshape rev scatter slice split squeeze stack transpose unstack
  """.split()
)
def _move(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """Runs the primitive on the positions of the cells."""
  del builder
  name = equation.primitive.name
  is_moved = _IS_MOVED.get(name, [True] * len(operands))
  moved = list(itertools.compress(operands, is_moved))
  everything = tuple(itertools.chain(*(operand.items for operand in moved)))
  with jax.ensure_compile_time_eval():
    values, start = [], 0
    for index, operand in enumerate(operands):
      if index < len(is_moved) and is_moved[index]:
        values.append(jnp.asarray(operand.ids() + np.int32(start)))
        start += len(operand.items)
      else:
        values.append(_index_array(equation, index, operand))
    places = [np.asarray(ids) for ids in _bind_to_ids(equation, values)]
  if any(np.any((ids < 0) | (ids >= start)) for ids in places):
    raise UnsupportedError(f'{name} out of bounds')
  return [Cells((), everything).take(ids) for ids in places]


# Which operands' numbers are moved; the others are indices.
_IS_MOVED = {
  'gather': [True],
  'dynamic_slice': [True],
  'dynamic_update_slice': [True, True],
  'scatter': [True, False, True],
}


def _index_array(equation: core.JaxprEqn, index: int, cells: Cells) -> Any:
  if not is_known([cells]):
    raise UnsupportedError(f'{equation.primitive.name} at indices not known')
  dtype = dtype_of(equation.invars[index])
  return jnp.asarray(np.asarray(cells.items, dtype).reshape(cells.shape))


def _bind_to_ids(equation: core.JaxprEqn, values: Sequence[Any]) -> list[Any]:
  if equation.primitive.name != 'gather':
    return bind(equation, values)
  # What lies outside of the table is found by its position.
  params = {**equation.params, 'fill_value': -1}
  return [equation.primitive.bind(*values, **params)]


@rule('scatter-add', 'scatter_add')
def _scatter_add(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """Adds each update to the cell where a scattered one would arrive."""
  del builder
  operand, indices, updates = operands
  params = equation.params
  with jax.ensure_compile_time_eval():
    places = _index_array(equation, 1, indices)
    arrives = [
      np.asarray(
        lax.scatter_add(
          jnp.zeros(operand.shape, jnp.int32),
          places,
          jnp.asarray(one_hot.reshape(updates.shape)),
          params['dimension_numbers'],
          mode=params['mode'],
        )
      ).reshape(-1)
      for one_hot in np.eye(len(updates.items), dtype=np.int32)
    ]
  items = [
    functools.reduce(
      _add, itertools.compress(updates.items, from_updates), cell
    )
    for cell, from_updates in zip(operand.items, np.transpose(arrives))
  ]
  return [Cells(operand.shape, tuple(items))]


# ----- sums -----


def _binary(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
  return lambda a, b: function(*align(a, b))


_add, _sub, _mul = map(_binary, (lax.add, lax.sub, lax.mul))


def _add_up(terms: Sequence[Any], dtype: Any) -> Any:
  """Returns the sum as a number of a type, added up as in `rules.add_up`."""
  first, *others = (term.astype(wide_dtype(dtype)) for term in terms)
  if others and jnp.issubdtype(dtype, jnp.inexact):
    others[0] = _sub(np.zeros((), first.dtype)[()], lax.neg(others[0]))
  return functools.reduce(_add, [first, *others]).astype(dtype)


@rule('dot_general')
def _dot_general(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """out[b, i, j] = Σ_k left[b, i, k] right[b, j, k]."""
  del builder
  contract, batch = equation.params['dimension_numbers']
  shape, dtype = shape_of(equation.outvars[0]), dtype_of(equation.outvars[0])
  sides = []
  for side, operand in enumerate(operands):
    free = [
      axis
      for axis in range(len(operand.shape))
      if axis not in contract[side] and axis not in batch[side]
    ]
    order = (*batch[side], *free, *contract[side])
    length = math.prod(operand.shape[axis] for axis in contract[side])
    num_batch = math.prod(operand.shape[axis] for axis in batch[side])
    num_free = math.prod(operand.shape[axis] for axis in free)
    ids = operand.ids().transpose(order).reshape((num_batch, num_free, length))
    sides.append(ids)
  left, right = sides
  if length == 0 or left.shape[1] * right.size > MAX_PRODUCTS:
    raise UnsupportedError(
      f'a contraction of shapes {left.shape}, {right.shape}'
    )
  within = product_dtype(equation)
  a, b = (
    [lax.convert_element_type(cell, within) for cell in operand.items]
    for operand in operands
  )
  items = [
    _add_up(
      [_mul(a[i], b[j]) for i, j in zip(left[n, row], right[n, column])], dtype
    )
    for n in range(left.shape[0])
    for row in range(left.shape[1])
    for column in range(right.shape[1])
  ]
  return [Cells(shape, tuple(items))]


_REDUCTIONS = {
  'reduce_prod': lax.mul,
  'reduce_max': lax.max,
  'reduce_min': lax.min,
  'reduce_and': lax.bitwise_and,
  'reduce_or': lax.bitwise_or,
  'reduce_xor': lax.bitwise_xor,
}


@rule('reduce_sum', *_REDUCTIONS)
def _reduce(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  del builder
  (operand,), axes = operands, equation.params['axes']
  combine = functools.partial(_add_up, dtype=dtype_of(equation.outvars[0]))
  if equation.primitive.name != 'reduce_sum':
    join = _binary(_REDUCTIONS[equation.primitive.name])
    combine = functools.partial(functools.reduce, join)
  rest = [axis for axis in range(len(operand.shape)) if axis not in axes]
  shape = tuple(operand.shape[axis] for axis in rest)
  ids = operand.ids().transpose((*rest, *axes)).reshape((math.prod(shape), -1))
  if 0 in ids.shape:
    raise UnsupportedError('a reduction of nothing')
  items = [combine([operand.items[i] for i in row]) for row in ids]
  return [Cells(shape, tuple(items))]


_SCANS = {
  'cumsum': lax.add,
  'cumprod': lax.mul,
  'cummax': lax.max,
  'cummin': lax.min,
}


@rule(*_SCANS)
def _accumulate(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  del builder
  (operand,), params = operands, equation.params
  combine = _binary(_SCANS[equation.primitive.name])
  ids = np.moveaxis(operand.ids(), params['axis'], -1)
  rows = ids[..., ::-1] if params['reverse'] else ids
  items: list[Any] = list(operand.items)
  for row in rows.reshape((-1, rows.shape[-1])):
    sums = itertools.accumulate([operand.items[i] for i in row], combine)
    for place, cell in zip(row, sums):
      items[place] = cell
  return [Cells(operand.shape, tuple(items))]


@rule('argmax', 'argmin')
def _arg_extreme(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """The first of the largest; a NaN counts as the largest, as in JAX."""
  (operand,), (axis,) = operands, equation.params['axes']
  shape, dtype = shape_of(equation.outvars[0]), dtype_of(equation.outvars[0])
  better = lax.gt if equation.primitive.name == 'argmax' else lax.lt
  rows = np.moveaxis(operand.ids(), axis, -1).reshape((-1, operand.shape[axis]))
  items = []
  for row in rows:
    best, place = operand.items[row[0]], dtype.type(0)
    for index, i in enumerate(row[1:], 1):
      best, cell = builder.align(best, operand.items[i])
      is_nan, was_nan = lax.ne(cell, cell), lax.ne(best, best)
      wins = lax.bitwise_or(
        lax.bitwise_and(better(cell, best), lax.bitwise_not(was_nan)),
        lax.bitwise_and(is_nan, lax.bitwise_not(was_nan)),
      )
      best = lax.select_n(wins, best, cell)
      wins, old, new = builder.align(wins, place, dtype.type(index))
      place = lax.select_n(wins, old, new)
    items.append(place)
  return [Cells(shape, tuple(items))]

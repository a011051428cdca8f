"""How each primitive acts on arrays whose last axis is the seed axis.

Elementwise primitives pass through. Contractions and sums over short axes
become chains of multiply-adds, which XLA fuses into loops over the seeds.
"""

from collections.abc import Callable, Sequence
import functools
import math
import operator
from typing import Any

from jax import lax
from jax.extend import core
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.lanes.derivatives import with_jvp_of
from toyjax.lanes.registry import registering
from toyjax.lanes.values import (
  Context,
  Rule,
  Value,
  align,
  bind,
  by_vmap,
  dtype_of,
  shape_of,
  spread,
  varying,
)

RULES: dict[str, Rule] = {}
rule = registering(RULES)

# Longer sums stay one reduction: unrolled, they only lengthen the program.
MAX_UNROLLED = 128
# A longer sum of products is added up in parts: a loop over seeds that reads
# too many arrays is slow (32 products: 3.4 billion multiply-adds a second in
# one part, 13.7 in parts of 8; up to 16 products one part is faster).
MAX_TERMS, PART = 16, 8


def _barrier(array: Array) -> Array:
  """Keeps XLA from computing the array again inside each of its consumers."""
  return lax.optimization_barrier(array)


@rule(
  *"""
  abs acos acosh add add_any and asin asinh atan atan2 atanh cbrt ceil clamp
  clz convert_element_type copy copy_p cos cosh digamma div eq erf erf_inv
  erfc exp exp2 expm1 floor ge gt integer_pow is_finite le lgamma log log1p
  logistic lt max min mul ne neg nextafter not or population_count pow
  random_fold_in reduce_precision rem round rsqrt select_n shift_left
  shift_right_arithmetic shift_right_logical sign sin sinh sqrt square
  stop_gradient sub tan tanh threefry2x32 xor
  """.split()
)
def _elementwise(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  shape = shape_of(equation.outvars[0])
  full = (*shape, context.size)
  arrays = [align(value, len(shape)) for value in values]
  arrays = [
    array if array.shape == full else jnp.broadcast_to(array, full)
    for array in arrays
  ]
  return varying(bind(equation, arrays))


@rule(
  *"""
  argmax argmin cumlogsumexp cummax cummin cumprod cumsum reduce_prod
  reduce_xor rev split squeeze
  """.split()
)
def _axes_keep_their_numbers(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  """The seed axis is last, so all other axes are where they were."""
  del context
  return varying(bind(equation, [value.array for value in values]))


@rule('sort')
def _sort(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  shape = shape_of(equation.outvars[0])
  arrays = [spread(value, shape, context.size) for value in values]
  return varying(bind(equation, arrays))


_JOINS = {
  'reduce_and': lax.bitwise_and,
  'reduce_or': lax.bitwise_or,
  'reduce_max': lax.max,
  'reduce_min': lax.min,
}


@rule('reduce_sum', *_JOINS)
def _reduce(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  (array,), axes = [value.array for value in values], equation.params['axes']
  length = math.prod(array.shape[axis] for axis in axes)
  if not context.in_loop and not jnp.issubdtype(array.dtype, jnp.inexact):
    # Exact in any order, and one operation compiles faster than a chain.
    return varying(bind(equation, [array]))
  if not 0 < length <= MAX_UNROLLED:
    return varying([_barrier(out) for out in bind(equation, [array])])

  def unrolled(array: Array) -> list[Array]:
    rest = [axis for axis in range(array.ndim) if axis not in axes]
    flat = lax.transpose(array, (*axes, *rest)).reshape(
      (length, *(array.shape[axis] for axis in rest))
    )
    terms = entries(flat)
    if equation.primitive.name == 'reduce_sum':
      wide = _with_positive_zero(
        [term.astype(wide_dtype(array.dtype)) for term in terms]
      )
      return [_barrier(functools.reduce(lax.add, wide).astype(array.dtype))]
    join = _JOINS[equation.primitive.name]
    return [_barrier(functools.reduce(join, terms))]

  if equation.primitive.name not in ('reduce_max', 'reduce_min'):
    return varying(unrolled(array))
  # A chain would share out the derivative unequally among equal entries.
  return varying(
    with_jvp_of(unrolled, lambda array: bind(equation, [array]))(array)
  )


def entries(array: Array) -> list[Array]:
  """Returns array[k] for each k; by `lax`, as indexing takes ten times as long
  to trace.
  """
  return [lax.index_in_dim(array, k, keepdims=False) for k in range(len(array))]


def wide_dtype(dtype: Any) -> Any:
  """Returns the type in which XLA adds up numbers of a type."""
  if jnp.issubdtype(dtype, jnp.floating) and jnp.finfo(dtype).bits < 32:
    return jnp.dtype(jnp.float32)
  return dtype


def _with_positive_zero(terms: Sequence[Array]) -> list[Array]:
  """Adds +0.0 to the second term: for free where that is a product.

  XLA takes x + 0.0 for x, though -0.0 + 0.0 is +0.0, but not 0.0 - (-x). It
  starts no sum of one term from 0.0.
  """
  first, *others = terms
  if others and jnp.issubdtype(first.dtype, jnp.inexact):
    zero = lax.full_like(others[0], 0)
    others[0] = lax.sub(zero, lax.neg(others[0]))
  return [first, *others]


def num_products(equation: core.JaxprEqn) -> float:
  """Returns the multiplications of a `dot_general` for one seed; infinity where
  its sums are too long to be unrolled.
  """
  (contract, _), _ = equation.params['dimension_numbers']
  left = shape_of(equation.invars[0])
  length = math.prod(left[axis] for axis in contract)
  if length > MAX_UNROLLED:
    return math.inf
  return length * math.prod(shape_of(equation.outvars[0]))


def product_dtype(equation: core.JaxprEqn) -> Any:
  """Returns the type in which a `dot_general` multiplies and adds up."""
  dtypes = [dtype_of(v) for v in (*equation.invars, *equation.outvars)]
  return functools.reduce(jnp.promote_types, map(wide_dtype, dtypes))


@rule('dot_general')
def _dot_general(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  """out[b, i, j] = Σ_k left[b, i, k] right[b, j, k], unrolled over k."""
  contract, batch = equation.params['dimension_numbers']
  shapes = [shape_of(variable) for variable in equation.invars]
  length = math.prod(shapes[0][axis] for axis in contract[0])
  if not 0 < length <= MAX_UNROLLED:
    return by_vmap(context, equation, values)
  shape = shape_of(equation.outvars[0])
  dtype = dtype_of(equation.outvars[0])
  within = product_dtype(equation)
  operands, free = [], []
  for side in (0, 1):
    axes = [
      axis
      for axis in range(len(shapes[side]))
      if axis not in contract[side] and axis not in batch[side]
    ]
    free.append(len(axes))
    operand = align(values[side], len(shapes[side])).astype(within)
    order = (*contract[side], *batch[side], *axes, operand.ndim - 1)
    operand = lax.transpose(operand, order)
    operands.append(
      operand.reshape((length, *operand.shape[len(contract[side]) :]))
    )
  num_batch = len(batch[0])
  left, right = operands
  # left [k, b, i, 1.., S] times right [k, b, 1.., j, S]
  left = left.reshape((*left.shape[:-1], *(1,) * free[1], left.shape[-1]))
  right = right.reshape(
    (
      *right.shape[: 1 + num_batch],
      *(1,) * free[0],
      *right.shape[1 + num_batch :],
    )
  )
  terms = _with_positive_zero(
    [jnp.multiply(a, b) for a, b in zip(entries(left), entries(right))]
  )
  while len(terms) > MAX_TERMS:
    parts = [terms[k : k + PART] for k in range(0, len(terms), PART)]
    terms = [_barrier(functools.reduce(operator.add, part)) for part in parts]
  total = functools.reduce(operator.add, terms).astype(dtype)
  total = jnp.broadcast_to(total, (*shape, context.size))
  return varying([_barrier(total)])


def _with_seed_axis(
  change: Callable[[dict[str, Any], Array, int], Array],
) -> Rule:
  """Makes a rule of one operand from (parameters, array, S) -> array."""

  def applied(
    context: Context, equation: core.JaxprEqn, values: Sequence[Value]
  ) -> list[Value]:
    if not values[0].varies or any(value.varies for value in values[1:]):
      return by_vmap(context, equation, values)
    return varying([change(equation.params, values[0].array, context.size)])

  return applied


@rule('broadcast_in_dim')
@_with_seed_axis
def _broadcast_in_dim(params: dict[str, Any], array: Array, size: int) -> Array:
  shape, dimensions = params['shape'], params['broadcast_dimensions']
  return lax.broadcast_in_dim(array, (*shape, size), (*dimensions, len(shape)))


@rule('reshape')
@_with_seed_axis
def _reshape(params: dict[str, Any], array: Array, size: int) -> Array:
  return array.reshape((*params['new_sizes'], size))


@rule('transpose')
@_with_seed_axis
def _transpose(params: dict[str, Any], array: Array, size: int) -> Array:
  del size
  order = params['permutation']
  return _barrier(lax.transpose(array, (*order, len(order))))


@rule('slice')
@_with_seed_axis
def _slice(params: dict[str, Any], array: Array, size: int) -> Array:
  strides = params['strides'] or (1,) * (array.ndim - 1)
  return lax.slice(
    array,
    (*params['start_indices'], 0),
    (*params['limit_indices'], size),
    (*strides, 1),
  )


@rule('concatenate')
def _concatenate(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  arrays = [
    spread(value, shape_of(variable), context.size)
    for value, variable in zip(values, equation.invars)
  ]
  return varying([lax.concatenate(arrays, equation.params['dimension'])])


@rule('optimization_barrier')
def _optimization_barrier(
  context: Context, equation: core.JaxprEqn, values: Sequence[Value]
) -> list[Value]:
  del context, equation
  arrays = lax.optimization_barrier([value.array for value in values])
  return [Value(a, value.varies) for a, value in zip(arrays, values)]

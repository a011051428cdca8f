"""How primitives act on cells where the compiler of the kernel is Mosaic GPU.

It lowers fewer primitives than Triton. Some that it lacks are written here with
those it has, to within a few units in the last place. Others raise
`UnsupportedError`, so that the loop stays in XLA: inverse and hyperbolic sines
and cosines, atanh, cube roots, remainders of floats, counts of bits, neighbours
of floats, choices among more than two. So do loops on numbers of 8 bits, which
Mosaic cannot add, and on float64, for which nothing here is exact enough.
"""

from collections.abc import Callable, Sequence
from typing import Any

from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np

from toyjax.lanes import cell_control, cell_random, cell_rules
from toyjax.lanes.cells import (
  DTYPES,
  RULES,
  Builder,
  Cells,
  Dialect,
  Rule,
  UnsupportedError,
  align,
  trace,
)
from toyjax.lanes.registry import registering
from toyjax.lanes.values import dtype_of, shape_of

# Importing them registers the rules that this dialect shares.
RULE_MODULES = (cell_control, cell_random, cell_rules)

UNSUPPORTED = frozenset(
  """
  acos acosh asin asinh atanh cbrt cosh nextafter population_count sinh
  """.split()
)
_UNSUPPORTED_DTYPES = frozenset(map(jnp.dtype, ('int8', 'uint8', 'float64')))

# Arrays -> array, for floats of one shape, [] or [B].
Written = Callable[..., Any]
WRITTEN: dict[str, Written] = {}
_written = registering(WRITTEN)

# Rules in the place of those that all dialects share.
OWN: dict[str, Rule] = {}
_own = registering(OWN)

# Giles 2012, "Approximating the erfinv function", table 5: coefficients of the
# polynomials in w - 2.5 and, from w = 5 on, in sqrt(w) - 3.
_CENTRAL = (
  *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06),
  *(0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
)
_TAIL = (
  *(-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844),
  *(0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682),
)


def dialect(settle: Callable[[Any], Any]) -> Dialect:
  """Returns the dialect of Mosaic GPU, given its cast to the loops' layout."""
  shared = {name: RULES[name] for name in RULES if name not in UNSUPPORTED}
  written = {name: _rule_of(function) for name, function in WRITTEN.items()}
  dtypes = DTYPES - _UNSUPPORTED_DTYPES
  return Dialect({**shared, **written, **OWN}, dtypes, settle)


def _rule_of(function: Written) -> Rule:
  def rule(
    builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
  ) -> list[Cells]:
    del builder
    shape, dtype = shape_of(equation.outvars[0]), dtype_of(equation.outvars[0])
    if not jnp.issubdtype(dtype_of(equation.invars[0]), jnp.floating):
      raise UnsupportedError(f'{equation.primitive.name} of integers')

    def apply(*cells: Any) -> Any:
      """Computes in float32, as `pow` may have a whole exponent."""
      floats = [
        lax.convert_element_type(trace(cell), np.float32)
        for cell in align(*cells)
      ]
      return lax.convert_element_type(function(*floats), dtype)

    columns = [operand.broadcast(shape) for operand in operands]
    return [Cells(shape, tuple(map(apply, *columns)))]

  return rule


# ----- written with other primitives -----


@_written('is_finite')
def _is_finite(x: Any) -> Any:
  """Not x - x == 0: where x is a product, fused, that is a rounding error."""
  return lax.abs(x) < np.inf


@_written('floor')
def _floor(x: Any) -> Any:
  near = lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN)
  return jnp.where(near > x, near - 1, near)


@_written('ceil')
def _ceil(x: Any) -> Any:
  return -_floor(-x)  # Which is -0 from -1 to 0, as it should be.


@_written('log1p')
def _log1p(x: Any) -> Any:
  """log(u) x / (u - 1) with u = 1 + x as rounded: its error cancels."""
  total = 1 + x
  quotient = lax.log(total) * (x / (total - 1))
  known = jnp.where(total == 1, x, lax.log(total))
  return jnp.where((total == 1) | (total == np.inf), known, quotient)


@_written('expm1')
def _expm1(x: Any) -> Any:
  """e^x - 1 = 2 t / (1 - t) with t = tanh(x / 2), which never cancels."""
  half = lax.tanh(0.5 * x)
  return jnp.where(lax.abs(x) < 0.5, 2 * half / (1 - half), lax.exp(x) - 1)


@_written('tan')
def _tan(x: Any) -> Any:
  return lax.sin(x) / lax.cos(x)


@_written('atan')
def _atan(x: Any) -> Any:
  return lax.atan2(x, lax.full_like(x, 1))


@_written('erf_inv')
def _erf_inv(x: Any) -> Any:
  w = -lax.log(1 - x * x)
  is_central = w < 5
  at = jnp.where(is_central, w - 2.5, lax.sqrt(w) - 3)
  result = lax.full_like(x, 0)
  for central, tail in zip(_CENTRAL, _TAIL):
    coefficient = jnp.where(is_central, np.float32(central), np.float32(tail))
    result = result * at + coefficient
  return jnp.where(lax.abs(x) == 1, x * np.inf, result * x)


@_written('pow')
def _pow(x: Any, y: Any) -> Any:
  """x^y = 2^(y log2 |x|), with a sign where y is odd.

  The relative error is that of the logarithm, times y log2 |x|: at most about
  a hundred units in the last place, where the result is near the largest or the
  smallest float, and a few where it is near 1.
  """
  size = lax.abs(x)
  result = lax.exp2(y * jnp.log2(size))
  is_one = (y == 0) | (x == 1) | (size == 1) & (lax.abs(y) == np.inf)
  result = jnp.where(is_one, np.float32(1), result)
  is_whole = _floor(y) == y
  is_odd = is_whole & (_floor(0.5 * y) != 0.5 * y)
  has_sign = lax.bitcast_convert_type(x, np.int32) < 0
  result = jnp.where(is_odd & has_sign, -result, result)
  is_undefined = (x < 0) & (size < np.inf) & ~is_whole
  return jnp.where(is_undefined, np.float32(np.nan), result)


# ----- rules of its own -----


@_own('integer_pow')
def _integer_pow(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """Mosaic has powers from 2 on."""
  exponent = equation.params['y']
  (operand,), dtype = operands, dtype_of(equation.outvars[0])
  if exponent > 1:
    return RULES['integer_pow'](builder, equation, operands)
  one = dtype.type(1)
  items = [
    lax.integer_pow(cell, -exponent) if exponent < -1 else cell
    for cell in operand.items
  ]
  if exponent < 0:
    items = [lax.div(*align(one, cell)) for cell in items]
  if exponent == 0:
    items = [one] * len(items)
  return [Cells(operand.shape, tuple(items))]


@_own('convert_element_type')
def _convert_element_type(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """Mosaic has no way to booleans but a comparison."""
  if equation.params['new_dtype'] != np.bool_:
    return RULES['convert_element_type'](builder, equation, operands)
  (operand,), zero = operands, dtype_of(equation.invars[0]).type(0)
  items = [lax.ne(*align(cell, zero)) for cell in operand.items]
  return [Cells(operand.shape, tuple(items))]


@_own('sign')
def _sign(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  """That of Mosaic gives NaN the sign of its first bit, and 0 to -0."""
  if not jnp.issubdtype(dtype_of(equation.outvars[0]), jnp.floating):
    return RULES['sign'](builder, equation, operands)
  return _rule_of(_sign_of_float)(builder, equation, operands)


def _sign_of_float(x: Any) -> Any:
  one = np.float32(1)
  return jnp.where(x > 0, one, jnp.where(x < 0, -one, x))


@_own('rem')
def _rem(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  if jnp.issubdtype(dtype_of(equation.outvars[0]), jnp.floating):
    raise UnsupportedError('remainders of floats')
  return RULES['rem'](builder, equation, operands)


@_own('select_n')
def _select_n(
  builder: Builder, equation: core.JaxprEqn, operands: Sequence[Cells]
) -> list[Cells]:
  if len(operands) > 3:
    raise UnsupportedError('a choice among more than two')
  return RULES['select_n'](builder, equation, operands)

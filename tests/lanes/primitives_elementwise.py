"""Primitives that work entry by entry."""

import functools

from jax import lax
import jax.numpy as jnp
import numpy as np

from tests.lanes.primitives import (
  SHIFTS,
  SIGNED,
  WORDS,
  booleans,
  exact,
  integers,
  normal,
  shared,
  special,
  uniform,
)

UNARY = {
  lax.abs: normal,
  lax.acos: functools.partial(uniform, -0.9, 0.9),
  lax.acosh: functools.partial(uniform, 1.5, 4),
  lax.asin: functools.partial(uniform, -0.9, 0.9),
  lax.asinh: normal,
  lax.atan: normal,
  lax.atanh: functools.partial(uniform, -0.9, 0.9),
  lax.cbrt: functools.partial(uniform, 0.1, 4),
  lax.ceil: normal,
  lax.cos: functools.partial(uniform, -1, 1),
  lax.cosh: normal,
  lax.digamma: functools.partial(uniform, 2, 5),
  lax.erf: normal,
  lax.erf_inv: functools.partial(uniform, -0.9, 0.9),
  lax.erfc: functools.partial(uniform, -1, 1),
  lax.exp: normal,
  lax.exp2: normal,
  lax.expm1: normal,
  lax.floor: normal,
  lax.is_finite: special,
  lax.lgamma: functools.partial(uniform, 3, 5),
  lax.log: functools.partial(uniform, 2, 5),
  lax.log1p: functools.partial(uniform, 0.5, 5),
  lax.logistic: normal,
  lax.neg: special,
  lax.round: normal,
  lax.rsqrt: functools.partial(uniform, 0.1, 4),
  lax.sign: special,
  lax.sin: functools.partial(uniform, 0.1, 3),
  lax.sinh: normal,
  lax.sqrt: functools.partial(uniform, 0.1, 4),
  lax.square: normal,
  lax.tan: functools.partial(uniform, 0.1, 1),
  lax.tanh: normal,
  lax.bessel_i1e: functools.partial(uniform, 0.5, 3),  # Has no rule.
}
BINARY = {
  lax.add: normal,
  lax.atan2: normal,
  lax.div: normal,
  lax.eq: functools.partial(integers, 0, 3),
  lax.ge: normal,
  lax.gt: normal,
  lax.le: normal,
  lax.lt: normal,
  lax.max: special,
  lax.min: special,
  lax.mul: special,
  lax.ne: functools.partial(integers, 0, 3),
  lax.nextafter: normal,
  lax.pow: functools.partial(uniform, 0.5, 2),
  lax.rem: normal,
  lax.sub: normal,
}


ELEMENTWISE = {
  **{f.__name__: exact(f, make(3, 2)) for f, make in UNARY.items()},
  **{
    f.__name__: exact(f, make(3, 2), make(3, 2)) for f, make in BINARY.items()
  },
  'add_of_scalars': exact(lax.add, normal(), normal()),
  'add_shared_right': exact(lax.add, normal(3), shared(normal(3))),
  'add_shared_left': exact(lax.add, shared(normal(3)), normal(3)),
  'clamp': exact(lax.clamp, normal(), normal(3), normal()),
  'clamp_by_literals': exact(lambda x: lax.clamp(-0.5, x, 0.5), normal(3)),
  'select_by_scalar': exact(lax.select_n, booleans(), normal(3), normal(3)),
  'select': exact(jnp.where, booleans(3), normal(3), normal(3)),
  'select_of_integers': exact(
    lax.select_n, integers(0, 3, 4), normal(4), normal(4), normal(4)
  ),
  'convert': exact(lambda x: x.astype(jnp.int32), uniform(0, 9, 4)),
  'convert_to_half': exact(lambda x: x.astype(jnp.bfloat16) * 3, normal(4)),
  'integer_pow': exact(lambda x: x**3 + x**-2, uniform(1, 2, 4)),
  'pow_by_integer': exact(lax.pow, uniform(1, 2, 4), integers(0, 4, 4)),
  'reduce_precision': exact(lambda x: lax.reduce_precision(x, 5, 7), normal(4)),
  'stop_gradient': exact(lambda x: lax.stop_gradient(x) * x, normal(4)),
  'copy': exact(lambda x: jnp.array(x, copy=True), normal(4)),
  'and': exact(lax.bitwise_and, WORDS(3), WORDS(3)),
  'or': exact(lax.bitwise_or, WORDS(3), WORDS(3)),
  'xor': exact(lax.bitwise_xor, WORDS(3), WORDS(3)),
  'not': exact(lambda x, b: (~x, ~b), WORDS(3), booleans(2)),
  'clz': exact(lax.clz, WORDS(3)),
  'population_count': exact(lax.population_count, WORDS(3)),
  'shift_left': exact(lax.shift_left, WORDS(3), SHIFTS(3)),
  'shift_logical': exact(lax.shift_right_logical, WORDS(3), SHIFTS(3)),
  'shift_arithmetic': exact(
    lax.shift_right_arithmetic, SIGNED(3), integers(0, 9, 3)
  ),
  'integer_division': exact(
    lambda a, b: (a // b, a % b, jnp.divmod(a, b)), SIGNED(6), integers(1, 9, 6)
  ),
  'small_integers': exact(
    lambda a: a * 3 + 100, integers(0, 99, 3, dtype=np.int8)
  ),
  'complex': exact(
    lambda x, y: (lax.complex(x, y) * 2j, jnp.abs(lax.complex(x, y))),
    normal(3),
    normal(3),
  ),
  'real_imag_conj': exact(
    lambda x, y: (
      jnp.real(jnp.conj(lax.complex(x, y))),
      jnp.imag(jnp.conj(lax.complex(x, y))),
    ),
    normal(3),
    normal(3),
  ),
  'special_values': exact(
    lambda x: (x + 1, x * 0, jnp.maximum(x, 0), x > 0, x == x, jnp.isnan(x)),
    special(9),
  ),
  'nan_to_num': exact(lambda x: jnp.nan_to_num(x, posinf=3.0), special(9)),
  'no_entries': exact(lambda x, y: jnp.sin(x) * y, normal(0, 3), normal(0, 3)),
  'optimization_barrier': exact(
    lambda x, y: lax.optimization_barrier((x, y)), normal(3), shared(normal(2))
  ),
}

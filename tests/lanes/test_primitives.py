"""Every primitive under `lanes` and under `jax.vmap`. A new one adds a row."""

from collections.abc import Callable
import functools
from typing import NamedTuple
import zlib

import jax
from jax import lax
from jax.extend import core
from jax.extend.random import threefry_2x32
import jax.numpy as jnp
import numpy as np
import pytest

from tests.compiler import FAST
from tests.lanes.agreement import assert_agree
from toyjax.lanes import lanes, rules

NUM_SEEDS = 5
# Elementwise functions are the same code on vectors of another length: the
# polynomials of the vectorised ones differ from the scalar ones by a few ulps.
ELEMENTWISE_ULPS = 8
# Sums of at most 70 terms, added in another order.
SUM_ULPS = 32


class Argument(NamedTuple):
  """One argument of a row.

  Attributes:
    draw: (generator, leading shape, dtype of floats) -> array.
    mapped: whether it has a seed axis at all.
  """

  draw: Callable
  mapped: bool = True


class Row(NamedTuple):
  """One primitive, or one use of it.

  Attributes:
    function: of one seed.
    arguments: how its arguments are drawn.
    per_entry: whether each entry agrees by itself; else relative to the
      largest one.
  """

  function: Callable
  arguments: tuple[Argument, ...]
  per_entry: bool


def normal(*shape):
  return Argument(
    lambda rng, lead, dtype: rng.normal(size=lead + shape).astype(dtype)
  )


def uniform(low, high, *shape):
  return Argument(
    lambda rng, lead, dtype: rng.uniform(low, high, lead + shape).astype(dtype)
  )


def integers(low, high, *shape, dtype=np.int32):
  return Argument(
    lambda rng, lead, _: np.asarray(
      rng.integers(low, high, lead + shape), dtype
    )
  )


def booleans(*shape):
  return Argument(lambda rng, lead, _: rng.random(lead + shape) < 0.5)


def keys(*shape):
  return Argument(
    lambda rng, lead, _: (
      jax.random.split(jax.random.key(rng.integers(100)), lead + shape)
      if lead + shape
      else jax.random.key(rng.integers(100))
    )
  )


def symmetric_positive(n):
  def draw(rng, lead, dtype):
    a = rng.normal(size=(*lead, n, n))
    return (a @ np.swapaxes(a, -1, -2) + n * np.eye(n)).astype(dtype)

  return Argument(draw)


def special(*shape):
  values = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.0, 3.5]
  return Argument(
    lambda rng, lead, dtype: rng.choice(values, lead + shape).astype(dtype)
  )


def shared(argument):
  return argument._replace(mapped=False)


def _exact(function, *arguments):
  return Row(function, arguments, True)


def _close(function, *arguments):
  return Row(function, arguments, False)


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
WORDS = functools.partial(integers, 1, 2**31 - 1, dtype=np.uint32)
SHIFTS = functools.partial(integers, 0, 31, dtype=np.uint32)
SIGNED = functools.partial(integers, -99, 99)
ELEMENTWISE = {
  **{f.__name__: _exact(f, make(3, 2)) for f, make in UNARY.items()},
  **{
    f.__name__: _exact(f, make(3, 2), make(3, 2)) for f, make in BINARY.items()
  },
  'add_of_scalars': _exact(lax.add, normal(), normal()),
  'add_shared_right': _exact(lax.add, normal(3), shared(normal(3))),
  'add_shared_left': _exact(lax.add, shared(normal(3)), normal(3)),
  'clamp': _exact(lax.clamp, normal(), normal(3), normal()),
  'clamp_by_literals': _exact(lambda x: lax.clamp(-0.5, x, 0.5), normal(3)),
  'select_by_scalar': _exact(lax.select_n, booleans(), normal(3), normal(3)),
  'select': _exact(jnp.where, booleans(3), normal(3), normal(3)),
  'select_of_integers': _exact(
    lax.select_n, integers(0, 3, 4), normal(4), normal(4), normal(4)
  ),
  'convert': _exact(lambda x: x.astype(jnp.int32), uniform(0, 9, 4)),
  'convert_to_half': _exact(lambda x: x.astype(jnp.bfloat16) * 3, normal(4)),
  'integer_pow': _exact(lambda x: x**3 + x**-2, uniform(1, 2, 4)),
  'pow_by_integer': _exact(lax.pow, uniform(1, 2, 4), integers(0, 4, 4)),
  'reduce_precision': _exact(
    lambda x: lax.reduce_precision(x, 5, 7), normal(4)
  ),
  'stop_gradient': _exact(lambda x: lax.stop_gradient(x) * x, normal(4)),
  'copy': _exact(lambda x: jnp.array(x, copy=True), normal(4)),
  'and': _exact(lax.bitwise_and, WORDS(3), WORDS(3)),
  'or': _exact(lax.bitwise_or, WORDS(3), WORDS(3)),
  'xor': _exact(lax.bitwise_xor, WORDS(3), WORDS(3)),
  'not': _exact(lambda x, b: (~x, ~b), WORDS(3), booleans(2)),
  'clz': _exact(lax.clz, WORDS(3)),
  'population_count': _exact(lax.population_count, WORDS(3)),
  'shift_left': _exact(lax.shift_left, WORDS(3), SHIFTS(3)),
  'shift_logical': _exact(lax.shift_right_logical, WORDS(3), SHIFTS(3)),
  'shift_arithmetic': _exact(
    lax.shift_right_arithmetic, SIGNED(3), integers(0, 9, 3)
  ),
  'integer_division': _exact(
    lambda a, b: (a // b, a % b, jnp.divmod(a, b)), SIGNED(6), integers(1, 9, 6)
  ),
  'small_integers': _exact(
    lambda a: a * 3 + 100, integers(0, 99, 3, dtype=np.int8)
  ),
  'complex': _exact(
    lambda x, y: (lax.complex(x, y) * 2j, jnp.abs(lax.complex(x, y))),
    normal(3),
    normal(3),
  ),
  'real_imag_conj': _exact(
    lambda x, y: (
      jnp.real(jnp.conj(lax.complex(x, y))),
      jnp.imag(jnp.conj(lax.complex(x, y))),
    ),
    normal(3),
    normal(3),
  ),
  'special_values': _exact(
    lambda x: (x + 1, x * 0, jnp.maximum(x, 0), x > 0, x == x, jnp.isnan(x)),
    special(9),
  ),
  'nan_to_num': _exact(lambda x: jnp.nan_to_num(x, posinf=3.0), special(9)),
  'no_entries': _exact(lambda x, y: jnp.sin(x) * y, normal(0, 3), normal(0, 3)),
  'optimization_barrier': _exact(
    lambda x, y: lax.optimization_barrier((x, y)), normal(3), shared(normal(2))
  ),
}

SHAPES = {
  'broadcast_scalar': _exact(lambda x: jnp.broadcast_to(x, (2, 3)), normal()),
  'broadcast_row': _exact(lambda x: jnp.broadcast_to(x, (2, 3)), normal(1, 3)),
  'broadcast_inner': _exact(
    lambda x: lax.broadcast_in_dim(x, (2, 3, 4), (0, 2)), normal(2, 4)
  ),
  'reshape': _exact(lambda x: x.reshape(3, 4), normal(2, 6)),
  'ravel': _exact(jnp.ravel, normal(2, 3)),
  'reshape_no_entries': _exact(lambda x: x.reshape(5, 0), normal(0, 3)),
  'transpose': _exact(lambda x: x.transpose(2, 0, 1), normal(2, 3, 4)),
  'squeeze': _exact(lambda x: jnp.squeeze(x, (0, 2)), normal(1, 3, 1)),
  'expand': _exact(lambda x: x[:, None, :, None], normal(2, 3)),
  'slice': _exact(lambda x: x[1:3, :2], normal(4, 3)),
  'slice_strided': _exact(lambda x: x[::2, 1::2], normal(5, 4)),
  'slice_reversed': _exact(lambda x: x[::-1, -1:0:-1], normal(5, 4)),
  'rev': _exact(lambda x: lax.rev(x, (0, 1)), normal(2, 3)),
  'concatenate': _exact(
    lambda x, y: jnp.concatenate([x, y, x], 1), normal(2, 3), normal(2, 1)
  ),
  'concatenate_literal': _exact(
    lambda x: jnp.concatenate([x, jnp.zeros(2, x.dtype)]), normal(3)
  ),
  'stack': _exact(lambda x, y: jnp.stack([x, y], -1), normal(3), normal(3)),
  'split': _exact(lambda x: jnp.split(x, [1, 3], 1), normal(2, 5)),
  'tile_repeat_roll': _exact(
    lambda x: (jnp.tile(x, (2, 1)), jnp.repeat(x, 2, 0), jnp.roll(x, 1, 1)),
    normal(2, 3),
  ),
  'pad': _exact(
    lambda x, v: lax.pad(x, v, ((1, 2, 1), (0, -1, 0))), normal(2, 3), normal()
  ),
  'iota_and_constants': _exact(
    lambda x: x + jnp.arange(3, dtype=x.dtype) + np.ones(3, x.dtype), normal(3)
  ),
  'triangle': _exact(lambda x: (jnp.tril(x), jnp.diag(x)), normal(3, 3)),
}

SLICES = functools.partial(lax.dynamic_slice, slice_sizes=(2, 1))
RAW_SLICES = functools.partial(SLICES, allow_negative_indices=False)
INDEXING = {
  'dynamic_slice': _exact(
    lambda x, i, j: SLICES(x, (i, j)),
    normal(4, 3),
    integers(0, 9),
    integers(0, 9),
  ),
  'dynamic_slice_shared_index': _exact(
    lambda x, i: SLICES(x, (i, np.int32(1))),
    normal(4, 3),
    shared(integers(0, 4)),
  ),
  'dynamic_slice_far_below': _exact(
    lambda x, i: SLICES(x, (i, np.int32(0))),
    normal(4, 3),
    shared(integers(-5, -4)),
  ),
  'dynamic_slice_clamped': _exact(
    lambda x, i: RAW_SLICES(x, (i, np.int32(0))),
    normal(4, 3),
    shared(integers(-2, -1)),
  ),
  'dynamic_slice_of_shared': _exact(
    lambda x, i: SLICES(x, (i, np.int32(0))),
    shared(normal(4, 3)),
    integers(0, 4),
  ),
  'dynamic_slice_of_scalar': _exact(
    lambda x: lax.dynamic_slice(x, (), ()), normal()
  ),
  'dynamic_update': _exact(
    lambda x, u, i: lax.dynamic_update_slice(x, u, (i, np.int32(1))),
    normal(4, 3),
    normal(2, 1),
    integers(0, 9),
  ),
  'dynamic_update_shared_index': _exact(
    lambda x, u, i: lax.dynamic_update_slice(x, u, (i, np.int32(1))),
    normal(4, 3),
    normal(2, 1),
    shared(integers(0, 3)),
  ),
  'dynamic_update_far_below': _exact(
    lambda x, u, i: lax.dynamic_update_slice(x, u, (i, np.int32(1))),
    normal(4, 3),
    normal(1, 1),
    shared(integers(-5, -4)),
  ),
  'dynamic_update_of_scalar': _exact(
    lambda x, u: lax.dynamic_update_slice(x, u, ()), normal(), normal()
  ),
  'dynamic_index_in_dim': _exact(
    lambda x, i: lax.dynamic_index_in_dim(x, i, 1), normal(2, 5), SIGNED()
  ),
  'gather': _exact(lambda x, i: x[i], normal(5, 2), integers(0, 5, 3)),
  'gather_filled': _exact(
    lambda x, i: x.at[i].get(mode='fill', fill_value=7.0),
    normal(5),
    integers(0, 9, 6),
  ),
  'gather_two_axes': _exact(
    lambda x, i, j: x[i, :, j], normal(3, 2, 4), integers(0, 3, 5), SHIFTS(5)
  ),
  'take_along_axis': _exact(
    lambda x, i: jnp.take_along_axis(x, i, 1),
    normal(2, 4),
    integers(0, 4, 2, 3),
  ),
  'embedding': _exact(
    lambda table, tokens: table[tokens], normal(7, 2), integers(0, 7, 2, 3)
  ),
  'scatter': _exact(
    lambda x, i, v: x.at[i].set(v), normal(5, 2), integers(0, 5), normal(2)
  ),
  'scatter_add': _close(
    lambda x, i, v: x.at[i].add(v), normal(5), integers(0, 5, 7), normal(7)
  ),
  'scatter_max': _exact(
    lambda x, i, v: x.at[i].max(v, mode='drop'),
    normal(5),
    integers(0, 9, 7),
    normal(7),
  ),
  'scatter_min': _exact(
    lambda x, i, v: x.at[i].min(v), special(5), integers(0, 5, 7), special(7)
  ),
  'scatter_multiply': _close(
    lambda x, i, v: x.at[i].multiply(v), normal(5), integers(0, 5, 7), normal(7)
  ),
  'scatter_subtract': _close(
    lambda x, i, v: x.at[i].subtract(v), normal(5), integers(0, 5, 7), normal(7)
  ),
  'scatter_static': _exact(
    lambda x, v: x.at[1, ::2].set(v), normal(3, 4), normal(2)
  ),
  'one_hot': _exact(
    lambda i: jax.nn.one_hot(i, 4, dtype=jnp.float32), integers(0, 4, 3)
  ),
  'searchsorted': _exact(
    lambda x, v: jnp.searchsorted(jnp.sort(x), v), normal(6), normal(3)
  ),
  'nonzero': _exact(
    lambda b: jnp.nonzero(b, size=4, fill_value=9), booleans(6)
  ),
}

REDUCTIONS = {
  'sum': _close(lambda x: jnp.sum(x, 0), normal(4, 3)),
  'sum_last': _close(lambda x: jnp.sum(x, 1), normal(4, 3)),
  'sum_of_all': _close(jnp.sum, normal(2, 3, 2)),
  'sum_of_two_axes': _close(lambda x: jnp.sum(x, (0, 2)), normal(2, 3, 2)),
  'sum_of_no_axes': _close(lambda x: jnp.sum(x, ()), normal(2, 3)),
  'sum_long': _close(jnp.sum, normal(70)),
  'sum_of_none': _close(lambda x: jnp.sum(x, 0), normal(0, 3)),
  'sum_of_integers': _exact(jnp.sum, SIGNED(5)),
  'sum_of_booleans': _exact(jnp.sum, booleans(5)),
  'sum_of_special_values': _close(lambda x: jnp.sum(x, 0), special(3, 4)),
  'mean_var': _close(lambda x: (jnp.mean(x, 0), jnp.var(x, 1)), normal(4, 3)),
  'prod': _close(lambda x: jnp.prod(x, 0), normal(4, 3)),
  'max_min': _exact(lambda x: (jnp.max(x, 0), jnp.min(x)), special(4, 3)),
  'argmax_argmin': _exact(
    lambda x: (jnp.argmax(x, 0), jnp.argmin(x, 1), jnp.argmax(x)), normal(4, 3)
  ),
  'any_all': _exact(
    lambda b: (jnp.any(b, 0), jnp.all(b, 1), jnp.any(b)), booleans(3, 2)
  ),
  'xor_reduction': _exact(
    lambda x: lax.reduce(x, np.uint32(0), lax.bitwise_xor, (0,)), WORDS(4, 2)
  ),
  'reduce_by_function': _close(
    lambda x: lax.reduce(x, x.dtype.type(1), lambda a, b: a * b + a, (0,)),
    uniform(0.5, 1, 3, 2),
  ),
  'cumsum': _close(
    lambda x: (jnp.cumsum(x, 0), lax.cumsum(x, 1, reverse=True)), normal(4, 3)
  ),
  'cumprod': _close(lambda x: lax.cumprod(x, 1), normal(4, 3)),
  'cummax_cummin': _exact(
    lambda x: (lax.cummax(x, 0), lax.cummin(x, 1, reverse=True)), normal(4, 3)
  ),
  'cumlogsumexp': _close(lambda x: lax.cumlogsumexp(x, 0), normal(4, 3)),
  'logsumexp_softmax': _close(
    lambda x: (jax.nn.logsumexp(x, 0), jax.nn.log_softmax(x)), normal(4, 3)
  ),
  'sort': _exact(lambda x: jnp.sort(x, 0), normal(5, 2)),
  'sort_special': _exact(jnp.sort, special(6)),
  'sort_by_two_keys': _exact(
    lambda a, b, c: lax.sort((a, b, c), dimension=0, num_keys=2),
    integers(0, 2, 6),
    integers(0, 3, 6),
    normal(6),
  ),
  'argsort': _exact(lambda x: jnp.argsort(x, 1), normal(2, 5)),
  'median_quantile': _close(
    lambda x: (jnp.median(x), jnp.quantile(x, 0.3)), normal(7)
  ),
  'top_k': _exact(lambda x: lax.top_k(x, 2), normal(2, 5)),
  'unique': _exact(lambda x: jnp.unique(x, size=4), integers(0, 4, 8)),
  'reduce_window': _close(
    lambda x: lax.reduce_window(
      x, x.dtype.type(0), lax.add, (2,), (1,), 'SAME'
    ),
    normal(5),
  ),
  'associative_scan': _close(
    lambda x: lax.associative_scan(jnp.add, x), normal(6, 2)
  ),
}


def _dot(dimensions, **options):
  return lambda a, b: lax.dot_general(a, b, dimensions, **options)


CONTRACTIONS = {
  'matmul': _close(jnp.matmul, normal(2, 3), normal(3, 4)),
  'matmul_shared_left': _close(jnp.matmul, shared(normal(2, 3)), normal(3, 4)),
  'matmul_shared_right': _close(jnp.matmul, normal(2, 3), shared(normal(3, 4))),
  'matvec': _close(jnp.matmul, normal(2, 3), normal(3)),
  'vecmat': _close(jnp.matmul, normal(3), normal(3, 2)),
  'dot': _close(jnp.dot, normal(3), normal(3)),
  'outer': _close(jnp.outer, normal(3), normal(2)),
  'tensordot': _close(
    lambda a, b: jnp.tensordot(a, b, ((0, 2), (1, 0))),
    normal(2, 3, 4),
    normal(4, 2, 3),
  ),
  'batched': _close(jnp.matmul, normal(2, 2, 3), normal(2, 3, 4)),
  'batch_axes_inside': _close(
    _dot((((1,), (0,)), ((2, 0), (1, 2)))), normal(2, 3, 4), normal(3, 4, 2)
  ),
  'two_contracted_swapped': _close(
    _dot((((0, 1), (1, 0)), ((), ()))), normal(2, 3, 2), normal(3, 2, 4)
  ),
  'several_free_axes': _close(
    _dot((((1,), (2,)), ((), ()))), normal(2, 3, 2), normal(2, 1, 3)
  ),
  'all_batch': _close(
    _dot((((), ()), ((0,), (0,)))), normal(3, 2), normal(3, 2)
  ),
  'contracted_nothing': _close(
    _dot((((0,), (0,)), ((), ()))), normal(0, 2), normal(0, 3)
  ),
  'no_rows': _close(jnp.matmul, normal(0, 3), normal(3, 2)),
  'long': _close(jnp.dot, normal(70), normal(70)),
  'einsum_batch': _close(
    lambda a, b: jnp.einsum('bik,bjk->bij', a, b),
    normal(2, 3, 2),
    normal(2, 2, 2),
  ),
  'einsum_three': _close(
    lambda a, b, c: jnp.einsum('ij,jk,kl->il', a, b, c),
    normal(2, 3),
    normal(3, 2),
    normal(2, 2),
  ),
  'preferred_type_wide': _close(
    lambda a, b: jnp.dot(
      a.astype(jnp.bfloat16),
      b.astype(jnp.bfloat16),
      preferred_element_type=jnp.float32,
    ),
    normal(2, 3),
    normal(3, 2),
  ),
  'preferred_type_of_integers': _exact(
    lambda a, b: jnp.dot(a, b, preferred_element_type=jnp.int32),
    integers(-99, 99, 2, 3, dtype=np.int8),
    integers(-99, 99, 3, 2, dtype=np.int8),
  ),
  'integers': _exact(jnp.matmul, SIGNED(2, 3), SIGNED(3, 2)),
  'booleans': _exact(jnp.matmul, booleans(2, 3), booleans(3, 2)),
  'complex_dot': _close(
    lambda a, b: jnp.vdot(lax.complex(a, b), lax.complex(b, a)),
    normal(3),
    normal(3),
  ),
  'special_dot': _close(jnp.matmul, special(2, 3), special(3, 2)),
  'conv': _close(
    lambda x, k: lax.conv_general_dilated(
      x, k, (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    ),
    normal(1, 4, 4, 2),
    normal(3, 3, 2, 2),
  ),
  'convolve': _close(jnp.convolve, normal(6), normal(3)),
  'cholesky': _close(jnp.linalg.cholesky, symmetric_positive(3)),
  'solve': _close(jnp.linalg.solve, symmetric_positive(3), normal(3)),
  'triangular_solve': _close(
    lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True),
    symmetric_positive(3),
    normal(3, 2),
  ),
  'det': _close(jnp.linalg.det, symmetric_positive(3)),
  'eigh': _close(jnp.linalg.eigvalsh, symmetric_positive(3)),
  'fft': _close(lambda x: jnp.fft.fft(x), normal(2, 8)),
  'norm': _close(lambda x: jnp.linalg.norm(x, axis=1), normal(3, 2)),
}

RANDOM = {
  'bits': _exact(lambda key: jax.random.bits(key, (3,)), keys()),
  'split_key': _exact(lambda key: jax.random.split(key, 3), keys()),
  'fold_in': _exact(jax.random.fold_in, keys(), integers(0, 99)),
  'fold_in_counter': _exact(lambda key: jax.random.fold_in(key, 3), keys()),
  'threefry': _exact(
    lambda words: threefry_2x32((words[0], words[1]), words[2:]), WORDS(6)
  ),
  'key_data': _exact(
    lambda key: jax.random.wrap_key_data(jax.random.key_data(key)), keys(2)
  ),
  'make_key': _exact(jax.random.key, integers(0, 99)),
  'index_keys': _exact(
    lambda key, i: jax.random.split(key, 4)[i], keys(), integers(0, 4)
  ),
  'uniform_normal': _exact(
    lambda key: (
      jax.random.uniform(key, (3,), jnp.float32),
      jax.random.normal(key, (2, 2), jnp.float32),
    ),
    keys(),
  ),
  'draw_integers': _exact(
    lambda key: jax.random.randint(key, (4,), 0, 9), keys()
  ),
  'permutation': _exact(lambda key: jax.random.permutation(key, 6), keys()),
  'choice': _exact(
    lambda key, p: jax.random.categorical(key, p), keys(), normal(4)
  ),
  'bernoulli': _exact(
    lambda key, p: jax.random.bernoulli(key, p, (4,)), keys(), uniform(0, 1)
  ),
  'draw_under_a_cond': _exact(
    lambda key, b: lax.cond(
      b, lambda k: jax.random.split(k)[0], lambda k: k, key
    ),
    keys(),
    booleans(),
  ),
}


@jax.custom_jvp
def _custom_jvp(x):
  return jnp.sin(x)


_custom_jvp.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), tangents[0]))


@jax.custom_vjp
def _custom_vjp(x):
  return jnp.sin(x)


_custom_vjp.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (g * 3 + x,))


def _switch(index, x, y):
  branches = [
    lambda x, y: (x + y, x),
    lambda x, y: (x * y, y),
    lambda x, y: (x, jnp.ones_like(y)),
  ]
  return lax.switch(index, branches, x, y)


def _collatz(start):
  """Each seed stops at a step of its own."""
  return lax.while_loop(
    lambda c: c[0] > 1,
    lambda c: (jnp.where(c[0] % 2 == 0, c[0] // 2, 3 * c[0] + 1), c[1] + 1),
    (start, 0),
  )


def _nested(x):
  def outer(i, x):
    def inner(carry):
      j, y = carry
      return j + 1, y * 0.9 + jnp.float32(i).astype(x.dtype)

    return lax.while_loop(lambda c: c[0] < i, inner, (0, x))[1]

  return lax.fori_loop(0, 4, outer, x)


def _scan_parts(x, ys, constant):
  """A carry that varies, one that comes to vary, one that never does."""

  def body(carry, y):
    count, late, early = carry
    following = (count + 1, early * constant, early * 0.5 + y)
    return following, (count, late, constant * 2, y)

  return lax.scan(body, (0, jnp.zeros_like(x), x), ys)


def _draws(key):
  def body(key, index):
    key, draw_key = jax.random.split(key)
    return key, jax.random.uniform(draw_key, (), jnp.float32) + index

  return lax.scan(body, key, jnp.arange(3, dtype=jnp.float32))


CONTROL = {
  'jit': _exact(jax.jit(lambda x: jnp.sin(x) + 1), normal(3)),
  'checkpoint': _exact(jax.checkpoint(lambda x: jnp.sin(x) + 1), normal(3)),
  'custom_jvp': _exact(_custom_jvp, normal(3)),
  'custom_vjp': _exact(_custom_vjp, normal(3)),
  'custom_jvp_within': _exact(
    jax.grad(lambda x: jnp.sum(_custom_jvp(x) ** 2)), normal(3)
  ),
  'custom_vjp_within': _exact(
    jax.grad(lambda x: jnp.sum(_custom_vjp(x) ** 2)), normal(3)
  ),
  'relu_at_zero_within': _exact(
    jax.grad(lambda x: jnp.sum(jax.nn.relu(x))), special(5)
  ),
  'hessian': _close(
    jax.hessian(lambda x: jnp.sum(jnp.tanh(x) ** 2) * x[0]), normal(3)
  ),
  'jvp': _exact(
    lambda x, t: jax.jvp(jnp.sin, (x,), (t,)), normal(3), normal(3)
  ),
  'linear_solve': _close(
    lambda a, b: jax.scipy.linalg.solve(a, b, assume_a='pos'),
    symmetric_positive(2),
    normal(2),
  ),
  'cond': _exact(
    lambda b, x: lax.cond(b, lambda x: x * 2, lambda x: x - 1, x),
    booleans(),
    normal(3),
  ),
  'cond_shared': _exact(
    lambda b, x: lax.cond(b, lambda x: x * 2, lambda x: x - 1, x),
    shared(booleans()),
    normal(3),
  ),
  'cond_constant_branch': _exact(
    lambda b, x: lax.cond(b, lambda x: (x, 1.0), lambda x: (x * 0, 2.0), x),
    booleans(),
    normal(3),
  ),
  'cond_shared_constant_branch': _exact(
    lambda b, x: lax.cond(
      b, lambda x: (x, 1.0), lambda x: (jnp.ones_like(x), 2.0), x
    ),
    shared(booleans()),
    normal(3),
  ),
  'switch': _exact(_switch, integers(0, 3), normal(3), normal(3)),
  'switch_shared': _exact(
    _switch, shared(integers(0, 3)), normal(3), normal(3)
  ),
  'switch_clamped': _exact(_switch, integers(-4, 8), normal(3), normal(3)),
  'while_apart': _exact(_collatz, integers(1, 30)),
  'while_apart_of_arrays': _exact(
    lambda x, limit: lax.while_loop(
      lambda c: jnp.sum(c[1]) < limit,
      lambda c: (c[0] + 1, c[1] * 2, c[2]),
      (0, x, jnp.zeros((2, 3))),
    ),
    uniform(0.5, 1, 2, 2),
    uniform(2, 40),
  ),
  'while_together': _exact(
    lambda x, n: lax.while_loop(
      lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 0.5), (0, x)
    ),
    normal(2),
    shared(integers(0, 5)),
  ),
  'while_never': _exact(
    lambda x: lax.while_loop(lambda c: c[0] > 1e9, lambda c: c * 2, x),
    normal(2),
  ),
  'while_keys': _exact(
    lambda key, n: lax.while_loop(
      lambda c: c[1] < n,
      lambda c: (jax.random.fold_in(c[0], c[1]), c[1] + 1),
      (key, 0),
    ),
    keys(),
    integers(0, 5),
  ),
  'fori': _exact(
    lambda x: lax.fori_loop(0, 4, lambda i, c: c * 0.5 + i, x), normal(2)
  ),
  'fori_own_length': _exact(
    lambda n, x: lax.fori_loop(0, n, lambda i, c: c * 0.5 + i, x),
    integers(0, 5),
    normal(2),
  ),
  'nested_loops': _exact(_nested, normal(2)),
  'scan_all_varies': _exact(_scan_parts, normal(), normal(4), normal()),
  'scan_shared_xs': _exact(_scan_parts, normal(), shared(normal(4)), normal()),
  'scan_shared_carry': _exact(
    _scan_parts, shared(normal()), normal(4), shared(normal())
  ),
  'scan_shared_but_constant': _exact(
    _scan_parts, shared(normal()), shared(normal(4)), normal()
  ),
  'scan_reverse': _exact(
    lambda x, ys: lax.scan(
      lambda c, y: (c * 0.5 + y, c), x, ys, reverse=True, unroll=2
    ),
    normal(2),
    normal(5, 2),
  ),
  'scan_of_nothing': _exact(
    lambda x, ys: lax.scan(lambda c, y: (c + y, c), x, ys), normal(), normal(0)
  ),
  'scan_in_scan': _close(
    lambda x: lax.scan(
      lambda c, _: lax.scan(lambda d, y: (d * 0.9 + y, d), c, x),
      x.sum(),
      length=3,
    ),
    normal(3),
  ),
  'scan_random': _exact(_draws, keys()),
  'grad_of_scan': _close(
    jax.grad(
      lambda x, ys: lax.scan(lambda c, y: (jnp.sin(c * y), None), x, ys)[0]
    ),
    normal(),
    normal(4),
  ),
  'map': _exact(lambda x: lax.map(jnp.sin, x), normal(4)),
}

TABLES = (
  ELEMENTWISE,
  SHAPES,
  INDEXING,
  REDUCTIONS,
  CONTRACTIONS,
  RANDOM,
  CONTROL,
)
ROWS = {name: row for table in TABLES for name, row in table.items()}
every_row = pytest.mark.parametrize('name', ROWS)


def _draw(name, dtype):
  """The same numbers in every run and at both precisions."""
  rng = np.random.default_rng(zlib.crc32(name.encode()))
  return [
    argument.draw(rng, (NUM_SEEDS,) if argument.mapped else (), dtype)
    for argument in ROWS[name].arguments
  ]


def _check(name, dtype, each_alone):
  """Compares lanes and vmap with the arguments mapped as the row says.

  Where `each_alone`, also with only one of them mapped, in turn.
  """
  row = ROWS[name]
  arguments = _draw(name, dtype)
  mapped = [argument.mapped for argument in row.arguments]
  choices = [mapped]
  if each_alone and sum(mapped) > 1:
    choices += [
      [k == only for k in range(len(mapped))]
      for only in range(len(mapped))
      if mapped[only]
    ]

  def run(mapper, arguments):
    return [
      mapper(row.function, in_axes=tuple(0 if m else None for m in choice))(
        *(
          leaf[0] if once and not now else leaf
          for leaf, once, now in zip(arguments, mapped, choice)
        )
      )
      for choice in choices
    ]

  # One program of both: it compiles faster than two.
  actual, expected = jax.jit(
    lambda arguments: [run(mapper, arguments) for mapper in (lanes, jax.vmap)],
    compiler_options=FAST,
  )(arguments)
  assert_agree(
    actual,
    expected,
    ulps=ELEMENTWISE_ULPS if row.per_entry else SUM_ULPS,
    per_entry=row.per_entry,
  )


def test_no_row_hides_another():
  assert len(ROWS) == sum(map(len, TABLES))


@every_row
def test_lanes_is_vmap_in_float32(name):
  _check(name, np.float32, each_alone=True)


def _is_of_integers(name):
  return not any(
    jnp.issubdtype(leaf.dtype, jnp.inexact)
    or jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    for leaf in _draw(name, np.float32)
  )


# Rows of integers alone are the same programs at both precisions.
@pytest.mark.parametrize(
  'name', [name for name in ROWS if not _is_of_integers(name)]
)
def test_lanes_is_vmap_in_float64(name):
  with jax.enable_x64(True):
    _check(name, np.float64, each_alone=False)


# Names under which some version of JAX knows a primitive that has a row.
ALIASES = {
  'jit',
  'pjit',
  'closed_call',
  'core_call',
  'checkpoint',
  'remat2',
  'copy',
  'copy_p',
  'stop_gradient',
  'add',
  'add_any',
}


def _primitives(jaxpr):
  found = set()
  for equation in jaxpr.eqns:
    found.add(equation.primitive.name)
    for inner in core.jaxprs_in_params(equation.params):
      found |= _primitives(inner)
  return found


def test_every_rule_has_a_row():
  found = set()
  for name, row in ROWS.items():
    one_seed = [
      leaf[0] if argument.mapped else leaf
      for leaf, argument in zip(_draw(name, np.float32), row.arguments)
    ]
    found |= _primitives(jax.make_jaxpr(row.function)(*one_seed).jaxpr)
  assert set(rules.RULES) - ALIASES <= found
  # And many that have none.
  assert len(found - set(rules.RULES)) > 20


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_half_precision(dtype):
  rng = np.random.default_rng(3)
  a, b = (jnp.asarray(rng.normal(size=(4, 3, 3)), dtype) for _ in range(2))

  def function(a, b):
    return jnp.tanh(a) * 2 + b, jnp.sum(a, 0), a @ b

  # XLA adds products of halves in float32, lanes in halves: 3 roundings more.
  assert_agree(lanes(function)(a, b), jax.vmap(function)(a, b), ulps=4)


@pytest.mark.parametrize(
  ('function', 'slope'),
  [
    (jax.nn.relu, [0.0, 0.0, 1.0]),
    (_custom_jvp, [1.0, 1.0, 1.0]),
    (_custom_vjp, [2.0, 3.0, 4.0]),
  ],
  ids=['relu', 'custom_jvp', 'custom_vjp'],
)
def test_derivatives_taken_outside_obey_custom_rules(function, slope):
  x = jnp.asarray([-1.0, 0.0, 1.0])
  found = jax.grad(lambda x: jnp.sum(lanes(function)(x)))(x)
  np.testing.assert_array_equal(found, slope)

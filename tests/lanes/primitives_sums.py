"""Primitives that reduce arrays and contract them."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from tests.lanes.primitives import (
  SIGNED,
  WORDS,
  booleans,
  close,
  exact,
  integers,
  normal,
  shared,
  special,
  symmetric_positive,
  uniform,
)

REDUCTIONS = {
  'sum': close(lambda x: jnp.sum(x, 0), normal(4, 3)),
  'sum_last': close(lambda x: jnp.sum(x, 1), normal(4, 3)),
  'sum_of_all': close(jnp.sum, normal(2, 3, 2)),
  'sum_of_two_axes': close(lambda x: jnp.sum(x, (0, 2)), normal(2, 3, 2)),
  'sum_of_no_axes': close(lambda x: jnp.sum(x, ()), normal(2, 3)),
  'sum_long': close(jnp.sum, normal(70)),
  'sum_of_none': close(lambda x: jnp.sum(x, 0), normal(0, 3)),
  'sum_of_integers': exact(jnp.sum, SIGNED(5)),
  'sum_of_booleans': exact(jnp.sum, booleans(5)),
  'sum_of_special_values': close(lambda x: jnp.sum(x, 0), special(3, 4)),
  'mean_var': close(lambda x: (jnp.mean(x, 0), jnp.var(x, 1)), normal(4, 3)),
  'prod': close(lambda x: jnp.prod(x, 0), normal(4, 3)),
  'max_min': exact(lambda x: (jnp.max(x, 0), jnp.min(x)), special(4, 3)),
  'argmax_argmin': exact(
    lambda x: (jnp.argmax(x, 0), jnp.argmin(x, 1), jnp.argmax(x)), normal(4, 3)
  ),
  'any_all': exact(
    lambda b: (jnp.any(b, 0), jnp.all(b, 1), jnp.any(b)), booleans(3, 2)
  ),
  'xor_reduction': exact(
    lambda x: lax.reduce(x, np.uint32(0), lax.bitwise_xor, (0,)), WORDS(4, 2)
  ),
  'reduce_by_function': close(
    lambda x: lax.reduce(x, x.dtype.type(1), lambda a, b: a * b + a, (0,)),
    uniform(0.5, 1, 3, 2),
  ),
  'cumsum': close(
    lambda x: (jnp.cumsum(x, 0), lax.cumsum(x, 1, reverse=True)), normal(4, 3)
  ),
  'cumprod': close(lambda x: lax.cumprod(x, 1), normal(4, 3)),
  'cummax_cummin': exact(
    lambda x: (lax.cummax(x, 0), lax.cummin(x, 1, reverse=True)), normal(4, 3)
  ),
  'cumlogsumexp': close(lambda x: lax.cumlogsumexp(x, 0), normal(4, 3)),
  'logsumexp_softmax': close(
    lambda x: (jax.nn.logsumexp(x, 0), jax.nn.log_softmax(x)), normal(4, 3)
  ),
  'sort': exact(lambda x: jnp.sort(x, 0), normal(5, 2)),
  'sort_special': exact(jnp.sort, special(6)),
  'sort_by_two_keys': exact(
    lambda a, b, c: lax.sort((a, b, c), dimension=0, num_keys=2),
    integers(0, 2, 6),
    integers(0, 3, 6),
    normal(6),
  ),
  'argsort': exact(lambda x: jnp.argsort(x, 1), normal(2, 5)),
  'median_quantile': close(
    lambda x: (jnp.median(x), jnp.quantile(x, 0.3)), normal(7)
  ),
  'top_k': exact(lambda x: lax.top_k(x, 2), normal(2, 5)),
  'unique': exact(lambda x: jnp.unique(x, size=4), integers(0, 4, 8)),
  'reduce_window': close(
    lambda x: lax.reduce_window(
      x, x.dtype.type(0), lax.add, (2,), (1,), 'SAME'
    ),
    normal(5),
  ),
  'associative_scan': close(
    lambda x: lax.associative_scan(jnp.add, x), normal(6, 2)
  ),
}


def _dot(dimensions, **options):
  return lambda a, b: lax.dot_general(a, b, dimensions, **options)


CONTRACTIONS = {
  'matmul': close(jnp.matmul, normal(2, 3), normal(3, 4)),
  'matmul_shared_left': close(jnp.matmul, shared(normal(2, 3)), normal(3, 4)),
  'matmul_shared_right': close(jnp.matmul, normal(2, 3), shared(normal(3, 4))),
  'matvec': close(jnp.matmul, normal(2, 3), normal(3)),
  'vecmat': close(jnp.matmul, normal(3), normal(3, 2)),
  'dot': close(jnp.dot, normal(3), normal(3)),
  'outer': close(jnp.outer, normal(3), normal(2)),
  'tensordot': close(
    lambda a, b: jnp.tensordot(a, b, ((0, 2), (1, 0))),
    normal(2, 3, 4),
    normal(4, 2, 3),
  ),
  'batched': close(jnp.matmul, normal(2, 2, 3), normal(2, 3, 4)),
  'batch_axes_inside': close(
    _dot((((1,), (0,)), ((2, 0), (1, 2)))), normal(2, 3, 4), normal(3, 4, 2)
  ),
  'two_contracted_swapped': close(
    _dot((((0, 1), (1, 0)), ((), ()))), normal(2, 3, 2), normal(3, 2, 4)
  ),
  'several_free_axes': close(
    _dot((((1,), (2,)), ((), ()))), normal(2, 3, 2), normal(2, 1, 3)
  ),
  'all_batch': close(
    _dot((((), ()), ((0,), (0,)))), normal(3, 2), normal(3, 2)
  ),
  'contracted_nothing': close(
    _dot((((0,), (0,)), ((), ()))), normal(0, 2), normal(0, 3)
  ),
  'no_rows': close(jnp.matmul, normal(0, 3), normal(3, 2)),
  'long': close(jnp.dot, normal(70), normal(70)),
  'einsum_batch': close(
    lambda a, b: jnp.einsum('bik,bjk->bij', a, b),
    normal(2, 3, 2),
    normal(2, 2, 2),
  ),
  'einsum_three': close(
    lambda a, b, c: jnp.einsum('ij,jk,kl->il', a, b, c),
    normal(2, 3),
    normal(3, 2),
    normal(2, 2),
  ),
  'preferred_type_wide': close(
    lambda a, b: jnp.dot(
      a.astype(jnp.bfloat16),
      b.astype(jnp.bfloat16),
      preferred_element_type=jnp.float32,
    ),
    normal(2, 3),
    normal(3, 2),
  ),
  'preferred_type_of_integers': exact(
    lambda a, b: jnp.dot(a, b, preferred_element_type=jnp.int32),
    integers(-99, 99, 2, 3, dtype=np.int8),
    integers(-99, 99, 3, 2, dtype=np.int8),
  ),
  'integers': exact(jnp.matmul, SIGNED(2, 3), SIGNED(3, 2)),
  'booleans': exact(jnp.matmul, booleans(2, 3), booleans(3, 2)),
  'complex_dot': close(
    lambda a, b: jnp.vdot(lax.complex(a, b), lax.complex(b, a)),
    normal(3),
    normal(3),
  ),
  'special_dot': close(jnp.matmul, special(2, 3), special(3, 2)),
  'conv': close(
    lambda x, k: lax.conv_general_dilated(
      x, k, (1, 1), 'SAME', dimension_numbers=('NHWC', 'HWIO', 'NHWC')
    ),
    normal(1, 4, 4, 2),
    normal(3, 3, 2, 2),
  ),
  'convolve': close(jnp.convolve, normal(6), normal(3)),
  'cholesky': close(jnp.linalg.cholesky, symmetric_positive(3)),
  'solve': close(jnp.linalg.solve, symmetric_positive(3), normal(3)),
  'triangular_solve': close(
    lambda a, b: jax.scipy.linalg.solve_triangular(a, b, lower=True),
    symmetric_positive(3),
    normal(3, 2),
  ),
  'det': close(jnp.linalg.det, symmetric_positive(3)),
  'eigh': close(jnp.linalg.eigvalsh, symmetric_positive(3)),
  'fft': close(lambda x: jnp.fft.fft(x), normal(2, 8)),
  'norm': close(lambda x: jnp.linalg.norm(x, axis=1), normal(3, 2)),
}

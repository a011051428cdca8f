"""What programs `lanes` makes: unrolled, shared, or whole."""

import functools

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes.small_program import (
  X,
  Y,
  check,
  normal,
)
from tests.lanes.traced import primitives_of
from toyjax.lanes import blocks, is_tiny, lanes, rules


def _of_lanes(fun, *args):
  return primitives_of(jax.make_jaxpr(lanes(fun))(*args).jaxpr)


def test_small_contractions_are_unrolled_and_sums_too():
  found = _of_lanes(lambda a, b: jnp.sum(a @ b, 0), Y, normal(4, 3, 2))
  assert 'dot_general' not in found
  assert 'reduce_sum' not in found
  assert found.count('mul') == 3


def test_large_contractions_keep_dot_general():
  n = 1 + round(blocks.MAX_PRODUCTS ** (1 / 3))
  a = normal(2, n, n)
  assert 'dot_general' in _of_lanes(lambda a: a @ a, a)
  check(lambda m: m(lambda a: a @ a), a)
  looped = functools.partial(lax.fori_loop, 0, 2, lambda _, a: a @ a * 0.1)
  assert 'dot_general' in _of_lanes(looped, a)
  check(lambda m: m(looped), a)
  assert not is_tiny(jax.make_jaxpr(looped)(a[0]).jaxpr)
  assert is_tiny(jax.make_jaxpr(looped)(a[0, :2, :2]).jaxpr)


@pytest.mark.parametrize('length', [16, 17, 100])
def test_long_contractions_are_added_up_in_parts(length):
  a, b = normal(2, 3, length), normal(2, length, seed=1)
  found = _of_lanes(lambda a, b: a @ b, a, b)
  assert found.count('mul') == length
  num_parts = {16: 0, 17: 3, 100: 13}[length]
  assert found.count('optimization_barrier') >= num_parts
  expected = np.einsum('sil,sl->si', *map(np.float64, (a, b)))
  np.testing.assert_allclose(
    lanes(jnp.matmul)(a, b), expected, rtol=0, atol=1e-5
  )


def test_a_contraction_too_long_to_unroll_makes_a_program_not_tiny():
  def fun(a):
    return a @ jnp.ones((a.size, 2))

  assert is_tiny(jax.make_jaxpr(fun)(jnp.ones(rules.MAX_UNROLLED)).jaxpr)
  assert not is_tiny(
    jax.make_jaxpr(fun)(jnp.ones(rules.MAX_UNROLLED + 1)).jaxpr
  )


def test_a_program_that_is_not_tiny_takes_all_axes():
  n = 1 + round(blocks.MAX_PRODUCTS ** (1 / 3))
  check(
    lambda m: m(
      lambda a, b: {'c': a @ b, 'd': b}, (2, None), {'c': -1, 'd': None}
    ),
    normal(n, n, 2),
    normal(n, n),
  )


def test_long_sums_stay_one_reduction():
  found = _of_lanes(jnp.sum, normal(2, 1000))
  assert found.count('reduce_sum') == 1
  assert 'add' not in found


def test_a_shared_counter_keeps_one_loop_for_all_seeds():
  def fun(x):
    return lax.while_loop(
      lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * 2), (0, x)
    )

  jaxpr = jax.make_jaxpr(lanes(fun))(X).jaxpr
  (loop,) = (e for e in jaxpr.eqns if e.primitive.name == 'while')
  assert [v.aval.shape for v in loop.outvars] == [(), (3, 4)]
  # Without a choice in its body, nor an `any` in its condition.
  assert not {'select_n', 'reduce_or'} & set(primitives_of(jaxpr))


def test_what_does_not_vary_is_computed_once():
  jaxpr = jax.make_jaxpr(lanes(lambda x, y: x * jnp.sin(y), (0, None)))(
    X[:, 0], jnp.float32(2)
  ).jaxpr
  (sine,) = (e for e in jaxpr.eqns if e.primitive.name == 'sin')
  assert sine.outvars[0].aval.shape == ()

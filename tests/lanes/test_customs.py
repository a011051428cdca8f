"""Functions with derivative rules of their own, under `lanes`."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes.agreement import assert_agree
from tests.lanes.traced import primitives_of
from toyjax.lanes import lanes

X = jnp.asarray(np.random.default_rng(0).normal(size=(4, 3)), jnp.float32)
W = jnp.asarray(np.random.default_rng(1).normal(size=(3, 3)), jnp.float32)


def _plain(x, w):
  return jnp.sin(x @ w), w * 2


# The rules are wrong on purpose: no other derivative is like them.
_forward = jax.custom_jvp(_plain)
_backward = jax.custom_vjp(_plain)


@_forward.defjvp
def _(primals, tangents):
  (x, w), (dx, dw) = primals, tangents
  return _forward(x, w), (dx * x**2 * 7, dw + w * jnp.sum(dx))


_backward.defvjp(
  lambda x, w: (_plain(x, w), (x, w)),
  lambda saved, cotangents: (
    cotangents[0] * saved[0] ** 2 * 7,
    cotangents[1] + saved[1] * 3,
  ),
)

FUNCTIONS = {'custom_jvp': _forward, 'custom_vjp': _backward}
every_function = pytest.mark.parametrize('name', FUNCTIONS)


def _loss(name, x, w):
  y, v = FUNCTIONS[name](x, w)
  return jnp.sum(y**2) + jnp.sum(v)


def _assert_same(function, *arguments):
  """Holds function(lanes) to function(jax.vmap); returns its results."""
  actual, expected = jax.jit(
    lambda *arguments: [
      function(mapper)(*arguments) for mapper in (lanes, jax.vmap)
    ],
  )(*arguments)
  # Sums of a dozen terms, added in another order.
  assert_agree(actual, expected, ulps=32)
  return actual


@every_function
@pytest.mark.parametrize('axes', [(0, None), (None, 0), (0, 0)])
def test_values(name, axes):
  x = X if axes[0] == 0 else X[0]
  w = jnp.stack([W, W * 2, W * 3, W * 4]) if axes[1] == 0 else W
  _assert_same(lambda mapper: mapper(FUNCTIONS[name], axes), x, w)


@every_function
def test_the_function_is_evaluated_in_lanes(name):
  one_seed = jax.make_jaxpr(FUNCTIONS[name])(X[0], W)
  assert 'dot_general' in primitives_of(one_seed.jaxpr)
  mapped = jax.make_jaxpr(lanes(FUNCTIONS[name], (0, None)))(X, W)
  found = primitives_of(mapped.jaxpr)
  assert 'dot_general' not in found
  assert f'{name}_call' in found


@every_function
def test_derivatives_taken_within(name):
  slopes = jax.grad(lambda x, w: _loss(name, x, w), (0, 1))
  _assert_same(lambda mapper: mapper(slopes, (0, None)), X, W)


@every_function
def test_derivatives_taken_outside(name):
  def slopes(mapper):
    mapped = mapper(lambda x, w: _loss(name, x, w), (0, None))
    return jax.grad(lambda x, w: jnp.sum(mapped(x, w)), (0, 1))

  found, _ = _assert_same(slopes, X, W)
  truth = jax.grad(lambda x: jnp.sum(_plain(x, W)[0] ** 2))(X)
  assert np.abs(found - truth).max() > 0.1


def test_no_jit_is_needed():
  slopes = jax.grad(lambda x: jnp.sum(lanes(_backward, (0, None))(x, W)[0]))
  assert_agree(slopes(X), X**2 * 7, ulps=4)


@pytest.mark.parametrize('outer', [jax.jacfwd, jax.jacrev])
@every_function
def test_second_derivatives(name, outer):
  def outside(mapper):
    mapped = mapper(lambda x: _loss(name, x, W))
    return outer(jax.grad(lambda x: jnp.sum(mapped(x))))

  _assert_same(outside, X)
  within = outer(jax.grad(lambda x: _loss(name, x, W)))
  _assert_same(lambda mapper: mapper(within), X)


def test_forward_derivatives():
  def slopes(mapper):
    mapped = mapper(_forward, (0, None))
    return lambda x: jax.jvp(lambda x: mapped(x, W), (x,), (jnp.ones_like(x),))

  _assert_same(slopes, X)
  with pytest.raises(TypeError, match='custom_vjp'):
    jax.jvp(lambda x: lanes(_backward, (0, None))(x, W), (X,), (X,))


@every_function
def test_in_a_loop_under_vmap(name):
  def step(x, _):
    y, _ = FUNCTIONS[name](x, W)
    return y, jnp.sum(y)

  _assert_same(
    lambda mapper: jax.vmap(mapper(lambda x: lax.scan(step, x, length=3))),
    jnp.stack([X, 2 * X]),
  )


def test_integers_keys_and_constants():
  @jax.custom_jvp
  def draw(key, n, x):
    return jax.random.normal(key, (3,), jnp.float32) * n + x, n + 1

  @draw.defjvp
  def _(primals, tangents):
    y, n = draw(*primals)
    return (y, n), (tangents[2] * 5, np.zeros((), jax.dtypes.float0))

  def outcome(mapper):
    mapped = mapper(draw, (0, None, 0))

    def run(keys, x):
      slopes = jax.grad(lambda x: jnp.sum(mapped(keys, 2, x)[0]))(x)
      return mapped(keys, 2, x), slopes

    return run

  keys = jax.random.split(jax.random.key(0), len(X))
  _, slopes = _assert_same(outcome, keys, X)
  np.testing.assert_array_equal(slopes, np.full(X.shape, 5.0))


def test_a_result_that_does_not_vary():
  @jax.custom_jvp
  def constant(x):
    return jnp.ones_like(x), x

  constant.defjvp(lambda p, t: (constant(*p), (t[0] * 3, t[0])))

  def both(mapper):
    mapped = mapper(constant)
    return lambda x: (
      mapped(x),
      jax.grad(lambda x: jnp.sum(mapped(x)[0]))(x),
    )

  _, slopes = _assert_same(both, X)
  np.testing.assert_array_equal(slopes, np.full(X.shape, 3.0))

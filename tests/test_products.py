"""Gradients of large matrices, laid out: the same trial in meaning."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.sweep_trials import CLOSE, HIDDEN, OUTPUTS, train_large_net
from toyjax import products, sweeps


def test_laid_out_it_means_the_same():
  keys = sweeps.seed_keys(3, np.arange(7))
  expected = jax.jit(jax.vmap(train_large_net))(keys)
  laid_out = jax.jit(jax.vmap(products.lay_out(train_large_net)))(keys)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, **CLOSE), laid_out, expected
  )
  assert len(np.unique(laid_out[1])) > 6 * HIDDEN * OUTPUTS


def test_the_transpose_stands_in_the_open():
  text = str(
    jax.make_jaxpr(products.lay_out(train_large_net))(jax.random.key(0))
  )
  assert 'optimization_barrier' in text
  small = jax.make_jaxpr(products.lay_out(lambda x: x.T @ x))(jnp.ones((9, 4)))
  assert 'optimization_barrier' not in str(small)


@pytest.mark.parametrize(
  'shapes', [((2048, 40), (2048, 20)), ((2, 1024, 20), (2, 1024, 40))]
)
@pytest.mark.parametrize('swapped', [False, True])
def test_a_product_is_laid_out_whatever_its_sides(shapes, swapped):
  rng = np.random.default_rng(0)
  left, right = (rng.standard_normal(shape, np.float32) for shape in shapes)
  axes = tuple(range(left.ndim - 1))

  def product(x):
    both = jnp.tensordot(x[0], x[1], (axes, axes))
    return both.T if swapped else both

  found = jax.jit(products.lay_out(product))((left, right))
  flat = [
    x.reshape((-1, x.shape[-1])).astype(np.float64) for x in (left, right)
  ]
  expected = flat[0].T @ flat[1]
  np.testing.assert_allclose(
    found, expected.T if swapped else expected, rtol=1e-4, atol=1e-3
  )


def test_what_differentiates_inside_and_calls_by_name_stays():
  def trial(x):
    @jax.custom_vjp
    def halved(y):
      return y

    halved.defvjp(lambda y: (y, None), lambda _, g: (g / 2,))

    def cell(carry):
      y, i = carry
      return y - 1e-3 * jax.grad(lambda y: jnp.sum(halved(y) ** 2))(y), i + 1

    return jax.lax.while_loop(lambda carry: carry[1] < 3, cell, (x, 0))[0]

  x = jnp.linspace(0.0, 1.0, 6)
  np.testing.assert_allclose(products.lay_out(trial)(x), trial(x), rtol=1e-6)

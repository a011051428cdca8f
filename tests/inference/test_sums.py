"""Prefix sums and maxima against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.inference import sums
from toyjax.lanes import lanes


@pytest.mark.parametrize('size', [1, 5, 16, 17, 128, 300])
@pytest.mark.parametrize('mapper', [jax.vmap, lanes])
def test_prefix_sums(size, mapper):
  x = np.random.default_rng(size).normal(size=(3, size))
  with jax.enable_x64(True):
    found = jax.jit(mapper(sums.cumulative_sum))(jnp.asarray(x))
  np.testing.assert_allclose(found, np.cumsum(x, 1), rtol=0, atol=1e-12)


def test_prefix_sums_of_many_small_numbers_round_less_than_a_chain():
  x = np.full(4096, 0.1, np.float32)
  exact = np.cumsum(x.astype(np.float64))
  error = np.abs(sums.cumulative_sum(jnp.asarray(x)) - exact).max()
  assert error < np.abs(np.cumsum(x) - exact).max()


@pytest.mark.parametrize('mapper', [jax.vmap, lanes])
def test_the_first_of_equal_maxima(mapper):
  x = np.random.default_rng(0).integers(0, 4, (40, 9)).astype(np.float32)
  x[:2] = -np.inf
  x[1, 4:6] = 2.0
  found = jax.jit(mapper(sums.first_maximum))(jnp.asarray(x))
  np.testing.assert_array_equal(found, x.argmax(1))

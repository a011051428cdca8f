"""The laws of the inits of the ReLU autoencoder."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys.autoencoder import make
from toyjax import sweeps
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

# name: (std of W, bound of |W|, std of b, bound of |b|, mean of W and of b) at
# M = 2, N = 5 and scale 1; a normal has no bound.
LAWS = {
  'glorot_normal': (np.sqrt(2 / 7), np.inf, 0.0, 0.0, 0.0),
  'glorot_uniform': (np.sqrt(2 / 7), np.sqrt(6 / 7), 0.0, 0.0, 0.0),
  'normal': (1.0, np.inf, 0.0, 0.0, 0.0),
  'uniform_positive': (
    1e-3 / np.sqrt(12),
    1e-3,
    1e-3 / np.sqrt(12),
    1e-3,
    5e-4,
  ),
  'torch_linear': (
    1 / np.sqrt(15),
    1 / np.sqrt(5),
    1 / np.sqrt(6),
    1 / np.sqrt(2),
    0.0,
  ),
}


def test_every_init_has_a_law_here():
  assert set(LAWS) == set(relu_autoencoder.INITS)


@pytest.mark.parametrize('scale', [1.0, 0.25])
@pytest.mark.parametrize('init', LAWS)
def test_init_has_the_stated_moments_and_range(init, scale):
  num_seeds = 20_000
  std_w, bound_w, std_b, bound_b, mean = LAWS[init]
  toy = make(5, init=init, init_scale=scale)
  params = jax.vmap(toy.init)(sweeps.seed_keys(6, jnp.arange(num_seeds)))
  for leaf, std, bound in (
    (params.weights, scale * std_w, scale * bound_w),
    (params.bias, scale * std_b, scale * bound_b),
  ):
    assert leaf.dtype == jnp.float32
    values = np.asarray(leaf, float).reshape(num_seeds, -1)
    centre = scale * mean if std > 0.0 else 0.0
    # 1e-6: one float32 rounding of the bound.
    assert np.abs(values).max() <= bound * (1.0 + 1e-6)
    # A normal's squares vary most, by √2 times their mean.
    sigma_mean = std / np.sqrt(num_seeds)
    sigma_square = np.sqrt(2.0 / num_seeds) * std**2
    # Entry by entry: no two entries share a law's shift or scale by chance.
    np.testing.assert_allclose(
      values.mean(axis=0), centre, atol=5.0 * sigma_mean, rtol=0
    )
    np.testing.assert_allclose(
      ((values - centre) ** 2).mean(axis=0),
      std**2,
      atol=5.0 * sigma_square,
      rtol=0,
    )
    if std > 0.0 and np.isfinite(bound):
      low = 0.0 if mean else -bound
      assert values.max() > bound - 1e-3 * (bound - low)
      assert values.min() < low + 1e-3 * (bound - low)


@pytest.mark.parametrize('init', LAWS)
def test_entries_of_an_init_are_independent(init):
  toy = make(5, init=init)
  params = jax.vmap(toy.init)(sweeps.seed_keys(7, jnp.arange(20_000)))
  values = np.asarray(params.weights).reshape(20_000, -1)
  if LAWS[init][2] > 0.0:
    values = np.concatenate([values, params.bias], axis=1)
  correlations = np.corrcoef(values.T) - np.eye(values.shape[1])
  assert np.abs(correlations).max() < 5.0 / np.sqrt(20_000)


@pytest.mark.parametrize('init', LAWS)
def test_init_is_the_same_however_many_seeds_are_mapped(init):
  toy = make(5, init=init)

  draw = jax.jit(jax.vmap(toy.init))
  keys = sweeps.seed_keys(8, jnp.arange(1000))
  many, alone = draw(keys), [draw(keys[k : k + 1]) for k in range(20)]
  stacked = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *alone)
  for leaf, first in zip(many, stacked):
    np.testing.assert_array_equal(leaf[:20], first)
  assert len(np.unique(np.asarray(many.weights), axis=0)) == 1000


@pytest.mark.parametrize('num_seeds', [1000, 4000])
def test_published_glorot_scale_holds_at_any_number_of_seeds(num_seeds):
  # Inits of the stacked [1000, 5, 2] array end at .031, .020 or .017 instead.
  toy = make(5)
  params = jax.vmap(toy.init)(sweeps.seed_keys(9, jnp.arange(num_seeds)))
  sigma = 0.5345 / np.sqrt(2 * 10 * num_seeds)
  assert abs(np.std(params.weights) - 0.5345) < 5.0 * sigma + 5e-5


def test_init_scale_is_traced_and_proportional():
  key = jax.random.key(10)
  draw = jax.jit(lambda scale: make(5, init_scale=scale).init(key).weights)
  np.testing.assert_array_equal(draw(4.0), 4.0 * draw(1.0))


def test_dtypes_start_from_the_same_draws():
  key = jax.random.key(11)
  single = make(5, init='torch_linear').init(key)
  with jax.enable_x64(True):
    double = make(5, init='torch_linear', dtype=jnp.float64).init(key)
    assert double.weights.dtype == double.bias.dtype == jnp.float64
  half = make(5, init='torch_linear', dtype=jnp.bfloat16).init(key)
  assert half.weights.dtype == jnp.bfloat16
  for one, two, three in zip(single, double, half):
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one.astype(jnp.bfloat16), three)


@pytest.mark.parametrize('init', relu_autoencoder.INITS)
def test_float64_runs_start_from_the_float32_weights(init):
  def draw(dtype, scale):
    toy = relu_autoencoder.make(
      num_features=7,
      num_hidden=2,
      sample=sparse_features.one_hot(num_features=7, dtype=dtype),
      init=init,
      init_scale=scale,
      importance_decay=1.0,
      loss_reduction='mean',
      dtype=dtype,
    )
    return jax.jit(toy.init)(jax.random.key(5))

  single = draw(jnp.float32, jnp.float32(0.7))
  with jax.enable_x64(True):
    double = draw(jnp.float64, jnp.float64(0.7))
  assert double.weights.dtype == np.float64
  for a, b in zip(single, double):
    np.testing.assert_array_equal(np.asarray(a, np.float64), b)

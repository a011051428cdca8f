"""Expected losses on uniform features: brute force, draws, invariances."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import autoencoder
from toyjax.analysis.autoencoder import single_polygons, uniform_features
from toyjax.data import sparse_features
from toyjax.toys.relu_autoencoder import Params

mean_error = jax.jit(uniform_features.mean_error)
single_loss = jax.jit(uniform_features.single_loss)
IMPORTANCE = np.asarray([1.0, 0.5, 2.5])


@pytest.fixture(autouse=True)
def _wide():
  with jax.enable_x64(True):
    yield


def random_params(num_hidden, num_features, seed=0):
  rng = np.random.default_rng(seed)
  weights = rng.normal(size=(num_hidden, num_features))
  return Params(
    jnp.asarray(weights), jnp.asarray(0.3 * rng.normal(size=num_features))
  )


@pytest.fixture(scope='module')
def sparse_loss():
  def loss(params, density, num_nodes=32):
    return uniform_features.sparse_loss(
      params,
      density=density,
      importance=jnp.asarray(IMPORTANCE),
      num_nodes=num_nodes,
    )

  return jax.jit(loss, static_argnums=2)


# On, off, going on, going off, and flat ones.
CASES = [
  *((1.2, 0.3), (-0.5, -0.1), (1.0, -0.4), (-1.5, 0.6), (0.0, 0.2)),
  *((0.0, -0.2), (0.0, 0.0), (0.3, -0.9), (-0.2, 0.9)),
]


@pytest.mark.parametrize('target', [0.0, 1.0])
def test_the_mean_error_is_that_of_fine_steps(target):
  middles = (np.arange(200_000) + 0.5) / 200_000
  for slope, offset in CASES:
    outputs = np.maximum(offset + slope * middles, 0.0)
    expected = np.mean((outputs - target * middles) ** 2)
    np.testing.assert_allclose(
      mean_error(slope, offset, target), expected, rtol=1e-8, atol=1e-9
    )


def test_its_gradient_is_that_of_the_function():
  gradient = jax.jit(jax.grad(mean_error, (0, 1)))
  for slope, offset in CASES[:4]:
    for target in (0.0, 1.0):
      ends = np.asarray(
        [
          mean_error(slope + h, offset, target)
          - mean_error(slope - h, offset, target)
          for h in (1e-6,)
        ]
        + [
          mean_error(slope, offset + h, target)
          - mean_error(slope, offset - h, target)
          for h in (1e-6,)
        ]
      )
      np.testing.assert_allclose(
        gradient(slope, offset, target), ends / 2e-6, rtol=1e-6, atol=1e-8
      )


def test_losses_are_the_means_over_draws(sparse_loss):
  params = random_params(2, 3)
  density = jnp.asarray([0.3, 0.7, 0.5])
  batch = autoencoder.sparse(
    *(3, 400_000), sparsity=1.0 - density, dtype=jnp.float64
  )(jax.random.key(0))
  outputs = np.maximum(
    np.asarray(batch @ params.weights.T @ params.weights)
    + np.asarray(params.bias),
    0.0,
  )
  each = ((outputs - batch) ** 2) @ IMPORTANCE
  error = float(np.std(each)) / len(each) ** 0.5
  found = float(sparse_loss(params, density))
  assert abs(float(np.mean(each)) - found) < 5.0 * error


def test_more_nodes_change_little(sparse_loss):
  for seed in range(3):
    params = random_params(2, 3, seed)
    losses = [float(sparse_loss(params, 0.4, k)) for k in (16, 32, 96)]
    np.testing.assert_allclose(losses, losses[-1], rtol=1e-3)
    assert abs(losses[1] / losses[2] - 1.0) < 1e-4


def test_losses_know_no_names_and_no_directions(sparse_loss):
  params = random_params(2, 3)
  turn = np.asarray([[0.6, 0.8], [-0.8, 0.6]])
  turned = Params(jnp.asarray(turn @ params.weights), params.bias)
  np.testing.assert_allclose(
    sparse_loss(turned, 0.4), sparse_loss(params, 0.4), rtol=1e-12
  )
  np.testing.assert_allclose(
    single_loss(turned), single_loss(params), rtol=1e-12
  )
  order = np.asarray([2, 0, 1])
  moved = Params(params.weights[:, order], params.bias[order])
  np.testing.assert_allclose(
    single_loss(moved), single_loss(params), rtol=1e-12
  )


def test_the_single_loss_is_the_mean_over_draws():
  params = random_params(2, 6)
  batch = sparse_features.single_uniform(
    num_features=6, batch_size=400_000, dtype=jnp.float64
  )(jax.random.key(3))
  outputs = np.maximum(
    np.asarray(batch @ params.weights.T @ params.weights)
    + np.asarray(params.bias),
    0.0,
  )
  each = ((outputs - np.asarray(batch)) ** 2).sum(axis=1)
  error = each.std() / len(each) ** 0.5
  assert abs(each.mean() - float(single_loss(params))) < 5.0 * error


@pytest.mark.parametrize(
  ('place', 'published'), single_polygons.PUBLISHED.items()
)
def test_polygons_have_the_published_losses(place, published):
  num_live, with_means = place
  best = single_polygons.best(num_live, 6, with_means=with_means)
  assert round(best.loss, 5) == published


def test_features_beside_a_polygon_do_best_at_their_mean():
  best = single_polygons.best(4, 6, with_means=True)
  assert best.dead_bias == 1.0 / 12.0
  # Both others: 2/6 of E[μ²] less 6 b² each.
  np.testing.assert_allclose(best.loss, 1.0 / 9.0 - 2.0 / 144.0, rtol=1e-8)
  losses = [
    single_loss(
      single_polygons.regular(
        *(4, 6), radius=1.0, bias=0.0, dead_bias=1.0 / 12.0 + change
      )
    )
    for change in (-0.01, 0.01)
  ]
  assert min(losses) > best.loss

"""The expected loss on sparse features: closed forms, draws, descents."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import autoencoder
from toyjax.analysis.autoencoder import (
  rarer_feature,
  sparse_bottleneck,
  sparse_quadrature,
  uniform_features,
)
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.analysis.autoencoder.sparse_bottleneck import Kind
from toyjax.toys.relu_autoencoder import Params

expected_loss = jax.jit(sparse_quadrature.expected_loss)


@pytest.fixture(autouse=True)
def _wide():
  with jax.enable_x64(True):
    yield


@pytest.mark.parametrize('num_features', [1, 3, 5])
def test_each_set_of_features_has_the_volume_one(num_features):
  rule = sparse_quadrature.make_rule(num_features)
  codes = rule.is_there @ (1 << np.arange(num_features))
  volumes = np.bincount(codes, weights=rule.volumes)
  np.testing.assert_allclose(volumes, np.ones(2**num_features), rtol=1e-12)
  np.testing.assert_array_equal(rule.x > 0.0, rule.is_there)
  # Without kinks it is exact: E x_i = p_i / 2.
  density = np.linspace(0.1, 0.9, num_features)
  prob = np.prod(np.where(rule.is_there, density, 1.0 - density), axis=1)
  np.testing.assert_allclose(
    (rule.volumes * prob) @ rule.x, density / 2.0, rtol=1e-12
  )


@pytest.mark.parametrize('place', [(1.0, 0.3), (0.5, 1.0), (0.03, 8.0)])
@pytest.mark.parametrize(
  'kind', [Kind.IGNORES_LAST, Kind.IGNORES_ANOTHER, Kind.PAIRS_LAST]
)
def test_two_features_have_the_closed_forms_of_the_pair(place, kind):
  density, importance = place
  found = expected_loss(
    sparse_bottleneck.start_of(kind, density, 2),
    density=density,
    importance=np.array([1.0, importance]),
  )
  expected = sparse_bottleneck.candidates(density, importance, 2)[kind]
  # The pair's error is min(x)², whose kink costs 20 nodes 2e-3 of it.
  rtol = 2e-3 if kind is Kind.PAIRS_LAST else 1e-12
  np.testing.assert_allclose(found, expected, rtol=rtol)


def test_it_agrees_with_the_rule_that_is_exact_along_an_outputs_own_axis():
  rng = np.random.default_rng(3)
  density, importance = np.array([0.1, 0.4, 0.9]), np.array([1.0, 0.5, 2.0])
  for _ in range(5):
    params = Params(rng.normal(size=(2, 3)), rng.normal(size=3))
    params = Params(*(jnp.asarray(leaf) for leaf in params))
    found = expected_loss(params, density=density, importance=importance)
    expected = uniform_features.sparse_loss(
      params, density=density, importance=importance, num_nodes=32
    )
    # Kinks leave 1 / 20^2 of what two features add, 1 / 8^2 of three.
    np.testing.assert_allclose(found, expected, rtol=5e-3)


def test_it_is_the_mean_of_the_toys_loss():
  n, density, decay = 4, np.array([0.1, 0.3, 0.5, 0.8]), 0.7
  rng = np.random.default_rng(0)
  params = Params(
    jnp.asarray(0.7 * rng.normal(size=(2, n))),
    jnp.asarray(0.1 * rng.normal(size=n)),
  )
  sample = autoencoder.sparse(
    *(n, 200_000), sparsity=1.0 - density, dtype=jnp.float64
  )
  toy = autoencoder.make(
    *(n, 2, sample), importance_decay=decay, dtype=jnp.float64
  )
  batch = sample(jax.random.key(0))
  found = expected_loss(
    params, density=density, importance=decay ** np.arange(n)
  )
  each = jax.jit(jax.vmap(lambda x: n * toy.loss(params, x[None])))(batch)
  error = float(jnp.std(each)) / len(batch) ** 0.5
  assert abs(float(jnp.mean(each) - found)) < 5.0 * error


def test_a_descent_is_stationary_and_finds_no_better_nearby():
  density, importance = np.full(3, 0.2), np.ones(3)
  start = sparse_quadrature.polygon_start(3, 3)
  found = sparse_quadrature.descend(
    start, density=density, importance=importance
  )
  assert found.loss < expected_loss(
    start, density=density, importance=importance
  )
  rng = np.random.default_rng(1)
  for _ in range(10):
    near = jax.tree.map(
      lambda leaf: leaf + 1e-3 * rng.normal(size=leaf.shape), found.params
    )
    loss = expected_loss(near, density=density, importance=importance)
    assert loss > found.loss - 1e-9


def test_more_features_than_it_has_points_for_are_refused():
  with pytest.raises(ValueError, match='at most 6'):
    sparse_quadrature.make_rule(7)


@pytest.mark.parametrize(
  ('ratio', 'best'), [(1.0, Polygon.PENTAGON), (0.1, Polygon.TWO_DIGONS)]
)
def test_a_feature_that_is_rare_enough_is_left_out(ratio, best):
  minima = rarer_feature.minima(5, density=0.05, relative_density=ratio)
  assert minima.best is best
  # Left out, it answers its mean, and costs its variance.
  density = 0.05 * ratio
  variance = density / 3.0 - density**2 / 4.0
  assert minima.without.loss > variance
  if ratio == 1.0:
    np.testing.assert_allclose(
      minima.excess, np.log(minima.whole.loss / minima.without.loss)
    )


def test_regular_polygons_have_their_names():
  assert rarer_feature.regular(5) is Polygon.PENTAGON
  assert rarer_feature.regular(4) is Polygon.TWO_DIGONS
  assert rarer_feature.regular(2) is Polygon.DIGON


def test_a_crossing_lies_between_clear_signs():
  crossing = rarer_feature.crossing
  np.testing.assert_allclose(crossing([0.1, 0.4], [1.0, -1.0]), 0.2)
  np.testing.assert_allclose(crossing([0.1, 0.8], [1.0, -0.5]), 0.4)
  assert crossing([0.1, 0.2, 0.4], [1.0, None, 0.5]) is None
  # Two descents into one minimum say nothing.
  found = crossing([0.05, 0.1, 0.4], [-1e-5, 1.0, -1.0])
  np.testing.assert_allclose(found, 0.2)

"""Two sparse features in one dimension: closed forms, draws, descents."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import autoencoder
from toyjax.analysis.autoencoder import sparse_pair
from toyjax.analysis.autoencoder.sparse_pair import CANDIDATES, Kind
from toyjax.toys.relu_autoencoder import Params

expected_loss = jax.jit(sparse_pair.expected_loss)
PLACES = [(1.0, 0.3), (0.5, 1.0), (0.2, 2.0), (0.03, 8.0)]


@pytest.fixture(autouse=True)
def _wide():
  with jax.enable_x64(True):
    yield


@pytest.mark.parametrize('place', PLACES)
@pytest.mark.parametrize('kind', CANDIDATES)
def test_candidates_have_their_closed_forms(place, kind):
  density, importance = place
  loss = expected_loss(
    sparse_pair.start_of(kind, density), density=density, importance=importance
  )
  expected = sparse_pair.candidates(density, importance)[kind]
  # The pair's error is min(x)², whose kink costs 48 nodes 4e-4 of it.
  rtol = 5e-4 if kind is Kind.SUPERPOSED else 1e-12
  np.testing.assert_allclose(loss, expected, rtol=rtol)


def test_the_expected_loss_is_the_mean_of_the_toys():
  density, importance = 0.3, 2.5
  params = Params(jnp.asarray([[0.9, -0.7]]), jnp.asarray([0.05, -0.02]))
  sample = autoencoder.sparse(
    *(2, 400_000), sparsity=1.0 - density, dtype=jnp.float64
  )
  toy = autoencoder.make(
    *(2, 1, sample), importance_decay=importance, dtype=jnp.float64
  )
  batch = sample(jax.random.key(0))
  found = expected_loss(params, density=density, importance=importance)
  each = jax.jit(jax.vmap(lambda x: 2.0 * toy.loss(params, x[None])))(batch)
  error = float(jnp.std(each)) / len(batch) ** 0.5
  assert abs(float(jnp.mean(each) - found)) < 5.0 * error


@pytest.mark.parametrize('place', PLACES)
def test_the_optimum_is_below_every_candidate(place):
  found = sparse_pair.optimum(*place)
  least = min(sparse_pair.candidates(*place).values())
  assert found.loss <= least * (1.0 + 5e-4)
  params = Params(jnp.asarray(found.weights)[None], jnp.asarray(found.bias))
  rng = np.random.default_rng(0)
  losses = [
    expected_loss(
      jax.tree.map(
        lambda leaf: leaf + 0.05 * rng.normal(size=leaf.shape), params
      ),
      density=place[0],
      importance=place[1],
    )
    for _ in range(10)
  ]
  assert min(losses) > found.loss


def test_equal_features_swap():
  one, other = sparse_pair.optimum(0.4, 0.5), sparse_pair.optimum(0.4, 2.0)
  np.testing.assert_allclose(other.loss, 2.0 * one.loss, rtol=1e-6)


@pytest.mark.parametrize(
  ('weights', 'kind'),
  [
    ((1.0, 0.1), Kind.IGNORES_SECOND),
    ((-0.1, -1.0), Kind.IGNORES_FIRST),
    ((-0.9, 0.9), Kind.SUPERPOSED),
    ((0.7, 0.7), Kind.MERGED),
    ((0.2, -0.2), Kind.NEITHER),
    ((np.nan, 1.0), Kind.DIVERGED),
  ],
)
def test_kinds(weights, kind):
  params = Params(jnp.asarray([weights]), jnp.zeros(2))
  assert sparse_pair.classify(params, jnp.asarray(0.1)) == kind
  assert sparse_pair.classify(params, jnp.asarray(jnp.inf)) == Kind.DIVERGED

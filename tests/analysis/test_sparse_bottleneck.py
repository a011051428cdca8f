"""n sparse features in n - 1 dimensions: closed forms, kinds, optima."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import bottleneck_optima, sparse_bottleneck
from toyjax.analysis.autoencoder.sparse_bottleneck import Kind
from toyjax.toys.relu_autoencoder import Params

expected_loss = jax.jit(sparse_bottleneck.expected_loss)
PLACES = [(1.0, 0.3), (0.5, 1.0), (0.2, 2.0), (0.03, 8.0)]


@pytest.fixture(autouse=True)
def _wide():
  with jax.enable_x64(True):
    yield


@pytest.fixture(scope='module')
def optima():
  with jax.enable_x64(True):
    return {
      num_features: bottleneck_optima.optima(
        *np.asarray([*PLACES, (0.4, 0.5), (0.4, 2.0)]).T,
        num_features=num_features,
      )
      for num_features in (2, 3)
    }


@pytest.mark.parametrize('num_features', [2, 3])
def test_candidates_have_their_closed_forms(num_features):
  for density, importance in PLACES:
    closed = sparse_bottleneck.candidates(density, importance, num_features)
    assert len(closed) == 2 + num_features - 1
    for kind, expected in closed.items():
      params = sparse_bottleneck.start_of(kind, density, num_features)
      loss = expected_loss(params, density=density, importance=importance)
      # The pair's error is min(x)^2: cubic on each side of its kink.
      np.testing.assert_allclose(loss, expected, rtol=1e-5)
      assert sparse_bottleneck.classify(params, loss) == kind


@pytest.mark.parametrize('num_features', [2, 3])
def test_the_optimum_is_below_every_candidate_and_all_about_it(
  num_features, optima
):
  found = optima[num_features]
  rng = np.random.default_rng(0)
  for k, (density, importance) in enumerate(PLACES):
    closed = sparse_bottleneck.candidates(density, importance, num_features)
    assert found.loss[k] <= min(closed.values()) * (1.0 + 1e-5)
    params = Params(*(jnp.asarray(leaf[k]) for leaf in found.params))
    losses = [
      expected_loss(
        jax.tree.map(
          lambda leaf: leaf + 0.05 * rng.normal(size=leaf.shape), params
        ),
        density=density,
        importance=importance,
      )
      for _ in range(10)
    ]
    assert min(losses) > found.loss[k]
    assert found.kinds[k, found.kind[k]]


@pytest.mark.parametrize('num_features', [2, 3])
def test_more_nodes_change_the_optimum_by_a_few_millionths(
  num_features, optima
):
  found = optima[num_features]
  for k, (density, importance) in enumerate(PLACES):
    fine = sparse_bottleneck.expected_loss(
      Params(*(jnp.asarray(leaf[k]) for leaf in found.params)),
      density=density,
      importance=importance,
      num_nodes=128,
    )
    np.testing.assert_allclose(found.loss[k], fine, rtol=1e-5)


def test_of_two_features_either_may_be_the_last(optima):
  one, other = optima[2].loss[-2:]
  np.testing.assert_allclose(other, 2.0 * one, rtol=1e-5)


def test_alike_features_have_several_optima_as_good(optima):
  kinds = [code for code in Kind if optima[3].kinds[1, code]]
  assert set(kinds) in (
    {Kind.PAIRS_LAST, Kind.PAIRS_OTHERS},
    {Kind.IGNORES_LAST, Kind.IGNORES_ANOTHER},
    {Kind.SPREAD},
  )


def test_three_dense_features_do_best_as_a_triangle():
  """No candidate of the source: all three are there, none opposite."""
  found = bottleneck_optima.optima(
    np.asarray([1.0]), np.asarray([1.0]), num_features=3
  )
  assert found.kind == [Kind.SPREAD]
  least = min(sparse_bottleneck.candidates(1.0, 1.0, 3).values())
  assert found.loss[0] < (1.0 - 2e-3) * least


ANGLE = np.deg2rad(140.0)


@pytest.mark.parametrize(
  ('rows', 'kind'),
  [
    ([(1.0,), (0.1,)], Kind.IGNORES_LAST),
    ([(-0.1,), (-1.0,)], Kind.IGNORES_ANOTHER),
    ([(-0.9,), (0.9,)], Kind.PAIRS_LAST),
    ([(0.7,), (0.7,)], Kind.MERGED),
    ([(0.2,), (-0.2,)], Kind.WASTES),
    ([(np.nan,), (1.0,)], Kind.DIVERGED),
    ([(1, 0), (0, 1), (0.2, 0.2)], Kind.IGNORES_LAST),
    ([(0.3, 0), (0, 1), (-1, 0.2)], Kind.IGNORES_ANOTHER),
    ([(1, 0), (0, 1), (-1, 0.1)], Kind.PAIRS_LAST),
    ([(1, 0), (-1, 0), (0, -1)], Kind.PAIRS_OTHERS),
    ([(1, 0), (-0.5, 0.9), (-0.5, -0.9)], Kind.SPREAD),
    ([(1, 0), (0, 1), (np.cos(ANGLE), -np.sin(ANGLE))], Kind.SPREAD),
    ([(1, 0), (1, 0.2), (0, 1)], Kind.MERGED),
    ([(1, 0), (-1, 0), (0, 0.2)], Kind.WASTES),
    ([(1, 0), (0.1, 0), (0, 0.2)], Kind.WASTES),
  ],
)
def test_kinds(rows, kind):
  params = Params(jnp.asarray(rows, float).T, jnp.zeros(len(rows)))
  assert sparse_bottleneck.classify(params, jnp.asarray(0.1)) == kind
  lost = sparse_bottleneck.classify(params, jnp.asarray(jnp.inf))
  assert lost == Kind.DIVERGED


def test_kinds_know_no_directions():
  rng = np.random.default_rng(1)
  classify = jax.jit(sparse_bottleneck.classify)
  turn = np.asarray([[0.6, 0.8], [-0.8, 0.6]])
  for _ in range(20):
    weights = rng.normal(size=(2, 3))
    kinds = {
      int(classify(Params(jnp.asarray(own), jnp.zeros(3)), jnp.asarray(0.1)))
      for own in (weights, turn @ weights, weights[:, [1, 0, 2]])
    }
    assert len(kinds) == 1

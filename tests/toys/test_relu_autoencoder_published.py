"""Numbers that others published on the ReLU autoencoder."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from tests import references_weights
from tests.toys.autoencoder import make, sparse
from toyjax.toys import relu_autoencoder

PUBLISHED_NORM_AND_BIAS = {
  5: (1.2030, -0.4472),
  6: (1.41421, -1.0),
  7: (1.62971, -1.65597),
  8: (1.84776, -2.41421),
}


@pytest.mark.parametrize('num_features', PUBLISHED_NORM_AND_BIAS)
def test_regular_polygon_at_its_minimum_norm_is_exact(num_features):
  norm, bias = PUBLISHED_NORM_AND_BIAS[num_features]
  weights, biases = references_weights.regular_polygon(num_features)
  np.testing.assert_allclose(
    np.linalg.norm(weights, axis=0), norm, atol=6e-5, rtol=0
  )
  np.testing.assert_allclose(biases, bias, atol=6e-5, rtol=0)

  def sse(stretch):
    params = references_weights.regular_polygon(num_features, stretch)
    return float(
      relu_autoencoder.one_hot_sse(
        relu_autoencoder.Params(*map(jnp.float32, params))
      )
    )

  # Outputs carry a few roundings of numbers up to |W|² = 13.7, so about 3e-6.
  assert sse(1.0) < 1e-9
  assert sse(2.0) < 1e-9
  assert sse(0.99) > 1e-4


def expected_loss(toy, params, density, *, num_points):
  """E[Σ_i I_i (y_i - x_i)²] by the midpoint rule over each set of features."""
  num_features = params.bias.shape[0]
  middles = (np.arange(num_points) + 0.5) / num_points
  total = 0.0
  for present in itertools.product([False, True], repeat=num_features):
    axes = [middles if here else [0.0] for here in present]
    batch = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, num_features)
    weight = np.prod(np.where(present, density, 1.0 - density))
    total += weight * toy.loss(params, jnp.asarray(batch)) * num_features
  return float(total)


# W, number of the features left out, loss in r, s and V = s/3 - s²/4.
CANDIDATES = {
  'ignore_second': ([[1, 0]], (1,), lambda r, s, v: r * v),
  'ignore_first': ([[0, 1]], (0,), lambda r, s, v: v),
  'digon': ([[1, -1]], (), lambda r, s, v: (1 + r) * s**2 / 6),
  'digon_of_three': (
    [[1, -1, 0], [0, 0, 1]],
    (),
    lambda r, s, v: s**2 / 3,
  ),
}


@pytest.mark.parametrize('importance', [0.1, 1.0, 5.0])
@pytest.mark.parametrize('density', [0.05, 0.4, 1.0])
@pytest.mark.parametrize('candidate', CANDIDATES)
def test_phase_diagram_candidates(candidate, density, importance):
  weights, ignored, formula = CANDIDATES[candidate]
  num_hidden, num_features = np.shape(weights)
  # The importance is that of the last feature, the others have 1.
  decay = importance if num_features == 2 else 1.0
  bias = np.zeros(num_features)
  bias[list(ignored)] = density / 2.0  # The mean of what is ignored.
  with jax.enable_x64(True):
    toy = make(
      num_features, num_hidden, importance_decay=decay, dtype=jnp.float64
    )
    params = relu_autoencoder.Params(jnp.float64(weights), jnp.float64(bias))
    value = expected_loss(toy, params, density, num_points=40)
  # The midpoint rule errs by at most 1 / 40² of each second derivative.
  truth = formula(importance, density, density / 3 - density**2 / 4)
  np.testing.assert_allclose(value, truth, rtol=2e-3)


@pytest.mark.parametrize(
  'candidate', ['ignore_second', 'ignore_first', 'digon']
)
def test_phase_diagram_candidates_on_sampled_data(candidate):
  weights, ignored, formula = CANDIDATES[candidate]
  density, importance, num_batches = 0.3, 0.6, 200
  bias = np.zeros(2, np.float32)
  bias[list(ignored)] = density / 2.0
  sample = sparse(2, 2000, sparsity=1.0 - density)
  toy = make(2, 1, sample=sample, importance_decay=importance)
  params = relu_autoencoder.Params(jnp.float32(weights), jnp.asarray(bias))
  losses = jax.vmap(lambda key: 2.0 * toy.loss(params, toy.sample(key)))(
    jax.random.split(jax.random.key(17), num_batches)
  )
  truth = formula(importance, density, density / 3 - density**2 / 4)
  sigma = np.std(losses) / np.sqrt(num_batches)
  assert abs(np.mean(losses) - truth) < 5.0 * sigma
  assert sigma < 0.01 * truth


@pytest.mark.parametrize(
  ('num_sides', 'dead_bias', 'published'),
  [
    (4, 0.0, 0.11111),
    (5, 0.0, 0.06874),
    (5, 1.0 / 12.0, 0.06180),
    (6, 0.0, 0.04819),
  ],
)
def test_best_polygon_on_features_of_random_size(
  num_sides, dead_bias, published
):
  """Chen et al. 2023: x = μ e_i, μ ~ U[0, 1], N = 6, M = 2, expected SSE."""
  with jax.enable_x64(True):
    toy = make(6, dtype=jnp.float64)
    middles = (jnp.arange(400) + 0.5) / 400
    batch = (middles[:, None, None] * jnp.eye(6)[None]).reshape(-1, 6)
    live = jnp.arange(6) < num_sides
    angles = 2.0 * jnp.pi * jnp.arange(6) / num_sides
    polygon = live[None] * jnp.stack([jnp.cos(angles), jnp.sin(angles)])

    @jax.jit
    def sse(shape):
      length, bias = shape
      params = relu_autoencoder.Params(
        length * polygon, jnp.where(live, bias, dead_bias)
      )
      return 6.0 * toy.loss(params, batch)

    best = scipy.optimize.minimize(
      sse, [1.2, -0.2], jac=jax.grad(sse), method='BFGS'
    )
  assert best.fun == pytest.approx(published, abs=1e-5)

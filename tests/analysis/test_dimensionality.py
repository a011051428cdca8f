"""How much of a dimension each vector has: closed forms and brute force."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import dimensionality

dimensionalities = jax.jit(dimensionality.dimensionalities)
LINES = {line.geometry: line.value for line in dimensionality.PUBLISHED_LINES}
# Rings at this height make the square antiprism a tight frame: Σ v vᵀ = 8/3 I.
_HEIGHT = 1.0 / np.sqrt(3.0)
_RADIUS = np.sqrt(1.0 - _HEIGHT**2)


def polygon(k, turn=0.0):
  angles = turn + 2.0 * np.pi * np.arange(k) / k
  return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def antiprism():
  def ring(height, turn):
    return np.c_[_RADIUS * polygon(4, turn), np.full(4, height)]

  return np.concatenate([ring(_HEIGHT, 0.0), ring(-_HEIGHT, np.pi / 4.0)])


SHAPES = {
  'tetrahedron': np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]),
  'triangle': polygon(3),
  'digon': np.array([[1.0, 0.0], [-1.0, 0.0]]),
  'pentagon': polygon(5),
  'square antiprism': antiprism(),
  'not learned': np.zeros((2, 2)),
}


def brute_force(vectors):
  """D_i by loops in float64, as the source writes it."""
  found = []
  for v in vectors:
    if not v.any():
      found.append(0.0)
      continue
    unit = v / np.sqrt((v**2).sum())
    found.append((v**2).sum() / sum(float(unit @ w) ** 2 for w in vectors))
  return np.asarray(found)


@pytest.mark.parametrize('name', SHAPES)
def test_regular_figures_have_the_published_values(name):
  found = dimensionalities(jnp.asarray(SHAPES[name], jnp.float32))
  np.testing.assert_allclose(found, LINES[name], atol=2e-6)


@pytest.mark.parametrize('scale', [1e-3, 1.0, 50.0])
def test_dimensionalities_are_those_of_brute_force(scale):
  rng = np.random.default_rng(0)
  vectors = scale * rng.normal(size=(9, 4))
  vectors[3] = 0.0
  vectors[5] *= 1e-3
  found = np.asarray(dimensionalities(jnp.asarray(vectors, jnp.float32)))
  np.testing.assert_allclose(found, brute_force(vectors), rtol=2e-5)
  # They add up to no more than there are dimensions.
  assert found.sum() <= 4.0 + 1e-5


def test_turns_and_names_change_nothing():
  rng = np.random.default_rng(1)
  vectors = rng.normal(size=(7, 3))
  turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
  order = rng.permutation(7)
  found = dimensionalities(jnp.asarray(vectors[order] @ turn, jnp.float32))
  np.testing.assert_allclose(found, brute_force(vectors)[order], rtol=2e-5)


@pytest.mark.parametrize('shape', ['orthogonal', 'digons'])
def test_dimensions_per_feature_are_one_and_one_half(shape):
  eye = jnp.eye(3)
  weights = eye if shape == 'orthogonal' else jnp.concatenate([eye, -eye], 1)
  expected = 1.0 if shape == 'orthogonal' else 0.5
  assert dimensionality.dimensions_per_feature(weights) == expected


def test_no_weights_leave_no_bound():
  assert jnp.isinf(dimensionality.dimensions_per_feature(jnp.zeros((2, 3))))

"""Pairs of features that come together, or never together."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.data import sparse_features

_PAIRS, _BATCH = 3, 20_000
_SAMPLERS = {
  'correlated': sparse_features.correlated_pairs,
  'anticorrelated': sparse_features.anticorrelated_pairs,
}


@pytest.fixture(scope='module')
def draw():
  def draw(kind, sparsity, key=0):
    sample = _SAMPLERS[kind](
      num_pairs=_PAIRS,
      batch_size=_BATCH,
      sparsity=sparsity,
      dtype=jnp.float32,
    )
    batch = np.asarray(sample(jax.random.key(key)), float)
    return batch.reshape(_BATCH, _PAIRS, 2)

  return draw


def bar(prob):
  """Five standard errors of a share of the batch."""
  return 5.0 * np.sqrt(prob * (1.0 - prob) / _BATCH)


@pytest.mark.parametrize('sparsity', [0.0, 0.4, 0.95, 1.0])
def test_correlated_features_come_together(draw, sparsity):
  there = draw('correlated', sparsity) > 0.0
  np.testing.assert_array_equal(there[..., 0], there[..., 1])
  share = there[..., 0].mean(axis=0)
  np.testing.assert_allclose(
    share, 1.0 - sparsity, atol=bar(sparsity), rtol=1e-12
  )


@pytest.mark.parametrize('sparsity', [0.0, 0.4, 0.95, 1.0])
def test_of_anticorrelated_features_exactly_one_comes(draw, sparsity):
  there = draw('anticorrelated', sparsity) > 0.0
  assert not there.all(axis=2).any()
  present = there.any(axis=2).mean(axis=0)
  np.testing.assert_allclose(
    present, 1.0 - sparsity, atol=bar(sparsity), rtol=1e-12
  )
  each = there.mean(axis=0)
  density = (1.0 - sparsity) / 2.0
  np.testing.assert_allclose(each, density, atol=bar(density), rtol=1e-12)


@pytest.mark.parametrize('kind', _SAMPLERS)
def test_values_are_uniform_and_pairs_independent(draw, kind):
  batch = draw(kind, 0.5)
  assert batch.min() == 0.0
  assert batch.max() <= 1.0
  for values in (batch[..., 0], batch[..., 1]):
    values = values[values > 0.0]
    for power in (1, 2):
      mean = 1.0 / (power + 1)
      sigma = np.sqrt((1.0 / (2 * power + 1) - mean**2) / len(values))
      assert abs((values**power).mean() - mean) < 5.0 * sigma
  # Across pairs nothing goes together; within one that is there, no values do.
  flat = batch.reshape(_BATCH, -1)
  across = np.corrcoef(flat.T) * np.kron(1.0 - np.eye(_PAIRS), np.ones((2, 2)))
  assert np.abs(across).max() < 5.0 / np.sqrt(_BATCH)
  if kind == 'correlated':
    both = batch[:, 0][batch[:, 0, 0] > 0.0]
    assert abs(np.corrcoef(both.T)[0, 1]) < 5.0 / np.sqrt(len(both))


@pytest.mark.parametrize('kind', _SAMPLERS)
def test_keys_decide_and_sparser_data_lose_pairs(draw, kind):
  batch = draw(kind, 0.5)
  np.testing.assert_array_equal(batch, draw(kind, 0.5))
  assert np.mean(batch == draw(kind, 0.5, key=1)) < 0.9
  lost = draw(kind, 0.8).any(axis=2) & ~batch.any(axis=2)
  assert not lost.any()

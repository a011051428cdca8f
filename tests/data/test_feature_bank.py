"""The bank of sparse features: frequencies, amplitudes, nesting, moments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.data import feature_bank

NUM_SAMPLES = 40_000


def _bank(**changes):
  settings = {
    'num_features': 12,
    'num_inputs': 5,
    'first_frequency': 0.4,
    'decay': 0.75,
    'mean_norm': 1.5,
    'dtype': jnp.float32,
  }
  return feature_bank.make(jax.random.key(3), **(settings | changes))


def _given(**changes):
  settings = {'amplitude': 'one', 'nested': False, 'noise': 0.0}
  return settings | {'log_scale': 0.0} | changes


def _draw(bank, seed=0, batch_size=NUM_SAMPLES, **changes):
  return feature_bank.draw(
    jax.random.key(seed), bank, batch_size=batch_size, **_given(**changes)
  )


def test_a_bank_has_unit_rows_and_frequencies_of_a_power_law():
  bank = _bank()
  np.testing.assert_allclose(
    np.linalg.norm(bank.features, axis=1), 1.0, rtol=1e-6
  )
  np.testing.assert_allclose(np.linalg.norm(bank.mean), 1.5, rtol=1e-6)
  ranks = np.arange(1, 13)
  np.testing.assert_allclose(bank.frequencies, 0.4 * ranks**-0.75, rtol=1e-5)
  other = feature_bank.make(
    jax.random.key(4),
    num_features=12,
    num_inputs=5,
    first_frequency=0.4,
    decay=0.75,
    mean_norm=1.5,
    dtype=jnp.float32,
  )
  assert not np.any(other.features == bank.features)


def test_x_is_what_the_truth_beside_it_says():
  bank = _bank()
  found = _draw(
    bank, batch_size=100, amplitude='exponential', nested=True, log_scale=0.5
  )
  z, s = np.float64(found.amplitudes), np.float64(found.scales)
  x = s[:, None] * (np.float64(bank.mean) + z @ np.float64(bank.features))
  np.testing.assert_allclose(found.x, x, rtol=1e-4, atol=1e-5)
  assert len(np.unique(s)) > 90
  sample = feature_bank.sampler(
    bank,
    batch_size=100,
    **_given(amplitude='exponential', nested=True, log_scale=0.5),
  )
  np.testing.assert_array_equal(sample(jax.random.key(0)), found.x)
  noisy = _draw(bank, batch_size=NUM_SAMPLES // 10, noise=0.3)
  rest = noisy.x - noisy.amplitudes @ bank.features - bank.mean[None, :]
  assert abs(float(jnp.std(rest)) / 0.3 - 1.0) < 0.03
  np.testing.assert_array_equal(noisy.scales, 1.0)


@pytest.mark.parametrize('nested', [False, True])
@pytest.mark.parametrize(
  ('amplitude', 'mean', 'square'),
  [('one', 1.0, 1.0), ('uniform', 0.5, 1 / 3), ('exponential', 1.0, 2.0)],
)
def test_features_are_as_frequent_and_as_strong_as_they_say(
  nested, amplitude, mean, square
):
  bank = _bank()
  z = np.asarray(_draw(bank, amplitude=amplitude, nested=nested).amplitudes)
  p = np.asarray(bank.frequencies)
  error = np.sqrt(p * (1.0 - p) / NUM_SAMPLES)
  assert np.all(np.abs((z > 0.0).mean(axis=0) - p) < 5.0 * error)
  strong = z[z > 0.0]
  fourth = {'one': 1.0, 'uniform': 1 / 5, 'exponential': 24.0}[amplitude]
  error = 5.0 / np.sqrt(len(strong))
  assert abs(strong.mean() - mean) <= error * np.sqrt(square - mean**2)
  assert abs((strong**2).mean() - square) <= error * np.sqrt(fourth - square**2)


def test_contained_features_come_with_their_parents_alone():
  bank = _bank()
  present = np.asarray(_draw(bank, nested=True).amplitudes) > 0.0
  parents = np.asarray(feature_bank.parents_of(12))
  children = np.flatnonzero(parents != np.arange(12))
  assert children.tolist() == [1, 5, 9]
  assert parents[children].tolist() == [0, 2, 4]
  for child, parent in zip(children, parents[children]):
    assert not np.any(present[:, child] & ~present[:, parent])
    share = present[present[:, parent], child].mean()
    error = 5.0 * 0.5 / np.sqrt(present[:, parent].sum())
    assert abs(share - 2.0**-0.75) < error
  free = np.asarray(_draw(bank).amplitudes) > 0.0
  assert np.any(free[:, 1] & ~free[:, 0])


@pytest.mark.parametrize('nested', [False, True])
@pytest.mark.parametrize('amplitude', feature_bank.AMPLITUDES)
def test_moments_are_those_of_many_samples(amplitude, nested):
  bank = _bank(num_inputs=3)
  given = _given(amplitude=amplitude, nested=nested, noise=0.2, log_scale=0.3)
  mean, covariance = feature_bank.moments(bank, **given)
  x = np.float64(_draw(bank, **given).x)
  around = x - np.float64(mean)
  # Bars of five standard errors, of the products themselves.
  error = 5.0 * x.std(axis=0) / np.sqrt(NUM_SAMPLES)
  assert np.all(np.abs(around.mean(axis=0)) < error)
  products = around[:, :, None] * around[:, None, :]
  error = 5.0 * products.std(axis=0) / np.sqrt(NUM_SAMPLES)
  assert np.all(np.abs(products.mean(axis=0) - covariance) < error)


def test_a_polygon_is_regular():
  bank = feature_bank.polygon(
    num_features=5, frequency=0.1, mean_norm=2.0, dtype=jnp.float32
  )
  gram = bank.features @ bank.features.T
  np.testing.assert_allclose(jnp.diag(gram), 1.0, rtol=1e-6)
  np.testing.assert_allclose(gram[0, 1:3], [0.309017, -0.809017], rtol=1e-5)
  np.testing.assert_allclose(jnp.sum(bank.features, axis=0), 0.0, atol=1e-6)
  np.testing.assert_array_equal(bank.frequencies, jnp.float32(0.1))
  np.testing.assert_allclose(
    bank.features[:2] @ bank.mean, 2.0 * 0.809017, rtol=1e-5
  )


def test_what_does_not_fit_is_refused():
  with pytest.raises(ValueError, match='num_features'):
    _bank(num_features=0)
  with pytest.raises(ValueError, match="'two'"):
    _draw(_bank(), amplitude='two')

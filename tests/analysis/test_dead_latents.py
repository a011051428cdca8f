"""The share of latents that are dead at the start, against draws."""

import numpy as np
import pytest
import scipy

from toyjax.analysis.features import dead_latents

Q = 1e-3
NUM_DRAWS = 50_000


def _drawn(mean, covariance, seed):
  """The share by draws of w alone: each one's frequency is exact."""
  rng = np.random.default_rng(seed)
  w = rng.normal(size=(NUM_DRAWS, len(mean)))
  spread = np.sqrt(np.sum((w @ covariance) * w, axis=1))
  return np.mean(scipy.special.ndtr(w @ mean / spread) < Q)


def _agree(share, drawn):
  error = np.sqrt(max(share * (1.0 - share), 1.0 / NUM_DRAWS) / NUM_DRAWS)
  assert abs(share - drawn) < 5.0 * error, (share, drawn)


@pytest.mark.parametrize('num_inputs', [2, 3, 16, 64])
@pytest.mark.parametrize('gamma', [0.3, 1.0, 4.0, 30.0])
def test_equal_variances_have_a_closed_form(num_inputs, gamma):
  covariance = 0.49 * np.eye(num_inputs)
  mean = np.zeros(num_inputs)
  mean[0] = gamma * np.sqrt(np.trace(covariance))
  assert dead_latents.outlier_ratio(mean, covariance) == pytest.approx(gamma)
  closed = dead_latents.share_dead_isotropic(gamma, num_inputs, frequency=Q)
  exact = dead_latents.share_dead(mean, covariance, frequency=Q)
  assert exact == pytest.approx(closed, abs=1e-6)
  _agree(closed, _drawn(mean, covariance, 0))


@pytest.mark.parametrize('num_inputs', [2, 5, 24])
@pytest.mark.parametrize('scale', [0.5, 3.0, 10.0])
def test_unequal_variances_agree_with_draws(num_inputs, scale):
  rng = np.random.default_rng(num_inputs)
  root = rng.normal(size=(num_inputs, num_inputs)) * rng.exponential(
    size=num_inputs
  )
  covariance, mean = root @ root.T, scale * rng.normal(size=num_inputs)
  share = dead_latents.share_dead(mean, covariance, frequency=Q)
  _agree(share, _drawn(mean, covariance, 1))


def test_latents_that_fire_are_counted_by_drawing_inputs_too():
  # Everything drawn: weights, and for each of them inputs of its own.
  rng = np.random.default_rng(3)
  mean, spread = np.asarray([3.0, 0.0, 1.0]), np.asarray([1.0, 0.5, 2.0])
  covariance = np.diag(spread**2)
  share = dead_latents.share_dead(mean, covariance, frequency=0.05)
  w = rng.normal(size=(2000, 3))
  x = mean + spread * rng.normal(size=(4000, 3))
  drawn = np.mean(np.mean(w @ x.T > 0.0, axis=1) < 0.05)
  # Shares of 4,000 inputs blur the threshold: a bar beyond that of 2,000.
  assert abs(share - drawn) < 5.0 * np.sqrt(share * (1 - share) / 2000)


def test_limits():
  def closed(gamma, num_inputs):
    return dead_latents.share_dead_isotropic(gamma, num_inputs, frequency=Q)

  large = dead_latents.share_dead_large(2.0, frequency=Q)
  assert closed(2.0, 100_000) == pytest.approx(large, rel=1e-3)
  assert large == pytest.approx(scipy.stats.norm.cdf(-3.0902323 / 2.0))
  # Without a mean none, of nearly nothing but the mean half.
  assert closed(0.0, 5) == closed(0.1, 5) == 0.0
  assert dead_latents.share_dead(np.zeros(4), np.eye(4), frequency=Q) == 0.0
  assert closed(1e6, 5) == pytest.approx(0.5, abs=1e-5)
  mean = np.asarray([1e6, 0.0, 0.0])
  exact = dead_latents.share_dead(mean, np.eye(3), frequency=Q)
  assert exact == pytest.approx(0.5, abs=1e-4)
  # Where x has no spread along most directions, w·x does.
  flat = np.diag([1.0, 0.0, 0.0])
  assert 0.0 < dead_latents.share_dead(mean, flat, frequency=Q) <= 0.5
  with pytest.raises(ValueError, match='frequency'):
    dead_latents.share_dead(mean, flat, frequency=0.5)

"""Limits: capacity by maximisation, published numbers, and real searches."""

import math

import jax
import numpy as np
import pytest

from tests import references_changepoint_policies as references
from toyjax.inference.changepoint import limits

RATES = [(0.7, 0.05), (0.9, 0.1), (0.5, 0.45), (0.99, 0.3), (0.05, 0.7)]


@pytest.mark.parametrize('rates', RATES)
def test_capacity_is_the_largest_mutual_information(rates):
  with jax.enable_x64(True):
    capacity, best = references.capacity_bits(*rates)
    np.testing.assert_allclose(limits.capacity_bits(*rates), capacity, 1e-9)
    np.testing.assert_allclose(limits.best_input(*rates), best, atol=1e-4)


def test_symmetric_channel_has_the_known_capacity():
  with jax.enable_x64(True):
    entropy = -(0.9 * math.log2(0.9) + 0.1 * math.log2(0.1))
    np.testing.assert_allclose(limits.capacity_bits(0.9, 0.1), 1 - entropy)
    np.testing.assert_allclose(limits.best_input(0.9, 0.1), 0.5)


def test_published_numbers():
  """(.7, .05), T = 128, δ = .05: 18.8, 17.1 and 23.9 rollouts."""
  with jax.enable_x64(True):
    assert round(float(limits.search_rollouts(0.7, 0.05, 128)), 1) == 18.8
    assert round(float(limits.fano_rollouts(0.7, 0.05, 128, 0.05)), 1) == 17.1
    confirmed = limits.search_and_confirm_rollouts(0.7, 0.05, 128, 0.05)
    assert round(float(confirmed), 1) == 23.9


def test_divergence_by_its_sum():
  with jax.enable_x64(True):
    expected = 0.7 * math.log(0.7 / 0.05) + 0.3 * math.log(0.3 / 0.95)
    np.testing.assert_allclose(limits.divergence_nats(0.7, 0.05), expected)
    np.testing.assert_allclose(limits.divergence_nats(0.3, 0.3), 0, atol=1e-15)


def test_fano_bound_is_zero_where_guessing_suffices():
  np.testing.assert_allclose(
    limits.fano_rollouts(0.7, 0.05, 10, 0.9), 0.0, atol=1e-5
  )
  np.testing.assert_allclose(
    limits.fano_rollouts(0.7, 0.05, 10, 0.95), 0.0, atol=1e-5
  )


def test_no_fixed_length_search_beats_fano():
  """The best achievable error of N rollouts at T = 2, by enumeration.

  With two positions all rollouts go to position 0 (or 1: the same channel), and
  the best guess of τ is by likelihood.
  """
  p1, p2 = 0.7, 0.05
  for num in range(1, 8):
    error = 0.0
    for k in range(num + 1):
      chances = [
        math.comb(num, k) * p**k * (1 - p) ** (num - k) for p in (p1, p2)
      ]
      error += min(chances) / 2
    assert num >= float(limits.fano_rollouts(p1, p2, 2, error))


def test_limits_take_arrays_and_single_precision():
  values = limits.capacity_bits(np.float32([0.7, 0.9]), np.float32([0.05, 0.1]))
  expected = [references.capacity_bits(*rates)[0] for rates in RATES[:2]]
  np.testing.assert_allclose(values, expected, rtol=1e-5)

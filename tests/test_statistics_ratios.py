"""Ratios of rates and hazards: published values, duality, coverage."""

import numpy as np
import pytest
import scipy.stats

from toyjax import statistics


@pytest.mark.parametrize(
  ('a', 'total_a', 'b', 'total_b', 'lower', 'upper'),
  [
    (36, 40, 16, 80, 2.94, 7.15),  # Koopman 1984, his example
    (8, 15, 4, 15, 0.815, 5.336),  # Gart and Nam 1988, table 2
  ],
)
def test_ratio_hits_published_intervals(a, total_a, b, total_b, lower, upper):
  found = statistics.ratio(a, total_a, b, total_b)
  assert found.estimate == pytest.approx(a / total_a / (b / total_b))
  np.testing.assert_allclose(found[1:], [lower, upper], rtol=2e-3)


def test_ratio_holds_one_exactly_where_pearson_does_not_reject():
  rng = np.random.default_rng(0)
  for _ in range(200):
    total_a, total_b = rng.integers(5, 60, 2)
    a, b = rng.integers(1, total_a), rng.integers(1, total_b)
    table = [[a, total_a - a], [b, total_b - b]]
    pearson = scipy.stats.chi2_contingency(table, correction=False)
    found = statistics.ratio(a, total_a, b, total_b)
    assert (found.lower <= 1.0 <= found.upper) == (pearson.pvalue >= 0.05)


def test_ratio_bears_empty_and_full_counts():
  assert statistics.ratio(0, 20, 5, 20).lower == 0.0
  assert 0.0 < statistics.ratio(0, 20, 5, 20).upper < 1.0
  beyond = statistics.ratio(5, 20, 0, 20)
  assert beyond.estimate == beyond.upper == np.inf
  assert beyond.lower == pytest.approx(1 / statistics.ratio(0, 20, 5, 20).upper)
  nothing = statistics.ratio(0, 20, 0, 20)
  assert np.isnan(nothing.estimate)
  assert nothing[1:] == (0.0, np.inf)
  # Of p_a = θ, p_b = 1: (1 - θ)² = z² θ (1 - θ) / n_a.
  full = statistics.ratio(20, 20, 30, 30)
  z = scipy.stats.norm.ppf(0.975)
  assert full.lower == pytest.approx(20 / (20 + z**2), rel=1e-6)
  assert full.upper == pytest.approx(1 + z**2 / 30, rel=1e-6)


@pytest.mark.parametrize('total', [1, 7, 512, 4096, 100_000])
def test_ratio_holds_itself_at_every_extreme(total):
  for a in {1, total // 2, total - 1, total}:
    for b in {1, total // 2, total - 1, total}:
      if a and b:
        found = statistics.ratio(a, total, b, total)
        assert 0.0 < found.lower < found.estimate < found.upper < np.inf


def test_ratio_covers():
  rng = np.random.default_rng(1)
  p_a, p_b, total = 0.3, 0.1, 150
  a, b = rng.binomial(total, p_a, 1000), rng.binomial(total, p_b, 1000)
  found = [statistics.ratio(x, total, y, total) for x, y in zip(a, b)]
  covered = np.mean([i.lower <= p_a / p_b <= i.upper for i in found])
  assert abs(covered - 0.95) < 5 * np.sqrt(0.95 * 0.05 / 1000)


def test_hazards_count_events_over_time_at_risk():
  times = np.asarray([1.0, 2.0, 3.0, 5.0])
  found = statistics.hazards(
    times, np.asarray([1, 1, 0, 0], bool), np.asarray([0.0, 2.0, 4.0, 6.0, 8.0])
  )
  np.testing.assert_array_equal(found.num_events, [2, 0, 0, 0])
  np.testing.assert_allclose(found.exposure, [7.0, 3.0, 1.0, 0.0])
  np.testing.assert_allclose(found.rate[:3], [2 / 7, 0.0, 0.0])
  assert np.isnan(found.rate[3])
  # Garwood 1936: 95 % limits of a Poisson mean after 2 and after 0 events.
  np.testing.assert_allclose(
    [found.lower[0] * 7, found.upper[0] * 7, found.upper[1] * 3],
    [0.2422, 7.2247, 3.6889],
    atol=5e-5,
  )


def test_hazards_of_an_exponential_are_its_rate():
  rng = np.random.default_rng(2)
  times = rng.exponential(50.0, 4000)
  censored = np.minimum(times, 60.0)
  found = statistics.hazards(
    censored, times <= 60.0, np.asarray([0.0, 20.0, 40.0, 60.0])
  )
  errors = (found.rate - 0.02) / (found.rate / np.sqrt(found.num_events))
  assert np.all(np.abs(errors) < 5.0)
  assert np.sum(found.num_events) == np.sum(times <= 60.0)


def test_median_time_is_where_curve_and_band_cross_one_half():
  times = np.arange(1.0, 101.0)
  curve = statistics.kaplan_meier(times, np.ones(100, bool))
  found = statistics.median_time(curve)
  assert found.estimate == 50.0
  assert found.lower == times[np.argmax(curve.lower <= 0.5)] < 50.0
  assert found.upper == times[np.argmax(curve.upper <= 0.5)] > 50.0
  never = statistics.kaplan_meier(times, times <= 20.0)
  assert statistics.median_time(never) == (np.inf, np.inf, np.inf)


def test_means_have_students_interval():
  # Student 1908, table of extra sleep (drug 2 less drug 1), hours.
  sleep = np.asarray([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
  found = statistics.mean(sleep)
  assert found.estimate == pytest.approx(1.58)
  np.testing.assert_allclose(found[1:], [0.7001, 2.4599], atol=1e-4)


def test_means_of_too_few_values_know_no_bounds():
  assert statistics.mean(np.asarray([3.0])) == (3.0, -np.inf, np.inf)
  assert np.isnan(statistics.mean(np.zeros(0)).estimate)

"""Intervals and survival against published values, brute force and coverage."""

import numpy as np
import pytest
import scipy.stats

from toyjax import statistics

# Freireich et al. 1963, remission in weeks under 6-MP; 0 marks censoring. The
# example of most textbooks on survival.
WEEKS = np.asarray(
  [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
)
RELAPSED = np.asarray(
  [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], bool
)


def test_counts_count_every_code_and_drop_none():
  np.testing.assert_array_equal(statistics.counts([2, 0, 2], 4), [1, 0, 2, 0])
  np.testing.assert_array_equal(statistics.counts(np.zeros(0, int), 2), [0, 0])
  for wrong in ([4], [-1]):
    with pytest.raises(ValueError, match='codes span'):
      statistics.counts(np.asarray(wrong), 4)


@pytest.mark.parametrize(
  ('interval', 'successes', 'total', 'lower', 'upper'),
  [
    (statistics.wilson, 10, 100, 0.0552, 0.1744),  # Wilson 1927
    # Newcombe 1998, single proportion, table I: methods 3 and 5.
    (statistics.wilson, 81, 263, 0.2553, 0.3662),
    (statistics.wilson, 15, 148, 0.0624, 0.1605),
    (statistics.wilson, 0, 20, 0.0000, 0.1611),
    (statistics.wilson, 1, 29, 0.0061, 0.1718),
    (statistics.clopper_pearson, 81, 263, 0.2527, 0.3676),
    (statistics.clopper_pearson, 15, 148, 0.0578, 0.1617),
    (statistics.clopper_pearson, 0, 20, 0.0000, 0.1684),
    (statistics.clopper_pearson, 1, 29, 0.0009, 0.1776),
    (statistics.clopper_pearson, 1, 100, 0.0003, 0.0545),
  ],
)
def test_proportions_hit_published_intervals(
  interval, successes, total, lower, upper
):
  found = interval(successes, total)
  assert found.estimate == successes / total
  np.testing.assert_allclose(found[1:], [lower, upper], atol=5.1e-5)


def test_no_trials_tell_nothing_and_impossible_counts_are_refused():
  estimate, lower, upper = statistics.wilson(0, 0)
  assert np.isnan(estimate)
  assert (lower, upper) == (0.0, 1.0)
  for successes, total in ((3, 2), (-1, 2)):
    with pytest.raises(ValueError, match='trials'):
      statistics.wilson(successes, total)


@pytest.mark.parametrize(
  ('a', 'total_a', 'b', 'total_b', 'lower', 'upper'),
  [  # Newcombe 1998, difference of independent proportions, table II, method 10
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (10, 10, 0, 20, 0.6791, 1.0000),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
  ],
)
def test_difference_hits_newcombe(a, total_a, b, total_b, lower, upper):
  found = statistics.difference(a, total_a, b, total_b)
  assert found.estimate == pytest.approx(a / total_a - b / total_b)
  np.testing.assert_allclose(found[1:], [lower, upper], atol=6e-5)


def test_paired_difference_hits_newcombe():
  # Newcombe 1998, paired data, table III, method 10: cells (36, 14, 0, 0).
  found = statistics.paired_difference(36, 14, 0, 0)
  np.testing.assert_allclose(found, [0.28, 0.1528, 0.4167], atol=6e-5)


def test_differences_turn_sign_when_exchanged():
  for forth, back in (
    (statistics.difference(9, 30, 4, 41), statistics.difference(4, 41, 9, 30)),
    (
      statistics.paired_difference(20, 12, 2, 16),
      statistics.paired_difference(20, 2, 12, 16),
    ),
  ):
    np.testing.assert_allclose(
      forth, [-back.estimate, -back.upper, -back.lower], atol=1e-12
    )


@pytest.mark.parametrize('shared', [0.0, 0.6])
def test_paired_intervals_cover_and_gain_from_shared_seeds(shared):
  rng = np.random.default_rng(5)
  total, p_a, p_b, repeats = 200, 0.5, 0.4, 800
  covered, widths, independent = 0, [], []
  for _ in range(repeats):
    common = rng.random(total)
    own_a, own_b = rng.random(total), rng.random(total)
    same = rng.random(total) < shared
    a = np.where(same, common, own_a) < p_a
    b = np.where(same, common, own_b) < p_b
    found = statistics.paired_difference(
      np.sum(a & b), np.sum(a & ~b), np.sum(~a & b), np.sum(~a & ~b)
    )
    covered += found.lower <= p_a - p_b <= found.upper
    widths.append(found.upper - found.lower)
    plain = statistics.difference(np.sum(a), total, np.sum(b), total)
    independent.append(plain.upper - plain.lower)
  # Five standard errors around the nominal level, and no lower.
  error = np.sqrt(0.95 * 0.05 / repeats)
  assert covered / repeats > 0.95 - 5 * error
  if shared:
    assert np.mean(widths) < 0.8 * np.mean(independent)


def test_kaplan_meier_hits_the_textbook():
  curve = statistics.kaplan_meier(WEEKS, RELAPSED)
  np.testing.assert_array_equal(curve.times, [6, 7, 10, 13, 16, 22, 23])
  np.testing.assert_allclose(
    curve.survival,
    [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482],
    atol=5e-5,
  )
  # Log-log band at week 10 and 23, as R's survfit(conf.type='log-log') prints.
  np.testing.assert_allclose(
    [curve.lower[2], curve.upper[2]], [0.503, 0.889], atol=5e-4
  )
  np.testing.assert_allclose(
    [curve.lower[-1], curve.upper[-1]], [0.188, 0.680], atol=5e-4
  )


def test_kaplan_meier_by_hand():
  rng = np.random.default_rng(1)
  times = rng.integers(1, 12, size=60)
  observed = rng.random(60) < 0.6
  expected, survival = {}, 1.0
  for time in sorted(set(times[observed].tolist())):
    at_risk = np.sum(times >= time)
    survival *= 1.0 - np.sum((times == time) & observed) / at_risk
    expected[time] = survival
  curve = statistics.kaplan_meier(times, observed)
  np.testing.assert_array_equal(curve.times, list(expected))
  np.testing.assert_allclose(curve.survival, list(expected.values()))
  assert np.all(curve.lower <= curve.survival)
  assert np.all(curve.survival <= curve.upper)


def test_censoring_at_the_end_alone_gives_the_plain_share():
  times = np.asarray([3, 5, 5, 8, 10, 10, 10, 10])
  observed = times < 10
  curve = statistics.kaplan_meier(times, observed)
  np.testing.assert_allclose(curve.survival, [7 / 8, 5 / 8, 4 / 8])


def test_survival_at_its_ends():
  nothing = statistics.kaplan_meier([5, 5], [False, False])
  assert nothing.times.size == 0
  everything = statistics.kaplan_meier([2, 4], [True, True])
  assert everything.survival[-1] == 0.0
  assert everything.lower[-1] == 0.0
  expected = scipy.stats.binomtest(0, 2).proportion_ci(method='exact').high
  assert everything.upper[-1] == pytest.approx(expected)
  assert statistics.kaplan_meier([], []).times.size == 0
  with pytest.raises(ValueError, match='times'):
    statistics.kaplan_meier([5, 5], [False])


def test_means_of_many_values_have_normal_intervals():
  values = np.random.default_rng(0).normal(size=4000)
  found, student = statistics.normal_mean(values), statistics.mean(values)
  assert found.estimate == student.estimate
  np.testing.assert_allclose(found, student, atol=2e-5)
  assert statistics.normal_mean(np.full(3, 2.0)) == (2.0, 2.0, 2.0)


def test_medians_lie_between_order_statistics():
  found = statistics.median(np.arange(101))
  assert found.estimate == 50
  # Order statistics 40 and 60 or so of 101.
  np.testing.assert_allclose(found[1:], [40, 60], atol=1)
  never = statistics.median(np.asarray([3.0, 5.0, np.inf, np.inf, np.inf]))
  assert never == (np.inf, 3.0, np.inf)

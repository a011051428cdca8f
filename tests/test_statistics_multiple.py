"""Holm's procedure, against a published example, theory and chance."""

import numpy as np
import pytest

from toyjax import statistics


def test_it_gives_the_values_worked_out_by_hand():
  # 4 x .005, then 3 x .01, 2 x .03 and 1 x .04, which may not fall.
  np.testing.assert_allclose(
    statistics.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]
  )
  np.testing.assert_allclose(statistics.holm([0.5, 0.6]), [1.0, 1.0])
  assert statistics.holm([]).shape == (0,)


def _by_steps(p_values, level):
  """Rejects from the least on, until one is above level / (those left)."""
  rejected = np.zeros(len(p_values), bool)
  for k, place in enumerate(np.argsort(p_values)):
    if p_values[place] > level / (len(p_values) - k):
      break
    rejected[place] = True
  return rejected


@pytest.mark.parametrize('level', [0.001, 0.05, 0.5])
def test_adjusted_values_reject_what_the_steps_reject(level):
  rng = np.random.default_rng(1)
  for size in (1, 2, 7, 40):
    p_values = rng.uniform(size=size) ** 4
    np.testing.assert_array_equal(
      statistics.holm(p_values) <= level, _by_steps(p_values, level)
    )


def test_true_hypotheses_are_hardly_ever_rejected():
  rng = np.random.default_rng(2)
  num, level = 4000, 0.05
  any_false = sum(
    statistics.holm(rng.uniform(size=30)).min() <= level for _ in range(num)
  )
  # 1 - (1 - .05 / 30)^30 = .0488 of them; five standard errors above .05.
  assert any_false / num < level + 5 * np.sqrt(level * (1 - level) / num)
  assert any_false / num > level / 2


@pytest.mark.parametrize('bad', [[-0.1], [1.1], [np.nan], [[0.5]]])
def test_what_is_no_probability_is_refused(bad):
  with pytest.raises(ValueError, match=r'within 0\.\.1'):
    statistics.holm(bad)

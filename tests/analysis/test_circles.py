"""On how many circles rows lie, against what is plain to see."""

import itertools

import numpy as np
import pytest

from toyjax.analysis.autoencoder import circles


def test_circles_are_counted():
  norms = [[1, 1, 1, 1], [1, 2, 1, 2], [1, 1.04, 1.08, 2], [4, 1, 2, 3]]
  number = circles.count_circles(norms, tolerance=0.05)
  np.testing.assert_array_equal(number, [1, 2, 3, 4])
  np.testing.assert_array_equal(
    circles.count_circles(norms, tolerance=0.1), [1, 2, 2, 4]
  )


def _fewest(norms, tolerance):
  """The least number of groups over all ways to cut the sorted norms."""
  norms = sorted(norms)
  for number in range(1, len(norms) + 1):
    for cuts in itertools.combinations(range(1, len(norms)), number - 1):
      groups = np.split(norms, cuts)
      if all(g[-1] <= (1 + tolerance) * g[0] for g in groups):
        return number
  raise AssertionError


def test_no_other_cut_gives_fewer():
  norms = np.random.default_rng(0).uniform(1.0, 1.3, (60, 6))
  expected = [_fewest(row, 0.07) for row in norms]
  found = circles.count_circles(norms, tolerance=0.07)
  np.testing.assert_array_equal(found, expected)


def test_the_largest_gap_is_a_share_of_the_span():
  gaps = circles.largest_gap([[1, 1, 3, 3], [4, 2, 3, 1], [2, 2, 2, 2]])
  np.testing.assert_allclose(gaps, [1.0, 1 / 3, np.nan])


@pytest.mark.parametrize(
  'call',
  [
    lambda: circles.count_circles([[1.0, np.nan]], tolerance=0.1),
    lambda: circles.count_circles([1.0], tolerance=0.1),
    lambda: circles.count_circles([[1.0]], tolerance=0.0),
    lambda: circles.largest_gap([[1.0]]),
  ],
)
def test_nonsense_is_refused(call):
  with pytest.raises(ValueError, match=r'norms|tolerance|num_features'):
    call()

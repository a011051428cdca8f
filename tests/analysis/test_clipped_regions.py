"""Pieces cut to an interval are the pieces found on that interval."""

import itertools
import math

import numpy as np
import pytest

from toyjax.analysis.nets import linear_regions


def _net(rng, *widths):
  sizes = (1, *widths, 1)
  return [
    (rng.normal(size=(n, m)), rng.normal(size=n))
    for m, n in itertools.pairwise(sizes)
  ]


def test_clipped_regions_are_those_of_the_interval():
  rng = np.random.default_rng(5)
  num_cut = 0
  for _ in range(30):
    net = _net(rng, 3, 2)
    everywhere = linear_regions.linear_regions_1d(net)
    inside = linear_regions.clip(everywhere, low=-0.5, high=0.75)
    expected = linear_regions.linear_regions_1d(net, low=-0.5, high=0.75)
    assert [region[:4] for region in inside] == [r[:4] for r in expected]
    num_cut += len(everywhere) - len(inside)
  assert num_cut > 30


def test_a_kink_at_an_end_cuts_nothing_off():
  net = [([[1.0], [-1.0]], [-1.0, 1.0]), ([[1.0, 1.0]], [0.5])]  # |x - 1| + .5
  everywhere = linear_regions.linear_regions_1d(net)
  for low, high, slope in ((0.0, 1.0, -1), (1.0, 2.0, 1)):
    (only,) = linear_regions.clip(everywhere, low=low, high=high)
    assert (only.left, only.right, only.slope) == (low, high, slope)


def test_an_interval_beyond_the_regions_is_refused():
  net = _net(np.random.default_rng(0), 2)
  regions = linear_regions.linear_regions_1d(net, low=0.0, high=1.0)
  for low, high in ((-1.0, 1.0), (0.0, math.inf), (0.5, 0.5)):
    with pytest.raises(ValueError, match='no interval within'):
      linear_regions.clip(regions, low=low, high=high)

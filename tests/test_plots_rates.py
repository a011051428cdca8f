"""Figures of rates, hazards and medians show the numbers they are given."""

import matplotlib.figure
import numpy as np
import pytest

from toyjax import statistics
from toyjax.plots import rates, survival


@pytest.fixture
def axes():
  return matplotlib.figure.Figure().subplots()


def test_intervals_without_an_end_show_the_end_they_have(axes):
  rates.draw_intervals(
    axes,
    x=[3, 4],
    intervals=[(2.0, 1.0, 4.0), (np.inf, 5.0, np.inf)],
    label='a',
    place=1,
  )
  (points,) = axes.containers
  np.testing.assert_allclose(points.lines[0].get_ydata(), [2.0])
  triangle = axes.lines[-1]
  np.testing.assert_allclose(triangle.get_xydata(), [[4.04, 5.0]])
  (segment,) = points.lines[2][0].get_segments()
  np.testing.assert_allclose(segment[:, 1], [1.0, 4.0])


def test_hazards_are_shown_per_unit_and_their_zeros_as_bounds(axes):
  found = statistics.hazards(
    np.asarray([5.0, 15.0, 15.0]),
    np.asarray([True, False, False]),
    np.asarray([0.0, 10.0, 20.0]),
  )
  survival.draw_hazards(
    axes, labels=['a'], hazards=[found], per=100.0, ylabel='events', reference=0
  )
  points = axes.containers[0].lines[0]
  np.testing.assert_allclose(points.get_ydata(), [100.0 / 25.0])
  assert points.get_color() == '#000000'
  bounds = axes.lines[-1].get_ydata()
  np.testing.assert_allclose(bounds, [100.0 * found.upper[1]])


def test_medians_pass_over_what_is_not_finite(axes):
  values = np.asarray([[1.0, 2.0], [3.0, np.nan], [5.0, 4.0]])
  survival.draw_medians(
    axes,
    labels=['a'],
    steps=np.asarray([1, 10]),
    values=[values],
    ylabel='norm',
  )
  np.testing.assert_allclose(axes.lines[0].get_ydata(), [3.0, 3.0])
  assert axes.get_xscale() == axes.get_yscale() == 'log'

"""Figures of nets of one variable show the numbers they are given."""

import matplotlib.figure
import numpy as np
import pytest

from toyjax.analysis.nets import linear_regions
from toyjax.plots.nets import error_costs, piecewise_line, region_counts

# |x - 1| + 0 times a unit that switches at 3 and reaches nothing.
NET = (
  (np.asarray([[1.0], [-1.0], [1.0]]), np.asarray([-1.0, 1.0, -3.0])),
  (np.asarray([[1.0, 1.0, 0.0]]), np.asarray([0.5])),
)


@pytest.fixture
def axes():
  return matplotlib.figure.Figure().subplots()


@pytest.fixture
def parts():
  return linear_regions.linear_regions_1d(NET, low=0.0, high=4.0, merge=False)


def test_switches_name_their_units_and_tell_kinks(parts):
  bend, silent = piecewise_line.switches(parts)
  assert bend == piecewise_line.Switch(1.0, ((1, 1), (1, 2)), True)
  assert silent == piecewise_line.Switch(3.0, ((1, 3),), False)


def test_the_net_its_target_and_its_ticks_are_drawn(axes, parts):
  piecewise_line.draw_net(
    axes,
    regions=parts,
    target=np.sqrt,
    target_label='target',
    surrogate=np.cos,
    surrogate_label='surrogate',
  )
  lines = {line.get_label(): line for line in axes.lines}
  x, y = lines['the net'].get_data()
  np.testing.assert_allclose(y, np.abs(x - 1) + 0.5, atol=1e-12)
  np.testing.assert_allclose(lines['target'].get_ydata(), np.sqrt(x))
  np.testing.assert_allclose(lines['surrogate'].get_ydata(), np.cos(x))
  # The net lies over its target, which shows on both sides.
  drawn = list(axes.lines)
  assert drawn.index(lines['target']) < drawn.index(lines['the net'])
  assert lines['target'].get_linewidth() > 2 * lines['the net'].get_linewidth()
  ticks = [line for line in axes.lines if line.get_marker() == '|']
  places = [[float(values[0]) for values in tick.get_data()] for tick in ticks]
  assert places == [[1.0, 0.5], [3.0, 2.5]]
  assert ticks[0].get_color() != ticks[1].get_color()
  assert [text.get_text() for text in axes.texts] == ['1.1, 1.2', '1.3']


def test_errors_are_those_against_the_target(axes, parts):
  piecewise_line.draw_errors(
    axes, regions=parts, target=np.sin, surrogate=np.cos
  )
  _, net, surrogate, *_ = axes.lines
  x = net.get_xdata()
  np.testing.assert_allclose(
    net.get_ydata(), np.abs(x - 1) + 0.5 - np.sin(x), atol=1e-12
  )
  np.testing.assert_allclose(surrogate.get_ydata(), np.cos(x) - np.sin(x))


@pytest.mark.parametrize(('limit', 'num_lines'), [(7, 1), (81, 0)])
def test_counts_stand_beside_the_most_there_can_be(axes, limit, num_lines):
  shares = np.asarray([0.6, 0.4, 0.0])
  region_counts.draw_region_counts(
    axes,
    kinds=[
      region_counts.Counts(
        label, np.asarray([1, 2, 7]), shares, 0.9 * shares, 1.1 * shares
      )
      for label in ('all', 'reached')
    ],
    limit=limit,
    largest_shown=10,
  )
  bars = axes.patches
  assert [bar.get_height() for bar in bars] == [0.6, 0.4, 0.0] * 2
  assert bars[0].get_x() < 1.0 < bars[3].get_x() + bars[3].get_width()
  dashed = [line for line in axes.lines if line.get_linestyle() == '--']
  assert len(dashed) == num_lines
  assert f'at most {limit}' in axes.texts[0].get_text()


def test_errors_stand_at_their_costs(axes):
  quantiles = np.asarray(
    [[0.1, 0.2, 0.3, 0.4, 9.0], [0.01, 0.1, 0.2, np.inf, 9]]
  )
  error_costs.draw_error_costs(
    axes,
    spreads=[error_costs.Spread('nets', np.asarray([20, 36]), quantiles)],
    rival_costs=np.asarray([3, 6, 9]),
    rival_errors=np.asarray([0.2, 0.1, 0.0]),
    rival_label='rival',
    level=0.05,
  )
  (bars,) = axes.containers
  np.testing.assert_allclose(bars.lines[0].get_xydata(), [[20, 0.3], [36, 0.2]])
  first, second = bars.lines[2][0].get_segments()
  np.testing.assert_allclose(first[:, 1], [0.2, 0.4])
  np.testing.assert_allclose(second[:, 1], [0.1, 0.2])  # Open above.
  lines = {line.get_label(): line for line in axes.lines}
  np.testing.assert_allclose(lines['best of them'].get_ydata(), quantiles[:, 0])
  np.testing.assert_allclose(lines['rival'].get_xydata(), [[3, 0.2], [6, 0.1]])
  assert axes.get_xscale() == axes.get_yscale() == 'log'


@pytest.mark.filterwarnings('error')
def test_nets_that_all_diverged_have_no_point(axes):
  error_costs.draw_error_costs(
    axes,
    spreads=[
      error_costs.Spread('none', np.asarray([20]), np.full((1, 5), np.inf)),
      error_costs.Spread('nets', np.asarray([20]), np.full((1, 5), 0.1)),
    ],
    rival_costs=np.empty(0),
    rival_errors=np.empty(0),
    rival_label='rival',
    level=0.05,
  )
  gone, seen = (bars.lines[0].get_ydata() for bars in axes.containers)
  assert np.isnan(gone).all()
  np.testing.assert_allclose(seen, [0.1])


def test_nets_that_mostly_diverge_are_drawn_as_far_as_they_are_finite(axes):
  error_costs.draw_error_costs(
    axes,
    spreads=[
      error_costs.Spread(
        'nets', np.asarray([20]), np.asarray([[0.1, 0.2] + [np.inf] * 3])
      )
    ],
    rival_costs=np.zeros(0),
    rival_errors=np.zeros(0),
    rival_label='rival',
    level=0.05,
  )
  lines = {line.get_label(): line for line in axes.lines}
  assert lines['best of them'].get_ydata() == [0.1]

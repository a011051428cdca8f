"""Rates and ratios with their intervals, against a number."""

from collections.abc import Sequence

from matplotlib.axes import Axes
import numpy as np

_COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#000000')
_MARKERS = 'osDPvx'


def draw_intervals(
  axes: Axes,
  *,
  x: Sequence[float],
  intervals: Sequence[tuple[float, float, float]],
  label: str,
  place: int,
) -> None:
  """Draws estimates with whiskers, joined by a thin line.

  An estimate that is not finite has no point: a triangle stands at the end of
  its interval that is.

  Args:
    axes: where to draw.
    x: [K] where each interval stands.
    intervals: [K] of (estimate, lower, upper).
    label: for the legend.
    place: number of the series, for its colour, marker and a small shift.
  """
  values = np.asarray(intervals, float).reshape(-1, 3)
  places = np.asarray(x, float) + 0.08 * (place % 2 - 0.5)
  color = _COLORS[place % len(_COLORS)]
  finite = np.isfinite(values).all(axis=1)
  middle, low, high = values[finite].T
  axes.errorbar(
    places[finite],
    middle,
    yerr=np.maximum([middle - low, high - middle], 0.0),
    fmt=f'{_MARKERS[place % len(_MARKERS)]}-',
    markersize=4,
    linewidth=0.8,
    elinewidth=1.2,
    color=color,
    label=label,
  )
  open_above = ~finite & np.isfinite(values[:, 1]) & (values[:, 1] > 0.0)
  axes.plot(
    places[open_above],
    values[open_above, 1],
    '^',
    markersize=6,
    markerfacecolor='none',
    color=color,
  )
  axes.grid(alpha=0.25)


def draw_shares(
  axes: Axes,
  *,
  shares: Sequence[tuple[float, float, float]],
  label: str,
  place: int,
) -> None:
  """Draws estimates with whiskers, one below the other, at 0, 1, 2, ...

  Args:
    axes: where to draw.
    shares: [K] of (estimate, lower, upper).
    label: for the legend.
    place: number of the series, for its colour, marker and a small shift.
  """
  middle, low, high = np.asarray(shares, float).T
  axes.errorbar(
    middle,
    np.arange(len(middle)) + 0.24 * (place % 2 - 0.5),
    xerr=np.maximum([middle - low, high - middle], 0.0),
    fmt=_MARKERS[place % len(_MARKERS)],
    markersize=4,
    elinewidth=1.2,
    color=_COLORS[place % len(_COLORS)],
    label=label,
  )
  axes.grid(alpha=0.25)

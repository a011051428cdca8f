"""The spread of many curves: a median and two bands."""

from collections.abc import Sequence

from matplotlib.axes import Axes
import numpy as np

from toyjax.plots.palette import BLUE


def draw_spread(
  axes: Axes, *, x: Sequence[float], values: np.ndarray, floor: float
) -> None:
  """Draws the median of S curves, the middle half and the middle 95 %.

  Args:
    axes: where to draw.
    x: [T] increasing.
    values: [S, T]; infinite ones count, and pull the bands up.
    floor: what lies below is drawn there, for a logarithmic axis.
  """
  # Neighbours are not averaged: one of them may be infinite.
  low, lower, median, upper, high = np.maximum(
    np.quantile(
      values, (0.025, 0.25, 0.5, 0.75, 0.975), axis=0, method='inverted_cdf'
    ),
    floor,
  )
  top = np.finfo(np.float32).max
  for below, above, alpha, label in (
    (low, high, 0.15, 'middle 95 % of runs'),
    (lower, upper, 0.3, 'middle half'),
  ):
    axes.fill_between(
      x,
      np.minimum(below, top),
      np.minimum(above, top),
      color=BLUE,
      alpha=alpha,
      linewidth=0,
      label=label,
    )
  axes.plot(x, median, 'o-', color=BLUE, markersize=3, label='median')

"""Errors of many nets, and a rival's, against the cost of one answer."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
import numpy as np

from toyjax.plots import palette

# Without black, which is the rival's.
_COLORS = (*palette.CURVES[:-1], palette.SKY)
_MARKERS = 'osDPvX'
_SHIFT = 1.05  # Between series, so that those of one cost stand side by side.


class Spread(NamedTuple):
  """Quantiles of the errors of nets, by cost.

  Attributes:
    label: what they are.
    costs: [K] operations of one answer.
    quantiles: [K, 5] the least, 2.5 %, the median, 97.5 % and the largest.
  """

  label: str
  costs: np.ndarray
  quantiles: np.ndarray


def draw_error_costs(
  axes: Axes,
  *,
  spreads: Sequence[Spread],
  rival_costs: np.ndarray,
  rival_errors: np.ndarray,
  rival_label: str,
  level: float,
) -> None:
  """Draws medians with bars over 95 % of the nets, and the best as a star.

  Args:
    axes: where to draw; both axes become logarithmic.
    spreads: series of nets.
    rival_costs: [J] operations, all > 0; may be empty.
    rival_errors: [J] its errors; zeros are left out.
    rival_label: for the legend.
    level: error that counts as reached.
  """
  for place, spread in enumerate(spreads):
    color = _COLORS[place % len(_COLORS)]
    costs = spread.costs * _SHIFT ** (place - (len(spreads) - 1) / 2)
    quantiles = np.asarray(spread.quantiles, float)
    quantiles = np.where(np.isfinite(quantiles), quantiles, np.nan)
    least, low, middle, high, _ = quantiles.T
    axes.errorbar(
      costs,
      middle,
      yerr=[middle - low, np.fmax(high, middle) - middle],
      fmt=f'{_MARKERS[place % len(_MARKERS)]}-',
      markersize=5,
      linewidth=0.8,
      elinewidth=1.4,
      capsize=3,
      color=color,
      label=f'{spread.label}: median, 95 % of nets',
    )
    axes.plot(
      costs,
      least,
      '*',
      markersize=9,
      color=color,
      label='best of them' if not place else None,
    )
  seen = np.asarray(rival_errors) > 0.0
  if seen.any():
    axes.plot(
      np.asarray(rival_costs)[seen],
      np.asarray(rival_errors)[seen],
      'x--',
      color='black',
      linewidth=1.0,
      label=rival_label,
    )
  axes.axhline(level, color='grey', linestyle=':', linewidth=1.2)
  axes.annotate(
    f'level {level:g}',
    (1.0, level),
    xycoords=('axes fraction', 'data'),
    xytext=(-3, 2),
    textcoords='offset points',
    horizontalalignment='right',
    fontsize='small',
  )
  axes.set_xscale('log')
  axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 5, 7)))
  axes.xaxis.set_major_formatter('{x:g}')
  axes.xaxis.set_minor_locator(NullLocator())
  axes.set_yscale('log')
  axes.set_xlabel('operations of one answer (+, ×, /, comparisons)')
  axes.set_ylabel('root mean squared error')
  axes.grid(alpha=0.25)

"""The rate of success along a trace: what was recorded, what few rollouts say.

Also the shares of several things for each trace, as points with intervals.
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter
import numpy as np

from toyjax.plots.palette import (
  BLACK,
  BLUE,
  CURVES,
  GREEN,
  PURPLE,
  VERMILION,
)
from toyjax.plots.texts import NAME, literal

_RECORDED = '#8C8C8C'
_MARKERS = 'osD^vP'
_SPREAD = 0.6  # of the distance between two traces.


def draw_trajectory(
  axes: Axes,
  *,
  positions: np.ndarray,
  recorded_rates: np.ndarray,
  recorded_numbers: np.ndarray,
  mean: np.ndarray,
  lower: np.ndarray,
  upper: np.ndarray,
  interval: tuple[int, int],
  right_at: np.ndarray,
  wrong_at: np.ndarray,
  reference: int,
  is_guilty: bool,
) -> None:
  """Draws one trace: recorded rates, the posterior mean, its band.

  Below the axis of rates 0 and above 1 stand ticks for the rollouts: wrong ones
  below, right ones above.

  Args:
    axes: where to draw.
    positions: int [T].
    recorded_rates: [T], shares of right rollouts.
    recorded_numbers: int [T], of rollouts; the area of a point.
    mean: [T], posterior mean of the rate.
    lower: [T], of its band.
    upper: [T], of its band.
    interval: first and last position of the credible interval of the change.
    right_at: int [K], positions of right rollouts.
    wrong_at: int [K'], positions of wrong rollouts.
    reference: the first low position given all recorded rollouts.
    is_guilty: whether the sentence before it is marked.
  """
  first, last = interval
  axes.axvspan(
    first - 0.5,
    last + 0.5,
    color=VERMILION,
    alpha=0.3,
    linewidth=0.0,
    label='credible interval of the change',
  )
  axes.scatter(
    positions,
    recorded_rates,
    s=7.0 * recorded_numbers / 100.0,
    color=_RECORDED,
    linewidths=0.0,
    label='recorded share right (area: number of rollouts)',
    zorder=2,
  )
  axes.fill_between(
    positions,
    lower,
    upper,
    color=BLUE,
    alpha=0.25,
    linewidth=0.0,
    zorder=2.5,
    label='its pointwise credible band',
  )
  axes.plot(
    positions,
    mean,
    color=BLUE,
    linewidth=1.4,
    zorder=3,
    label='posterior mean of one replay',
  )
  axes.axvline(
    reference,
    color=BLACK,
    linewidth=0.9,
    linestyle='--',
    zorder=2.2,
    label='index of the change, all recorded rollouts',
  )
  axes.plot(
    [reference - 1] if is_guilty else [],
    [1.16] if is_guilty else [],
    marker='v',
    color=BLACK,
    markersize=5,
    linestyle='none',
    clip_on=False,
    in_layout=False,  # Without a point it would reach to the figure's corner.
    label='guilty sentence',
  )
  for places, height, marker in (
    (right_at, 1.06, 'right rollouts of the replay'),
    (wrong_at, -0.06, 'wrong rollouts of the replay'),
  ):
    axes.plot(
      places,
      np.full(len(places), height),
      marker='|',
      markersize=4,
      markeredgewidth=0.6,
      linestyle='none',
      color=GREEN if height > 1 else PURPLE,
      label=marker,
    )
  axes.set_xlim(-1.5, positions[-1] + 1.5)
  axes.set_ylim(-0.12, 1.12)
  axes.set_yticks([0.0, 0.5, 1.0])


def draw_shares(
  axes: Axes,
  *,
  names: Sequence[str],
  shares: Mapping[str, np.ndarray],
  reference: float | None,
  xlabel: str,
) -> None:
  """Draws shares with intervals, a line of points for each trace.

  Args:
    axes: where to draw.
    names: [R] of the traces, from top to bottom, of any origin.
    shares: label -> [3, R]: share, lower and upper end of its interval.
    reference: a share to compare with, or None.
    xlabel: what the shares are.
  """
  places = np.arange(len(names))
  offsets = np.linspace(-1.0, 1.0, len(shares)) * _SPREAD / 2
  if len(shares) == 1:
    offsets = np.zeros(1)
  for k, (label, values) in enumerate(shares.items()):
    estimate, lower, upper = values
    axes.errorbar(
      estimate,
      places + offsets[k],
      xerr=[np.maximum(estimate - lower, 0), np.maximum(upper - estimate, 0)],
      linestyle='none',
      marker=_MARKERS[(k + k // len(CURVES)) % len(_MARKERS)],
      markersize=5 if len(shares) < 4 else 3.5,
      color=CURVES[k % len(CURVES)],
      elinewidth=1.2,
      capsize=2,
      label=label,
    )
  if reference is not None:
    axes.axvline(reference, color=BLACK, linewidth=0.9, linestyle='--')
  axes.set_yticks(places, _shown(names))
  axes.set_ylim(len(names) - 0.5, -0.5)
  axes.set_xlim(-0.03, 1.03)
  axes.xaxis.set_major_formatter(PercentFormatter(1.0))
  axes.grid(axis='x', alpha=0.25)
  axes.set_xlabel(xlabel)


def _shown(names: Sequence[str]) -> list[str]:
  return [literal(name, length=NAME) for name in names]


def draw_stacked(
  axes: Axes,
  *,
  names: Sequence[str],
  shares: Mapping[str, np.ndarray],
  colors: Mapping[str, str],
  xlabel: str,
) -> None:
  """Draws shares that add up to one as stacked bars, a bar for each trace.

  Args:
    axes: where to draw.
    names: [R] of the traces, from top to bottom, of any origin.
    shares: label -> [R].
    colors: label -> colour.
    xlabel: what the shares are.
  """
  places, start = np.arange(len(names)), np.zeros(len(names))
  for label, values in shares.items():
    axes.barh(
      places, values, left=start, height=0.7, color=colors[label], label=label
    )
    start = start + values
  axes.set_yticks(places, _shown(names))
  axes.set_ylim(len(names) - 0.5, -0.5)
  axes.set_xlim(0.0, 1.0)
  axes.xaxis.set_major_formatter(PercentFormatter(1.0))
  axes.set_xlabel(xlabel)

"""One trace: recorded shares, what the model believes, where it falls."""

from matplotlib.axes import Axes
import numpy as np

from toyjax.plots.palette import BLUE, ORANGE, VERMILION

_DARK, _GREY = '#444444', '#AAAAAA'


def draw_located_error(
  axes: Axes,
  *,
  positions: np.ndarray,
  shares: np.ndarray,
  share_lower: np.ndarray,
  share_upper: np.ndarray,
  mean: np.ndarray,
  lower: np.ndarray,
  upper: np.ndarray,
  many_mean: np.ndarray,
  interval: tuple[int, int],
  place: int,
  level: float,
  is_drop: bool,
) -> None:
  """Draws the trajectory of P(correct) over the positions of a trace.

  Args:
    axes: where to draw.
    positions: [T], index of the sentence that comes next.
    shares: [T], recorded; NaN where there is none.
    share_lower: [T], lower end of its 95 % interval.
    share_upper: [T], upper end.
    mean: [T], posterior mean with one change.
    lower: [T], lower end of its band.
    upper: [T], upper end.
    many_mean: [T], posterior mean with several changes.
    interval: first and last position of the credible interval, inclusive.
    place: most probable first low position.
    level: of the interval and the band.
    is_drop: whether a drop is proven; else the interval is hatched.
  """
  percent = f'{100.0 * level:g} %'
  known = np.isfinite(shares)
  axes.axvspan(
    interval[0] - 0.5,
    interval[1] + 0.5,
    facecolor=VERMILION if is_drop else 'none',
    edgecolor=VERMILION,
    alpha=0.22 if is_drop else 0.6,
    hatch=None if is_drop else '//',
    linewidth=0.0,
    label=f'{percent} interval of the first low accuracy'
    + ('' if is_drop else ', if there is one'),
  )
  axes.errorbar(
    positions[known],
    shares[known],
    yerr=np.abs(
      [
        shares[known] - share_lower[known],
        share_upper[known] - shares[known],
      ]
    ),
    fmt='o',
    markersize=3.2,
    color=_DARK,
    ecolor=_GREY,
    elinewidth=0.8,
    label='recorded share, 95 % Wilson interval',
    zorder=2,
  )
  axes.fill_between(
    positions, lower, upper, color=BLUE, alpha=0.25, linewidth=0.0, zorder=1
  )
  axes.plot(
    positions,
    mean,
    color=BLUE,
    linewidth=1.6,
    zorder=4,
    label=f'one change: posterior mean, {percent} band',
  )
  axes.plot(
    positions,
    many_mean,
    color=ORANGE,
    linestyle='--',
    linewidth=1.6,
    zorder=3,
    label='several changes: posterior mean',
  )
  axes.axvline(place, color=VERMILION, linewidth=1.0, zorder=1)
  axes.set_xlim(positions[0] - 1.0, positions[-1] + 1.0)
  axes.set_ylim(-0.03, 1.03)
  axes.set_xlabel('position: index of the sentence that comes next')
  axes.set_ylabel('P(correct)')
  axes.grid(alpha=0.25)

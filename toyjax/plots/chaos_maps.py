"""Pictures of the chaos map: numbers a pixel, endings, zoom windows."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
import numpy as np

from toyjax.analysis.chaos_endings import Ending

_NAMES: Mapping[Ending, str] = {
  Ending.DIVERGED: 'diverged',
  Ending.RECOVERED: 'recovered',
  Ending.OSCILLATING: 'oscillating',
  Ending.LOST: 'lost (SSE near 1 or more)',
  Ending.ON_ITS_WAY: 'still failed, or on its way',
}
# Okabe and Ito's colours: blue for recovered, warm for lost, grey on its way.
ENDING_COLORS: Mapping[Ending, str] = {
  Ending.DIVERGED: '#000000',
  Ending.RECOVERED: '#0072B2',
  Ending.OSCILLATING: '#F0E442',
  Ending.LOST: '#D55E00',
  Ending.ON_ITS_WAY: '#D9D9D9',
}


def draw_field(
  axes: Axes,
  *,
  learning_rates: np.ndarray,
  deltas: np.ndarray,
  values: np.ndarray,
  low: float,
  high: float,
  colormap: str,
) -> AxesImage:
  """Draws one number a pixel, learning rate across and Δ upwards.

  Args:
    axes: where to draw.
    learning_rates: [W] increasing, evenly spaced.
    deltas: [H] increasing, evenly spaced.
    values: [H, W]; what is not finite is left black.
    low: value of the colour map's lower end.
    high: value of its upper end.
    colormap: name of a matplotlib colour map.

  Returns:
    The image, for a colour bar.
  """
  axes.set_facecolor('black')
  image = axes.imshow(
    np.ma.masked_invalid(values),
    origin='lower',
    aspect='auto',
    interpolation='nearest',
    extent=_extent(learning_rates, deltas),
    cmap=colormap,
    vmin=low,
    vmax=high,
  )
  axes.set_xlabel('learning rate')
  axes.set_ylabel('Δ, added to two biases')
  return image


def draw_endings(
  axes: Axes,
  *,
  learning_rates: np.ndarray,
  deltas: np.ndarray,
  endings: np.ndarray,
) -> None:
  """Draws the ending of each pixel, with a legend that counts them.

  Args:
    axes: where to draw.
    learning_rates: [W] increasing, evenly spaced.
    deltas: [H] increasing, evenly spaced.
    endings: [H, W] codes of `Ending`.
  """
  axes.imshow(
    endings,
    origin='lower',
    aspect='auto',
    interpolation='nearest',
    extent=_extent(learning_rates, deltas),
    cmap=ListedColormap([ENDING_COLORS[code] for code in Ending]),
    norm=BoundaryNorm(np.arange(len(Ending) + 1) - 0.5, len(Ending)),
  )
  axes.set_xlabel('learning rate')
  axes.set_ylabel('Δ, added to two biases')
  shares = {code: np.mean(endings == code) for code in Ending}
  axes.legend(
    handles=[
      Patch(
        facecolor=ENDING_COLORS[code],
        edgecolor='black',
        linewidth=0.4,
        label=f'{_NAMES[code]} {100 * share:.1f} %',
      )
      for code, share in shares.items()
      if share > 0.0
    ],
    loc='upper center',
    bbox_to_anchor=(0.5, -0.16),
    ncols=2,
    frameon=False,
    fontsize='small',
  )


def draw_window(
  axes: Axes,
  *,
  recovered: np.ndarray,
  flipped: np.ndarray,
  title: str,
) -> None:
  """Draws the labels of one zoom window, and where rounding flips them.

  Args:
    axes: where to draw.
    recovered: bool [H, W], blue where true.
    flipped: bool [H, W], labels that a nudged start changes, in orange.
    title: what the window is.
  """
  codes = np.where(flipped, 2, recovered.astype(int))
  axes.imshow(
    codes,
    origin='lower',
    aspect='auto',
    interpolation='nearest',
    cmap=ListedColormap(['#D9D9D9', '#0072B2', '#D55E00']),
    vmin=-0.5,
    vmax=2.5,
  )
  axes.set_xticks([])
  axes.set_yticks([])
  axes.set_title(title, fontsize='small')


def draw_levels(
  axes: Axes,
  *,
  labels: Sequence[str],
  widths: Sequence[np.ndarray],
  values: Sequence[np.ndarray],
) -> None:
  """Draws one number a window against the width of the window.

  Args:
    axes: where to draw; the width falls to the right, as zooms go deeper.
    labels: [K] names of the series.
    widths: [K] arrays of widths in learning rate.
    values: [K] arrays of numbers, one a window.
  """
  colors = ('#0072B2', '#56B4E9', '#D55E00', '#E69F00', '#009E73', '#000000')
  for i, (label, width, value) in enumerate(zip(labels, widths, values)):
    axes.plot(
      width,
      value,
      linestyle='none',
      marker='os^vDX'[i % 6],
      color=colors[i % 6],
      markersize=6,
      alpha=0.75,
      label=label,
    )
  axes.set_xscale('log')
  axes.invert_xaxis()
  axes.set_xlabel('width of the window in learning rate')
  axes.grid(alpha=0.25)


def _extent(
  learning_rates: np.ndarray, deltas: np.ndarray
) -> tuple[float, float, float, float]:
  """Returns the borders of the outer pixels, whose centres are the values."""
  ends = []
  for values in (learning_rates, deltas):
    half = (values[-1] - values[0]) / (len(values) - 1) / 2.0
    ends += [float(values[0] - half), float(values[-1] + half)]
  return ends[0], ends[1], ends[2], ends[3]

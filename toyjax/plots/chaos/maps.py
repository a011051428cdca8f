"""Pictures of the chaos map: numbers a pixel, endings, zoom windows."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
import numpy as np

from toyjax.analysis.chaos.endings import Ending
from toyjax.plots import palette

# Name and colour of each ending: warm for lost, as everywhere in the house.
_SHOWN: Mapping[Ending, tuple[str, str]] = {
  Ending.DIVERGED: ('diverged', palette.BLACK),
  Ending.RECOVERED: ('recovered', palette.BLUE),
  Ending.OSCILLATING: ('oscillating', palette.YELLOW),
  Ending.LOST: ('lost (SSE near 1 or more)', palette.VERMILION),
  Ending.ON_ITS_WAY: ('still failed, or on its way', palette.GREY),
}
_PIXELS: Mapping[str, Any] = {
  'origin': 'lower',
  'aspect': 'auto',
  'interpolation': 'nearest',
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
  title: str,
) -> Colorbar:
  """Draws one number a pixel, learning rate across and Δ upwards.

  Args:
    axes: where to draw.
    learning_rates: [W] increasing, evenly spaced.
    deltas: [H] increasing, evenly spaced.
    values: [H W], row by row; what is not finite is left black.
    low: value of the colour map's lower end.
    high: value of its upper end.
    colormap: name of a matplotlib colour map.
    title: above it.

  Returns:
    The colour bar beside it.
  """
  axes.set_facecolor('black')
  image = _show(
    axes,
    learning_rates,
    deltas,
    np.ma.masked_invalid(values),
    title,
    cmap=colormap,
    vmin=low,
    vmax=high,
  )
  return axes.figure.colorbar(image, ax=axes, extend='both')


def draw_endings(
  axes: Axes,
  *,
  learning_rates: np.ndarray,
  deltas: np.ndarray,
  endings: np.ndarray,
  title: str,
) -> None:
  """Draws the ending of each pixel, with a legend that counts them.

  Args:
    axes: where to draw.
    learning_rates: [W] increasing, evenly spaced.
    deltas: [H] increasing, evenly spaced.
    endings: [H W] codes of `Ending`, row by row.
    title: above it.
  """
  _show(
    axes,
    learning_rates,
    deltas,
    endings,
    title,
    cmap=ListedColormap([_SHOWN[code][1] for code in Ending]),
    norm=BoundaryNorm(np.arange(len(Ending) + 1) - 0.5, len(Ending)),
  )
  handles = [
    Patch(
      facecolor=color,
      edgecolor='black',
      linewidth=0.4,
      label=f'{name} {100 * np.mean(endings == code):.1f} %',
    )
    for code, (name, color) in _SHOWN.items()
    if np.any(endings == code)
  ]
  legend_below(axes, handles=handles, ncols=2)


def legend_below(axes: Axes, **options: Any) -> None:
  """Puts the legend below the axes and their label."""
  axes.legend(
    loc='upper center',
    bbox_to_anchor=(0.5, -0.16),
    fontsize='small',
    **options,
  )


def _show(
  axes: Axes,
  learning_rates: np.ndarray,
  deltas: np.ndarray,
  pixels: np.ndarray,
  title: str,
  **colors: Any,
) -> AxesImage:
  """Shows pixels whose centres are the learning rates and the deltas."""
  extent = []
  for values in (learning_rates, deltas):
    half = (values[-1] - values[0]) / (len(values) - 1) / 2.0
    extent += [float(values[0] - half), float(values[-1] + half)]
  axes.set_xlabel('learning rate')
  axes.set_ylabel('Δ, added to two biases')
  axes.set_title(title)
  return axes.imshow(
    pixels.reshape(len(deltas), len(learning_rates)),
    **_PIXELS,
    extent=(extent[0], extent[1], extent[2], extent[3]),
    **colors,
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
    **_PIXELS,
    cmap=ListedColormap([palette.GREY, palette.BLUE, palette.VERMILION]),
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
  colors = (
    palette.BLUE,
    palette.SKY,
    palette.VERMILION,
    palette.ORANGE,
    palette.GREEN,
    palette.BLACK,
  )
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

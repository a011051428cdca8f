"""What rollouts buy: curves with bands, rates with bars, limits beside them."""

from collections.abc import Sequence
import itertools

import matplotlib
from matplotlib.axes import Axes
import numpy as np

# Okabe and Ito's palette without its yellow, which is lost on white paper.
_COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9')
_LINES = ('-', '--', '-.', ':')
_MARKERS = 'osD^vP*X<>hd'


def _colors(number: int) -> list:
  if number <= len(_COLORS):
    return list(_COLORS)
  shades = np.linspace(0.0, 1.0, number)
  return [matplotlib.colormaps['turbo'](0.05 + 0.9 * x) for x in shades]


def draw_curves(
  axes: Axes,
  *,
  labels: Sequence[str],
  places: Sequence[np.ndarray],
  estimates: Sequence[np.ndarray],
  lowers: Sequence[np.ndarray],
  uppers: Sequence[np.ndarray],
) -> None:
  """Draws one curve with its band for each label; a single point as a marker.

  Args:
    axes: where to draw.
    labels: [C] names.
    places: [C] arrays [K], where on the horizontal axis.
    estimates: [C] arrays [K].
    lowers: [C] arrays [K], lower ends of the intervals.
    uppers: [C] arrays [K], upper ends.
  """
  styles = zip(
    _colors(len(labels)),
    itertools.cycle(_LINES),
    itertools.cycle(_MARKERS),
  )
  curves = zip(labels, places, estimates, lowers, uppers, strict=True)
  for (label, x, y, low, high), (color, line, marker) in zip(curves, styles):
    if len(x) == 1:
      bars = [np.maximum(y - low, 0.0), np.maximum(high - y, 0.0)]
      axes.errorbar(
        x, y, bars, fmt=marker, color=color, capsize=2.0, label=label
      )
      continue
    axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0.0)
    axes.plot(x, y, color=color, linestyle=line, linewidth=1.5, label=label)


def draw_limit(
  axes: Axes, *, label: str, places: np.ndarray, values: np.ndarray, line: str
) -> None:
  """Draws a limit in black.

  Args:
    axes: where to draw.
    label: its name.
    places: [K].
    values: [K].
    line: matplotlib's name of a line style.
  """
  axes.plot(
    places, values, color='black', linestyle=line, linewidth=1.2, label=label
  )


def draw_dots(
  axes: Axes,
  *,
  names: Sequence[str],
  labels: Sequence[str],
  estimates: np.ndarray,
  lowers: np.ndarray,
  uppers: np.ndarray,
  target: float,
) -> None:
  """Draws rates with their intervals by name, and a line at what they promise.

  Args:
    axes: where to draw.
    names: [K], one tick each.
    labels: [C], one colour each.
    estimates: [C, K].
    lowers: [C, K].
    uppers: [C, K].
    target: the promised value.
  """
  num_labels, places = len(labels), np.arange(len(names))
  shifts = (np.arange(num_labels) - (num_labels - 1) / 2.0) * (
    0.7 / max(num_labels, 1)
  )
  styles = zip(_colors(num_labels), itertools.cycle(_MARKERS))
  for c, (color, marker) in zip(range(num_labels), styles):
    bars = np.maximum([estimates[c] - lowers[c], uppers[c] - estimates[c]], 0.0)
    axes.errorbar(
      places + shifts[c],
      estimates[c],
      bars,
      fmt=marker,
      color=color,
      markersize=4.0,
      linewidth=1.0,
      capsize=1.5,
      label=labels[c],
    )
  axes.axhline(target, color='black', linestyle='--', linewidth=1.0)
  axes.set_xticks(places, names)
  axes.grid(alpha=0.25, axis='y')

"""What rollouts buy: curves with bands, and rates with bars."""

from collections.abc import Mapping, Sequence
import itertools

import matplotlib
from matplotlib.axes import Axes
import numpy as np

from toyjax.plots.palette import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from toyjax.statistics import Interval

# Without black, which limits and targets have.
_COLORS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
_LINES = ('-', '--', '-.', ':')
_MARKERS = 'osD^vP*X<>hd'


def _colors(number: int) -> list:
  if number <= len(_COLORS):
    return list(_COLORS)
  shades = np.linspace(0.0, 1.0, number)
  return [matplotlib.colormaps['turbo'](0.05 + 0.9 * x) for x in shades]


def _bars(shares: np.ndarray) -> np.ndarray:
  """Returns how far intervals reach below and above, [2, K] of [K, 3]."""
  middle, lower, upper = shares.T
  return np.maximum([middle - lower, upper - middle], 0.0)


def draw_curves(
  axes: Axes, curves: Mapping[str, tuple[np.ndarray, np.ndarray]]
) -> None:
  """Draws each curve with its band; a single point as a marker.

  Args:
    axes: where to draw.
    curves: label -> places on the horizontal axis [K], and shares with the
      lower and upper ends of their intervals [K, 3].
  """
  styles = zip(
    _colors(len(curves)),
    itertools.cycle(_LINES),
    itertools.cycle(_MARKERS),
  )
  for (label, (x, shares)), style in zip(curves.items(), styles):
    color, line, marker = style
    if len(x) == 1:
      axes.errorbar(
        x,
        shares[:, 0],
        _bars(shares),
        fmt=marker,
        color=color,
        capsize=2.0,
        label=label,
      )
      continue
    axes.fill_between(x, *shares.T[1:], color=color, alpha=0.2, linewidth=0.0)
    axes.plot(
      x, shares[:, 0], color=color, linestyle=line, linewidth=1.5, label=label
    )


def draw_dots(
  axes: Axes,
  *,
  names: Sequence[str],
  labels: Sequence[str],
  shares: Sequence[Sequence[Interval]],
  target: float,
) -> None:
  """Draws rates with their intervals by name, and a line at what they promise.

  Args:
    axes: where to draw.
    names: [K], one tick each.
    labels: [C], one colour each.
    shares: [C, K].
    target: the promised value.
  """
  num_labels, places = len(labels), np.arange(len(names))
  shifts = (np.arange(num_labels) - (num_labels - 1) / 2.0) * (0.7 / num_labels)
  styles = zip(_colors(num_labels), itertools.cycle(_MARKERS))
  for label, shift, line, (color, marker) in zip(
    labels, shifts, shares, styles
  ):
    row = np.asarray(line)
    axes.errorbar(
      places + shift,
      row[:, 0],
      _bars(row),
      fmt=marker,
      color=color,
      markersize=4.0,
      linewidth=1.0,
      capsize=1.5,
      label=label,
    )
  axes.axhline(target, color='black', linestyle='--', linewidth=1.0)
  axes.set_xticks(places, names)
  axes.grid(alpha=0.25, axis='y')

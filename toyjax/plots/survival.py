"""Survival curves: the share of runs to which something has yet to happen."""

from collections.abc import Sequence
import itertools
from typing import Any

import matplotlib
from matplotlib.axes import Axes
import numpy as np

from toyjax.plots.palette import BLACK, CURVES
from toyjax.statistics import Hazards, Survival

_LINES = ('-', '--', '-.', ':')


def _colors(num: int, reference: int | None) -> list[Any]:
  """Returns a colour for each of `num` curves, black for the reference."""
  num_others = num - (reference is not None)
  colors: list[Any] = list(CURVES)
  if num_others > len(CURVES) - (reference is not None):
    shades = np.linspace(0.0, 0.9, num_others)
    colors = [matplotlib.colormaps['viridis'](shade) for shade in shades]
  if reference is not None:
    colors.insert(reference, BLACK)
  return colors


def draw_survival(
  axes: Axes,
  *,
  labels: Sequence[str],
  curves: Sequence[Survival],
  last_step: int,
  ylabel: str,
  reference: int | None = None,
) -> None:
  """Draws Kaplan-Meier curves with their bands as step functions.

  Args:
    axes: where to draw.
    labels: [C] names of the configurations.
    curves: [C] one curve each; an empty one never leaves 1.
    last_step: where the observation ends.
    ylabel: what has not yet happened.
    reference: number of the curve the others are compared with, drawn black.
  """
  colors = _colors(len(labels), reference)
  styles = zip(labels, curves, colors, itertools.cycle(_LINES), strict=False)
  for label, curve, color, line in styles:
    times = np.concatenate([[0.0], curve.times, [last_step]])

    def steps(values: np.ndarray) -> np.ndarray:
      values = np.concatenate([[1.0], values])
      return np.append(values, values[-1])

    axes.fill_between(
      times,
      steps(curve.lower),
      steps(curve.upper),
      step='post',
      color=color,
      alpha=0.25,
      linewidth=0.0,
    )
    axes.step(
      times,
      steps(curve.survival),
      where='post',
      color=color,
      linestyle=line,
      linewidth=1.6,
      label=label,
    )
  axes.set_xlim(0, last_step)
  axes.set_ylim(0.0, 1.02)
  axes.set_xlabel('optimizer steps')
  axes.set_ylabel(ylabel)
  axes.grid(alpha=0.25)
  if labels:
    axes.legend()


def draw_hazards(
  axes: Axes,
  *,
  labels: Sequence[str],
  hazards: Sequence[Hazards],
  per: float,
  ylabel: str,
  reference: int | None = None,
) -> None:
  """Draws rates by interval of time, as points with whiskers.

  Intervals in which nothing happened show the upper end of theirs as a
  triangle.

  Args:
    axes: where to draw; its second axis becomes logarithmic.
    labels: [C] names of the configurations.
    hazards: [C] rates of each, over the same intervals.
    per: unit of time in which the rates are given.
    ylabel: what happens, per that unit.
    reference: number of the one the others are compared with, drawn black.
  """
  colors = _colors(len(labels), reference)
  for place, (label, found) in enumerate(zip(labels, hazards)):
    width = np.diff(found.edges)
    shift = (place + 1) / (len(labels) + 1)
    middle = found.edges[:-1] + (0.2 + 0.6 * shift) * width
    seen = found.num_events > 0
    axes.errorbar(
      middle[seen],
      per * found.rate[seen],
      yerr=per
      * np.stack(
        [
          found.rate[seen] - found.lower[seen],
          found.upper[seen] - found.rate[seen],
        ]
      ),
      fmt='o-',
      markersize=2.5,
      linewidth=0.7,
      elinewidth=1.0,
      color=colors[place],
      label=label,
    )
    none = ~seen & (found.exposure > 0.0)
    axes.plot(
      middle[none],
      per * found.upper[none],
      'v',
      markersize=3.0,
      markerfacecolor='none',
      color=colors[place],
    )
  axes.set_yscale('log')
  axes.set_xlim(hazards[0].edges[0], hazards[0].edges[-1])
  axes.set_xlabel('optimizer steps')
  axes.set_ylabel(ylabel)
  axes.grid(alpha=0.25)


def draw_medians(
  axes: Axes,
  *,
  labels: Sequence[str],
  steps: np.ndarray,
  values: Sequence[np.ndarray],
  ylabel: str,
  reference: int | None = None,
) -> None:
  """Draws the median over runs of a quantity, shaded between its quartiles.

  Args:
    axes: where to draw; both axes become logarithmic.
    labels: [C] names of the configurations.
    steps: [T] steps at which it was seen.
    values: [C] of [S, T], positive; runs that are not finite are left out.
    ylabel: the quantity.
    reference: number of the one the others are compared with, drawn black.
  """
  colors = _colors(len(labels), reference)
  for label, seen, color in zip(labels, values, colors):
    low, middle, high = np.nanquantile(seen, [0.25, 0.5, 0.75], axis=0)
    axes.fill_between(steps, low, high, color=color, alpha=0.2, linewidth=0.0)
    axes.plot(steps, middle, color=color, linewidth=1.4, label=label)
  axes.set_xscale('log')
  axes.set_yscale('log')
  axes.set_xlabel('optimizer steps')
  axes.set_ylabel(ylabel)
  axes.grid(alpha=0.25)
  axes.legend()


def draw_means(
  axes: Axes,
  *,
  labels: Sequence[str],
  steps: np.ndarray,
  values: Sequence[np.ndarray],
  ylabel: str,
  reference: int | None = None,
) -> None:
  """Draws the mean over runs of a share.

  Args:
    axes: where to draw.
    labels: [C] names of the configurations.
    steps: [T] steps at which it was seen.
    values: [C] of [S, T], within 0..1.
    ylabel: the share.
    reference: number of the one the others are compared with, drawn black.
  """
  colors = _colors(len(labels), reference)
  styles = zip(labels, values, colors, itertools.cycle(_LINES), strict=False)
  for label, seen, color, line in styles:
    axes.plot(
      steps, seen.mean(0), line, color=color, linewidth=1.2, label=label
    )
  axes.set_ylim(-0.02, 1.02)
  axes.set_ylabel(ylabel)
  axes.grid(alpha=0.25)
  axes.legend(fontsize='small')

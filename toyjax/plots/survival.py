"""Survival curves: the share of runs to which something has yet to happen."""

from collections.abc import Sequence
import itertools

import matplotlib
from matplotlib.axes import Axes
import numpy as np

from toyjax.statistics import Survival

# Okabe and Ito's palette without its yellow, which is lost on white paper.
_COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#000000')
_LINES = ('-', '--', '-.', ':')


def draw_survival(
  axes: Axes,
  *,
  labels: Sequence[str],
  curves: Sequence[Survival],
  last_step: int,
  ylabel: str,
) -> None:
  """Draws Kaplan-Meier curves with their bands as step functions.

  Args:
    axes: where to draw.
    labels: [C] names of the configurations.
    curves: [C] one curve each; an empty one never leaves 1.
    last_step: where the observation ends.
    ylabel: what has not yet happened.
  """
  colors = list(_COLORS)
  if len(labels) > len(_COLORS):
    shades = np.linspace(0.0, 0.9, len(labels))
    colors = [matplotlib.colormaps['viridis'](shade) for shade in shades]
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
  axes.legend(frameon=False)

"""Runs on the floor of a valley: their error against the norm of W."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
import numpy as np


class Floor(NamedTuple):
  """The floor of one valley.

  Attributes:
    label: what it is.
    norms: [K] |W|_F.
    sse: [K] F on the floor.
    infimum: what it falls to.
  """

  label: str
  norms: np.ndarray
  sse: np.ndarray
  infimum: float


class Runs(NamedTuple):
  """Runs of one kind.

  Attributes:
    label: what they are.
    norms: [S] |W|_F as trained.
    sse: [S] F as trained.
    color: of the dots.
    marker: of the dots.
  """

  label: str
  norms: np.ndarray
  sse: np.ndarray
  color: str
  marker: str


def draw_floors(
  axes: Axes, *, runs: Sequence[Runs], floors: Sequence[Floor]
) -> None:
  """Draws runs as dots, floors as curves and infima as dashed lines.

  Args:
    axes: where to draw.
    runs: kinds of runs, drawn in order.
    floors: valleys; the infimum's label stands at its right end.
  """
  for floor in floors:
    axes.plot(
      floor.norms, floor.sse, color='black', linewidth=1.2, label=floor.label
    )
    axes.axhline(
      floor.infimum, color='black', linestyle='--', linewidth=0.8, alpha=0.7
    )
    axes.annotate(
      f'infimum {floor.infimum:.4g}',
      (floor.norms[-1], floor.infimum),
      xytext=(0, -4),
      textcoords='offset points',
      horizontalalignment='right',
      verticalalignment='top',
      fontsize='small',
    )
  for kind in runs:
    axes.scatter(
      kind.norms,
      kind.sse,
      s=14,
      color=kind.color,
      marker=kind.marker,
      alpha=0.5,
      linewidths=0.8 if kind.marker == 'x' else 0.0,
      label=kind.label,
      zorder=3,
    )
  axes.set_xscale('log')
  axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
  axes.xaxis.set_major_formatter('{x:g}')
  axes.xaxis.set_minor_locator(NullLocator())
  axes.margins(y=0.12)
  axes.set_xlabel('norm of the weights, |W|')
  axes.set_ylabel('F, sum of squared errors')
  axes.grid(alpha=0.25)
  # Below the axes: runs and floors may be anywhere within.
  axes.legend(
    fontsize='small',
    loc='upper center',
    bbox_to_anchor=(0.5, -0.16),
  )

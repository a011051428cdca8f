"""A net of one variable: its straight pieces, its kinks, its target."""

from collections.abc import Callable, Sequence
import itertools
from typing import NamedTuple

from matplotlib import patheffects
from matplotlib.axes import Axes
import numpy as np

from toyjax.analysis.nets.linear_regions import Region
from toyjax.plots import palette

_NET, _TARGET, _SURROGATE = palette.BLUE, palette.ORANGE, palette.GREEN
_NUM_POINTS = 1001
# A function of x, [B] -> [B].
Function = Callable[[np.ndarray], np.ndarray]


class Switch(NamedTuple):
  """A place where a unit of the net goes on or off.

  Attributes:
    x: where.
    units: (layer, unit), both from 1, of those that switch there.
    is_kink: whether the answer bends there.
  """

  x: float
  units: tuple[tuple[int, int], ...]
  is_kink: bool


def switches(regions: Sequence[Region]) -> tuple[Switch, ...]:
  """Returns where units switch, from left to right.

  Args:
    regions: from `linear_regions_1d`, not merged.
  """
  found = []
  for before, after in itertools.pairwise(regions):
    units = tuple(
      (layer, unit)
      for layer, (a, b) in enumerate(zip(before.pattern, after.pattern), 1)
      for unit, (was_on, is_on) in enumerate(zip(a, b), 1)
      if was_on != is_on
    )
    is_kink = before.slope != after.slope
    found.append(Switch(float(after.left), units, is_kink))
  return tuple(found)


def _ends(regions: Sequence[Region]) -> np.ndarray:
  ends = [region.left for region in regions] + [regions[-1].right]
  return np.asarray([float(end) for end in ends])


def _answers(regions: Sequence[Region], x: np.ndarray) -> np.ndarray:
  """Returns what the pieces answer at sorted points within them."""
  number = np.searchsorted(_ends(regions)[1:-1], x, side='right')
  slopes = np.asarray([float(region.slope) for region in regions])
  offsets = np.asarray([float(region.intercept) for region in regions])
  return slopes[number] * x + offsets[number]


def _points(regions: Sequence[Region]) -> np.ndarray:
  """Returns even points and all ends, sorted."""
  ends = _ends(regions)
  return np.union1d(np.linspace(ends[0], ends[-1], _NUM_POINTS), ends)


def draw_net(
  axes: Axes,
  *,
  regions: Sequence[Region],
  target: Function,
  target_label: str,
  surrogate: Function,
  surrogate_label: str,
) -> None:
  """Draws the net over its target, its switches as ticks, and its surrogate.

  A tick stands on the net where a unit switches, with the unit's name: 2.1 is
  the first of the second hidden layer. It is light where the answer stays
  straight, since the unit does not reach it there.

  Args:
    axes: where to draw.
    regions: from `linear_regions_1d`, not merged, on a finite interval.
    target: what the net is fitted to.
    target_label: its name.
    surrogate: a polynomial in the net's place.
    surrogate_label: its name.
  """
  x = _points(regions)
  axes.plot(
    x, target(x), color=_TARGET, linewidth=6.0, alpha=0.6, label=target_label
  )
  axes.plot(x, _answers(regions, x), color=_NET, linewidth=1.8, label='the net')
  axes.plot(
    x,
    surrogate(x),
    color=_SURROGATE,
    linestyle='--',
    linewidth=1.2,
    label=surrogate_label,
  )
  marked = switches(regions)
  for place, switch in enumerate(marked):
    y = float(_answers(regions, np.asarray([switch.x]))[0])
    color = 'black' if switch.is_kink else '#8C8C8C'
    axes.plot(
      [switch.x], [y], '|', markersize=16, markeredgewidth=1.4, color=color
    )
    axes.annotate(
      ', '.join(f'{layer}.{unit}' for layer, unit in switch.units),
      (switch.x, y),
      xytext=(0, -12 - 11 * (place % 2)),
      textcoords='offset points',
      horizontalalignment='center',
      verticalalignment='top',
      fontsize='small',
      color=color,
      path_effects=[patheffects.withStroke(linewidth=2.4, foreground='white')],
    )
  axes.margins(y=0.14)  # For the names of units at the lower edge.
  axes.set_ylabel('y')
  axes.grid(alpha=0.25)
  axes.legend(fontsize='small')


def draw_errors(
  axes: Axes,
  *,
  regions: Sequence[Region],
  target: Function,
  surrogate: Function,
) -> None:
  """Draws net less target, and surrogate less target.

  Args:
    axes: where to draw.
    regions: see `draw_net`.
    target: see `draw_net`.
    surrogate: see `draw_net`.
  """
  x = _points(regions)
  axes.axhline(0.0, color=_TARGET, linewidth=3.0, alpha=0.6)
  axes.plot(x, _answers(regions, x) - target(x), color=_NET, linewidth=1.4)
  axes.plot(
    x, surrogate(x) - target(x), color=_SURROGATE, linestyle='--', linewidth=1.0
  )
  for switch in switches(regions):
    axes.axvline(switch.x, color='grey', linewidth=0.6, alpha=0.6)
  axes.set_xlabel('x')
  axes.set_ylabel('less the target')
  axes.grid(alpha=0.25)

"""How many straight pieces nets have, against the most they can have."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
import numpy as np

from toyjax.plots.palette import BLUE, ORANGE, SKY, Style

_WIDTH = 0.8  # Of the bars of one number, together.
_STYLES = (Style(SKY), Style(BLUE, '//'), Style(ORANGE, '..'))


class Counts(NamedTuple):
  """Shares of one kind of nets by their number of pieces.

  Attributes:
    label: what they are.
    numbers: [K] of pieces.
    fractions: [K] shares.
    lower: [K] lower ends of their intervals.
    upper: [K] upper ends.
  """

  label: str
  numbers: np.ndarray
  fractions: np.ndarray
  lower: np.ndarray
  upper: np.ndarray


def draw_region_counts(
  axes: Axes, *, kinds: Sequence[Counts], limit: int, largest_shown: int
) -> None:
  """Draws shares as bars with whiskers, and the most pieces possible.

  Args:
    axes: where to draw.
    kinds: one to three, side by side.
    limit: the most pieces possible; a dashed line where it is in view.
    largest_shown: right end of the view.
  """
  width = _WIDTH / len(kinds)
  for place, kind in enumerate(kinds):
    shift = (place - (len(kinds) - 1) / 2) * width
    color, hatch = _STYLES[place]
    axes.bar(
      kind.numbers + shift,
      kind.fractions,
      width,
      color=color,
      hatch=hatch,
      edgecolor=(0.0, 0.0, 0.0, 0.5),
      linewidth=0.3,
      label=kind.label,
    )
    seen = kind.fractions > 0.0
    axes.errorbar(
      (kind.numbers + shift)[seen],
      kind.fractions[seen],
      yerr=np.maximum(
        [
          (kind.fractions - kind.lower)[seen],
          (kind.upper - kind.fractions)[seen],
        ],
        0.0,
      ),
      fmt='none',
      ecolor='black',
      elinewidth=0.8,
    )
  if limit <= largest_shown:
    axes.axvline(limit, color='black', linestyle='--', linewidth=1.0)
    where, text = limit, f'at most {limit} '
  else:
    where, text = largest_shown, f'at most {limit} →'
  axes.text(
    where,
    0.95,
    text,
    transform=axes.get_xaxis_transform(),
    horizontalalignment='right',
    verticalalignment='top',
    fontsize='small',
  )
  axes.xaxis.set_major_locator(MaxNLocator(integer=True))
  axes.set_xlim(0.4, largest_shown + 0.6)
  axes.set_ylim(bottom=0.0)
  axes.set_ylabel('share of nets')
  axes.grid(axis='y', alpha=0.25)

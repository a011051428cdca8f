"""Shares that add up to 1, as stacked horizontal bars."""

from collections.abc import Sequence

from matplotlib.axes import Axes
import numpy as np

from toyjax.plots import palette
from toyjax.plots.texts import NAME, WORD, literal

# Without black, on which numbers could not be read.
_COLORS = (*palette.CURVES[:-1], palette.SKY)


def draw_stacked(
  axes: Axes,
  *,
  labels: Sequence[str],
  classes: Sequence[str],
  fractions: np.ndarray,
) -> None:
  """Draws one bar for each label, the first on top; large shares in numbers.

  Args:
    axes: where to draw.
    labels: [R] of the bars, of any origin: no formula is drawn.
    classes: [K] from left to right, at most 7, of any origin; the last is what
      is left over, and grey.
    fractions: [R, K]; each row adds up to 1.

  Raises:
    ValueError: on more classes than there are colours.
  """
  if len(classes) > len(_COLORS) + 1:
    raise ValueError(f'{len(classes)} classes for {len(_COLORS) + 1} colours')
  places = np.arange(len(labels))
  left = np.zeros(len(labels))
  for k, name in enumerate(classes):
    is_rest = k == len(classes) - 1
    share = fractions[:, k]
    axes.barh(
      places,
      share,
      left=left,
      height=0.72,
      color=palette.GREY if is_rest else _COLORS[k],
      hatch='...' if is_rest else '',
      edgecolor=(0.0, 0.0, 0.0, 0.4),
      linewidth=0.3,
      label=literal(name, length=NAME),
    )
    for place, start, value in zip(places, left, share):
      if value >= 0.05:
        axes.text(
          float(start + value / 2),
          float(place),
          f'{100 * value:.1f} %',
          ha='center',
          va='center',
          fontsize=7.5,
          bbox={'facecolor': 'white', 'alpha': 0.75, 'lw': 0, 'pad': 1},
        )
    left = left + share
  axes.set_yticks(places, [literal(label, length=WORD) for label in labels])
  axes.invert_yaxis()
  axes.set_xlim(0.0, 1.0)

"""Histogram of row norms: two circles or a continuum?"""

from typing import Any

from matplotlib.axes import Axes
import numpy as np


def draw_radii(
  axes: Axes,
  *,
  norms: np.ndarray,
  num_circles: np.ndarray,
  reference: float,
) -> None:
  """Draws all row norms of many runs, stacked by on how many circles they lie.

  Args:
    axes: where to draw.
    norms: [S, N] row norms |W_i|.
    num_circles: int [S], from `toyjax.analysis.autoencoder.circles`.
    reference: a radius to mark, such as that of the regular polygon.
  """
  kinds = [
    ('one circle', num_circles == 1, '#0072B2', ''),
    ('two circles', num_circles == 2, '#E69F00', '//'),
    ('three or more radii', num_circles > 2, '#BDBDBD', '...'),
  ]
  bins = np.linspace(norms.min(), norms.max(), 81)
  if bins[0] == bins[-1]:
    bins = bins[0] + np.linspace(-0.5, 0.5, 81)
  seen = [kind for kind in kinds if kind[1].any()]
  _, _, containers = axes.hist(
    [norms[chosen].ravel() for _, chosen, _, _ in seen],
    bins=list(bins),
    stacked=True,
    color=[color for *_, color, _ in seen],
    label=[f'{label}: {chosen.sum():,} runs' for label, chosen, _, _ in seen],
    edgecolor=(0.0, 0.0, 0.0, 0.35),
    linewidth=0.2,
  )
  groups: Any = containers if len(seen) > 1 else [containers]
  for group, (*_, hatch) in zip(groups, seen):
    for bar in group:
      bar.set_hatch(hatch)
  axes.axvline(reference, color='black', linestyle='--', linewidth=1.0)
  axes.annotate(
    'regular polygon,\nleast norm',
    xy=(reference, 1.0),
    xycoords=('data', 'axes fraction'),
    xytext=(4, -3),
    textcoords='offset points',
    va='top',
    fontsize=7.5,
  )
  axes.set_xlabel('row norm $|W_i|$')
  axes.set_ylabel('rows of solved runs')
  axes.legend(fontsize='small')

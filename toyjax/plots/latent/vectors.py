"""Vectors in a plane as dots on lines, without what outputs make of them."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Circle
import numpy as np

from toyjax.plots.latent.latent_plane import feature_colors


def draw_vectors(
  axes: Axes,
  *,
  vectors: np.ndarray,
  reach: float,
  named_from: float,
  colors: Sequence[str] | None = None,
) -> None:
  """Draws vectors from the origin, and names the long ones by their number.

  Args:
    axes: where to draw.
    vectors: [2, N].
    reach: the axes span ±reach.
    named_from: length above which a vector has its number; inf names none.
    colors: [N]; None is one for each, alike in all pictures.
  """
  axes.add_patch(
    Circle((0, 0), 1.0, fill=False, edgecolor='#C8C8C4', linestyle=':')
  )
  lengths = np.linalg.norm(vectors, axis=0)
  for i, color in enumerate(colors or feature_colors(vectors.shape[1])):
    axes.plot(*zip((0, 0), vectors[:, i]), color=color, linewidth=1.2)
    axes.plot(*vectors[:, i], 'o', color=color, markersize=5)
    if lengths[i] > named_from:
      x, y = (1.0 + 0.1 * reach / lengths[i]) * vectors[:, i]
      axes.text(x, y, str(i), color=color, ha='center', va='center')
  axes.set_xlim(-reach, reach)
  axes.set_ylim(-reach, reach)
  axes.set_aspect('equal')

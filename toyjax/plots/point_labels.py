"""Names beside points of an undistorted plane, out of each other's way."""

from collections.abc import Sequence
import itertools

from matplotlib import patheffects
from matplotlib.axes import Axes
import numpy as np

from toyjax.plots.texts import LINE, literal

_WHITE = [patheffects.withStroke(linewidth=2.4, foreground='white')]
_FONT_SIZE = 9.0
_GAP = 9.0  # Between a point and its label, in points.
_RADIUS = 5.0  # Of a point's marker.
_SHIFTS = (0, 14, -14, 27, -27)


def draw_labels(
  axes: Axes, *, places: np.ndarray, texts: Sequence[str], avoid: np.ndarray
) -> None:
  """Writes each text beside its point.

  One after the other takes the place beside, above or below its point that
  overlaps the least with earlier labels, with points, with what is to be
  avoided and with the rim; widths are estimated from the number of letters.

  Args:
    axes: where to draw; a square whose window is set already.
    places: [K, 2].
    texts: [K], of any origin: no formula is drawn.
    avoid: [A, 2], further points that are not to be covered.
  """
  texts = [literal(text, length=LINE) for text in texts]
  for text, place, (dx, dy, side) in zip(
    texts, places, _offsets(axes, places, texts, avoid)
  ):
    axes.annotate(
      text,
      xy=(place[0], place[1]),
      xytext=(dx, dy),
      textcoords='offset points',
      ha=side,
      va='center',
      fontsize=_FONT_SIZE,
      path_effects=_WHITE,
      zorder=5,
    )


def _offsets(
  axes: Axes, places: np.ndarray, texts: Sequence[str], avoid: np.ndarray
) -> list[tuple[float, float, str]]:
  """Returns the offset in points and the alignment of each label."""
  frame = axes.get_window_extent()
  size = 72.0 * min(frame.width, frame.height) / axes.figure.dpi
  left_end, right_end = axes.get_xlim()
  low = np.asarray([left_end, axes.get_ylim()[0]])

  def boxes_of(centers: np.ndarray, radius: float) -> list[tuple[float, ...]]:
    centers = (np.asarray(centers, float) - low) / (right_end - left_end) * size
    return [(*(center - radius), *(center + radius)) for center in centers]

  points = boxes_of(places, _RADIUS)
  boxes = points + boxes_of(avoid, _RADIUS / 2.0)
  chosen = []
  for k, (point, text) in enumerate(zip(points, texts)):
    x, y = point[0] + _RADIUS, point[1] + _RADIUS
    others = [*points[:k], *points[k + 1 :]]
    length = 0.55 * _FONT_SIZE * len(text)
    options = []
    for dy, side in itertools.product(_SHIFTS, ('left', 'right')):
      dx = (_GAP if side == 'left' else -_GAP) * (1.0 if dy == 0 else 0.5)
      left = x + dx - (length if side == 'right' else 0.0)
      box = (left, y + dy - 6.0, left + length, y + dy + 6.0)
      # Nor shall another point stand between a point and its label.
      reach = (min(left, x), min(box[1], y), max(box[2], x), max(box[3], y))
      cost = 0.1 * abs(dy) + sum(_overlap(box, other) for other in boxes)
      cost += sum(_overlap(reach, other) for other in others)
      outside = (-box[0], -box[1], box[2] - size, box[3] - size)
      cost += 30.0 * sum(max(0.0, beyond) for beyond in outside)
      options.append((cost, box, (dx, float(dy), side)))
    _, box, offset = min(options, key=lambda option: option[0])
    boxes.append(box)
    chosen.append(offset)
  return chosen


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
  """Returns the common area of two boxes (left, low, right, high)."""
  width = min(a[2], b[2]) - max(a[0], b[0])
  height = min(a[3], b[3]) - max(a[1], b[1])
  return max(width, 0.0) * max(height, 0.0)

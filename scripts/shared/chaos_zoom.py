"""Windows that close in on an edge of the chaos map, level by level.

whole map --start--> windows of level 1 --closer--> windows of level 2 ...

Each window is centred on the edge pixel nearest the centre of the one before.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from toyjax.analysis import box_counting

# Where recovery begins, read along a row of the map: to the left of the slow
# edge runs need more steps, to the right of the fast edge they are unstable.
EDGES = ('slow', 'fast')


class Window(NamedTuple):
  """A rectangle of the map.

  Attributes:
    edge: which edge it follows, or 'both' for the whole map.
    chain: which chain of windows it belongs to.
    learning_rates: [W] increasing.
    deltas: [H] increasing.
  """

  edge: str
  chain: int
  learning_rates: np.ndarray
  deltas: np.ndarray

  @property
  def points(self) -> tuple[np.ndarray, np.ndarray]:
    """Learning rates and deltas of all pixels, [H W] each, row by row."""
    deltas, rates = np.meshgrid(self.deltas, self.learning_rates, indexing='ij')
    return rates.ravel(), deltas.ravel()


def whole(settings: Mapping[str, Any], size: int) -> Window:
  """Returns the whole map at `size` x `size` points, its borders included."""
  return Window(
    'both',
    0,
    _spaced(settings['learning_rate_range'], size),
    _spaced(settings['delta_range'], size),
  )


def _spaced(ends: Sequence[float], size: int) -> np.ndarray:
  low, high = ends
  return np.linspace(low, high, size)


def start(
  window: Window,
  mask: np.ndarray,
  settings: Mapping[str, Any],
  edges: Sequence[str] = EDGES,
) -> list[Window]:
  """Returns the windows of level 1, `num_chains` on each edge.

  Chains begin in evenly spaced rows; a row without a recovered run, or whose
  recovered runs reach the border of the map, begins none.

  Args:
    window: the whole map.
    mask: bool [H, W], what has recovered in it.
    settings: zoom_factor, zoom_size and num_chains are read.
    edges: which edges to follow.
  """
  windows = []
  for edge in edges:
    for chain in range(settings['num_chains']):
      row = round(
        (chain + 1) / (settings['num_chains'] + 1) * (len(window.deltas) - 1)
      )
      columns = np.flatnonzero(mask[row])
      if not columns.size:
        continue
      left = columns[0] - 1 if edge == 'slow' else columns[-1]
      if not 0 <= left < mask.shape[1] - 1:
        continue
      center = (
        float(window.learning_rates[left : left + 2].mean()),
        float(window.deltas[row]),
      )
      windows.append(_around(window, center, edge, chain, settings))
  return windows


def closer(
  window: Window, mask: np.ndarray, settings: Mapping[str, Any]
) -> Window | None:
  """Returns the next window of a chain, or None where no edge is in sight."""
  rows, columns = np.nonzero(box_counting.edge_pixels(mask))
  if not rows.size:
    return None
  height, width = mask.shape
  nearest = np.argmin(
    (rows + 1 - height / 2) ** 2 + (columns + 1 - width / 2) ** 2
  )
  row, column = rows[nearest], columns[nearest]
  center = (
    float(window.learning_rates[column : column + 2].mean()),
    float(window.deltas[row : row + 2].mean()),
  )
  return _around(window, center, window.edge, window.chain, settings)


def _around(
  window: Window,
  center: tuple[float, float],
  edge: str,
  chain: int,
  settings: Mapping[str, Any],
) -> Window:
  """Returns a window `zoom_factor` times smaller, kept inside the old one."""
  axes = []
  for values, middle in zip((window.learning_rates, window.deltas), center):
    half = (values[-1] - values[0]) / settings['zoom_factor'] / 2.0
    middle = min(max(middle, values[0] + half), values[-1] - half)
    axes.append(
      np.linspace(middle - half, middle + half, settings['zoom_size'])
    )
  return Window(edge, chain, *axes)


def null_mask(window: Window, settings: Mapping[str, Any]) -> np.ndarray:
  """Labels the pixels of a window by a smooth curve instead of training.

  η > η₀ + (η₁ - η₀)(.5 + .2 sin 2π(Δ - Δ₀)/(Δ₁ - Δ₀)): what the same windows
  and the same fits make of an edge that is known to be smooth.

  Returns:
    bool [H, W].
  """
  low, high = settings['learning_rate_range']
  delta_low, delta_high = settings['delta_range']
  phase = 2.0 * np.pi * (window.deltas - delta_low) / (delta_high - delta_low)
  edge = low + (high - low) * (0.5 + 0.2 * np.sin(phase))
  return window.learning_rates[None, :] > edge[:, None]

"""Windows that close in on an edge of the chaos map, level by level.

whole map, its mask --following--> windows of level 1 --following--> level 2 ...

Each window is centred on the edge pixel nearest the centre of the one before.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from toyjax.analysis.chaos import box_counting
from toyjax.settings import Values

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


def whole(values: Values, size: int) -> Window:
  """Returns the whole map at `size` x `size` points, its borders included."""
  (left, right), (low, high) = (
    values[name] for name in ('learning_rate_range', 'delta_range')
  )
  return Window(
    'both', 0, np.linspace(left, right, size), np.linspace(low, high, size)
  )


def following(
  seen: Iterable[tuple[Window, np.ndarray]],
  values: Values,
  edges: Sequence[str] = EDGES,
) -> Iterator[Window]:
  """Yields the windows of the next level.

  Args:
    seen: windows of this level, each with what has recovered in it, bool
      [H, W].
    values: zoom_factor, zoom_size and num_chains are read.
    edges: which edges of the whole map to follow.

  Yields:
    After the whole map `num_chains` windows on each edge: chains begin in
    evenly spaced rows, none where no run recovers or recovered ones reach the
    border. After a window that of its chain, none where no edge is in sight.
  """
  for window, mask in seen:
    if window.edge == 'both':
      yield from _first(window, mask, values, edges)
      continue
    rows, columns = np.nonzero(box_counting.edge_pixels(mask))
    if rows.size:
      height, width = mask.shape
      nearest = np.argmin(
        (rows + 1 - height / 2) ** 2 + (columns + 1 - width / 2) ** 2
      )
      row, column = rows[nearest], columns[nearest]
      delta = window.deltas[row : row + 2].mean()
      yield _around(window, column, delta, values)


def _first(
  window: Window, mask: np.ndarray, values: Values, edges: Sequence[str]
) -> Iterator[Window]:
  for edge in edges:
    for chain in range(values['num_chains']):
      row = round(
        (chain + 1) / (values['num_chains'] + 1) * (len(window.deltas) - 1)
      )
      columns = np.flatnonzero(mask[row])
      if columns.size:
        left = columns[0] - 1 if edge == 'slow' else columns[-1]
        if 0 <= left < mask.shape[1] - 1:
          own = window._replace(edge=edge, chain=chain)
          yield _around(own, left, window.deltas[row], values)


def _around(
  window: Window, column: int, delta: float, values: Values
) -> Window:
  """Returns a window `zoom_factor` times smaller, kept inside the old one.

  It is centred on a Δ, and between a column and the next.
  """
  rate = window.learning_rates[column : column + 2].mean()
  axes = []
  for places, center in ((window.learning_rates, rate), (window.deltas, delta)):
    half = (places[-1] - places[0]) / values['zoom_factor'] / 2.0
    middle = min(max(float(center), places[0] + half), places[-1] - half)
    axes.append(np.linspace(middle - half, middle + half, values['zoom_size']))
  return Window(window.edge, window.chain, *axes)


def null_mask(window: Window, values: Values) -> np.ndarray:
  """Labels the pixels of a window by a smooth curve instead of training.

  η > η₀ + (η₁ - η₀)(.5 + .2 sin 2π(Δ - Δ₀)/(Δ₁ - Δ₀)): what the same windows
  and the same fits make of an edge that is known to be smooth.

  Returns:
    bool [H, W].
  """
  low, high = values['learning_rate_range']
  delta_low, delta_high = values['delta_range']
  phase = 2.0 * np.pi * (window.deltas - delta_low) / (delta_high - delta_low)
  edge = low + (high - low) * (0.5 + 0.2 * np.sin(phase))
  return window.learning_rates[None, :] > edge[:, None]

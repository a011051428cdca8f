"""Is an edge between two kinds of pixels a line, a fractal, or noise?

    mask [H, W] --edge_pixels--> boxes at many sizes --slope--> dimension
    mask [H, W] --label_changes--> share that differs at many lags --> exponent

A smooth edge has box dimension 1 and uncertainty exponent 1; labels drawn by
chance for every pixel have 2 and 0. D = 2 - exponent where both exist. Windows
of different zoom give one slope each; their spread gives the interval.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

from toyjax.statistics import CONFIDENCE, Interval


class Scaling(NamedTuple):
  """A count against a length, to be fitted by a power law.

  Attributes:
    sizes: [K] lengths in pixels, increasing.
    values: [K] number of boxes, or share of pairs that differ.
  """

  sizes: np.ndarray
  values: np.ndarray


def edge_pixels(mask: np.ndarray) -> np.ndarray:
  """Returns where a square of 2 x 2 pixels holds both labels.

  Args:
    mask: bool [H, W], H and W >= 2.

  Returns:
    bool [H - 1, W - 1].

  References:
    Sohl-Dickstein 2024, The boundary of neural network trainability is fractal
    (its code marks edges the same way).
  """
  mask = np.asarray(mask, bool)
  if mask.ndim != 2 or min(mask.shape) < 2:
    raise ValueError(f'a mask needs two axes of 2 or more: {mask.shape}')
  corners = np.stack(
    [mask[1:, 1:], mask[:-1, 1:], mask[1:, :-1], mask[:-1, :-1]]
  )
  return np.asarray(corners.any(axis=0) & ~corners.all(axis=0))


def count_boxes(edges: np.ndarray, sizes: Sequence[int]) -> Scaling:
  """Counts the boxes of each size that hold an edge pixel.

  The middle of the image is cut to a multiple of all sizes, so that every box
  is whole: boxes cut by the border would bend the fit.

  Args:
    edges: bool [H, W].
    sizes: lengths of the boxes in pixels, increasing, each a multiple of the
      one before.

  Returns:
    The number of boxes N(s) at each size.

  Raises:
    ValueError: on sizes that do not nest or do not fit.
  """
  edges = np.asarray(edges, bool)
  largest = sizes[-1]
  if any(largest % size for size in sizes) or largest > min(edges.shape):
    raise ValueError(f'boxes {list(sizes)} do not nest in {edges.shape}')
  middle = edges[tuple(_middle(n, n // largest * largest) for n in edges.shape)]
  counts = []
  for size in sizes:
    rows, columns = middle.shape[0] // size, middle.shape[1] // size
    boxes = middle.reshape(rows, size, columns, size)
    counts.append(np.count_nonzero(boxes.any(axis=(1, 3))))
  return Scaling(np.asarray(sizes, float), np.asarray(counts, float))


def _middle(length: int, kept: int) -> slice:
  start = (length - kept) // 2
  return slice(start, start + kept)


def label_changes(mask: np.ndarray, lags: Sequence[int]) -> Scaling:
  """Returns how often a pixel differs from the one at a lag.

  f(ε) ~ ε^α for ε small against the window: α = 1 for a smooth edge, 0 for
  noise, and D = 2 - α. The pixels at least the largest lag away from the border
  are compared in all four directions, so that every lag sees the same pixels.

  Args:
    mask: bool [H, W].
    lags: distances ε in pixels, increasing, 1 <= lag < min(H, W) / 2.

  Returns:
    The share of pairs that differ, at each lag.

  References:
    Grebogi, McDonald, Ott and Yorke 1983, Final state sensitivity: an
    obstruction to predictability.
  """
  mask = np.asarray(mask, bool)
  border = lags[-1]
  if not 1 <= lags[0] <= border < min(mask.shape) / 2:
    raise ValueError(f'lags {list(lags)} do not fit into {mask.shape}')
  inner = mask[border:-border, border:-border]
  shares = []
  for lag in lags:
    changed = [
      np.roll(mask, shift, axis)[border:-border, border:-border] ^ inner
      for shift in (-lag, lag)
      for axis in (0, 1)
    ]
    shares.append(np.mean(changed))
  return Scaling(np.asarray(lags, float), np.asarray(shares))


def slope(scaling: Scaling) -> float:
  """Returns d ln(value) / d ln(size) by least squares; NaN without an edge."""
  if np.any(scaling.values <= 0.0) or len(scaling.sizes) < 2:
    return float('nan')
  return float(np.polyfit(np.log(scaling.sizes), np.log(scaling.values), 1)[0])


def box_dimension(mask: np.ndarray, sizes: Sequence[int]) -> float:
  """Returns the box-counting dimension of the edge in a mask, NaN for none.

  N(s) ~ s^-D over the sizes.
  """
  return -slope(count_boxes(edge_pixels(mask), sizes))


def uncertainty_dimension(mask: np.ndarray, lags: Sequence[int]) -> float:
  """Returns D = 2 - α from the uncertainty exponent, NaN for no edge."""
  return 2.0 - slope(label_changes(mask, lags))


def shuffled(mask: np.ndarray, seed: int) -> np.ndarray:
  """Returns the mask with the labels of each column drawn in random order.

  The null of pure noise: as many labels of each kind at every learning rate,
  and no structure beyond that.

  Args:
    mask: bool [H, W].
    seed: of the permutations.

  Returns:
    bool [H, W] with the column sums of `mask`.
  """
  return np.random.default_rng(seed).permuted(np.asarray(mask, bool), axis=0)


def chance_changes(a: np.ndarray, b: np.ndarray) -> float:
  """Returns the share of labels that would differ if a and b were independent.

  Within each column, p_a (1 - p_b) + p_b (1 - p_a), and the mean over columns.

  Args:
    a: bool [H, W].
    b: bool [H, W].
  """
  p, q = np.mean(a, axis=0), np.mean(b, axis=0)
  return float(np.mean(p * (1.0 - q) + q * (1.0 - p)))


def mean_interval(
  dimensions: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
  """Returns the mean over windows with Student's t interval.

  The windows' slopes are what is repeated: box counts of one window at
  different sizes are not independent, so no interval is read off one fit.

  Args:
    dimensions: one a window; NaN (no edge in the window) is left out, and the
      caller says how many.
    confidence: in (0, 1).

  Returns:
    The estimate and interval; infinite ends for one window, NaN for none.
  """
  values = np.asarray(dimensions, float)
  values = values[np.isfinite(values)]
  if values.size == 0:
    return Interval(float('nan'), float('nan'), float('nan'))
  mean = float(values.mean())
  if values.size == 1:
    return Interval(mean, -float('inf'), float('inf'))
  error = float(values.std(ddof=1)) / np.sqrt(values.size)
  half = error * float(
    scipy.stats.t.ppf(0.5 + confidence / 2.0, values.size - 1)
  )
  return Interval(mean, mean - half, mean + half)

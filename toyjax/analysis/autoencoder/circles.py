"""On how many circles do the feature directions of a solution lie?

norms |W_i| [S, N] --count_circles--> K [S]; --largest_gap--> share [S]
W [S, 2, N] --split_in_two--> inner and outer circle
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


def count_circles(norms: ArrayLike, *, tolerance: float) -> np.ndarray:
  """Returns the least number of circles on which the rows of each run lie.

  Norms lie on one circle where the largest is at most 1 + tolerance times the
  smallest. Taking the shortest norm left, and all that fit with it, gives the
  least number.

  Args:
    norms: [S, N], N >= 1, each >= 0 and finite.
    tolerance: > 0, relative.

  Returns:
    int [S], from 1 to N.
  """
  norms = _sorted(norms)
  if not tolerance > 0:
    raise ValueError(f'tolerance must be > 0: {tolerance}')
  first, number = norms[:, 0].copy(), np.ones(len(norms), int)
  for norm in norms.T[1:]:
    is_new = norm > (1.0 + tolerance) * first
    first = np.where(is_new, norm, first)
    number += is_new
  return number


def largest_gap(norms: ArrayLike) -> np.ndarray:
  """Returns the largest gap between sorted norms as a share of their range.

  Two circles give 1, N norms that are evenly spread 1 / (N - 1), and one circle
  anything: look at `count_circles` first.

  Args:
    norms: [S, N], N >= 2, each >= 0 and finite.

  Returns:
    [S] in (0, 1]; NaN where all norms are equal.
  """
  norms = _sorted(norms)
  if norms.shape[1] < 2:
    raise ValueError(f'norms need two rows or more: {norms.shape}')
  span = norms[:, -1] - norms[:, 0]
  gap = np.diff(norms, axis=1).max(axis=1)
  return np.divide(gap, span, out=np.full(len(span), np.nan), where=span > 0)


class Split(NamedTuple):
  """The rows of runs on two circles, cut at the largest ratio of norms.

  Attributes:
    num_outer: int [S], rows on the outer circle, 1..N-1.
    inner: [S] mean radius of the inner circle.
    outer: [S] mean radius of the outer circle.
    adjacent: bool [S], whether the outer rows are neighbours in angle, with no
      inner row between them.
  """

  num_outer: np.ndarray
  inner: np.ndarray
  outer: np.ndarray
  adjacent: np.ndarray


def split_in_two(weights: ArrayLike) -> Split:
  """Splits the rows of each run at the largest ratio of successive norms.

  Args:
    weights: W [S, 2, N], N >= 2, finite, without dead rows.

  Returns:
    The `Split`. It exists for any rows: see `count_circles` first.
  """
  weights = np.asarray(weights, float)
  if weights.ndim != 3 or weights.shape[1] != 2 or weights.shape[2] < 2:
    raise ValueError(f'weights must have shape [S, 2, N]: {weights.shape}')
  norms = np.linalg.norm(weights, axis=1)
  ordered = _sorted(norms)
  if not np.all(ordered > 0):
    raise ValueError('norms must be > 0')
  cut = np.argmax(ordered[:, 1:] / ordered[:, :-1], axis=1)
  shortest = np.take_along_axis(ordered, cut[:, None] + 1, axis=1)
  is_outer = norms >= shortest
  by_angle = np.argsort(np.arctan2(weights[:, 1], weights[:, 0]), axis=1)
  around = np.take_along_axis(is_outer, by_angle, axis=1)
  changes = np.sum(around != np.roll(around, 1, axis=1), axis=1)
  num_outer = is_outer.sum(axis=1)
  return Split(
    num_outer=num_outer,
    inner=(norms * ~is_outer).sum(axis=1) / (~is_outer).sum(axis=1),
    outer=(norms * is_outer).sum(axis=1) / num_outer,
    adjacent=changes == 2,
  )


def _sorted(norms: ArrayLike) -> np.ndarray:
  norms = np.asarray(norms, float)
  if norms.ndim != 2 or norms.shape[1] < 1:
    raise ValueError(f'norms must have shape [S, N]: {norms.shape}')
  if not np.all(np.isfinite(norms) & (norms >= 0)):
    raise ValueError('norms must be finite and >= 0')
  return np.sort(norms, axis=1)

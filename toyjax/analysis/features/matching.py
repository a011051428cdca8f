"""Which learned directions match which true features, and by their ranks."""

import itertools

import numpy as np
import scipy


def one_to_one(
  rows: np.ndarray, features: np.ndarray, *, matched: float
) -> int:
  """Returns the most pairs of a row and a feature there can be, none twice.

  Args:
    rows: [M, D] of unit length, such as those of latents that are not dead.
    features: F [N, D] of unit length.
    matched: least cosine of a pair.

  References:
    Kuhn 1955, The Hungarian method for the assignment problem.
  """
  close = rows @ features.T >= matched
  return int(close[scipy.optimize.linear_sum_assignment(-1 * close)].sum())


def octaves(number: int) -> list[tuple[int, int]]:
  """Returns ranks 1, 2, 3 to 4, 5 to 8, ... up to a number, both ends of each.

  Args:
    number: >= 1, the last rank.
  """
  ends = [1]
  while ends[-1] < number:
    ends.append(min(2 * ends[-1], number))
  return [(1, 1), *((a + 1, b) for a, b in itertools.pairwise(ends))]

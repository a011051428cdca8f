"""Newton's (the Babylonian) iteration for √x, counted in operations.

y_(k+1) = (y_k + x / y_k) / 2: one division, one addition, one halving. With
e_k = y_k / √x - 1 the relative error obeys e_(k+1) = e_k² / (2 (1 + e_k)), so
the number of right digits doubles with each iteration.
"""

from collections.abc import Sequence
import itertools
from typing import Any, NamedTuple

import numpy as np

NEWTON_OPERATIONS = 3  # A division, an addition and a halving an iteration.


def newton_sqrt(x: Any, *, start: Any, num_iterations: int) -> tuple[Any, ...]:
  """Returns y_0, ..., y_k of y_(k+1) = (y_k + x / y_k) / 2.

  Args:
    x: number or array >= 0: float, NumPy, JAX, or an exact
      `fractions.Fraction`. At x = 0 the values halve each time.
    start: y_0 > 0, one number or of the shape of x.
    num_iterations: k >= 0. Iteration j has cost `NEWTON_OPERATIONS` * j.

  Returns:
    k + 1 values; the first is `start` as given.

  Raises:
    ValueError: if num_iterations is negative.

  References:
    Heron of Alexandria, Metrica I.8.
  """
  if num_iterations < 0:
    raise ValueError(f'num_iterations must be >= 0: {num_iterations}')
  values = [start]
  for _ in range(num_iterations):
    y = values[-1]
    values.append((y + x / y) / 2)
  return tuple(values)


class NewtonErrors(NamedTuple):
  """What k = 0, 1, ..., K iterations cost and leave, in float64.

  Attributes:
    num_operations: int [K + 1], `NEWTON_OPERATIONS` * k.
    rmse: [K + 1] root mean squared error over the points.
    max_error: [K + 1] largest error over the points.
  """

  num_operations: np.ndarray
  rmse: np.ndarray
  max_error: np.ndarray


def newton_errors(
  *, low: float, high: float, num_points: int, start: float, num_iterations: int
) -> NewtonErrors:
  """Measures the iteration on an even grid, as a net of one variable is.

  Args:
    low: left end of the interval, >= 0.
    high: right end, > low.
    num_points: of the grid, both ends among them, >= 2.
    start: y_0 > 0, the same for all x.
    num_iterations: K >= 0.

  Raises:
    ValueError: on numbers outside these ranges.
  """
  if not 0 <= low < high < np.inf or num_points < 2 or not start > 0:
    raise ValueError(
      'needs 0 <= low < high, num_points >= 2 and start > 0: '
      f'{low}, {high}, {num_points}, {start}'
    )
  x = np.linspace(low, high, num_points)
  values = newton_sqrt(
    x, start=np.full(num_points, float(start)), num_iterations=num_iterations
  )
  errors = np.stack(values) - np.sqrt(x)
  return NewtonErrors(
    num_operations=NEWTON_OPERATIONS * np.arange(num_iterations + 1),
    rmse=np.sqrt(np.mean(errors**2, axis=1)),
    max_error=np.abs(errors).max(axis=1),
  )


def num_net_operations(widths: Sequence[int]) -> int:
  """Returns the operations of one answer of a net 1 → widths → 1.

  A layer of n units over m inputs takes nm multiplications, nm additions (the
  bias is one of them) and, if hidden, n comparisons.

  Args:
    widths: of the hidden layers, one or more.
  """
  sizes = (1, *widths, 1)
  return sum(2 * m * n for m, n in itertools.pairwise(sizes)) + sum(widths)

"""Many tests at once: which of them count as differences."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
  """Returns p-values that allow for how many there are, by Holm's procedure.

  With the K values in increasing order, the k-th becomes

      max over i <= k of min(1, (K - i + 1) p_i)

  A test is rejected at a level where its adjusted value is at most the level.
  The chance of any false rejection is then at most the level, however the tests
  hang together.

  Args:
    p_values: [K], each within 0..1.

  Returns:
    Adjusted values [K] in the given order, at least as large as those given.

  Raises:
    ValueError: on a value that is no probability.

  References:
    Holm 1979, A simple sequentially rejective multiple test procedure.
  """
  given = np.asarray(p_values, np.float64)
  if given.ndim != 1 or not np.all((given >= 0.0) & (given <= 1.0)):
    raise ValueError(f'p-values are a list of numbers within 0..1: {p_values}')
  order = np.argsort(given, kind='stable')
  factors = len(given) - np.arange(len(given))
  rising = np.maximum.accumulate(np.minimum(1.0, factors * given[order]))
  adjusted = np.empty_like(given)
  adjusted[order] = rising
  return adjusted

"""Means of numbers over runs, with intervals."""

import numpy as np
import scipy.stats

from toyjax.statistics.proportions import CONFIDENCE, Interval


def mean(values: np.ndarray, confidence: float = CONFIDENCE) -> Interval:
  """Returns the mean of independent values with Student's interval.

  m ± t s / √n with n - 1 degrees of freedom. Of one value the interval is
  infinite, of none the mean is NaN.

  Args:
    values: [S], finite; of runs, one number each.
    confidence: of the interval.

  References:
    Student 1908, The probable error of a mean.
  """
  values = np.asarray(values, np.float64)
  if not values.size:
    return Interval(float('nan'), -float('inf'), float('inf'))
  middle = float(values.mean())
  if values.size == 1:
    return Interval(middle, -float('inf'), float('inf'))
  reach = scipy.stats.t.ppf((1.0 + confidence) / 2.0, values.size - 1)
  radius = float(reach * values.std(ddof=1) / np.sqrt(values.size))
  return Interval(middle, middle - radius, middle + radius)

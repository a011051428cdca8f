"""Means and medians of numbers over runs, with intervals."""

import math

import numpy as np
import scipy

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


def normal_mean(values: np.ndarray) -> Interval:
  """Returns the mean of many independent values with its 95 % interval.

  m ± 1.96 s / √n, s² the mean square from m: the limit of `mean` for large n.

  Args:
    values: [S], finite, S >= 1.
  """
  values = np.asarray(values, np.float64)
  middle = float(values.mean())
  radius = 1.96 * float(values.std()) / math.sqrt(len(values))
  return Interval(middle, middle - radius, middle + radius)


def median(values: np.ndarray) -> Interval:
  """Returns the lower median with a 95 % interval between two of the values.

  The ends are order statistics: whatever the distribution, how many of n values
  lie below its median is binomial (n, 1/2).

  Args:
    values: [S], S >= 1; infinity stands for what never came.
  """
  ordered = np.sort(np.asarray(values, np.float64))
  total = len(ordered)
  low = int(scipy.stats.binom.ppf(0.025, total, 0.5))
  ends = (total - 1) // 2, max(low - 1, 0), min(total - low, total - 1)
  return Interval(*(float(ordered[end]) for end in ends))

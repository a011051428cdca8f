"""Rates with intervals, differences with intervals, survival with bands.

SciPy does the work wherever it has it. Counts in, `Interval`s out; a rate is
never reported without both.
"""

from typing import NamedTuple
import warnings

import numpy as np
import scipy.stats

from toyjax.base import Array

CONFIDENCE = 0.95


class Interval(NamedTuple):
  """An estimate with its confidence interval.

  Attributes:
    estimate: the point estimate.
    lower: lower end.
    upper: upper end.
  """

  estimate: float
  lower: float
  upper: float


class Survival(NamedTuple):
  """A Kaplan-Meier curve, a step function that jumps at each event time.

  Attributes:
    times: [K] distinct event times, increasing.
    survival: [K] S(t) from each time on, until the next.
    lower: [K] lower end of the pointwise band.
    upper: [K] upper end of the pointwise band.
  """

  times: np.ndarray
  survival: np.ndarray
  lower: np.ndarray
  upper: np.ndarray


def counts(codes: np.ndarray | Array, num_codes: int) -> np.ndarray:
  """Returns how often each code 0..num_codes-1 occurs, int64 [num_codes].

  Raises:
    ValueError: on a code outside that range: no run is dropped in silence.
  """
  codes = np.asarray(codes).ravel()
  if codes.size and not 0 <= codes.min() <= codes.max() < num_codes:
    raise ValueError(
      f'codes span {codes.min()}..{codes.max()}, not 0..{num_codes - 1}'
    )
  return np.bincount(codes, minlength=num_codes)


def wilson(
  successes: int, total: int, confidence: float = CONFIDENCE
) -> Interval:
  """Wilson's score interval of a binomial proportion.

  10 of 100 at 95 % gives [.0552, .1744]. Of no trials nothing is known: the
  estimate is NaN, the interval [0, 1].

  References:
    Wilson 1927, Probable inference, the law of succession, and statistical
    inference.
  """
  return _proportion(successes, total, 'wilson', confidence)


def clopper_pearson(
  successes: int, total: int, confidence: float = CONFIDENCE
) -> Interval:
  """The exact interval of a binomial proportion, never below its confidence.

  1 of 100 at 95 % gives [.0003, .0545].

  References:
    Clopper and Pearson 1934, The use of confidence or fiducial limits.
  """
  return _proportion(successes, total, 'exact', confidence)


def _proportion(
  successes: int, total: int, method: str, confidence: float
) -> Interval:
  if not 0 <= successes <= total:
    raise ValueError(f'{successes} successes of {total} trials')
  if total == 0:
    return Interval(float('nan'), 0.0, 1.0)
  test = scipy.stats.binomtest(int(successes), int(total))
  interval = test.proportion_ci(confidence, method=method)
  return Interval(successes / total, float(interval.low), float(interval.high))


def difference(
  successes_a: int,
  total_a: int,
  successes_b: int,
  total_b: int,
  confidence: float = CONFIDENCE,
) -> Interval:
  """Interval of p_a - p_b from two independent samples.

  Newcombe's hybrid score: with Wilson's intervals (l, u) of each proportion,
  lower = d - √((p_a - l_a)² + (u_b - p_b)²), upper = d + √((u_a - p_a)² +
  (p_b - l_b)²).

  References:
    Newcombe 1998, Interval estimation for the difference between independent
    proportions, method 10.
  """
  a = wilson(successes_a, total_a, confidence)
  b = wilson(successes_b, total_b, confidence)
  return _square_and_add(a, b, correlation=0.0)


def paired_difference(
  both: int,
  only_a: int,
  only_b: int,
  neither: int,
  confidence: float = CONFIDENCE,
) -> Interval:
  """Interval of p_a - p_b where each seed is seen under both configurations.

  Newcombe's hybrid score for pairs: as `difference`, less the term
  2 φ (p_a - l_a)(u_b - p_b) under each root, φ the corrected correlation of the
  two outcomes.

  Args:
    both: number of seeds with success under a and under b.
    only_a: with success under a alone.
    only_b: with success under b alone.
    neither: with success under none.
    confidence: in (0, 1).

  Returns:
    The estimate (only_a - only_b) / total and its interval.

  References:
    Newcombe 1998, Improved confidence intervals for the difference between
    binomial proportions based on paired data, method 10.
  """
  total = both + only_a + only_b + neither
  a = wilson(both + only_a, total, confidence)
  b = wilson(both + only_b, total, confidence)
  margins = np.prod(
    np.asarray(
      [both + only_a, only_b + neither, both + only_b, only_a + neither], float
    )
  )
  product = float(both) * neither - float(only_a) * only_b
  if margins == 0.0:
    correlation = 0.0
  elif product > 0.0:
    # The continuity correction, which never turns the sign.
    correlation = max(product - total / 2.0, 0.0) / np.sqrt(margins)
  else:
    correlation = product / np.sqrt(margins)
  return _square_and_add(a, b, float(correlation))


def _square_and_add(a: Interval, b: Interval, correlation: float) -> Interval:
  """Joins two intervals to that of a - b (Newcombe's MOVER)."""

  def radius(da: float, db: float) -> float:
    square = da**2 - 2.0 * correlation * da * db + db**2
    return float(np.sqrt(max(square, 0.0)))

  estimate = a.estimate - b.estimate
  return Interval(
    estimate,
    estimate - radius(a.estimate - a.lower, b.upper - b.estimate),
    estimate + radius(a.upper - a.estimate, b.estimate - b.lower),
  )


def kaplan_meier(
  times: np.ndarray | Array,
  observed: np.ndarray | Array,
  confidence: float = CONFIDENCE,
) -> Survival:
  """Kaplan-Meier survival with its pointwise log-log band.

  Args:
    times: [S] time of the event, or of censoring where none was observed.
    observed: bool [S], whether the event was observed.
    confidence: in (0, 1).

  Returns:
    The curve at the distinct event times; empty where nothing was observed.
    Where the log-log band is undefined (S = 0) the band is Clopper-Pearson's
    of that survival, as if nothing had been censored.

  References:
    Kaplan and Meier 1958, Nonparametric estimation from incomplete
    observations. Kalbfleisch and Prentice 1980 for the log-log band.
  """
  times, observed = np.asarray(times), np.asarray(observed, bool)
  if times.shape != observed.shape or times.ndim != 1 or not times.size:
    raise ValueError(f'times {times.shape} and observed {observed.shape}')
  if not observed.any():
    empty = np.zeros(0)
    return Survival(empty, empty, empty, empty)
  data = scipy.stats.CensoredData.right_censored(times, ~observed)
  curve = scipy.stats.ecdf(data).sf
  with warnings.catch_warnings():
    # SciPy warns of an undefined band at S = 0, which is filled in below.
    warnings.simplefilter('ignore', RuntimeWarning)
    band = curve.confidence_interval(confidence, method='log-log')
  lower, upper = band.low.probabilities, band.high.probabilities
  ended = curve.probabilities <= 0.0
  if ended.any():
    exact = clopper_pearson(0, len(times), confidence)
    lower = np.where(ended, exact.lower, lower)
    upper = np.where(ended, exact.upper, upper)
  events = np.isin(curve.quantiles, times[observed])
  return Survival(
    curve.quantiles[events],
    curve.probabilities[events],
    lower[events],
    upper[events],
  )

"""Proportions with intervals, their differences and their ratios."""

import functools
from typing import NamedTuple

import numpy as np
import scipy

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


@functools.lru_cache(4096)  # Tables, texts and figures ask for the same ones.
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


def ratio(
  successes_a: int,
  total_a: int,
  successes_b: int,
  total_b: int,
  confidence: float = CONFIDENCE,
) -> Interval:
  """Koopman's score interval of p_a / p_b from two independent samples.

  All ratios θ with (p_a - θ p_b)² <= z² (a(1 - a)/n_a + θ² b(1 - b)/n_b), where
  a = θ b and b are the proportions of largest likelihood of that ratio. Zero
  counts are welcome: 0 / p has the lower end 0, p / 0 the upper end infinity,
  and of 0 / 0 nothing is known.

  References:
    Koopman 1984, Confidence intervals for the ratio of two binomial
    proportions.
  """
  p_a = wilson(successes_a, total_a).estimate
  p_b = wilson(successes_b, total_b).estimate
  if not successes_a + successes_b:
    return Interval(float('nan'), 0.0, float('inf'))
  z = scipy.stats.norm.ppf(0.5 + confidence / 2.0)

  def excess(log_ratio: float) -> float:
    theta = np.exp(log_ratio)
    # The root in [0, 1] of the score of b at the ratio θ.
    square = (total_a + total_b) * theta
    linear = (successes_a + total_b) + (total_a + successes_b) * theta
    both = successes_a + successes_b
    # Rounding takes the square below 0 where it is 0, as at 1 / 1.
    root = np.sqrt(max(linear**2 - 4.0 * square * both, 0.0))
    b = min(2.0 * both / (linear + root), 1.0, 1.0 / theta)
    a = min(theta * b, 1.0)
    variance = a * (1.0 - a) / total_a + theta**2 * b * (1.0 - b) / total_b
    return (p_a - theta * p_b) ** 2 - z**2 * variance

  estimate = p_a / p_b if successes_b else float('inf')
  far = 30.0  # e^±30 lies beyond every end.
  nudge = 1e-9  # At the estimate itself the variance can be zero, as at 1 / 1.
  lower, upper = 0.0, float('inf')
  middle = np.log(estimate) if 0.0 < estimate < np.inf else None
  if successes_a:
    inside = far if middle is None else middle - nudge
    lower = float(np.exp(scipy.optimize.brentq(excess, -far, inside)))
  if successes_b:
    inside = -far if middle is None else middle + nudge
    upper = float(np.exp(scipy.optimize.brentq(excess, inside, far)))
  return Interval(estimate, lower, upper)


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

"""Times to an event: survival with bands, hazards with intervals."""

from typing import NamedTuple
import warnings

import numpy as np
import scipy

from toyjax.base import Array
from toyjax.statistics.proportions import (
  CONFIDENCE,
  Interval,
  clopper_pearson,
)


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


class Hazards(NamedTuple):
  """Rates of an event in K intervals of time.

  Attributes:
    edges: [K + 1] ends of the intervals.
    num_events: int [K].
    exposure: [K] time that runs at risk spent in each.
    rate: [K] num_events / exposure; NaN where nothing was at risk.
    lower: [K] lower end of its interval.
    upper: [K] upper end.
  """

  edges: np.ndarray
  num_events: np.ndarray
  exposure: np.ndarray
  rate: np.ndarray
  lower: np.ndarray
  upper: np.ndarray


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
    The curve at the distinct event times; empty where nothing was observed, or
    nobody was there to be.
    Where the log-log band is undefined (S = 0) the band is Clopper-Pearson's
    of that survival, as if nothing had been censored.

  References:
    Kaplan and Meier 1958, Nonparametric estimation from incomplete
    observations. Kalbfleisch and Prentice 1980 for the log-log band.
  """
  times, observed = np.asarray(times), np.asarray(observed, bool)
  if times.shape != observed.shape or times.ndim != 1:
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


def median_time(curve: Survival) -> Interval:
  """The first time at which survival is 1/2 or less, with its interval.

  Its ends are where the band reaches 1/2; infinity where that never happens.

  References:
    Brookmeyer and Crowley 1982, A confidence interval for the median survival
    time.
  """

  def crossing(values: np.ndarray) -> float:
    below = values <= 0.5
    return float(curve.times[np.argmax(below)]) if below.any() else np.inf

  return Interval(
    crossing(curve.survival), crossing(curve.lower), crossing(curve.upper)
  )


def hazards(
  times: np.ndarray | Array,
  observed: np.ndarray | Array,
  edges: np.ndarray,
  confidence: float = CONFIDENCE,
) -> Hazards:
  """Rate of an event in intervals of time, with exact Poisson intervals.

  Events in an interval over the time that runs at risk spent in it.

  Args:
    times: [S] as in `kaplan_meier`.
    observed: bool [S].
    edges: [K + 1] increasing; an event at an edge belongs to the interval
      before it.
    confidence: in (0, 1).

  References:
    Garwood 1936, Fiducial limits for the Poisson distribution.
  """
  times, observed = np.asarray(times, float), np.asarray(observed, bool)
  edges = np.asarray(edges, float)
  spent = np.clip(times[:, None], edges[:-1], edges[1:]) - edges[:-1]
  exposure = np.sum(spent, axis=0)
  ended = times[observed, None]
  events = np.sum((ended > edges[:-1]) & (ended <= edges[1:]), axis=0)
  tail = (1.0 - confidence) / 2.0
  with np.errstate(divide='ignore', invalid='ignore'):
    lower = scipy.stats.gamma.ppf(tail, events) / exposure
    upper = scipy.stats.gamma.isf(tail, events + 1) / exposure
    rate = events / exposure
  lower = np.where(events > 0, lower, 0.0)
  return Hazards(edges, events, exposure, rate, lower, upper)

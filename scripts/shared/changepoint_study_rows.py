"""Results of simulated traces as rows: what was measured, with its interval.

Every row has the same columns, so that the file is one long table:

    part, policy, design, prior, p1, p2, num_rollouts, measure,
    count, total, estimate, lower, upper

Shares have a count and a Wilson interval; means have a normal interval of
1.96 standard errors; medians one from order statistics.
"""

from collections.abc import Iterator, Mapping
import math
from typing import Any

import numpy as np
import scipy.stats

from scripts.shared import changepoint_rivals, changepoint_studies
from toyjax import statistics
from toyjax.inference.changepoint import limits
from toyjax.inference.changepoint.policies import Design

Row = dict[str, Any]
Results = Mapping[str, np.ndarray]
NUM_BINS = 10


def where(
  part: str, policy: str, prior: str, rates: tuple[Any, Any], num_rollouts: int
) -> Row:
  """Returns the columns that say what was run."""
  design = ''
  if policy in changepoint_rivals.POLICIES:
    rival = changepoint_rivals.POLICIES[policy]()
    design = Design(rival.design).name.lower()
  return {
    'part': part,
    'policy': policy,
    'design': design,
    'prior': prior,
    'p1': rates[0],
    'p2': rates[1],
    'num_rollouts': num_rollouts,
  }


def share(at: Row, measure: str, is_true: np.ndarray) -> Row:
  """Returns the row of a share."""
  count, total = int(np.sum(is_true)), len(is_true)
  interval = statistics.wilson(count, total)
  return {
    **at,
    'measure': measure,
    'count': count,
    'total': total,
    **interval._asdict(),
  }


def mean(at: Row, measure: str, values: np.ndarray) -> Row:
  """Returns the row of a mean."""
  values = np.asarray(values, float)
  estimate = float(values.mean())
  error = 1.96 * float(values.std()) / math.sqrt(len(values))
  return number(at, measure, estimate, estimate - error, estimate + error) | {
    'total': len(values)
  }


def median(at: Row, measure: str, values: np.ndarray, most: float) -> Row:
  """Returns the row of a median; values past `most` count as infinite."""
  ordered = np.sort(np.where(np.asarray(values) > most, np.inf, values))
  total = len(ordered)
  low = int(scipy.stats.binom.ppf(0.025, total, 0.5))
  ends = (total - 1) // 2, max(low - 1, 0), min(total - low, total - 1)
  return number(at, measure, *(float(ordered[end]) for end in ends)) | {
    'count': int(np.sum(np.isfinite(ordered))),
    'total': total,
  }


def number(
  at: Row, measure: str, estimate: float, lower: Any = None, upper: Any = None
) -> Row:
  """Returns the row of any number."""
  return {
    **at,
    'measure': measure,
    'count': None,
    'total': None,
    'estimate': estimate,
    'lower': lower,
    'upper': upper,
  }


def policy_rows(
  at: Row,
  results: Results,
  changes: np.ndarray,
  *,
  num_positions: int,
  mass: float,
) -> Iterator[Row]:
  """Yields the rows of one policy under one prior at one pair of rates."""
  distance = np.abs(results['location'] - changes)
  yield share(at, 'exact', distance == 0)
  yield share(at, 'within_2', distance <= 2)
  yield mean(at, 'absolute_error', distance)
  for name in ('central', 'hpd', 'randomised'):
    yield share(at, f'coverage_{name}', results[name])
    yield mean(at, f'width_{name}', results[f'{name}_width'])
  yield mean(at, 'rollouts', results['num_rollouts'])
  yield mean(at, 'rounds', results['num_rounds'])
  yield share(at, 'complete', results['is_complete'])
  yield from _calibration(at, results['place'])
  if 'first_sure' in results:
    yield from _path_rows(
      at, results, changes, num_positions=num_positions, mass=mass
    )


def _calibration(at: Row, place: np.ndarray) -> Iterator[Row]:
  """Yields simulation-based calibration: ten equal bins of the place of τ.

  The chi-square has 9 degrees of freedom; its bar is the 99 % quantile. The
  largest deviation of a bin's share is in standard errors.
  """
  bins = np.clip((place * NUM_BINS).astype(int), 0, NUM_BINS - 1)
  counts = np.bincount(bins, minlength=NUM_BINS)
  expected = len(place) / NUM_BINS
  chi_square = float(np.sum((counts - expected) ** 2) / expected)
  bar = float(scipy.stats.chi2.ppf(0.99, NUM_BINS - 1))
  error = math.sqrt(expected * (1 - 1 / NUM_BINS))
  deviation = float(np.max(np.abs(counts - expected)) / error)
  total = {'total': len(place)}
  yield number(at, 'rank_chi_square', chi_square, None, bar) | total
  yield number(at, 'rank_largest_deviation', deviation) | total


def _path_rows(
  at: Row,
  results: Results,
  changes: np.ndarray,
  *,
  num_positions: int,
  mass: float,
) -> Iterator[Row]:
  most = at['num_rollouts']
  first, locations = results['first_sure'], results['locations']
  used = np.minimum(first, most)
  at_stop = locations[np.arange(len(used)), used - 1] == changes
  yield share(at, 'reached_mass', first <= most)
  yield median(at, 'rollouts_to_mass', first, most)
  yield share(at, 'exact_where_reached', at_stop[first <= most])
  yield share(at, 'exact_at_stop', at_stop)
  at_most = mean(at, 'rollouts_at_stop', used)
  yield at_most
  for size in _sizes(most):
    yield share(
      at | {'num_rollouts': size},
      'exact_after',
      locations[:, size - 1] == changes,
    )
  if isinstance(at['p1'], str) or at['p1'] == at['p2']:
    return
  known = at['p1'], at['p2'], num_positions
  wrong = 1.0 - float(np.mean(at_stop))
  confirm = float(limits.search_and_confirm_rollouts(*known, 1.0 - mass))
  # Where nothing is ever wrong the bound is that of the smallest share seen.
  seen = max(wrong, 0.5 / len(used))
  fano = float(limits.fano_rollouts(*known, seen))
  ends = (at_most[name] - confirm for name in ('estimate', 'lower', 'upper'))
  yield number(at, 'regret_search_and_confirm', *ends)
  ends = (at_most[name] - fano for name in ('estimate', 'lower', 'upper'))
  yield number(at, 'regret_fano_at_own_error', *ends)


def _sizes(most: int) -> list[int]:
  """Returns about twenty numbers of rollouts up to the budget."""
  return sorted({max(round(most * i / 20), 1) for i in range(1, 21)})


def limit_rows(
  rates: tuple[float, float], *, num_positions: int, mass: float
) -> Iterator[Row]:
  """Yields what no policy, and what a good one that knows p₁, p₂, can do."""
  at = where('limits', 'limit', '', rates, 0)
  known = *rates, num_positions
  yield number(at, 'capacity_bits', float(limits.capacity_bits(*rates)))
  yield number(at, 'search', float(limits.search_rollouts(*known)))
  yield number(at, 'fano', float(limits.fano_rollouts(*known, 1.0 - mass)))
  confirm = float(limits.search_and_confirm_rollouts(*known, 1.0 - mass))
  yield number(at, 'search_and_confirm', confirm)


def alarm_rows(
  at: Row, results: Results, *, kind: str, alpha: float
) -> Iterator[Row]:
  """Yields the shares of traces on which an e-process ever reached 1/α."""
  threshold = -math.log(alpha)
  for name in ('change', 'drop'):
    measure = f'E_{name} on {kind}'
    yield share(at, measure, results[name] >= threshold)


def batch_rows(
  at: Row, batch_size: int, results: Results, changes: np.ndarray
) -> Iterator[Row]:
  """Yields what rounds of parallel rollouts reach; q is the policy's name."""
  locations, first = results['locations'], results['first_sure']
  num_rounds = locations.shape[1]
  at = at | {'num_rollouts': num_rounds * batch_size}
  yield share(at, 'exact', locations[:, -1] == changes)
  yield share(at, 'reached_mass', first <= num_rounds)
  yield median(at, 'rounds_to_mass', first, num_rounds)
  rollouts = np.where(first > num_rounds, np.inf, first * batch_size)
  yield median(at, 'rollouts_to_mass', rollouts, num_rounds * batch_size)
  for used in range(1, num_rounds + 1):
    size = {'num_rollouts': used * batch_size}
    is_exact = locations[:, used - 1] == changes
    yield share(at | size, 'exact_after', is_exact)


def is_null(kind: str) -> bool:
  """Whether traces of a kind never fall."""
  return kind in (*changepoint_studies.CONSTANTS, *changepoint_studies.RISES)

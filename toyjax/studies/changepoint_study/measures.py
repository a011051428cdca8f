"""What is measured on simulated traces, each number with its interval.

results of a sweep --of_policy, of_alarms, of_batches--> name -> Measure
case (what was run, and its measures) --rows_of--> rows of study.csv:

    part, policy, design, prior, p1, p2, num_rollouts, measure,
    count, total, estimate, lower, upper

Shares have a count and a Wilson interval; means have a normal interval of
1.96 standard errors; medians one from order statistics.
"""

from collections.abc import Iterator, Mapping
import math
from typing import Any, NamedTuple

import numpy as np
import scipy.stats

from toyjax import statistics
from toyjax.inference.changepoint import limits, rivals
from toyjax.settings import Values
from toyjax.statistics import Interval
from toyjax.tables import Row

Results = Mapping[str, np.ndarray]
# Name -> measure; that of `exact_after` holds one for numbers of rollouts.
Measures = dict[str, Any]
NUM_BINS = 10
_WHERE = ('part', 'policy', 'design', 'prior', 'p1', 'p2', 'num_rollouts')


class Measure(NamedTuple):
  """A number, of how many traces.

  Attributes:
    estimate: the number with its interval, or with a bar as its upper end.
    times: how often it was so, of a share; how often at all, of a median.
    total: of traces.
  """

  estimate: Interval
  times: int | None = None
  total: int | None = None


def where(
  part: str, policy: str, prior: str, pair: tuple[Any, Any], num_rollouts: int
) -> dict[str, Any]:
  """Returns the cells that say what was run."""
  named = rivals.RIVALS.get(policy)
  design = named.rival.design.name.lower() if named else ''
  cells = (part, policy, design, prior, *pair, num_rollouts)
  return dict(zip(_WHERE, cells))


def rows_of(case: Row) -> Iterator[Row]:
  """Yields a row for each measure.

  Args:
    case: the cells of `where`, then measures.
  """
  at = {name: case[name] for name in _WHERE}
  for name in [name for name in case if name not in at]:
    cell = case[name]
    sized = cell if isinstance(cell, dict) else {at['num_rollouts']: cell}
    for size, (estimate, times, total) in sized.items():
      counts = {'measure': name, 'count': times, 'total': total}
      yield {**at, 'num_rollouts': size, **counts, 'estimate': estimate}


def share(is_true: np.ndarray) -> Measure:
  """Returns a share of traces."""
  count, total = int(np.sum(is_true)), len(is_true)
  return Measure(statistics.wilson(count, total), count, total)


def mean(values: np.ndarray) -> Measure:
  """Returns a mean over traces."""
  return Measure(statistics.normal_mean(values), None, len(values))


def median(values: np.ndarray, most: float) -> Measure:
  """Returns a median over traces; values past `most` count as infinite."""
  is_past = np.asarray(values) > most
  found = statistics.median(np.where(is_past, np.inf, values))
  return Measure(found, int(np.sum(~is_past)), len(is_past))


def _number(
  estimate: Any, bar: float | None = None, total: int | None = None
) -> Measure:
  ends: Any = (None, bar)
  return Measure(Interval(float(estimate), *ends), None, total)


def of_policy(
  results: Results, changes: np.ndarray, pair: tuple[Any, Any], values: Values
) -> Measures:
  """Returns the measures of one policy under one prior at one pair of rates.

  Args:
    results: of `trial.make_trial`, [S] each.
    changes: int [S], the first low position of each trace.
    pair: rates before and after, or DRAWN.
    values: num_rollouts, num_positions and mass.
  """
  distance = np.abs(results['location'] - changes)
  found = {
    'exact': share(distance == 0),
    'within_2': share(distance <= 2),
    'absolute_error': mean(distance),
  }
  for name in ('central', 'hpd', 'randomised'):
    found[f'coverage_{name}'] = share(results[name])
    found[f'width_{name}'] = mean(results[f'{name}_width'])
  found |= {
    'rollouts': mean(results['num_rollouts']),
    'rounds': mean(results['num_rounds']),
    'complete': share(results['is_complete']),
    **_calibration(results['place']),
  }
  if 'first_sure' in results:
    found |= _of_path(results, changes, pair, values)
  return found


def _calibration(place: np.ndarray) -> Measures:
  """Returns simulation-based calibration: ten equal bins of the place of τ.

  The chi-square has 9 degrees of freedom; its bar is the 99 % quantile. The
  largest deviation of a bin's share is in standard errors.
  """
  bins = np.clip((place * NUM_BINS).astype(int), 0, NUM_BINS - 1)
  total = len(place)
  expected = total / NUM_BINS
  excess = np.bincount(bins, minlength=NUM_BINS) - expected
  bar = float(scipy.stats.chi2.ppf(0.99, NUM_BINS - 1))
  error = math.sqrt(expected * (1 - 1 / NUM_BINS))
  return {
    'rank_chi_square': _number(np.sum(excess**2) / expected, bar, total),
    'rank_largest_deviation': _number(
      np.max(np.abs(excess)) / error, total=total
    ),
  }


def _of_path(
  results: Results, changes: np.ndarray, pair: tuple[Any, Any], values: Values
) -> Measures:
  """Returns the measures of a stepwise policy, seen after every rollout."""
  most = values['num_rollouts']
  first, locations = results['first_sure'], results['locations']
  used = np.minimum(first, most)
  at_stop = locations[np.arange(len(used)), used - 1] == changes
  stopped = mean(used)
  # About twenty numbers of rollouts up to the budget.
  sizes = sorted({max(round(most * i / 20), 1) for i in range(1, 21)})
  found = {
    'reached_mass': share(first <= most),
    'rollouts_to_mass': median(first, most),
    'exact_where_reached': share(at_stop[first <= most]),
    'exact_at_stop': share(at_stop),
    'rollouts_at_stop': stopped,
    'exact_after': {n: share(locations[:, n - 1] == changes) for n in sizes},
  }
  if not isinstance(pair[0], str):
    known, error = (*pair, values['num_positions']), 1.0 - values['mass']
    # Where nothing is ever wrong the bound is that of the smallest share seen.
    seen = max(1.0 - float(np.mean(at_stop)), 0.5 / len(used))
    for name, limit in (
      ('search_and_confirm', limits.search_and_confirm_rollouts(*known, error)),
      ('fano_at_own_error', limits.fano_rollouts(*known, seen)),
    ):
      ends = (end - float(limit) for end in stopped.estimate)
      found[f'regret_{name}'] = Measure(Interval(*ends))
  return found


def of_limits(pair: tuple[float, float], values: Values) -> Measures:
  """Returns what no policy, and what a good one that knows p₁, p₂, can do."""
  known, error = (*pair, values['num_positions']), 1.0 - values['mass']
  confirm = limits.search_and_confirm_rollouts(*known, error)
  return {
    'capacity_bits': _number(limits.capacity_bits(*pair)),
    'search': _number(limits.search_rollouts(*known)),
    'fano': _number(limits.fano_rollouts(*known, error)),
    'search_and_confirm': _number(confirm),
  }


def of_alarms(results: Results, kind: str, values: Values) -> Measures:
  """Returns the shares of traces on which an e-process ever reached 1/α."""
  return {
    f'E_{name} on {kind}': share(results[name] >= -math.log(values['alpha']))
    for name in ('change', 'drop')
  }


def of_batches(
  results: Results, changes: np.ndarray, batch_size: int
) -> Measures:
  """Returns what rounds of q = batch_size parallel rollouts reach."""
  locations, first = results['locations'], results['first_sure']
  num_rounds = locations.shape[1]
  return {
    'exact': share(locations[:, -1] == changes),
    'reached_mass': share(first <= num_rounds),
    'rounds_to_mass': median(first, num_rounds),
    'rollouts_to_mass': median(first * batch_size, num_rounds * batch_size),
    'exact_after': {
      (k + 1) * batch_size: share(locations[:, k] == changes)
      for k in range(num_rounds)
    },
  }

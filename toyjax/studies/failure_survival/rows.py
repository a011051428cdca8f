"""Rows of the tables: what runs of a level went through, and when.

Runs --to_solve, to_escape--> times, observed --> rows with intervals
"""

from collections.abc import Iterator, Sequence

import numpy as np

from toyjax import runs as finished_runs
from toyjax import statistics, tables
from toyjax.analysis.autoencoder import events
from toyjax.analysis.autoencoder.events import ESCAPED, Place
from toyjax.runs import Runs
from toyjax.statistics import Interval
from toyjax.studies.failure_survival.levels import DEFAULT
from toyjax.tables import Row, Share

# What may count as symmetric failure, from the study's own to the widest.
_PASSED = (
  Place.ONE_DEAD,
  Place.SYMMETRIC,
  Place.NEAR_SYMMETRIC,
  Place.ON_FOR_ALL,
  Place.MERGED,
)
_NUM_HAZARDS = 12  # Intervals of equal length.
# Times [S] and whether the event was observed, for `statistics`.
Waits = tuple[np.ndarray, np.ndarray]


def to_solve(runs: Runs) -> Waits:
  """Returns the times to solve."""
  return events.waits(0, _first(runs, Place.SOLVED), runs.values['num_steps'])


def to_escape(runs: Runs, place: Place = Place.SYMMETRIC) -> Waits:
  """Returns times from entering a place in `ESCAPED`, of runs that did."""
  start = _first(runs, place)
  end = runs.data['escape_step'][:, ESCAPED.index(place)]
  entered = start >= 0
  return events.waits(start[entered], end[entered], runs.values['num_steps'])


def _first(runs: Runs, place: Place) -> np.ndarray:
  """Returns the first step at a place [S], -1 for never."""
  return runs.data['first_step'][:, place]


def _passed(runs: Runs, place: Place, step: int) -> np.ndarray:
  """Returns whether each run was at a place up to a step, bool [S]."""
  first = _first(runs, place)
  return (first >= 0) & (first <= step)


def level_of(runs: Runs) -> Row:
  """Returns the first columns of all tables."""
  factor, _, level = runs.label.partition('=')
  sizes = {name: runs.values[name] for name in ('num_features', 'num_hidden')}
  return {**sizes, 'factor': factor, 'level': level or DEFAULT}


def summary_row(runs: Runs, base: Runs) -> Row:
  """Returns share solved, difference from the default, median times."""
  last_step = runs.values['num_steps']
  solved = _passed(runs, Place.SOLVED, last_step)
  here, there = finished_runs.common(runs, base)
  own = solved[here]
  default = _passed(base, Place.SOLVED, last_step)[there]
  share = Share(int(solved.sum()), runs.num_runs)
  row = {
    **level_of(runs),
    'learning_rate': runs.configuration['learning_rate'],
    'num_seeds': runs.num_runs,
    'step': last_step,
    'num_solved': share.count,
    '_solved': share,
    'solved': share.interval,
    'solved_here_only': int(np.sum(own & ~default)),
    'solved_in_default_only': int(np.sum(~own & default)),
    'difference:': None
    if runs is base
    else tables.paired_difference(own, default),
    'num_diverged': int(np.sum(_first(runs, Place.DIVERGED) >= 0)),
  }
  waits = {'solve': to_solve(runs)}
  for place in ESCAPED:
    waits[f'escape_{place.name.lower()}'] = to_escape(runs, place)
  for name, (times, observed) in waits.items():
    curve = statistics.kaplan_meier(times, observed)
    row |= {
      f'num_at_risk_{name}': len(times),
      f'num_events_{name}': int(observed.sum()),
      f'median_{name}:': statistics.median_time(curve),
    }
  return row


def event_rows(runs: Runs, horizons: Sequence[int]) -> Iterator[Row]:
  """Yields counts, with both intervals, of what happened up to each step."""
  for step in horizons:
    solved = _passed(runs, Place.SOLVED, step)
    shares = {'solved': Share(int(solved.sum()), len(solved))}
    for place in _PASSED:
      passed = _passed(runs, place, step)
      num_passed = int(passed.sum())
      recovered = int(
        events.recovered_asymmetrically(
          runs.data['first_step'], place, step
        ).sum()
      )
      name = place.name.lower()
      shares |= {
        f'passed_{name}': Share(num_passed, len(passed)),
        f'solved_after_{name}': Share(recovered, len(passed)),
        f'solved_of_passed_{name}': Share(recovered, num_passed),
        f'unsolved_that_passed_{name}': Share(
          int(np.sum(passed & ~solved)), int(np.sum(~solved))
        ),
      }
    for quantity, share in shares.items():
      exact = statistics.clopper_pearson(share.count, share.total)
      yield {
        **level_of(runs),
        'step': step,
        'quantity': quantity,
        '': share,
        'exact_lower': exact.lower,
        'exact_upper': exact.upper,
      }


def hazards(runs: Runs, waits: Waits) -> statistics.Hazards:
  """Returns the rates of an event in intervals of equal length."""
  edges = np.linspace(0.0, runs.values['num_steps'], _NUM_HAZARDS + 1)
  return statistics.hazards(*waits, edges)


def hazard_rows(runs: Runs) -> Iterator[Row]:
  """Yields the rates of solving and of leaving symmetric failure."""
  for event, waits in (
    ('solve', to_solve(runs)),
    ('escape_symmetric', to_escape(runs)),
  ):
    found = hazards(runs, waits)
    rates = 1e3 * np.stack([found.rate, found.lower, found.upper], axis=1)
    for k, rate in enumerate(rates.tolist()):
      yield {
        **level_of(runs),
        'event': event,
        'from_step': found.edges[k].item(),
        'to_step': found.edges[k + 1].item(),
        'num_events': int(found.num_events[k]),
        'steps_at_risk': found.exposure[k].item(),
        'per_1000_steps': Interval(*rate),
      }


def learning_rows(runs: Runs) -> Iterator[Row]:
  """Yields when the k-th feature was first learned, and if one was lost."""
  first = runs.data['first_learned'].astype(float)
  order = np.sort(np.where(first < 0, np.inf, first), axis=1)
  lost = runs.data['times_lost']
  for k, step in enumerate(order.T):
    observed = np.isfinite(step)
    times = np.where(observed, step, runs.values['num_steps'])
    curve = statistics.kaplan_meier(times, observed)
    yield {
      **level_of(runs),
      'kth_feature': k + 1,
      'num_reached': int(observed.sum()),
      'num_seeds': runs.num_runs,
      'median:step': statistics.median_time(curve),
      'runs_that_lost_one': int(np.sum(lost.any(axis=1))),
      'mean_times_lost': float(lost.sum(axis=1).mean()),
    }

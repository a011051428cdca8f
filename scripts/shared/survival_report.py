"""What failure_survival shows: four tables, a summary in words, figures."""

from collections.abc import Iterator, Sequence
import pathlib
from typing import Any

import numpy as np

from scripts.shared import survival_figures, survival_runs, tables
from scripts.shared.survival_levels import Level
from scripts.shared.survival_runs import LevelRuns
from toyjax import statistics
from toyjax.analysis import events
from toyjax.analysis.events import ESCAPED, Place

# What may count as symmetric failure, from the study's own to the widest.
_PASSED = (
  Place.ONE_DEAD,
  Place.SYMMETRIC,
  Place.NEAR_SYMMETRIC,
  Place.ON_FOR_ALL,
  Place.MERGED,
)


def write(
  path: pathlib.Path,
  levels: Sequence[Level],
  settings: dict[str, Any],
  horizons: Sequence[int],
) -> None:
  """Reads the store, writes tables and figures, prints the main ones.

  Args:
    path: the working folder.
    levels: the levels, the default first.
    settings: all scientific flags.
    horizons: steps up to which events are counted, the last one the end.
  """
  last_step = settings['num_steps']
  runs = survival_runs.read(path / 'results.zarr', levels, last_step)
  summary = [_summary_row(r, runs[0]) for r in runs]
  counted = [row for r in runs for row in _event_rows(r, horizons)]
  tables.write_csv(path / 'summary.csv', summary)
  tables.write_csv(path / 'events.csv', counted)
  tables.write_csv(
    path / 'hazards.csv', [row for r in runs for row in _hazard_rows(r)]
  )
  tables.write_csv(
    path / 'learning.csv', [row for r in runs for row in _learning_rows(r)]
  )
  _print_summary(summary, last_step)
  _print_events(counted, horizons)
  survival_figures.draw(path, runs, settings)
  print(f'\nTables and figures are in {path}')


def _identity(level: Level) -> dict[str, Any]:
  return {
    'num_features': level.flags['num_features'],
    'num_hidden': level.flags['num_hidden'],
    'factor': level.factor,
    'level': level.label,
  }


def _summary_row(runs: LevelRuns, base: LevelRuns) -> dict[str, Any]:
  """One level: share solved, difference from the default, median times."""
  solved = runs.solved_by(runs.last_step)
  share = statistics.wilson(int(solved.sum()), len(solved))
  here, there = tables.common(runs.seeds, base.seeds)
  own, default = solved[here], base.solved_by(base.last_step)[there]
  difference = tables.paired_difference(own, default)
  row = {
    **_identity(runs.level),
    'learning_rate': runs.level.flags['learning_rate'],
    'num_seeds': runs.num_seeds,
    'step': runs.last_step,
    'num_solved': int(solved.sum()),
    'solved': share.estimate,
    'lower': share.lower,
    'upper': share.upper,
    'solved_here_only': int(np.sum(own & ~default)),
    'solved_in_default_only': int(np.sum(~own & default)),
    'difference': None if runs is base else difference.estimate,
    'difference_lower': None if runs is base else difference.lower,
    'difference_upper': None if runs is base else difference.upper,
    'num_diverged': int(np.sum(runs.first(Place.DIVERGED) >= 0)),
  }
  waits = {'solve': runs.times_to_solve()}
  for place in ESCAPED:
    waits[f'escape_{place.name.lower()}'] = runs.times_to_escape(place)
  for name, (times, observed) in waits.items():
    median = statistics.median_time(survival_runs.curve(times, observed))
    row |= {
      f'num_at_risk_{name}': len(times),
      f'num_events_{name}': int(observed.sum()),
      f'median_{name}': median.estimate,
      f'median_{name}_lower': median.lower,
      f'median_{name}_upper': median.upper,
    }
  return row


def _event_rows(
  runs: LevelRuns, horizons: Sequence[int]
) -> Iterator[dict[str, Any]]:
  """Counts with both intervals, of what happened up to each horizon."""
  for step in horizons:
    solved = runs.solved_by(step)
    counts = {'solved': (int(solved.sum()), len(solved))}
    for place in _PASSED:
      first = runs.first(place)
      passed = (first >= 0) & (first <= step)
      recovered = events.recovered_asymmetrically(
        runs.found['first_step'], place, step
      )
      name = place.name.lower()
      counts |= {
        f'passed_{name}': (int(passed.sum()), len(passed)),
        f'solved_after_{name}': (int(recovered.sum()), len(passed)),
        f'solved_of_passed_{name}': (int(recovered.sum()), int(passed.sum())),
        f'unsolved_that_passed_{name}': (
          int(np.sum(passed & ~solved)),
          int(np.sum(~solved)),
        ),
      }
    for quantity, (count, total) in counts.items():
      wilson = statistics.wilson(count, total)
      exact = statistics.clopper_pearson(count, total)
      yield {
        **_identity(runs.level),
        'step': step,
        'quantity': quantity,
        'count': count,
        'total': total,
        'fraction': wilson.estimate,
        'lower': wilson.lower,
        'upper': wilson.upper,
        'exact_lower': exact.lower,
        'exact_upper': exact.upper,
      }


def _hazard_rows(runs: LevelRuns) -> Iterator[dict[str, Any]]:
  waits = {
    'solve': runs.times_to_solve(),
    'escape_symmetric': runs.times_to_escape(Place.SYMMETRIC),
  }
  edges = survival_runs.hazard_edges(runs.last_step)
  for event, (times, observed) in waits.items():
    found = statistics.hazards(times, observed, edges)
    for k in range(len(edges) - 1):
      yield {
        **_identity(runs.level),
        'event': event,
        'from_step': edges[k].item(),
        'to_step': edges[k + 1].item(),
        'num_events': int(found.num_events[k]),
        'steps_at_risk': found.exposure[k].item(),
        'per_1000_steps': 1e3 * found.rate[k].item(),
        'lower': 1e3 * found.lower[k].item(),
        'upper': 1e3 * found.upper[k].item(),
      }


def _learning_rows(runs: LevelRuns) -> Iterator[dict[str, Any]]:
  """When the k-th feature was first learned, and how often one was lost."""
  first = runs.found['first_learned'].astype(float)
  order = np.sort(np.where(first < 0, np.inf, first), axis=1)
  lost = runs.found['times_lost']
  for k in range(order.shape[1]):
    observed = np.isfinite(order[:, k])
    times = np.where(observed, order[:, k], runs.last_step)
    curve = survival_runs.curve(times, observed)
    median = statistics.median_time(curve)
    yield {
      **_identity(runs.level),
      'kth_feature': k + 1,
      'num_reached': int(observed.sum()),
      'num_seeds': runs.num_seeds,
      'median_step': median.estimate,
      'median_lower': median.lower,
      'median_upper': median.upper,
      'runs_that_lost_one': int(np.sum(lost.any(axis=1))),
      'mean_times_lost': float(lost.sum(axis=1).mean()),
    }


def _difference(row: dict[str, Any]) -> list[str]:
  if row['difference'] is None:
    return ['', '']
  ends = row['difference_lower'], row['difference_upper']
  return [f'{100.0 * row["difference"]:+.2f}%', tables.percent_interval(*ends)]


def _print_summary(summary: Sequence[dict[str, Any]], last_step: int) -> None:
  print(f'\nSolved within {last_step:,} steps (difference: paired by seed):\n')

  def median(row, name):
    value = row[f'median_{name}']
    return f'{value:,.0f}' if np.isfinite(value) else 'not reached'

  print(
    tables.format_table(
      (
        *('factor', 'level', 'solved', 'of', 'share', '95 % interval'),
        *('difference', '95 % interval', 'median step', 'diverged'),
      ),
      [
        [
          row['factor'],
          row['level'],
          str(row['num_solved']),
          str(row['num_seeds']),
          tables.percent(row['solved']),
          tables.percent_interval(row['lower'], row['upper']),
          *_difference(row),
          median(row, 'solve'),
          str(row['num_diverged']),
        ]
        for row in summary
      ],
    )
  )
  print('\nLeaving symmetric failure (steps from entering it):\n')
  print(
    tables.format_table(
      (
        'factor',
        'level',
        'entered',
        'left',
        'median',
        'one dead',
        'left',
        'median',
      ),
      [
        [row['factor'], row['level']]
        + [
          text
          for name in ('escape_symmetric', 'escape_one_dead')
          for text in (
            str(row[f'num_at_risk_{name}']),
            str(row[f'num_events_{name}']),
            median(row, name),
          )
        ]
        for row in summary
      ],
    )
  )


def _print_events(
  rows: Sequence[dict[str, Any]], horizons: Sequence[int]
) -> None:
  """Prints the default's events."""
  print('\nWhat runs of the default went through:\n')
  print(
    tables.format_table(
      ('step', 'quantity', 'count', 'of', 'share', '95 % interval'),
      [
        [
          f'{row["step"]}',
          row['quantity'],
          str(row['count']),
          str(row['total']),
          tables.percent(row['fraction']),
          tables.percent_interval(row['lower'], row['upper']),
        ]
        for row in rows
        if row['factor'] == 'default' and row['step'] in horizons
      ],
    )
  )

"""Replays of recorded traces as rows of replay.csv.

replays of one policy and prior --rows_of--> one row a trace, and totals
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from toyjax import statistics
from toyjax.data import traces
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.runs import Runs
from toyjax.studies.changepoint_replay.recorded import Exhaustive
from toyjax.tables import Row

# Columns of shares: each has a count, the share and its Wilson interval.
SHARES = (
  'exact',
  'within',
  'central_covers',
  'highest_covers',
  *(code.name.lower() for code in Verdict),
)
TOTAL = 'all'  # In place of a problem's number.


def sentences_text(trace: traces.Trace, one: Exhaustive) -> str:
  """Returns the guilty sentence, first:last after a gap, '' if none is known.

  None is guilty where all rollouts together prove no drop: the most probable
  change may be a rise. A rate that is low from the start was lowered by none.
  """
  found = traces.guilty_sentences(trace, one.position)
  if not found or one.verdict != Verdict.DROP:
    return ''
  return str(found[0]) if len(found) == 1 else f'{found[0]}:{found[-1]}'


def rows_of(
  runs: Runs, found: Sequence[traces.Trace], exhaustive: Sequence[Exhaustive]
) -> Iterator[Row]:
  """Yields a row for each trace, and rows of totals.

  The totals: all replays; those of traces with a drop that all recorded
  rollouts together prove; the others, where DROP would be a false alarm or a
  drop that is too small to prove.

  Args:
    runs: of one policy and prior.
    found: the traces [R].
    exhaustive: [R], what is found with all recorded rollouts of each.
  """
  known = [_known(trace, one) for trace, one in zip(found, exhaustive)]
  which, hits = runs.data['trace'], _hits(runs, exhaustive)
  for i, trace in enumerate(found):
    yield {
      **{name: getattr(trace, name) for name in ('model', 'base', 'problem')},
      **known[i],
      **_measures(runs, hits, which == i),
    }
  is_drop = np.asarray([one.verdict == Verdict.DROP for one in exhaustive])
  numbers = np.asarray([cells['recorded_rollouts'] for cells in known])
  for name, part in (
    ('all', np.ones(len(found), bool)),
    ('proven drop', is_drop),
    ('no proven drop', ~is_drop),
  ):
    if part.any():
      yield {
        'model': '/'.join(sorted({trace.model for trace in found})),
        'base': name,
        'problem': TOTAL,
        **dict.fromkeys(known[0]),
        'recorded_rollouts': int(numbers[part].sum()),
        **_measures(runs, hits, part[which]),
      }


def _known(trace: traces.Trace, one: Exhaustive) -> Row:
  """Returns what is known of a trace without a replay."""
  return {
    'T': int(trace.has_data.sum()),
    'recorded_rollouts': int(trace.num_answered.sum()),
    'exhaustive_index': one.position,
    'exhaustive_sentence': sentences_text(trace, one),
    'exhaustive_probability': one.probability,
    'exhaustive_runner_up': one.runner_up,
    'exhaustive_index_least_counts': one.position_least,
    'rate_before': one.rate_before,
    'rate_after': one.rate_after,
    'exhaustive_verdict': one.verdict.name,
    'log_e_some_drop': one.log_e_some_drop,
  }


def _hits(
  runs: Runs, exhaustive: Sequence[Exhaustive]
) -> dict[str, np.ndarray]:
  """Returns for each name of SHARES whether it happened, bool [S]."""
  data = runs.data
  truth = np.asarray([one.position for one in exhaustive])[data['trace']]
  found = {
    'exact': data['location'] == truth,
    'within': np.abs(data['location'] - truth) <= runs.values['within'],
    'central_covers': (data['central_lower'] <= truth)
    & (truth <= data['central_upper']),
    'highest_covers': data['highest_covers'],
  }
  return {name: hit & data['is_finite'] for name, hit in found.items()} | {
    code.name.lower(): data['verdict'] == code for code in Verdict
  }


def _measures(runs: Runs, hits: dict[str, np.ndarray], part: np.ndarray) -> Row:
  """Returns what was measured on some of the runs, bool [S]."""
  data = {name: array[part] for name, array in runs.data.items()}
  total = int(part.sum())
  row: dict[str, Any] = {
    'num_repeats': total,
    'not_finite': int(np.sum(~data['is_finite'])),
    'within_distance': runs.values['within'],
  }
  for name in SHARES:
    count = int(np.sum(hits[name][part]))
    share = statistics.wilson(count, total)
    ends = (name, f'{name}_lower', f'{name}_upper')
    row |= {f'{name}_count': count, **dict(zip(ends, share))}
  width = data['central_upper'] - data['central_lower'] + 1
  to_drop = data['rollouts_to_drop'][data['rollouts_to_drop'] > 0]
  median = float(np.median(to_drop)) if to_drop.size else None
  return row | {
    'central_mean_width': float(np.mean(width)),
    'highest_mean_size': float(np.mean(data['highest_size'])),
    'mean_rollouts': float(np.mean(data['num_rollouts'])),
    'median_rollouts_to_drop': median,
  }

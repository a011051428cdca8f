"""What replays of recorded traces show: replay.csv and the printed tables.

stored replays of one policy and prior --rows--> one row a trace and a total
"""

from collections.abc import Iterator, Mapping, Sequence
import math
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import tables
from scripts.shared.changepoint_recorded import MAX_SEGMENTS, Exhaustive
from toyjax import statistics
from toyjax.data import traces
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.plots.texts import printable

# Columns of shares: each has a count, the share and its Wilson interval.
SHARES = (
  'exact',
  'within',
  'central_covers',
  'highest_covers',
  *(code.name.lower() for code in Verdict),
)


TOTAL = 'all'  # In place of a problem's number.


class Combination(NamedTuple):
  """All replays of one policy under one prior.

  Attributes:
    policy: its name.
    prior: its name.
    exhaustive: [R], of each trace under that prior.
    has_data: bool [R, T], positions that may be rolled out.
    results: name -> array [R, N, ...], N replays of each trace.
  """

  policy: str
  prior: str
  exhaustive: Sequence[Exhaustive]
  has_data: np.ndarray
  results: Mapping[str, np.ndarray]

  @property
  def label(self) -> str:
    """Short name of the combination."""
    return f'{self.policy}, {self.prior} prior'

  def hits(self, within: int) -> dict[str, np.ndarray]:
    """Returns for each name of SHARES whether it happened, bool [R, N]."""
    truth = np.asarray([one.position for one in self.exhaustive])[:, None]
    results = self.results
    is_finite = results['is_finite']
    found: dict[str, np.ndarray] = {
      'exact': results['location'] == truth,
      'within': np.abs(results['location'] - truth) <= within,
      'central_covers': (results['central_lower'] <= truth)
      & (truth <= results['central_upper']),
      'highest_covers': results['highest_covers'],
    }
    found = {name: hit & is_finite for name, hit in found.items()}
    for code in Verdict:
      found[code.name.lower()] = results['verdict'] == code
    return found


def sentences_text(trace: traces.Trace, one: Exhaustive) -> str:
  """Returns the guilty sentence, first:last after a gap, '' if none is known.

  None is guilty where all rollouts together prove no drop: the most probable
  change may be a rise. A rate that is low from the start was lowered by none.
  """
  found = traces.guilty_sentences(trace, one.position)
  if not found or one.verdict != Verdict.DROP:
    return ''
  return str(found[0]) if len(found) == 1 else f'{found[0]}:{found[-1]}'


def rows(
  combination: Combination, found: Sequence[traces.Trace], *, within: int
) -> list[dict[str, Any]]:
  """Returns a row for each trace, and rows of totals.

  The totals: all replays; those of traces with a drop that all recorded
  rollouts together prove; the others, where DROP would be a false alarm or a
  drop that is too small to prove.
  """
  hits, listed = combination.hits(within), []
  for i, (trace, one) in enumerate(zip(found, combination.exhaustive)):
    listed.append(
      {
        **_names(combination, trace.model, trace.base, trace.problem),
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
        **_measures(combination.results, hits, slice(i, i + 1), within),
      }
    )
  is_drop = np.asarray(
    [one.verdict == Verdict.DROP for one in combination.exhaustive]
  )
  blank = {name: None for name in listed[0]}
  model = '/'.join(sorted({trace.model for trace in found}))
  numbers = np.asarray([row['recorded_rollouts'] for row in listed])
  for name, part in (
    ('all', np.ones(len(found), bool)),
    ('proven drop', is_drop),
    ('no proven drop', ~is_drop),
  ):
    if part.any():
      listed.append(
        {
          **blank,
          **_names(combination, model, name, TOTAL),
          'recorded_rollouts': int(numbers[part].sum()),
          **_measures(combination.results, hits, part, within),
        }
      )
  return listed


def _names(
  combination: Combination, model: str, base: str, problem: str
) -> dict[str, str]:
  return {
    'policy': combination.policy,
    'prior': combination.prior,
    'model': model,
    'base': base,
    'problem': problem,
  }


def _measures(
  results: Mapping[str, np.ndarray],
  hits: Mapping[str, np.ndarray],
  part: slice | np.ndarray,
  within: int,
) -> dict[str, Any]:
  total = hits['exact'][part].size
  row: dict[str, Any] = {
    'num_repeats': total,
    'not_finite': int(np.sum(~results['is_finite'][part])),
    'within_distance': within,
  }
  for name in SHARES:
    count = int(np.sum(hits[name][part]))
    share = statistics.wilson(count, total)
    row |= {
      f'{name}_count': count,
      name: share.estimate,
      f'{name}_lower': share.lower,
      f'{name}_upper': share.upper,
    }
  width = results['central_upper'][part] - results['central_lower'][part] + 1
  to_drop = results['rollouts_to_drop'][part]
  to_drop = to_drop[to_drop > 0]
  return row | {
    'central_mean_width': float(np.mean(width)),
    'highest_mean_size': float(np.mean(results['highest_size'][part])),
    'mean_rollouts': float(np.mean(results['num_rollouts'][part])),
    'median_rollouts_to_drop': (
      float(np.median(to_drop)) if to_drop.size else None
    ),
  }


def print_table(listed: Sequence[Mapping[str, Any]], *, alpha: float) -> None:
  """Prints the rows of one policy and prior.

  Args:
    listed: from `rows`.
    alpha: false-alarm rate of a proven drop.
  """
  within = listed[0]['within_distance']
  header = (
    *('problem', 'base', 'T', 'index', 'sentence', 'P(exact)'),
    *(f'P(within {within})', '95 % interval', 'covers', 'width'),
    *('DROP', 'NO_DROP', 'UNDECIDED', 'rollouts'),
  )
  lines = [
    [
      *(str(row['problem']), row['base']),
      *(_text(row[name]) for name in ('T', 'exhaustive_index')),
      _text(row['exhaustive_sentence']),
      tables.percent(row['exact']),
      tables.percent(row['within']),
      tables.percent_interval(row['within_lower'], row['within_upper']),
      tables.percent(row['central_covers']),
      f'{row["central_mean_width"]:.1f}',
      *(str(row[f'{code}_count']) for code in ('drop', 'no_drop', 'undecided')),
      f'{row["mean_rollouts"]:.1f}',
    ]
    for row in listed
  ]
  print(tables.format_table(header, lines))
  own = [row for row in listed if row['problem'] != TOTAL]
  total = listed[len(own)]
  if total['not_finite']:
    print(f'{total["not_finite"]} replays are not finite: counted as misses')
  drops = [row for row in own if row['exhaustive_verdict'] == 'DROP']
  others = [
    printable(f'{row["problem"]} {row["base"]}')
    for row in own
    if row['exhaustive_verdict'] != 'DROP'
    and row['log_e_some_drop'] >= -math.log(alpha)
  ]
  print(
    f'\nindex: of the first low accuracy, or of another change, given all '
    f'{total["recorded_rollouts"]:,} recorded rollouts; they prove a drop in '
    f'{len(drops)} of {len(own)} traces, only there a sentence is guilty\n'
    f'{_majority(own, "all traces")}; {_majority(drops, "proven drops")}'
  )
  print(
    f'NO_DROP is about one lasting drop. With up to {MAX_SEGMENTS} segments '
    'all rollouts prove some drop, lasting or not, in '
    f'{len(others)} more: {", ".join(others) or "none"}'
  )


def _majority(rows_of: Sequence[Mapping[str, Any]], name: str) -> str:
  """Says in how many traces most replays come near; intervals over traces."""
  near = sum(row['within'] >= 0.5 for row in rows_of)
  share = statistics.wilson(near, len(rows_of))
  return (
    f'most replays near it: {near} of {len(rows_of)} {name} '
    f'{tables.percent_interval(share.lower, share.upper)}'
  )


def _text(value: Any) -> str:
  return '-' if value in (None, '') else str(value)


def focus_lines(
  combination: Combination,
  found: Sequence[traces.Trace],
  problems: Sequence[str],
) -> Iterator[str]:
  """Yields what happens at some problems: what the replays named, how often."""
  for i, trace in enumerate(found):
    if trace.problem not in problems:
      continue
    one = combination.exhaustive[i]
    named, times = np.unique(
      combination.results['location'][i], return_counts=True
    )
    order = np.argsort(-times, kind='stable')[:4]
    sentence = sentences_text(trace, one)
    yield (
      f'#{trace.problem} {trace.base}: all rollouts say index {one.position} '
      f'(posterior {one.probability:.3f}, then index {one.runner_up}); '
      f'recorded rate {one.rate_before:.3f} before, {one.rate_after:.3f} from '
      f'there on; {one.verdict.name}, guilty sentence {sentence or "none"}'
    )
    yield (
      '  replays name index '
      + ', '.join(f'{named[k]} {times[k]} times' for k in order)
      + f'; {len(named)} indices in {times.sum()} replays'
    )
    yield '  around it: ' + _rates_around(trace, one.position)


def _rates_around(trace: traces.Trace, position: int, reach: int = 3) -> str:
  """Returns the recorded rates beside a position."""
  parts = []
  for t in range(position - reach, position + reach + 1):
    places = np.flatnonzero(trace.chunk_indices == t)
    if len(places) and trace.num_answered[places[0]]:
      right = trace.num_correct[places[0]]
      answered = trace.num_answered[places[0]]
      parts.append(f'{t}: {right / answered:.2f}')
  return ', '.join(parts)

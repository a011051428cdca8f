"""What replays of recorded traces show: replay.csv, its tables, figures."""

from collections.abc import Iterator, Mapping, Sequence
import functools
import math

import numpy as np

from toyjax import statistics, tables
from toyjax.data import traces
from toyjax.inference.changepoint import rivals
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.statistics import Interval
from toyjax.studies.base import Report
from toyjax.studies.changepoint_replay import figures
from toyjax.studies.changepoint_replay.recorded import (
  MAX_SEGMENTS,
  Exhaustive,
)
from toyjax.studies.changepoint_replay.rows import (
  TOTAL,
  rows_of,
  sentences_text,
)
from toyjax.tables import LABEL, Column, Row, Table, column
from toyjax.texts import printable


def report(
  replays: Sequence[Runs],
  found: Sequence[traces.Trace],
  exhaustive: Mapping[str, Sequence[Exhaustive]],
  values: Values,
) -> Report:
  """Returns all tables and sheets.

  Args:
    replays: of each policy and prior.
    found: the traces [R].
    exhaustive: prior -> [R], what is found with all recorded rollouts.
    values: of all settings.
  """
  rows = tables.each(
    replays,
    lambda runs: rows_of(runs, found, exhaustive[runs.configuration['prior']]),
  )
  size = len(rows) // len(replays)
  blocks = [rows[i : i + size] for i in range(0, len(rows), size)]
  first, level = replays[0], values['level']
  truth = exhaustive[first.configuration['prior']]
  focus = _focus(first, found, truth)
  return Report(
    (
      Table('replay', rows),
      *(
        part
        for block in blocks
        for part in (_table(block, values), _remarks(block, values['alpha']))
      ),
      '\n'.join([f'{first.label}, some problems:\n', *map(printable, focus)]),
    ),
    (
      Sheet(
        'replay', functools.partial(figures.draw_overview, blocks, level=level)
      ),
      Sheet(
        'trajectories',
        functools.partial(figures.draw_first, first, found, truth, level=level),
      ),
    ),
    {
      'within': values['within'],
      'priors': {name: rivals.PRIORS[name] for name in values['prior']},
    },
  )


def _table(rows: Sequence[Row], values: Values) -> Table:
  def known(name: str, header: str) -> Column:
    return Column(
      header, lambda row: '-' if row[name] in (None, '') else str(row[name])
    )

  def share(name: str, header: str) -> Column:
    return Column(header, lambda row: tables.percent(row[name]))

  def near(row: Row) -> str:
    return tables.percent_interval(
      Interval(*(row[f'within{end}'] for end in ('', '_lower', '_upper')))
    )

  verdicts = ('DROP', 'NO_DROP', 'UNDECIDED')
  return Table(
    '',
    rows,
    f'{rows[0][LABEL]}: {values["num_repeats"]} replays of each trace, at most '
    f'{values["num_rollouts"]} rollouts; intervals of '
    f'{values["level"]:g}, alpha {values["alpha"]:g}, smallest drop '
    f'{values["smallest_drop"]:g}',
    (
      *(column('problem'), column('base'), known('T', 'T')),
      known('exhaustive_index', 'index'),
      known('exhaustive_sentence', 'sentence'),
      share('exact', 'P(exact)'),
      share('within', f'P(within {values["within"]})'),
      Column('95 % interval', near),
      share('central_covers', 'covers'),
      column('central_mean_width', 'width', '.1f'),
      *(column(f'{code.lower()}_count', code) for code in verdicts),
      column('mean_rollouts', 'rollouts', '.1f'),
    ),
  )


def _remarks(rows: Sequence[Row], alpha: float) -> str:
  """Says what all recorded rollouts prove, and how many replays agree."""
  own = [row for row in rows if row['problem'] != TOTAL]
  total = rows[len(own)]
  drops = [row for row in own if row['exhaustive_verdict'] == 'DROP']
  others = [
    f'{row["problem"]} {row["base"]}'
    for row in own
    if row['exhaustive_verdict'] != 'DROP'
    and row['log_e_some_drop'] >= -math.log(alpha)
  ]
  lost = total['not_finite']
  return (
    f'{lost} replays are not finite: counted as misses\n\n'
    * bool(lost)
    + 'index: of the first low accuracy, or of another change, given all '
    f'{total["recorded_rollouts"]:,} recorded rollouts; they prove a drop in '
    f'{len(drops)} of {len(own)} traces, only there a sentence is guilty\n'
    f'{_majority(own, "all traces")}; {_majority(drops, "proven drops")}\n'
    f'NO_DROP is about one lasting drop. With up to {MAX_SEGMENTS} segments '
    'all rollouts prove some drop, lasting or not, in '
    f'{len(others)} more: {printable(", ".join(others)) or "none"}'
  )


def _majority(rows: Sequence[Row], name: str) -> str:
  """Says in how many traces most replays come near; intervals over traces."""
  near = sum(row['within'] >= 0.5 for row in rows)
  share = statistics.wilson(near, len(rows))
  return (
    f'most replays near it: {near} of {len(rows)} {name} '
    f'{tables.percent_interval(share)}'
  )


def _focus(
  runs: Runs, found: Sequence[traces.Trace], exhaustive: Sequence[Exhaustive]
) -> Iterator[str]:
  """Yields what happens at some problems: what the replays named, how often."""
  for i, (trace, one) in enumerate(zip(found, exhaustive)):
    if trace.problem not in runs.values['focus']:
      continue
    named, times = np.unique(
      runs.data['location'][runs.data['trace'] == i], return_counts=True
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
  beside = np.abs(trace.chunk_indices - position) <= reach
  return ', '.join(
    f'{t}: {right / answered:.2f}'
    for t, right, answered in zip(
      trace.chunk_indices[beside],
      trace.num_correct[beside],
      trace.num_answered[beside],
    )
    if answered
  )

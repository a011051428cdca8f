"""What the sweep of the ReLU autoencoder shows: tables, text and sheets."""

from collections import Counter
from collections.abc import Iterator, Sequence

import matplotlib.figure
import numpy as np

from toyjax import roles, runs, statistics, tables
from toyjax.analysis.autoencoder import events
from toyjax.plots import outcomes, sheets, survival
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.tables import (
  CONFIGURATION,
  LABEL,
  Row,
  Share,
  Table,
  column,
  shares,
)
from toyjax.toys.relu_autoencoder import THRESHOLDS, Outcome

_KINDS = ('num_shared', 'num_merged', 'num_off')


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  steps = values['observe_steps']
  rows = tables.each(found, tables.outcomes(steps, Outcome))
  names = [
    code.name.lower()
    for code in Outcome
    if not any(np.any(each.last('outcome') == code) for each in found)
  ]
  absent = [f'none anywhere: {", ".join(names)}'] if names else []
  about = f'({_sizes(found)} seeds each, {_optimizer(values)})'
  summary = Table('summary', rows)
  return Report(
    (
      summary,
      _last_table(found, steps[-1]),
      '\n'.join(
        [*absent, *(line for each in found for line in _patterns(each))]
      ),
      _differences(found, steps[-1]),
    ),
    (
      outcomes.sheet(
        found,
        summary,
        Outcome,
        f'How runs of the ReLU autoencoder stand {about}',
      ),
      Sheet('survival', lambda: _draw_survival(found, values, about)),
    ),
    {'solved_sse': values['solved_sse'], 'thresholds': THRESHOLDS._asdict()},
  )


def is_solved(found: Runs, k: int = -1) -> np.ndarray:
  """Returns which runs are solved at an observed step, bool [S]."""
  return roles.are(found.data['outcome'][:, k], Outcome)


def _last_table(found: Sequence[Runs], last_step: int) -> Table:
  """Returns what occurs at the last step, and all solved ones, for print."""

  def make_rows(each: Runs) -> Iterator[Row]:
    counts = statistics.counts(each.last('outcome'), len(Outcome))
    for code in Outcome:
      if counts[code]:
        share = Share(int(counts[code]), each.num_runs)
        yield {'outcome': code.name.lower(), '': share}
    share = Share(int(is_solved(each).sum()), each.num_runs)
    yield {'outcome': '= solved in all', '': share}

  return Table(
    '',
    tables.each(found, make_rows),
    f'After {last_step:,} steps (95 % Wilson intervals):',
    (CONFIGURATION, column('outcome'), *shares()),
  )


def _patterns(found: Runs) -> Iterator[str]:
  """Says what MIXED, OTHER and the asymmetric failures are made of."""
  codes = found.last('outcome')
  for code in (Outcome.MIXED, Outcome.OTHER):
    kinds = [found.last(name)[codes == code].tolist() for name in _KINDS]
    if patterns := Counter(zip(*kinds)):
      parts = ', '.join(
        f'{count} with {shared} shared {merged} merged {off} off'
        for (shared, merged, off), count in patterns.most_common(4)
      )
      yield f'{found.label}: {code.name.lower()}: {parts}'
  asymmetric = codes == Outcome.ASYMMETRIC_FAILURE
  if asymmetric.any():
    shared_over = found.last('shared_over')[asymmetric]
    sse = found.last('sse')[asymmetric]
    parts = ', '.join(
      f'{count} over g = {g}'
      for g, count in sorted(Counter(shared_over.tolist()).items())
    )
    yield (
      f'{found.label}: asymmetric_failure: {parts}; SSE '
      f'{sse.min():.3f} to {sse.max():.3f}, below 1 - 1/g in '
      f'{np.sum(sse < 1 - 1 / shared_over)} of {len(sse)}'
    )


def _differences(found: Sequence[Runs], last_step: int) -> Table:
  """Returns each configuration's solved share less that of its stage's first.

  Both were run from the same seeds, so the interval is that of pairs.
  """
  rows: list[Row] = []
  first: dict[str, Runs] = {}
  for each in found:
    base = first.setdefault(each.stage, each)
    if base is each:
      continue
    here, there = runs.common(each, base)
    a, b = is_solved(each)[here], is_solved(base)[there]
    rows.append(
      {
        LABEL: each.label,
        'configuration': each.label,
        'less': base.label,
        'step': last_step,
        'num_pairs': len(a),
        'solved_both': int(np.sum(a & b)),
        'solved_only_here': int(np.sum(a & ~b)),
        'solved_only_there': int(np.sum(~a & b)),
        'difference': tables.paired_difference(a, b),
      }
    )
  return Table(
    'differences',
    rows,
    'Share solved, difference of configurations paired by seed:',
    (CONFIGURATION, column('less'), *tables.difference('difference')),
  )


def _draw_survival(
  found: Sequence[Runs], values: Values, about: str
) -> matplotlib.figure.Figure:
  """Draws the Kaplan-Meier curves of the time to solve."""
  last_step = values['num_steps']
  figure, axes = sheets.single(
    7.0, 4.4, f'Time to solve: Kaplan-Meier with 95 % bands {about}'
  )
  survival.draw_survival(
    axes,
    labels=[each.label for each in found],
    curves=[events.survival(_solved_at(each), last_step) for each in found],
    last_step=last_step,
    ylabel=f'share not yet solved (SSE < {values["solved_sse"]:g})'
    + (
      '' if all(map(_was_watched, found)) else ',\nseen at observed steps only'
    ),
  )
  return figure


def _was_watched(found: Runs) -> bool:
  """Whether crossings were looked for at every step of the training."""
  return found.values['solved_sse'] == found.attrs['solved_sse']


def _solved_at(found: Runs) -> np.ndarray:
  """Returns the step of the first crossing [S], -1 where there was none."""
  if _was_watched(found):
    return found.data['first_solved_step']
  solved = found.data['sse'] < found.values['solved_sse']
  first = np.asarray(found.values['observe_steps'])[np.argmax(solved, axis=1)]
  return np.where(solved.any(axis=1), first, -1)


def _sizes(found: Sequence[Runs]) -> str:
  return sheets.sizes([each.num_runs for each in found])


def _optimizer(values: Values) -> str:
  names = '/'.join(values['optimizer'])
  rates = values['learning_rate']
  return f'{names} lr {rates[0]:g}' if len(rates) == 1 else names

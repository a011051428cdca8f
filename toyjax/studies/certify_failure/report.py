"""What certificates show: tables of verdicts and entries, and the valleys."""

from collections.abc import Iterator, Sequence
import functools
from typing import Any

import numpy as np

from toyjax import roles, statistics, tables
from toyjax.analysis.autoencoder.catalogue import Entry
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.runs import Runs
from toyjax.studies.base import Report
from toyjax.studies.certify_failure import figures
from toyjax.tables import CONFIGURATION, LABEL, Row, Share, Table, column
from toyjax.toys.relu_autoencoder import Outcome


def report(found: Sequence[Runs], step: int) -> Report:
  """Returns all tables and the sheet of certified runs.

  Args:
    found: from `certifying.certify_all`.
    step: that is certified.
  """
  count, _, *share = tables.shares()
  certificates = Table(
    'certificates',
    tables.each(found, functools.partial(_verdicts, step)),
    f'Runs after {step:,} steps (95 % Wilson intervals):',
    (
      CONFIGURATION,
      column('outcome', 'label', str.lower),
      column('verdict', 'leads to', str.lower),
      column('entry', 'explained by', str.lower),
      count._replace(header='runs'),
      column('solved_at_last_step', 'solved at last step'),
      *share,
      column('sse_as_trained_median', 'SSE', '.4g'),
      column('infimum', form='.4g'),
    ),
  )
  totals = tables.each(found, functools.partial(_totals, step))
  valleys = figures.valleys(found, step)
  nothing = 'no run is unsolved: valleys.png has nothing to show'
  return Report(
    (
      certificates,
      '\n\n'.join(map(_explained, totals)),
      Table('totals', totals),
      Table('unexplained', tables.each(found, _unexplained)),
      '' if valleys else nothing,
    ),
    valleys,
  )


def _verdicts(step: int, runs: Runs) -> Iterator[Row]:
  """Yields a row for each label, verdict and entry that occur together."""
  data = runs.data
  keys = np.stack(
    [data[name] for name in ('label', 'verdict', 'entry')], axis=1
  )
  solved = roles.are(runs.last('outcome'), Outcome)
  error = np.abs(data['sse'] - data['catalogue_sse'])
  for key in np.unique(keys, axis=0):
    own = (keys == key).all(axis=1)
    yield {
      'step': step,
      'outcome': Outcome(key[0]).name,
      'verdict': Verdict(key[1]).name,
      'entry': Entry(key[2]).name,
      '': Share(int(own.sum()), len(own)),
      'solved_at_last_step': int(solved[own].sum()),
      'sse_as_trained_median': float(np.median(data['start_sse'][own])),
      'sse_median': float(np.median(data['sse'][own])),
      'infimum': float(data['infimum'][own][0]),
      'largest_catalogue_error': float(np.max(error[own])),
      'largest_gradient': float(np.max(data['gradient_norm'][own])),
      'distance_median': float(np.median(data['distance'][own])),
    }


def _totals(step: int, runs: Runs) -> Iterator[Row]:
  """Yields the row of the shares of what is explained, and of each verdict."""
  verdicts, total = runs.data['verdict'], runs.num_runs
  row: dict[str, Any] = {'step': step, 'total': total}
  for name, own in (
    ('explained', runs.data['entry'] != Entry.NONE),
    ('unresolved', verdicts == Verdict.UNRESOLVED),
    *((code.name.lower(), verdicts == code) for code in Verdict),
  ):
    count = int(own.sum())
    _, lower, upper = statistics.wilson(count, total)
    row |= {name: count, f'{name}_lower': lower, f'{name}_upper': upper}
  yield row


def _explained(row: Row) -> str:
  """Says how many runs the catalogue explains."""
  share = Share(row['explained'], row['total'])
  return (
    f'{row[LABEL]}: the catalogue explains {share.text()}; unresolved: '
    f'{row["unresolved"]}'
  )


def _unexplained(runs: Runs) -> Iterator[Row]:
  """Yields each run that no entry explains."""
  data = runs.data
  for i in np.flatnonzero(data['entry'] == Entry.NONE):
    norms = np.linalg.norm(data['weights'][i], axis=0)
    yield {
      'run': int(data['run'][i]),
      'outcome': Outcome(data['label'][i]).name,
      'verdict': Verdict(data['verdict'][i]).name,
      'sse_as_trained': float(data['start_sse'][i]),
      'sse': float(data['sse'][i]),
      'gradient_norm': float(data['gradient_norm'][i]),
      'least_curvature': float(data['least_curvature'][i]),
      'norms': ' '.join(f'{norm:.4g}' for norm in np.sort(norms)),
    }

"""Failure rates by n and m, and the ratio of those of two m."""

from collections.abc import Iterator, Sequence

import matplotlib.figure
import numpy as np

from toyjax import roles, statistics
from toyjax.plots import rates
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.studies.base import Report
from toyjax.tables import Column, Row, Table, column
from toyjax.toys.relu_autoencoder import Outcome


def report(
  found: Sequence[Runs], compared: Sequence[int], shown: Sequence[int]
) -> Report:
  """Returns the tables and the sheet of the runs of several sizes.

  Args:
    found: the runs of each size.
    compared: two values of m: the failure rate of the first over the second.
    shown: observed steps that are printed and drawn.
  """
  first, second = compared
  rows = [row for runs in found for row in _rates(runs)]
  ratios = list(_ratios(rows, first, second))
  table = Table(
    'ratios',
    ratios,
    shown=(
      column('num_features', 'n'),
      column('step'),
      _failed(f'm = {first}', 'first'),
      _failed(f'm = {second}', 'second'),
      column('ratio', 'ratio', lambda ratio: f'{ratio.estimate:.4g}'),
      column('ratio', 'from', lambda ratio: f'{ratio.lower:.4g}'),
      column('ratio', 'to', lambda ratio: f'{ratio.upper:.4g}'),
    ),
    where=lambda row: row['step'] in shown,
  )
  values = found[0].values
  return Report(
    (Table('sizes', rows), table, table.body()),
    [
      Sheet(
        'sizes',
        lambda: _draw(
          rows,
          ratios,
          shown,
          f'{values["optimizer"]} lr {values["learning_rate"][0]:g}',
        ),
        is_cropped=False,
        dpi=140,
      )
    ],
    {'compared': [first, second], 'shown': list(shown)},
  )


def _failed(header: str, which: str) -> Column:
  def text(row: Row) -> str:
    return f'{row[f"{which}_failed"]}/{row[f"{which}_total"]}'

  return Column(header, text)


def _rates(runs: Runs) -> Iterator[Row]:
  """Yields the failure rate of one size at each observed step."""
  solved = roles.are(runs.data['outcome'], Outcome)
  for k, step in enumerate(runs.values['observe_steps']):
    failed = int(np.sum(~solved[:, k]))
    yield {
      'num_features': runs.values['num_features'],
      'num_hidden': runs.values['num_hidden'],
      'step': step,
      'failed': failed,
      'total': runs.num_runs,
      'fraction': statistics.wilson(failed, runs.num_runs),
    }


def _ratios(rows: Sequence[Row], first: int, second: int) -> Iterator[Row]:
  """Yields the ratio of failure rates at m = first over m = second."""
  others = {
    (row['num_features'], row['step']): row
    for row in rows
    if row['num_hidden'] == second
  }
  for row in rows:
    other = others.get((row['num_features'], row['step']))
    if row['num_hidden'] != first or other is None:
      continue
    counts = row['failed'], row['total'], other['failed'], other['total']
    yield {
      'num_features': row['num_features'],
      'step': row['step'],
      'first_hidden': first,
      'second_hidden': second,
      'first_failed': row['failed'],
      'first_total': row['total'],
      'second_failed': other['failed'],
      'second_total': other['total'],
      'ratio': statistics.ratio(*counts),
    }


def _draw(
  rows: Sequence[Row], ratios: Sequence[Row], shown: Sequence[int], trained: str
) -> matplotlib.figure.Figure:
  """Draws failure rates against n for each m, and their ratio."""
  figure = matplotlib.figure.Figure(
    (4.4 * (len(shown) + 1), 4.2), layout='constrained'
  )
  *panels, last = figure.subplots(1, len(shown) + 1)
  hidden = sorted({row['num_hidden'] for row in rows})
  for step, axes in zip(shown, panels):
    for place, num_hidden in enumerate(hidden):
      own = [
        row
        for row in rows
        if (row['num_hidden'], row['step']) == (num_hidden, step)
      ]
      _draw_series(axes, own, 'fraction', f'm = {num_hidden}', place)
    axes.set_title(f'after {step:,} steps')
    axes.set_ylabel('share of runs that have not solved')
    axes.set_ylim(-0.02, 1.02)
  for place, step in enumerate(shown, 2):  # Colours of their own.
    own = [row for row in ratios if row['step'] == step]
    _draw_series(last, own, 'ratio', f'{step:,} steps', place)
  last.set_yscale('log')
  last.axhline(1.0, color='black', linewidth=0.8)
  if ratios:
    last.set_ylabel(
      f'failure rate at m = {ratios[0]["first_hidden"]} over '
      f'm = {ratios[0]["second_hidden"]}'
    )
  last.set_title('ratio (Koopman)')
  for axes in (*panels, last):
    axes.set_xlabel('n, features')
    axes.legend()
  fewest = min(row['total'] for row in rows)
  figure.suptitle(
    f'Failure to solve X = I by number of hidden dimensions m ({fewest:,} '
    f'seeds each, {trained}; whiskers: 95 % intervals; triangles: lower end '
    'where no run failed at the second m)',
  )
  return figure


def _draw_series(
  axes, rows: Sequence[Row], name: str, label: str, place: int
) -> None:
  rates.draw_intervals(
    axes,
    x=[row['num_features'] for row in rows],
    intervals=[row[name] for row in rows],
    label=label,
    place=place,
  )

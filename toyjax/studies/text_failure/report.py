"""What the sweep of the tiny text net shows: tables, text and sheets."""

from collections.abc import Mapping, Sequence

import numpy as np

from toyjax import settings, tables
from toyjax.plots import outcomes, sheets
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.statistics import Interval
from toyjax.studies.base import Report
from toyjax.studies.text_failure import counts, figures, rows
from toyjax.studies.text_failure.settings import (
  SETTINGS,
  check_generation,
  words_of,
)
from toyjax.tables import CONFIGURATION, Column, Table, column
from toyjax.texts import printable
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs.

  Raises:
    SettingError: where generation does not fit a list.
  """
  check_generation(values)
  last = values['observe_epochs'][-1]
  pairs = (text.split(':') for text in values['printed_losses'])
  printed = {int(epoch): float(loss) for epoch, loss in pairs}
  summary = Table(
    'summary',
    tables.each(found, counts.summary_rows),
    f'After {last:,} epochs (95 % Wilson intervals; {values["dtype"]}; in a '
    f'tie {text_mlp.TIE_RULE}):',
    (
      CONFIGURATION,
      column('measure'),
      column('class', form=str.lower),
      *tables.shares(interval='95 %'),
    ),
    where=lambda row: (
      row['epoch'] == last and row[counts.SHOWN] and row[''].count > 0
    ),
  )
  generation = Table('generation', tables.each(found, counts.generation_rows))
  best = tables.each(found, lambda runs: [rows.best_row(runs)])
  about = f'({sheets.sizes([runs.num_runs for runs in found])} seeds each)'
  return Report(
    (
      _limits(found),
      summary,
      generation,
      Table('wrong', tables.each(found, counts.wrong_rows)),
      Table('exchange', tables.each(found, counts.exchange_rows)),
      _loss_table(found, printed),
      _nearest(found, printed),
      _temperature_table(found),
      Table(
        'differences',
        list(rows.difference_rows(found)),
        'Share that learned all, less that of the first configuration, seed by '
        'seed:',
        (
          column('configuration'),
          column('less'),
          column('num_pairs', 'pairs of runs', ','),
          *tables.difference('difference', interval='95 %'),
        ),
        where=lambda row: row['epoch'] == last,
      ),
      Table('best', best),
      '\n'.join(
        f'{runs.label}: lowest loss {row["loss"]:.4g} of {row["total"]:,} at '
        f'--seed_index={row["seed_index"]}, {row["outcome"].lower()}'
        for runs, row in zip(found, best)
      ),
    ),
    (
      outcomes.sheet(
        found,
        summary,
        Outcome,
        f'What tiny text nets have learned {about}',
        unit='epoch',
        where=('measure', 'outcome'),
        xlabel='epochs',
      ),
      figures.losses(found, printed, about),
      figures.generation(found, generation, about),
    ),
    {
      **{n: values[n] for n in settings.names_of(SETTINGS, settings.REPORTED)},
      'tie_rule': text_mlp.TIE_RULE,
    },
  )


def _limits(found: Sequence[Runs]) -> str:
  """Says where no net can learn all pairs, since an input has two outputs."""
  lists = {runs.values['pairs']: words_of(runs.values).pairs for runs in found}
  lines = []
  for name, pairs in lists.items():
    possible = len(np.unique(pairs[:, 0]))
    wanted = len(np.unique(pairs, axis=0))
    if possible < wanted:
      lines.append(
        f'{printable(name)}: an input has several outputs, so that no net can '
        f'learn all {wanted} pairs, at most one for each of its {possible} '
        'inputs'
      )
  return '\n\n'.join(lines)


def _loss_table(found: Sequence[Runs], printed: Mapping[int, float]) -> Table:
  def below(row: tables.Row) -> str:
    count = row['count_at_most_printed']
    return '' if count is None else f'{count}/{row["total"]}'

  return Table(
    'losses',
    tables.each(found, lambda runs: rows.loss_rows(runs, printed)),
    'Loss in nats:',
    (
      CONFIGURATION,
      column('epoch'),
      column('q2.5', '2.5 %', '.3f'),
      column('q50', 'median', '.3f'),
      column('q97.5', '97.5 %', '.3f'),
      column('printed', form='g'),
      Column('runs at or below it', below),
    ),
  )


def _nearest(found: Sequence[Runs], printed: Mapping[int, float]) -> str:
  """Names the runs nearest to the printed one, if it was seen twice."""
  epochs = (0, *found[0].values['observe_epochs'])
  seen = [epoch for epoch in epochs if epoch in printed]
  if len(seen) < 2:
    return ''
  target = np.asarray([printed[epoch] for epoch in seen])
  lines = []
  for runs in found:
    losses = rows.losses(runs)[:, [epochs.index(epoch) for epoch in seen]]
    nearest = int(np.abs(losses - target).max(axis=1).argmin())
    shown = ', '.join(f'{loss:.3f}' for loss in losses[nearest])
    lines.append(
      f'{runs.label}: the run nearest to the printed one has {shown} at epochs '
      f'{", ".join(map(str, seen))} '
      f'(--seed_index={runs.data["seed_index"][nearest]})'
    )
  return '\n'.join(lines)


def _temperature_table(found: Sequence[Runs]) -> Table:
  made = tables.each(found, rows.temperature_rows)
  starts = ' or '.join(dict.fromkeys(repr(row['start']) for row in made))

  def mean(cell: Interval) -> str:
    return f'{cell.estimate:.4f}'

  return Table(
    'temperatures',
    made,
    f'Chance that sampling from {starts} ends within L tokens, exact for each '
    'net, mean over nets:',
    (
      CONFIGURATION,
      column('temperature', 'T', 'g'),
      column('max_tokens', 'L'),
      column('total', 'nets'),
      column('mean_prob_end', 'chance', mean),
      column('mean_prob_end', '95 %', lambda c: f'[{c[1]:.4f}, {c[2]:.4f}]'),
      column('greedy_ends:mean_prob_end', 'where greedy ends', mean),
      column('greedy_never_ends:mean_prob_end', 'where it never does', mean),
    ),
  )

"""What the sweep of the tiny text net shows: tables, figures, printed lines.

results.zarr --text_runs--> Configuration --text_tables--> CSV files, figures
"""

from collections.abc import Iterable, Mapping, Sequence
import pathlib
from typing import Any

import numpy as np

from scripts.shared import (
  grids,
  tables,
  text_counts,
  text_figures,
  text_flags,
  text_runs,
  text_tables,
)
from scripts.shared.text_runs import Configuration
from toyjax.plots.texts import printable
from toyjax.toys import text_mlp

_MAX_CYCLES = 4  # Printed; all of them are in summary.csv.


def write(
  path: pathlib.Path, groups: Sequence[grids.Group], settings: Mapping[str, Any]
) -> None:
  """Reads the store, writes all tables and figures, prints the last epoch.

  Args:
    path: the working folder.
    groups: the groups of the store, in order.
    settings: all scientific flags.
  """
  text_flags.check_generation(settings)
  epochs = settings['observe_epochs']
  found = list(text_runs.read(path / 'results.zarr', groups, settings))
  printed = {
    int(epoch): float(loss)
    for epoch, loss in (text.split(':') for text in settings['printed_losses'])
  }
  rows: dict[str, list[Iterable[dict[str, Any]]]] = {
    'summary': [text_counts.summary_rows(c, epochs) for c in found],
    'generation': [text_counts.generation_rows(c, epochs[-1]) for c in found],
    'wrong': [text_counts.wrong_rows(c, epochs[-1]) for c in found],
    'exchange': [text_counts.exchange_rows(c, epochs[-1]) for c in found],
    'losses': [text_tables.loss_rows(c, epochs, printed) for c in found],
    'temperatures': [text_tables.temperature_rows(c, settings) for c in found],
    'best': [[text_tables.best_row(c)] for c in found],
    'differences': [text_tables.difference_rows(found, epochs)],
  }
  made = {
    name: [r for part in parts for r in part] for name, parts in rows.items()
  }
  written = [name for name, own in made.items() if own]
  for name in written:
    tables.write_csv(path / f'{name}.csv', made[name])
  _print_limits(found)
  _print_counts(found, made['summary'], epochs[-1], settings)
  _print_losses(found, made['losses'], printed, epochs)
  _print_temperatures(found, made['temperatures'])
  _print_differences(made['differences'], epochs[-1])
  for configuration, best in zip(found, made['best']):
    print(
      f'{configuration.label}: lowest loss {best["loss"]:.4g} of '
      f'{best["total"]:,} at --seed_index={best["seed_index"]}, '
      f'{best["outcome"].lower()}'
    )
  text_figures.draw_outcomes(
    path / 'outcomes.png', found, made['summary'], epochs
  )
  text_figures.draw_losses(path / 'losses.png', found, epochs, printed)
  text_figures.draw_endings(
    path / 'generation.png',
    found,
    made['generation'],
    epochs[-1],
  )
  names = ', '.join(f'{name}.csv' for name in written)
  print(f'\n{names}, outcomes.png, losses.png and generation.png are in {path}')


def _print_limits(found: Sequence[Configuration]) -> None:
  """Says where no net can learn all pairs, since an input has two outputs."""
  lists = {each.group.static['pairs']: each.words.pairs for each in found}
  for name, pairs in lists.items():
    possible = len(np.unique(pairs[:, 0]))
    wanted = len(np.unique(pairs, axis=0))
    if possible < wanted:
      print(
        f'\n{printable(name)}: an input has several outputs, so that no net '
        f'can learn all {wanted} pairs, at most one for each of its '
        f'{possible} inputs'
      )


def _print_counts(
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  epoch: int,
  settings: Mapping[str, Any],
) -> None:
  """Prints what occurs at the last epoch, but for the less frequent cycles."""
  lines = []
  last = [row for row in rows if row['epoch'] == epoch]
  for configuration in found:
    own = [row for row in last if _is_of(row, configuration)]
    wanted = (
      'outcome',
      'tie',
      'dead layer',
      f'generation from {configuration.start}',
    )
    num_cycles = 0
    for row in own:
      if row['measure'] not in wanted or not row['count']:
        continue
      if '->' in row['class']:
        num_cycles += 1
        if num_cycles > _MAX_CYCLES:
          continue
      lines.append(
        [
          configuration.label,
          row['measure'],
          row['class'].lower(),
          str(row['count']),
          str(row['total']),
          tables.percent(row['fraction']),
          tables.percent_interval(row['lower'], row['upper']),
        ]
      )
  print(
    f'\nAfter {epoch:,} epochs (95 % Wilson intervals; {settings["dtype"]}; in '
    f'a tie {text_mlp.TIE_RULE}):\n'
  )
  header = ('configuration', 'measure', 'class', 'count', 'of', 'share', '95 %')
  print(tables.format_table(header, lines))


def _is_of(row: Mapping[str, Any], configuration: Configuration) -> bool:
  return all(row[name] == value for name, value in configuration.flags.items())


def _print_losses(
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  printed: Mapping[int, float],
  epochs: Sequence[int],
) -> None:
  """Prints the spread of losses beside the printed run, if it was observed."""
  print('\nLoss in nats:\n')
  lines = []
  for configuration in found:
    for row in rows:
      if not _is_of(row, configuration):
        continue
      value = row['printed']
      lines.append(
        [
          configuration.label,
          str(row['epoch']),
          *(f'{row[name]:.3f}' for name in ('q2.5', 'q50', 'q97.5')),
          '' if value is None else f'{value:g}',
          ''
          if value is None
          else f'{row["count_at_most_printed"]}/{row["total"]}',
        ]
      )
  header = (
    *('configuration', 'epoch', '2.5 %', 'median', '97.5 %'),
    *('printed', 'runs at or below it'),
  )
  print(tables.format_table(header, lines))
  seen = [epoch for epoch in (0, *epochs) if epoch in printed]
  if len(seen) < 2:
    return
  columns = [(0, *epochs).index(epoch) for epoch in seen]
  target = np.asarray([printed[epoch] for epoch in seen])
  for configuration in found:
    losses = text_tables.all_losses(configuration)[:, columns]
    gaps = np.abs(losses - target).max(axis=1)
    nearest = int(gaps.argmin())
    shown = ', '.join(f'{loss:.3f}' for loss in losses[nearest])
    print(
      f'{configuration.label}: the run nearest to the printed one has {shown} '
      f'at epochs {", ".join(map(str, seen))} '
      f'(--seed_index={configuration.runs["seed_index"][nearest]})'
    )


def _print_temperatures(
  found: Sequence[Configuration], rows: Sequence[Mapping[str, Any]]
) -> None:
  starts = ' or '.join(dict.fromkeys(repr(row['start']) for row in rows))
  print(
    f'\nChance that sampling from {starts} ends within L tokens, exact for '
    'each net, mean over nets:\n'
  )
  lines = [
    [
      configuration.label,
      f'{row["temperature"]:g}',
      str(row['max_tokens']),
      str(row['total']),
      f'{row["mean_prob_end"]:.4f}',
      f'[{row["lower"]:.4f}, {row["upper"]:.4f}]',
      f'{row["greedy_ends_mean_prob_end"]:.4f}',
      f'{row["greedy_never_ends_mean_prob_end"]:.4f}',
    ]
    for configuration in found
    for row in rows
    if _is_of(row, configuration)
  ]
  header = (
    *('configuration', 'T', 'L', 'nets', 'chance', '95 %'),
    *('where greedy ends', 'where it never does'),
  )
  print(tables.format_table(header, lines))


def _print_differences(rows: Sequence[Mapping[str, Any]], epoch: int) -> None:
  lines = [
    [
      row['configuration'],
      row['less'],
      f'{row["num_pairs"]:,}',
      f'{100.0 * row["difference"]:+.2f}%',
      tables.percent_interval(row['lower'], row['upper']),
    ]
    for row in rows
    if row['epoch'] == epoch
  ]
  if not lines:
    print()
    return
  print(
    '\nShare that learned all, less that of the first configuration, seed '
    'by seed:\n'
  )
  header = ('configuration', 'less', 'pairs of runs', 'difference', '95 %')
  print(tables.format_table(header, lines), end='\n\n')

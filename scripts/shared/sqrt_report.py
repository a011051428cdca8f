"""What the sweep of the nets of one variable shows: tables and figures.

results.zarr --read--> configurations --> rows --> CSV files, text, figures
"""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

from scripts.shared import (
  grids,
  sqrt_figures,
  sqrt_formulas,
  sqrt_rows,
  sqrt_runs,
  tables,
)
from scripts.shared.sqrt_runs import Configuration
from toyjax.toys.sqrt_mlp import Outcome

_SHARE = ('count', 'of', 'share', '95 % interval')


def write(
  path: pathlib.Path,
  groups: Sequence[grids.Group],
  settings: Mapping[str, Any],
  *,
  relabel: bool,
) -> None:
  """Reads the store, writes all tables and figures, prints the last step.

  Args:
    path: the working folder.
    groups: the groups of the store, in order.
    settings: all scientific flags.
    relabel: see `sqrt_runs.read`.
  """
  steps = settings['observe_steps']
  found = list(
    sqrt_runs.read(path / 'results.zarr', groups, settings, relabel=relabel)
  )
  summary = [
    row
    for configuration in found
    for row in tables.outcome_rows(
      configuration.flags, steps, configuration.outcomes, Outcome
    )
  ]
  units = [row for each in found for row in sqrt_rows.unit_rows(each)]
  transitions = [
    row for each in found for row in sqrt_rows.transition_rows(each, steps)
  ]
  regions: list[dict[str, Any]] = []
  agreement: list[dict[str, Any]] = []
  for configuration in found:
    own_regions, own_agreement = _formula_rows(configuration, settings)
    regions += own_regions
    agreement += own_agreement
  newton = sqrt_rows.newton_rows(settings)
  errors = [*(sqrt_rows.error_row(each) for each in found), *newton]
  for name, rows in (
    ('summary', summary),
    ('units', units),
    ('transitions', transitions),
    ('regions', regions),
    ('errors', errors),
    ('agreement', agreement),
  ):
    if rows:
      tables.write_csv(path / f'{name}.csv', rows)

  _print_outcomes(found, summary, steps[-1])
  _print_transitions(found, transitions)
  _print_regions(found, regions, settings)
  _print_agreement(found, agreement, settings)
  _print_errors(found, errors)
  sqrt_figures.draw_outcomes(path / 'outcomes.png', found, summary, settings)
  sqrt_figures.draw_errors(path / 'errors.png', found, errors, settings)
  sqrt_figures.draw_regions(path / 'regions.png', found, regions, settings)
  print(
    '\nsummary, units, transitions, regions, errors, agreement (.csv), '
    f'outcomes, errors and regions (.png) are in {path}'
  )


def _formula_rows(
  configuration: Configuration, settings: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
  """Returns the rows of regions.csv and of agreement.csv."""
  low, high = settings['low'], settings['high']
  num_counted = min(settings['num_counted'], len(configuration.rmse))
  nets = sqrt_formulas.first(configuration.nets, num_counted)
  pieces = sqrt_formulas.first_pieces(
    configuration, num_counted, low=low, high=high
  )
  differences = sqrt_formulas.compare(
    nets,
    pieces,
    low=low,
    high=high,
    num_points=settings['num_checked'],
    dtype=settings['dtype'],
  )
  return (
    sqrt_formulas.region_rows(configuration, pieces),
    sqrt_formulas.agreement_rows(
      configuration, differences, dtype=settings['dtype']
    ),
  )


def _print_outcomes(
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  last_step: int,
) -> None:
  """Prints counts, shares and intervals of all that occurs at the last step."""
  last = [row for row in rows if row['step'] == last_step]
  lines = [
    [found[i // len(Outcome)].label, row['outcome'].lower(), *_cells(row)]
    for i, row in enumerate(last)
    if row['count']
  ]
  print(f'\nAfter {last_step:,} steps (95 % Wilson intervals):\n')
  header = ('configuration', 'outcome', *_SHARE)
  print(tables.format_table(header, lines))


def _print_transitions(
  found: Sequence[Configuration], rows: Sequence[Mapping[str, Any]]
) -> None:
  """Prints where runs went that had collapsed at an earlier step."""
  collapsed = (Outcome.CONSTANT.name, Outcome.ONE_LINE.name)
  lines = [
    [
      each.label,
      f'{row["outcome"].lower()} at {row["step"]:,}',
      row['last_outcome'].lower(),
      *_cells(row),
    ]
    for each in found
    for row in rows
    if _is_of(row, each) and row['outcome'] in collapsed
  ]
  if lines:
    print('\nRuns that had collapsed at an earlier step, at the last one:\n')
    header = ('configuration', 'from', 'to', *_SHARE)
    print(tables.format_table(header, lines))


def _cells(row: Mapping[str, Any]) -> list[str]:
  return [
    str(row['count']),
    str(row['total']),
    tables.percent(row['fraction']),
    tables.percent_interval(row['lower'], row['upper']),
  ]


def _print_regions(
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Prints the counts by number of pieces on the interval."""
  lines = [
    [each.label, str(row['num_regions']), *_cells(row)]
    for each in found
    for row in rows
    if _is_of(row, each) and (row['where'], row['among']) == ('interval', 'all')
  ]
  print(
    f'\nStraight pieces on [{settings["low"]:g}, {settings["high"]:g}], exact '
    'counts; the largest number possible is listed too:\n'
  )
  header = ('configuration', 'pieces', *_SHARE)
  print(tables.format_table(header, lines))


def _print_agreement(
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Prints how many formulas are the net, by either measure."""
  lines = [
    [
      each.label,
      row['relative_to'],
      row['among'],
      *_cells(row),
      ''
      if row['median_difference'] is None
      else f'{row["median_difference"]:.2g}',
      ''
      if row['largest_difference'] is None
      else f'{row["largest_difference"]:.2g}',
    ]
    for each in found
    for row in rows
    if _is_of(row, each)
  ]
  tolerance = sqrt_formulas.TOLERANCES[settings['dtype']]
  print(
    f'\nFormula in plain Python floats against the net in {settings["dtype"]} '
    f'at {settings["num_checked"]:,} points: within {tolerance:g}\n'
  )
  header = (
    *('configuration', 'relative to', 'runs'),
    *(*_SHARE, 'median', 'largest'),
  )
  print(tables.format_table(header, lines))


def _print_errors(
  found: Sequence[Configuration], rows: Sequence[Mapping[str, Any]]
) -> None:
  """Prints the quantiles of the error, nets first, then Newton."""
  labels = [each.label for each in found]
  lines = [
    [
      labels[i] if i < len(labels) else f'newton {row["num_iterations"]}',
      str(row['num_operations']),
      *(f'{row[f"rmse_{name}"]:.3g}' for name in sqrt_rows.QUANTILES),
    ]
    for i, row in enumerate(rows)
  ]
  print('\nRoot mean squared error by operations of one answer:\n')
  print(
    tables.format_table(
      ('configuration', 'operations', *sqrt_rows.QUANTILES), lines
    )
  )


def _is_of(row: Mapping[str, Any], configuration: Configuration) -> bool:
  return all(row[name] == v for name, v in configuration.flags.items())

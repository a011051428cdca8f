"""What the sweep of the nets of one variable shows: tables and sheets."""

from collections.abc import Sequence

from toyjax import tables
from toyjax.plots import outcomes
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.sqrt_failure import figures, formulas, rows
from toyjax.tables import CONFIGURATION, Column, Table, column, shares
from toyjax.toys.sqrt_mlp import THRESHOLDS, Outcome

_COLLAPSED = (Outcome.CONSTANT.name, Outcome.ONE_LINE.name)


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  steps = values['observe_steps']
  last = steps[-1]
  summary = Table(
    'summary',
    tables.each(found, tables.outcomes(steps, Outcome)),
    f'After {last:,} steps (95 % Wilson intervals):',
    (CONFIGURATION, column('outcome', form=str.lower), *shares()),
    where=lambda row: row['step'] == last and row[''].count > 0,
  )
  units = Table('units', tables.each(found, rows.count_units))
  transitions = Table(
    'transitions',
    tables.each(found, rows.count_transitions),
    'Runs that had collapsed at an earlier step, at the last one:',
    (
      CONFIGURATION,
      Column('from', lambda r: f'{r["outcome"].lower()} at {r["step"]:,}'),
      column('last_outcome', 'to', str.lower),
      *shares(),
    ),
    where=lambda row: row['outcome'] in _COLLAPSED,
  )
  regions, agreement = _formula_tables(found, values)
  errors = Table(
    'errors',
    [*map(rows.error_row, found), *rows.newton_rows(values)],
    'Root mean squared error by operations of one answer:',
    (
      CONFIGURATION,
      column('num_operations', 'operations'),
      *(column(f'rmse_{name}', name, '.3g') for name in rows.QUANTILES),
    ),
  )
  title = (
    f'How {figures.nets(values)} end: {figures.runs(found)} seeds each\n'
    f'reached: root mean squared error below {values["solved_rmse"]:g}; '
    'constant and one line: collapsed;'
  )
  return Report(
    (summary, transitions, regions, agreement, errors, units),
    (
      outcomes.sheet(found, summary, Outcome, title),
      figures.errors(found, errors, values),
      figures.regions(found, regions, values),
    ),
    {'thresholds': THRESHOLDS._asdict()},
  )


def _formula_tables(
  found: Sequence[Runs], values: Values
) -> tuple[Table, Table]:
  """Returns the tables of the pieces and of formulas against their nets."""
  dtype = values['dtype']
  pieces, differences = {}, {}
  for runs in found:
    nets = formulas.first_nets(runs, values['num_counted'])
    pieces[runs.label] = formulas.first_pieces(runs, nets)
    differences[runs.label] = formulas.compare(nets, pieces[runs.label], values)
  regions = Table(
    'regions',
    tables.each(
      found, lambda runs: formulas.region_rows(runs, pieces[runs.label])
    ),
    f'Straight pieces on {figures.interval(values)}, exact counts; the largest '
    'number possible is listed too:',
    (CONFIGURATION, column('num_regions', 'pieces'), *shares()),
    where=lambda row: (row['where'], row['among']) == ('interval', 'all'),
  )
  agreement = Table(
    'agreement',
    tables.each(
      found,
      lambda runs: formulas.agreement_rows(runs, differences[runs.label]),
    ),
    f'Formula in plain Python floats against the net in {dtype} at '
    f'{values["num_checked"]:,} points: within {formulas.TOLERANCES[dtype]:g}',
    (
      CONFIGURATION,
      column('relative_to', 'relative to'),
      column('among', 'runs'),
      *shares(),
      column('median_difference', 'median', '.2g'),
      column('largest_difference', 'largest', '.2g'),
    ),
  )
  return regions, agreement

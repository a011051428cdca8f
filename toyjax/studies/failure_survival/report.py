"""What the runs show: four tables, three sheets with one factor a panel."""

import numpy as np

from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.failure_survival import figures, rows
from toyjax.studies.failure_survival.levels import DEFAULT, make_levels
from toyjax.tables import Column, Row, Table, column, difference, shares
from toyjax.toys.relu_autoencoder import THRESHOLDS


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  by_name = {runs.label: runs for runs in found}
  levels = [by_name[name] for name in make_levels(values)]
  last_step = values['num_steps']
  early = [step for step in values['report_steps'] if step < last_step]
  steps = [*sorted(early), last_step]
  summary = [rows.summary_row(runs, levels[0]) for runs in levels]
  level = column('factor'), column('level')
  return Report(
    (
      Table(
        'summary',
        summary,
        f'Solved within {last_step:,} steps (difference: paired by seed):',
        (
          *(*level, column('num_solved', 'solved')),
          *shares('_solved')[1:],
          *difference('difference:'),
          _median('solve', 'median step'),
          column('num_diverged', 'diverged'),
        ),
      ),
      Table(
        '',
        summary,
        'Leaving symmetric failure (steps from entering it):',
        (
          *level,
          *_escapes('escape_symmetric', 'entered'),
          *_escapes('escape_one_dead', 'one dead'),
        ),
      ),
      Table(
        'events',
        [r for runs in levels for r in rows.event_rows(runs, steps)],
        'What runs of the default went through:',
        (column('step'), column('quantity'), *shares()),
        where=lambda row: row['factor'] == DEFAULT,
      ),
      Table('hazards', [r for runs in levels for r in rows.hazard_rows(runs)]),
      Table(
        'learning', [r for runs in levels for r in rows.learning_rows(runs)]
      ),
    ),
    figures.sheets_of(levels, values),
    {'thresholds': THRESHOLDS._asdict()},
  )


def _escapes(name: str, entered: str) -> tuple[Column, ...]:
  return (
    column(f'num_at_risk_{name}', entered),
    column(f'num_events_{name}', 'left'),
    _median(name, 'median'),
  )


def _median(name: str, header: str) -> Column:
  def text(row: Row) -> str:
    step = row[f'median_{name}:'].estimate
    return f'{step:,.0f}' if np.isfinite(step) else 'not reached'

  return Column(header, text)

"""What the study of symmetric failure shows: tables and sheets."""

from collections.abc import Iterable
from typing import Any

import jax

from toyjax import tables
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.symmetric_failure import (
  escapes,
  figures,
  frozen_rows,
  verdicts,
  weak_rows,
)
from toyjax.tables import Column, Row, Table

# Title of each table and what is printed of it; the files have all columns.
_SHOWN = {
  'verdicts': (
    'Second order of exact symmetric failure',
    'num_features norm_factor num_kinks dead_row_coefficient lowest_eigenvalue '
    'lowest_curvature_found path_curvature num_flat verdict decayed_lowest '
    'decayed_verdict',
  ),
  'descents': (
    'Descents that get below 1 - 1/n',
    'num_features norm_factor kick num_below total lower upper num_zero_loss',
  ),
  'escape': (
    'Escape from symmetric failure',
    'num_features optimizer norm_factor start_noise num_never_escaped total '
    'median_escape_step median_escape_lower median_escape_upper num_solved '
    'num_symmetric_at_end',
  ),
  'tilt': (
    'Does the weak row grow?',
    'source num_features weight_decay step num_unsolved num_growing '
    'general_wrong special_wrong lower upper num_assumptions_hold '
    'wrong_where_they_hold',
  ),
  'dead': (
    'Dead rows of training runs',
    'num_features weight_decay step num_dead num_states bias_low bias_median '
    'bias_high num_at_prediction median_norm_of_optimum',
  ),
  'frozen': (
    'The frozen experiment',
    'num_features norm_factor nudge live_rows predicted_epsilon '
    'measured_epsilon aside optimum_norm bias_times_n',
  ),
}


@jax.enable_x64(True)  # Exact points, kinks and all.
def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs.

  Args:
    found: runs from symmetric failure, and those from scratch, whose weights
      were kept.
    values: of all settings.
  """
  left = [runs for runs in found if 'weights' not in runs.data]
  trained = [runs for runs in found if 'weights' in runs.data]
  judged = list(verdicts.verdict_rows(values))
  tilts, dead = weak_rows.rows(trained, values)
  return Report(
    [
      _table('verdicts', judged),
      _table('descents', verdicts.descent_rows(values)),
      _table('escape', map(escapes.row, left)),
      _table('tilt', tilts),
      _table('dead', dead),
      _table('frozen', frozen_rows.rows(values)),
    ],
    [
      Sheet('verdicts', lambda: figures.draw_verdicts(judged)),
      Sheet('escape', lambda: figures.draw_escapes(left, values)),
      Sheet('frozen', lambda: figures.draw_frozen(values)),
    ],
  )


def _table(name: str, rows: Iterable[Row]) -> Table:
  """Returns a table of which some columns are printed."""

  def shown(column: str) -> Column:
    return Column(column, lambda row: _text(dict(tables.flat(row))[column]))

  title, columns = _SHOWN[name]
  return Table(
    name, list(rows), f'{title} ({name}.csv):', [*map(shown, columns.split())]
  )


def _text(value: Any) -> str:
  if value is None:
    return '-'
  return f'{value:.4g}' if isinstance(value, float) else str(value)

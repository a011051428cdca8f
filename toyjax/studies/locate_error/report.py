"""What is shown of one trace: the document, its positions, its trajectory."""

import pathlib

from matplotlib.figure import Figure
import numpy as np

from toyjax import statistics
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.plots import sheets
from toyjax.plots.changepoint import located_errors
from toyjax.plots.sheets import Sheet
from toyjax.plots.texts import LINE, literal, printable
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.locate_error import document, located
from toyjax.studies.locate_error.located import Located
from toyjax.studies.traces import OneTrace
from toyjax.tables import Row, Table


def report(read: OneTrace, found: Located, values: Values) -> Report:
  """Returns the document on a trace, and its numbers as table and picture."""
  text = printable(document.write(read, found, values), keep='\n')

  def write(path: pathlib.Path) -> None:
    path.write_text(f'{text}\n', encoding='utf-8')

  rows = position_rows(found)
  return Report(
    (Table('positions', rows), text),
    (Sheet('trajectory', lambda: _draw(found, rows, values['level'])),),
    located.summary(found),
    {'report.md': write},
  )


def position_rows(found: Located) -> list[Row]:
  """Returns a row for each position with data."""
  trace = found.trace
  columns = {
    'position': trace.chunk_indices,
    'num_correct': trace.num_correct,
    'num_answered': trace.num_answered,
    'is_number_known': trace.is_number_known.astype(int),
    'share:': map(statistics.wilson, trace.num_correct, trace.num_answered),
    'rollouts_used': found.counts.sum(axis=1),
    'p_first_low': found.posterior.astype(float),
    'mean': found.mean.astype(float),
    'lower': found.band.lower.astype(float),
    'upper': found.band.upper.astype(float),
    'mean_several_changes': found.many.mean_rates.astype(float),
  }
  return [dict(zip(columns, cells)) for cells in zip(*columns.values())]


def _draw(found: Located, rows: list[Row], level: float) -> Figure:
  title = '\n'.join(
    literal(line, length=LINE) for line in located.headline(found).split('\n')
  )
  figure, axes = sheets.single(11.0, 5.2, title, loc='left')
  cells = {name: np.asarray([row[name] for row in rows]) for name in rows[0]}
  shares, share_lower, share_upper = cells['share:'].T
  first, last = found.ends(found.place)
  located_errors.draw_located_error(
    axes,
    positions=cells['position'],
    shares=shares,
    share_lower=share_lower,
    share_upper=share_upper,
    mean=cells['mean'],
    lower=cells['lower'],
    upper=cells['upper'],
    many_mean=cells['mean_several_changes'],
    interval=(first, last),
    place=found.position(found.place.best),
    level=level,
    is_drop=found.verdict == Verdict.DROP,
  )
  figure.legend(
    *axes.get_legend_handles_labels(),
    loc='lower center',
    bbox_to_anchor=(0.5, -0.1),
    ncols=2,
  )
  return figure

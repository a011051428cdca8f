"""What the phase diagram shows: cells against theory, and three maps."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import jax
import matplotlib.figure
import numpy as np

from toyjax import statistics, tables
from toyjax.analysis.autoencoder import sparse_pair
from toyjax.analysis.autoencoder.sparse_pair import REPRESENTED, Kind, Optimum
from toyjax.plots import phase, sheets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values, text_of
from toyjax.studies.base import Report
from toyjax.tables import CONFIGURATION, Row, Share, Table, column, shares


class _Point(NamedTuple):
  """What theory says of one point of the diagram."""

  candidates: dict[Kind, float]
  optimum: Optimum

  @property
  def best(self) -> Kind:
    """The candidate of the least loss."""
    return min(self.candidates, key=self.candidates.__getitem__)


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  points = _points(found)
  steps = values['observe_steps']
  summary = Table('summary', tables.each(found, tables.outcomes(steps, Kind)))

  def compare(runs: Runs) -> Iterator[Row]:
    point = points[_place(runs)]
    best = point.optimum.loss
    near = runs.last('loss') <= (1.0 + values['near']) * best
    same = runs.last('outcome') == point.optimum.kind
    yield {
      'step': steps[-1],
      **{f'loss_{k.name.lower()}': v for k, v in point.candidates.items()},
      'best_candidate': point.best.name,
      'loss_optimum': best,
      'optimum': point.optimum.kind.name,
      'median_loss': tables.quantile(runs.last('loss'), 0.5),
      'found': Share(int(near.sum()), runs.num_runs),
      'same_kind': Share(int(same.sum()), runs.num_runs),
    }

  cells = Table(
    'cells',
    tables.each(found, compare),
    f'Runs whose expected loss is within {100 * values["near"]:g} % of the '
    'optimum, where not all are:',
    (
      CONFIGURATION,
      column('best_candidate', 'best candidate'),
      column('optimum'),
      column('loss_optimum', 'its loss', '.4g'),
      column('median_loss', 'median run', '.4g'),
      *shares('found'),
    ),
    where=lambda row: row['found'].count < row['found'].total,
  )
  num_near = sum(row['found'].count for row in cells.rows)
  num_same = sum(row['same_kind'].count for row in cells.rows)
  total = sum(runs.num_runs for runs in found)
  return Report(
    (
      f'{len(found)} points: all runs within {100 * values["near"]:g} % of the '
      f'optimum {Share(num_near, total).text()}; doing what it does '
      f'{Share(num_same, total).text()}',
      cells,
      summary,
    ),
    (Sheet('phases', lambda: _draw(found, points, cells, values)),),
    {'near': values['near'], 'represented': REPRESENTED},
  )


def _place(runs: Runs) -> tuple[float, float]:
  return runs.configuration['density'], runs.configuration['importance']


def _points(found: Sequence[Runs]) -> dict[tuple[float, float], _Point]:
  """Returns what theory says of every (density, importance)."""
  with jax.enable_x64(True):
    return {
      place: _Point(sparse_pair.candidates(*place), sparse_pair.optimum(*place))
      for place in dict.fromkeys(map(_place, found))
    }


def _draw(
  found: Sequence[Runs],
  points: dict[tuple[float, float], _Point],
  cells: Table,
  values: Values,
) -> matplotlib.figure.Figure:
  """Draws the candidates', the optimum's and the first nets' diagrams."""
  densities, importances = values['density'], values['importance']
  first: dict[tuple[float, float], Runs] = {}
  for runs in found:
    first.setdefault(_place(runs), runs)

  def fractions(share_of) -> np.ndarray:
    return np.asarray(
      [[share_of(s, r) for s in densities] for r in importances]
    )

  def one(kind: Kind) -> np.ndarray:
    return np.asarray([code is kind for code in Kind], float)

  def trained(s: float, r: float) -> np.ndarray:
    runs = first[s, r]
    return statistics.counts(runs.last('outcome'), len(Kind)) / runs.num_runs

  panels = {
    'least of three candidates': lambda s, r: one(points[s, r].best),
    'optimum by quadrature': lambda s, r: one(points[s, r].optimum.kind),
    f'trained: {next(iter(first.values())).num_runs:,} seeds a cell': trained,
  }
  figure, axes = sheets.panels(
    len(panels) + 1,
    'Which of two sparse features does one dimension hold?',
    most=len(panels) + 1,
    columns=len(panels) + 1,
    width=4.0,
    height=4.2,
  )
  for own, (title, share_of) in zip(axes, panels.items()):
    handles = phase.draw_phase(
      own,
      columns=[text_of(s) for s in densities],
      rows=[text_of(r) for r in importances],
      outcomes=list(Kind),
      fractions=fractions(share_of),
      texts=None,
    )
    own.set_title(title)
  near = {runs.label: row['found'] for runs, row in zip(found, cells.rows)}
  shares_near = fractions(
    lambda s, r: near[first[s, r].label].interval.estimate
  )
  image = axes[-1].imshow(
    shares_near, origin='lower', aspect='auto', vmin=0.0, vmax=1.0
  )
  figure.colorbar(image, label='share of runs')
  axes[-1].set_title(f'within {100 * values["near"]:g} % of the optimum')
  for own in axes:
    own.set_xticks(range(len(densities)), map(text_of, densities), rotation=90)
    own.set_yticks(range(len(importances)), map(text_of, importances))
    own.set_xlabel('density s of a feature')
  axes[0].set_ylabel('importance r of the second feature')
  figure.legend(handles=handles, loc='outside lower center', ncols=6)
  return figure

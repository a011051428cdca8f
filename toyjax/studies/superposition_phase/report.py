"""What the phase diagram shows: cells against theory, and maps of both."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch
import numpy as np

from toyjax import statistics, tables
from toyjax.analysis.autoencoder import bottleneck_optima, sparse_bottleneck
from toyjax.analysis.autoencoder.sparse_bottleneck import REPRESENTED, Kind
from toyjax.plots import palette, phase, sheets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.tables import Row, Share, Table, column, shares

_AXES = ('density', 'importance')
_Place = tuple[float, float]
_MOST_TICKS = 5
_COLORS = {
  Kind.DIVERGED: palette.BLACK,
  Kind.IGNORES_LAST: palette.BLUE,
  Kind.IGNORES_ANOTHER: palette.SKY,
  Kind.PAIRS_LAST: palette.GREEN,
  Kind.PAIRS_OTHERS: palette.YELLOW,
  Kind.SPREAD: palette.PURPLE,
  Kind.MERGED: palette.VERMILION,
  Kind.WASTES: palette.WINE,
}


class _Point(NamedTuple):
  """What theory says of one point of the diagram."""

  candidates: dict[Kind, float]
  kinds: frozenset[Kind]  # Of all optima, where several are as good.
  loss: float

  @property
  def kind(self) -> Kind:
    """What the optimum does; of several the first, so that maps are even."""
    return min(self.kinds)

  @property
  def best(self) -> Kind:
    """The candidate of the least loss."""
    return min(self.candidates, key=self.candidates.__getitem__)


class _Diagram(NamedTuple):
  """All points of one size, optimizer and so on."""

  configuration: dict[str, Any]
  runs: dict[_Place, Runs]
  points: dict[_Place, _Point]


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  diagrams = _diagrams(found)
  near = values['near']
  cells = [list(_cells(each, near)) for each in diagrams]
  return Report(
    (
      *map(_sentence, diagrams, cells),
      Table(
        'optima',
        [
          {**each.configuration, **row}
          for each, own in zip(diagrams, cells)
          for row in _by_optimum(own)
        ],
        f'Runs within {100 * near:g} % of the optimum, by what that does:',
        (
          column('num_features', 'n'),
          column('optimum'),
          column('num_points', 'points'),
          *shares('found'),
          column('num_points_never', 'points with none'),
          column('largest_below', 'most below candidates', '.2%'),
        ),
      ),
      Table('cells', [row for own in cells for row in own]),
      Table('summary', list(_summary(diagrams, values['observe_steps']))),
    ),
    (Sheet('phases', lambda: _draw(diagrams, cells, near), dpi=90),),
    {'near': near, 'represented': REPRESENTED},
  )


def _diagrams(found: Sequence[Runs]) -> list[_Diagram]:
  """Splits the runs by all settings but the axes, and adds theory."""
  apart: dict[str, _Diagram] = {}
  for runs in found:
    own = {k: v for k, v in runs.configuration.items() if k not in _AXES}
    diagram = apart.setdefault(repr(own), _Diagram(own, {}, {}))
    place = runs.configuration['density'], runs.configuration['importance']
    diagram.runs[place] = runs
  known: dict[int, dict[_Place, _Point]] = {}
  for diagram in apart.values():
    number = diagram.configuration['num_features']
    if number not in known:
      known[number] = _points(list(diagram.runs), number)
    diagram.points.update(known[number])
  return list(apart.values())


def _points(places: list[_Place], num_features: int) -> dict[_Place, _Point]:
  """Returns what theory says of every (density, importance)."""
  with jax.enable_x64(True):
    optima = bottleneck_optima.optima(
      *np.asarray(places).T, num_features=num_features
    )
  return {
    place: _Point(
      sparse_bottleneck.candidates(*place, num_features),
      frozenset(code for code in Kind if kinds[code]),
      loss,
    )
    for place, kinds, loss in zip(places, optima.kinds, optima.loss.tolist())
  }


def _cells(diagram: _Diagram, near: float) -> Iterator[Row]:
  """Yields a row for each point."""
  for place, runs in diagram.runs.items():
    point = diagram.points[place]
    losses, codes = runs.last('loss'), runs.last('outcome')
    counts = statistics.counts(codes, len(Kind))
    is_near = losses <= (1.0 + near) * point.loss
    is_same = np.isin(codes, list(point.kinds))
    yield {
      **runs.configuration,
      **{f'loss_{k.name.lower()}': point.candidates.get(k) for k in _SHOWN},
      'best_candidate': point.best.name,
      'loss_optimum': point.loss,
      'optimum': point.kind.name,
      'below_candidates': 1.0 - point.loss / point.candidates[point.best],
      'median_loss': tables.quantile(losses, 0.5),
      'found': Share(int(is_near.sum()), runs.num_runs),
      'same_kind': Share(int(is_same.sum()), runs.num_runs),
      'num_found_same_kind': int((is_near & is_same).sum()),
      'majority': Kind(int(np.argmax(counts))).name,
      'is_majority_optimal': int(np.argmax(counts) in point.kinds),
      **{f'num_{kind.name.lower()}': int(counts[kind]) for kind in Kind},
    }


_SHOWN = list(sparse_bottleneck.candidates(1.0, 1.0, 3))


def _pooled(rows: Sequence[Row], name: str) -> Share:
  own: list[Share] = [row[name] for row in rows]
  return Share(sum(s.count for s in own), sum(s.total for s in own))


def _by_optimum(cells: Sequence[Row]) -> Iterator[Row]:
  """Yields a row for each kind of optimum of a diagram."""
  for kind in dict.fromkeys(row['optimum'] for row in cells):
    rows = [row for row in cells if row['optimum'] == kind]
    below = [row['below_candidates'] for row in rows]
    found = [row['found'] for row in rows]
    yield {
      'optimum': kind,
      'num_points': len(rows),
      'found': _pooled(rows, 'found'),
      'same_kind': _pooled(rows, 'same_kind'),
      'num_points_always': sum(s.count == s.total for s in found),
      'num_points_majority': sum(row['is_majority_optimal'] for row in rows),
      'num_points_never': sum(s.count == 0 for s in found),
      'num_points_of_candidate': sum(
        row['best_candidate'] == kind for row in rows
      ),
      'median_below': float(np.median(below)),
      'largest_below': max(below),
    }


def _sentence(diagram: _Diagram, cells: Sequence[Row]) -> str:
  number = diagram.configuration['num_features']
  other = sum(row['optimum'] != row['best_candidate'] for row in cells)
  return (
    f'n={number}: {len(cells)} points; runs near the optimum '
    f'{_pooled(cells, "found").text()}; doing what it does '
    f'{_pooled(cells, "same_kind").text()}; points whose optimum is of '
    f'another kind than the best candidate {Share(other, len(cells)).text()}'
  )


def _summary(
  diagrams: Sequence[_Diagram], steps: Sequence[int]
) -> Iterator[Row]:
  """Yields the outcomes at each step, all points of a diagram together."""
  for diagram in diagrams:
    parts = [runs.data['outcome'] for runs in diagram.runs.values()]
    codes = np.concatenate(parts)
    for k, step in enumerate(steps):
      counts = statistics.counts(codes[:, k], len(Kind))
      for kind in Kind:
        share = Share(int(counts[kind]), len(codes))
        yield {
          **diagram.configuration,
          'step': step,
          'outcome': kind.name,
          '': share,
        }


def _draw(
  diagrams: Sequence[_Diagram], cells: Sequence[Sequence[Row]], near: float
) -> Figure:
  """Draws the maps of theory and of the nets, a row for each size."""
  figure, axes = sheets.panels(
    4 * len(diagrams),
    'Which of n sparse features do n - 1 dimensions hold?',
    most=8,
    columns=4,
    width=3.5,
    height=3.2,
  )
  for k, (diagram, rows) in enumerate(zip(diagrams[:2], cells)):
    image = _draw_row(axes[4 * k : 4 * k + 4], diagram, rows, near)
    figure.colorbar(image, ax=axes[4 * k + 3], label='share of runs')
  figure.legend(
    handles=[
      Patch(color=color, label=kind.name.lower().replace('_', ' '))
      for kind, color in _COLORS.items()
    ],
    loc='outside lower center',
    ncols=8,
  )
  return figure


def _draw_row(
  own: Sequence[Axes], diagram: _Diagram, cells: Sequence[Row], near: float
) -> AxesImage:
  """Draws four maps and returns the image of the shares near the optimum."""
  densities, importances = (
    list(dict.fromkeys(place[axis] for place in diagram.runs))
    for axis in (0, 1)
  )
  number = diagram.configuration['num_features']
  rows = dict(zip(diagram.runs, cells))
  num_runs = next(iter(diagram.runs.values())).num_runs

  def fractions(share_of: Callable[[_Place], Any]) -> np.ndarray:
    return np.asarray(
      [[share_of((s, r)) for s in densities] for r in importances]
    )

  def one(kind: Kind) -> np.ndarray:
    return np.asarray([code is kind for code in Kind], float)

  def trained(place: _Place) -> np.ndarray:
    counts = [rows[place][f'num_{kind.name.lower()}'] for kind in Kind]
    return np.asarray(counts) / sum(counts)

  panels = {
    f'n = {number}: least of the candidates': lambda place: one(
      diagram.points[place].best
    ),
    f'n = {number}: optimum by quadrature': lambda place: one(
      diagram.points[place].kind
    ),
    f'n = {number}: {num_runs:,} nets a cell, stacked': trained,
  }
  for axes, (title, share_of) in zip(own, panels.items()):
    phase.draw_fine_phase(
      axes,
      fractions=fractions(share_of),
      colors=[_COLORS[kind] for kind in Kind],
      num_levels=min(num_runs, 100),
    )
    axes.set_title(title)
  image = own[-1].imshow(
    fractions(lambda place: rows[place]['found'].interval.estimate),
    origin='lower',
    aspect='auto',
    vmin=0.0,
    vmax=1.0,
  )
  own[-1].set_title(f'n = {number}: within {100 * near:g} % of the optimum')
  for axes in own:
    for values, set_ticks in (
      (densities, axes.set_xticks),
      (importances, axes.set_yticks),
    ):
      number = min(len(values), _MOST_TICKS)
      places = np.linspace(0, len(values) - 1, number).round().astype(int)
      set_ticks(places, [f'{values[i]:.3g}' for i in places])
    axes.set_xlabel('density s of a feature')
  own[0].set_ylabel('importance r of the last feature')
  return image

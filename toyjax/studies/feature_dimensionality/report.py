"""What the nets show: D*, what D_i gathers at, who misses the least loss."""

from collections.abc import Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from toyjax import scheduled, tables
from toyjax.analysis.autoencoder.dimensionality import (
  PUBLISHED_LINES,
  STICKING,
  Packing,
)
from toyjax.plots import palette, rates, sheets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values, text_of
from toyjax.studies.base import Report
from toyjax.tables import (
  CONFIGURATION,
  Column,
  Row,
  Share,
  Table,
  column,
  shares,
)

_MOST_PANELS = 4


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  sizes = sorted({_size(runs) for runs in found})
  cells = Table(
    'cells',
    tables.each(found, lambda runs: _cell(runs, values['margin'])),
    'D* at the last step, and runs above the least loss by more than '
    f'{values["margin"]:g} of what a feature left out costs:',
    (
      CONFIGURATION,
      column('ratio_median', 'D*', '.3f'),
      column('ratio_least', 'from', '.3f'),
      column('ratio_most', 'to', '.3f'),
      column('ratio_change', 'since halfway', '.1e'),
      *shares('missed'),
    ),
  )
  lines = Table(
    'lines',
    tables.each(found, lambda runs: _lines([runs], values['distance'])),
    f'Features whose D_i is within {values["distance"]:g} of a published line, '
    'a tenth of them or more:',
    (
      CONFIGURATION,
      column('geometry', 'line'),
      *shares('near'),
      _of_share('beside'),
      _of_share('scattered'),
    ),
    where=lambda row: row['near'].interval.estimate >= 0.1,
  )
  pooled = {size: [r for r in found if _size(r) == size] for size in sizes}
  lines_of_all = Table(
    'pooled',
    [
      {'num_features': size[0], 'num_hidden': size[1], **row}
      for size in sizes
      for row in _lines(pooled[size], values['distance'])
    ],
    'The same of all densities:',
    (
      *(column('num_features', 'n'), column('num_hidden', 'm')),
      column('geometry', 'line'),
      *shares('near'),
      *(_of_share('beside'), _of_share('scattered')),
    ),
  )
  counted = tables.outcomes(values['observe_steps'], Packing)
  sheet = Sheet('dimensionality', lambda: _draw(found, sizes), dpi=95)
  misses = Sheet('misses', lambda: _draw_misses(cells.rows, values))
  return Report(
    (cells, lines, lines_of_all, Table('summary', tables.each(found, counted))),
    (sheet, misses) if len(sizes) > 1 else (sheet,),
    {
      **{name: values[name] for name in ('distance', 'margin')},
      'sticking': STICKING,
    },
  )


def _of_share(name: str) -> Column:
  return column(name, name, lambda s: tables.percent(s.interval.estimate))


def _size(runs: Runs) -> tuple[int, int]:
  return runs.values['num_features'], runs.values['num_hidden']


def _cell(runs: Runs, margin: float) -> Iterator[Row]:
  """Yields D* and the losses of one configuration."""
  ratios, losses = runs.data['dimensions_per_feature'], runs.last('loss')
  least = float(np.min(losses, where=np.isfinite(losses), initial=np.inf))
  density = runs.configuration['density']
  cost = (density / 3.0 - density**2 / 4.0) / runs.values['num_features']
  missed = ~(losses <= least + margin * cost)
  steps = runs.values['observe_steps']
  before = scheduled.halfway(steps)
  change = np.abs(ratios[:, -1] / ratios[:, before] - 1.0)
  fall = runs.data['loss'][:, before] / losses - 1.0
  yield {
    'step': steps[-1],
    **{
      f'ratio_{name}': tables.quantile(ratios[:, -1], q)
      for name, q in (('least', 0.0), ('median', 0.5), ('most', 1.0))
    },
    'before': steps[before],
    'ratio_change': tables.quantile(change, 0.5),
    'loss_left_out': cost,
    'loss_least': least,
    'loss_median': tables.quantile(losses, 0.5),
    'loss_fall': tables.quantile(fall, 0.5),
    'missed': Share(int(missed.sum()), runs.num_runs),
  }


def _lines(found: Sequence[Runs], distance: float) -> Iterator[Row]:
  """Yields how many features are at each line, beside it, and by chance."""
  nets = np.concatenate([runs.last('dimensionality') for runs in found])
  scattered = np.concatenate([runs.data['scattered'] for runs in found])
  for line in PUBLISHED_LINES:
    away = np.abs(nets - line.value)
    # The two bands beside a line are together as wide as it is.
    beside = (away > distance) & (away <= 2.0 * distance)
    each = np.mean(away <= distance, axis=1)
    yield {
      'geometry': line.geometry,
      'line': line.value,
      'near': _share(away <= distance),
      'beside': _share(beside),
      'scattered': _share(np.abs(scattered - line.value) <= distance),
      'near_least_net': float(each.min()),
      'near_most_net': float(each.max()),
    }


def _share(are_so: np.ndarray) -> Share:
  return Share(int(are_so.sum()), are_so.size)


def _draw(found: Sequence[Runs], sizes: Sequence[tuple[int, int]]) -> Figure:
  """Draws D_i and D* over the density, a panel for each size."""
  figure, axes = sheets.panels(
    len(sizes),
    'How much of a dimension each sparse feature gets: every feature of every '
    'trained net, and D* = m / |W|² of each net',
    most=_MOST_PANELS,
    columns=min(len(sizes), 2),
    width=9.0 if len(sizes) == 1 else 6.5,
    height=5.0,
  )
  for own, size in zip(axes, sizes):
    first: dict[float, Runs] = {}
    for runs in found:
      if _size(runs) == size:
        first.setdefault(runs.configuration['density'], runs)
    _draw_size(own, first)
    own.set_title(
      f'n = {size[0]}, m = {size[1]}, '
      f'{next(iter(first.values())).num_runs} nets a density'
    )
  handles, labels = axes[0].get_legend_handles_labels()
  figure.legend(handles, labels, loc='outside lower center', ncols=3)
  return figure


def _draw_size(axes: Axes, first: dict[float, Runs]) -> None:
  """Draws a strip of D_i, and one of random directions, for each density."""
  densities = sorted(first, reverse=True)
  rng = np.random.default_rng(0)
  for line in PUBLISHED_LINES:
    axes.axhline(line.value, color='0.75', linewidth=0.8, zorder=0)
    # 2/5 and 3/8 are too close for two names side by side.
    is_above = line.geometry == 'pentagon'
    axes.text(
      len(densities) - 0.45,
      line.value,
      line.geometry,
      va='bottom' if is_above else 'center',
      fontsize='small',
      color='0.35',
    )
  for place, density in enumerate(densities):
    runs = first[density]
    for name, shift, color, text in (
      ('dimensionality', -0.17, palette.BLUE, '$D_i$ of a feature'),
      ('scattered', 0.17, '0.6', 'same lengths, random directions'),
    ):
      values = runs.data[name]
      values = values[:, -1] if values.ndim == 3 else values
      x = place + shift + 0.13 * rng.uniform(-1.0, 1.0, values.size)
      label = '' if place else text
      axes.plot(
        x, values.ravel(), '.', ms=1.2, color=color, alpha=0.5, label=label
      )
    ratios = runs.last('dimensions_per_feature')
    x = np.full(len(ratios), place)
    label = '' if place else 'D* of a net'
    axes.plot(x, ratios, 'D', ms=4, color=palette.VERMILION, label=label)
  axes.set_xticks(range(len(densities)), [text_of(p) for p in densities])
  axes.set_xlim(-0.6, len(densities) - 0.5)
  axes.set_ylim(-0.03, 1.12)
  axes.set_xlabel('density p of a feature: rarer to the right')
  axes.set_ylabel('dimensions')


def _draw_misses(rows: Sequence[Row], values: Values) -> Figure:
  """Draws how many runs miss the least loss, by n and m, at each density."""
  densities = values['density']
  figure, axes = sheets.panels(
    len(densities),
    'Runs that end above the least loss of all seeds by more than '
    f'{values["margin"]:g} of what a feature left out costs',
    most=_MOST_PANELS,
    width=5.5,
    height=3.6,
  )
  for own, density in zip(axes, densities):
    for place, m in enumerate(values['num_hidden']):
      here = [
        row
        for row in rows
        if (row['density'], row['num_hidden']) == (density, m)
      ]
      rates.draw_intervals(
        own,
        x=[row['num_features'] for row in here],
        intervals=[row['missed'].interval for row in here],
        label=f'm = {m}',
        place=place,
      )
    own.set_title(f'density p = {text_of(density)}')
    own.set_xlabel('n, features')
    own.set_ylabel('share of runs')
    own.legend()
  return figure

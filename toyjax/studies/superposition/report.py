"""What the nets show: polygons, features, the switch, the pairs."""

from collections.abc import Iterator, Sequence

import jax
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from toyjax import scheduled, statistics, tables
from toyjax.analysis.autoencoder import feature_pairs, rarer_feature
from toyjax.analysis.autoencoder.feature_pairs import Placement
from toyjax.analysis.autoencoder.polygons import THRESHOLDS, Polygon
from toyjax.analysis.autoencoder.sparse_quadrature import MOST_FEATURES
from toyjax.plots import phase, rates, sheets, stacked
from toyjax.plots.latent import typical_nets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.superposition.settings import PAIRS
from toyjax.tables import CONFIGURATION, Row, Share, Table, column, shares


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  graded, rarer, paired = (
    [runs for runs in found if runs.values['part'] in parts]
    for parts in (['importance'], ['sparser'], PAIRS)
  )
  cells = Table(
    'cells',
    tables.each(found, _cell),
    'The commonest polygon of each point:',
    (
      CONFIGURATION,
      column('commonest'),
      *shares(),
      column('least_loss', 'least loss has'),
      column('settled', 'same halfway', lambda s: f'{s.count} of {s.total}'),
    ),
    where=lambda row: row['part'] == 'importance',
  )
  sparser = Table(
    'sparser',
    tables.each(rarer, _rarer),
    'One feature is rarer than the others. Nets that keep it:',
    (CONFIGURATION, *shares('kept'), column('optimum', 'least loss')),
  )
  switch = Table('switch', [_switches(sparser.rows)] if rarer else [])
  pairs = Table(
    'pairs',
    tables.each(paired, _pairs),
    'How pairs of features are placed:',
    (CONFIGURATION, column('placement'), *shares()),
    where=lambda row: row[''].count > 0,
  )
  panels = (
    ('shares of nets by what they represent', _draw_graded, graded),
    ('one feature is rarer', _draw_rarer, sparser.rows),
    ('pairs of features', _draw_pairs, paired),
  )
  counts = tables.outcomes(values['observe_steps'], Polygon)
  rows = tables.each(found, counts)
  occurring = {row['outcome'] for row in rows if row[''].count}
  rows = [row for row in rows if row['outcome'] in occurring]
  return Report(
    (
      *(cells, sparser, switch, pairs),
      Table('summary', rows),
      Table('kept', tables.each(found, _kept)),
    ),
    (
      Sheet('phases', lambda: _draw(panels, found[0].num_runs), dpi=90),
      Sheet(
        'nets',
        lambda: typical_nets.draw_typical_nets(
          found,
          Polygon,
          title='A net of each kind, of the median loss, from where the kind '
          'is commonest: vectors $W_i$, and zones where outputs are on',
          most=10,
        ),
        dpi=60,
      ),
    ),
    {'thresholds': dict(THRESHOLDS._asdict())},
  )


def _kept(runs: Runs) -> Iterator[Row]:
  """Yields how many nets represent each feature."""
  for i, count in enumerate(runs.last('is_represented').sum(axis=0)):
    yield {'feature': i, '': Share(int(count), runs.num_runs)}


def _cell(runs: Runs) -> Iterator[Row]:
  """Yields what most nets do and what the best does, and if they still move."""
  steps = runs.values['observe_steps']
  last, losses = runs.last('outcome'), runs.data['loss']
  counts = statistics.counts(last, len(Polygon))
  commonest = int(counts.argmax())
  before = scheduled.halfway(steps)
  same = runs.data['outcome'][:, before] == last
  losses = np.where(np.isfinite(losses), losses, np.inf)
  yield {
    'step': steps[-1],
    'commonest': Polygon(commonest).name,
    '': Share(int(counts[commonest]), runs.num_runs),
    'loss_commonest': tables.quantile(losses[last == commonest], 0.5),
    'least_loss': Polygon(int(last[losses.argmin()])).name,
    'loss_least': float(losses.min()),
    'before': steps[before],
    'settled': Share(int(same.sum()), runs.num_runs),
  }


def _rarer(runs: Runs) -> Iterator[Row]:
  """Yields how many nets keep the rarer feature, beside the least losses."""
  n, last = runs.values['num_features'], runs.last('outcome')
  ratio = runs.configuration['relative_density']
  row = dict.fromkeys(('loss_whole', 'loss_without', 'optimum', '_excess'))
  if n <= MOST_FEATURES:
    density = runs.configuration['base_density']
    found = rarer_feature.minima(n, density=density, relative_density=ratio)
    numbers = found.whole.loss, found.without.loss, found.best.name
    row = dict(zip(row, (*numbers, found.excess)))

  def share(are_so: np.ndarray) -> Share:
    return Share(int(are_so.sum()), runs.num_runs)

  yield {
    'times_sparser': 1.0 / ratio,
    'kept': share(runs.last('is_represented')[:, 0]),
    'whole': share(last == rarer_feature.regular(n)),
    'without': share(last == rarer_feature.regular(n - 1)),
    **row,
  }


def _switches(rows: Sequence[Row]) -> dict[str, float | None]:
  """Returns the ratios of densities where the least loss and nets change."""
  rows = sorted(rows, key=lambda row: row['relative_density'])
  ratios = [row['relative_density'] for row in rows]
  excess = {
    'least_loss': [row['_excess'] for row in rows],
    'half_of_nets': [0.5 - row['kept'].interval.estimate for row in rows],
  }
  return {k: rarer_feature.crossing(ratios, v) for k, v in excess.items()}


def _placements(runs: Runs) -> np.ndarray:
  """Returns how many nets place their pairs in each way, int [K]."""
  place = jax.vmap(lambda w: feature_pairs.place(w, thresholds=THRESHOLDS))
  return statistics.counts(place(runs.last('weights')), len(Placement))


def _pairs(runs: Runs) -> Iterator[Row]:
  for kind, count in zip(Placement, _placements(runs)):
    yield {'placement': kind.name, '': Share(int(count), runs.num_runs)}


def _draw(panels: Sequence[tuple], num_seeds: int) -> Figure:
  """Draws a panel for each part that there is, the kinds of pairs in one."""
  panels = [panel for panel in panels if panel[-1]]
  figure, axes = sheets.panels(
    len(panels),
    f'Sparse features in two dimensions: {num_seeds:,} seeds a point, and what '
    'all of the trained nets do',
    most=len(panels),
    columns=len(panels),
    width=5.4,
    height=4.6,
  )
  for own, (title, draw, shown) in zip(axes, panels):
    draw(own, shown)
    own.set_title(title)
  return figure


def _draw_graded(axes: Axes, found: Sequence[Runs]) -> None:
  """Draws the shares of polygons over density and importance."""
  handles = phase.draw_phase_of_runs(
    axes, found, Polygon, column='density', row='importance_decay'
  )
  axes.set_xlabel('density p of a feature')
  axes.set_ylabel('r: feature i has the importance $r^i$')
  axes.figure.legend(handles=handles, loc='outside lower center', ncols=6)


def _draw_rarer(axes: Axes, rows: Sequence[Row]) -> None:
  """Draws how many nets keep the feature, and where the least loss does."""
  names = {'kept': 'keep the rarer feature', 'without': 'others alone, regular'}
  for place, (name, label) in enumerate(names.items()):
    rates.draw_intervals(
      axes,
      x=[row['times_sparser'] for row in rows],
      intervals=[row[name].interval for row in rows],
      label=label,
      place=place,
    )
  ratio = _switches(rows)['least_loss']
  if ratio:
    axes.axvline(1.0 / ratio, color='k', ls='--', label='least loss changes')
  axes.set_xlabel('how many times rarer it is than each of the others')
  axes.set_ylabel('share of nets')
  axes.legend(loc='upper right', bbox_to_anchor=(0.85, 1.0), fontsize='small')


def _draw_pairs(axes: Axes, found: Sequence[Runs]) -> None:
  """Draws the shares of placements, a bar for each kind of pairs."""
  counts = np.asarray([_placements(runs) for runs in found])
  # What is left over comes last, in grey.
  kinds = [k for k in Placement if k and counts[:, k].any()]
  kinds.append(Placement.DIVERGED)
  stacked.draw_stacked(
    axes,
    labels=[runs.label for runs in found],
    classes=[kind.name.lower().replace('_', ' ') for kind in kinds],
    fractions=counts[:, kinds] / counts.sum(axis=1, keepdims=True),
  )
  axes.set_xlabel('share of nets')
  axes.legend(loc='upper center', ncols=3, bbox_to_anchor=(0.5, -0.15))

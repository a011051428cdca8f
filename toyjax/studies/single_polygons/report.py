"""What is shown of the polygons: theory, counts, and all losses in order."""

from collections.abc import Iterator, Sequence

import jax
from matplotlib.figure import Figure
import numpy as np

from toyjax import tables
from toyjax.analysis.autoencoder import polygons, single_polygons
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.plots import palette, sheets
from toyjax.plots.sheets import Sheet
from toyjax.plots.texts import LINE, literal
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.tables import CONFIGURATION, Row, Share, Table, column, shares

# Fewest corners of a k-gon that is drawn and compared with.
_LEAST = 4


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  theory = {n: _best(n) for n in dict.fromkeys(values['num_features'])}
  near = values['near']
  summary = Table(
    'summary',
    tables.each(found, tables.outcomes(values['observe_steps'], Polygon)),
  )

  def count(runs: Runs) -> Iterator[Row]:
    return _ends(runs, theory[runs.configuration['num_features']], near)

  return Report(
    (
      Table(
        'polygons',
        [row for n in theory for row in _rows(n, theory[n])],
        'The best regular k-gons, exactly; others answer 0 or their mean:',
        (
          column('num_features', 'n'),
          column('num_corners', 'k'),
          column('dead_bias', 'others answer', '.4f'),
          column('radius', form='.4f'),
          column('bias', form='.4f'),
          column('loss', 'E|y - x|^2', '.5f'),
          column('published', form='.5f'),
        ),
      ),
      Table(
        'ends',
        tables.each(found, count),
        f'Runs by the polygon they end in, and how many of these are within '
        f'{100 * near:g} % of the best k-gon of as many features:',
        (
          CONFIGURATION,
          column('outcome'),
          *shares('share'),
          column('median_loss', 'median loss', '.5f'),
          column('lowest_loss', 'lowest', '.5f'),
          column('near', 'near', lambda share: f'{share.count}'),
        ),
      ),
      summary,
    ),
    (Sheet('losses', lambda: _draw(found, theory)),),
    {'near': near, **polygons.THRESHOLDS._asdict()},
  )


def _best(num_features: int) -> list[single_polygons.Polygon]:
  """Returns the best k-gons, the others at 0 and at their mean."""
  with jax.enable_x64(True):
    return [
      single_polygons.best(corners, num_features, with_means=with_means)
      for corners in range(min(_LEAST, num_features), num_features + 1)
      for with_means in (False, True)
      if corners < num_features or not with_means
    ]


def _rows(
  num_features: int, theory: Sequence[single_polygons.Polygon]
) -> Iterator[Row]:
  for each in theory:
    place = each.num_live, each.dead_bias > 0.0
    published = single_polygons.PUBLISHED if num_features == 6 else {}
    yield {
      'num_features': num_features,
      'num_corners': each.num_live,
      'radius': round(each.radius, 8),
      'bias': round(each.bias, 8) + 0.0,
      'dead_bias': each.dead_bias,
      'loss': each.loss,
      'published': published.get(place),
    }


def _ends(
  runs: Runs, theory: Sequence[single_polygons.Polygon], near: float
) -> Iterator[Row]:
  """Yields a row for each outcome that occurs, the most frequent first."""
  codes, losses = runs.last('outcome'), runs.last('loss')
  corners = runs.last('num_represented')
  least = {each.num_live: each.loss for each in reversed(theory)}
  for each in theory:
    least[each.num_live] = min(least[each.num_live], each.loss)
  bounds = np.asarray([least.get(k, np.nan) for k in corners.tolist()])
  is_near = losses <= (1.0 + near) * bounds
  lowest = losses <= (1.0 + near) * min(least.values())
  kinds, counts = np.unique(codes, return_counts=True)
  for kind in kinds[np.argsort(-counts, kind='stable')]:
    own = codes == kind
    yield {
      'outcome': Polygon(kind).name,
      'share': Share(int(own.sum()), runs.num_runs),
      'near': Share(int((own & is_near).sum()), int(own.sum())),
      'near_lowest': Share(int((own & lowest).sum()), runs.num_runs),
      'lowest_loss': float(losses[own].min()),
      'median_loss': tables.quantile(losses[own], 0.5),
      'highest_loss': float(losses[own].max()),
    }


def _draw(
  found: Sequence[Runs], theory: dict[int, list[single_polygons.Polygon]]
) -> Figure:
  """Draws the losses of all runs in order, above those of the k-gons."""
  figure, all_axes = sheets.panels(
    len(found),
    'Losses of all runs in order, by the polygon that they end in',
    most=6,
    width=6.6,
    height=4.2,
  )
  styles = dict(zip(Polygon, palette.styles_of(list(Polygon))))
  for axes, runs in zip(all_axes, found):
    losses = runs.last('loss')
    order = np.argsort(losses, kind='stable')
    codes = runs.last('outcome')[order]
    places = np.arange(len(order)) / len(order)
    for kind in Polygon:
      own = codes == kind
      if own.any():
        axes.scatter(
          places[own],
          losses[order][own],
          s=9,
          color=styles[kind].color,
          label=f'{kind.name.lower().replace("_", " ")} ({own.sum():,})',
        )
    for each in theory[runs.configuration['num_features']]:
      if each.loss > 1.3 * np.nanmax(losses):
        continue
      axes.axhline(each.loss, color='0.4', linewidth=0.8, linestyle='--')
      means = ', others at their mean' if each.dead_bias else ''
      axes.annotate(
        f'{each.num_live}-gon{means}: {each.loss:.5f}',
        (0.3, each.loss),
        xytext=(0, 4),
        textcoords='offset points',
        fontsize='small',
        color='0.25',
      )
    axes.set_title(f'{literal(runs.label, length=LINE)}, {len(order):,} runs')
    axes.set_xlabel('share of runs with a lower loss')
    axes.set_ylabel('expected loss E|y - x|²')
    axes.legend(fontsize='small', loc='center left', bbox_to_anchor=(1.0, 0.5))
  return figure

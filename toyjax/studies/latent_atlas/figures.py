"""The atlas: a latent plane for each class of runs, with its share."""

from collections.abc import Sequence
import textwrap

import matplotlib.figure
import numpy as np

from toyjax.plots import sheets
from toyjax.plots.latent import latent_plane
from toyjax.plots.sheets import Sheet
from toyjax.studies.latent_atlas.classes import Population
from toyjax.tables import Row, percent, percent_interval

_BY = {
  'outcome': 'label',
  'certificate': 'certified verdict and catalogue entry, after polishing',
}


def atlas(
  population: Population, classes: Sequence[Row], max_panels: int
) -> Sheet:
  """Returns a panel for each member of each class, the largest classes first.

  Args:
    population: the runs, m = 2.
    classes: from `classes.classify`.
    max_panels: in all.
  """
  return Sheet(
    f'atlas_{population.runs.stage}',
    lambda: _draw(population, classes, max_panels),
    is_cropped=False,
    dpi=110,
  )


def _draw(
  population: Population, classes: Sequence[Row], max_panels: int
) -> matplotlib.figure.Figure:
  every = [(row, member) for row in classes for member in row['_members']]
  shown, hidden = every[:max_panels], every[max_panels:]
  # Four in a row, or three where that leaves fewer places empty.
  widest = min((4, 3), key=lambda c: (-len(shown) % c, -c))
  columns = min(len(shown), widest)
  num_lines = max(_wrap(row['class']).count('\n') + 1 for row, _ in shown)
  names = {row['class'] for row, _ in hidden}
  names -= {row['class'] for row, _ in shown}
  rest = [row[''].count for row in classes if row['class'] in names]
  left_out = (
    f'\nNot shown: {len(rest)} more classes, {sum(rest):,} runs in all (see '
    'atlas.csv).'
    if rest
    else ''
  )
  figure, panels = sheets.panels(
    len(shown),
    f'How {len(population.codes):,} ReLU autoencoders stand after '
    f'{population.step:,} steps: {population.title}\n'
    f'A panel is a class ({_BY[population.by]}): share of runs with its 95 % '
    'Wilson interval,\nand the latent plane of a typical run, whose row norms '
    f'and SSE are nearest to the class medians, turned.{left_out}',
    most=len(shown),
    columns=columns,
    width=max(3.0, 8.4 / columns),
    height=4.3 + 0.22 * num_lines,
  )
  figure.set_layout_engine('constrained', h_pad=0.09 * num_lines)
  for axes, (row, member) in zip(panels, shown):
    _draw_member(axes, population, row, member)
  latent_plane.legend_below(figure, 9.5)
  return figure


def _draw_member(axes, population: Population, row: Row, member: int) -> None:
  """Draws one run of a class, with the share of the class above the first."""
  weights, bias = population.weights[member], population.bias[member]
  share, interval = row[''], row[''].interval
  heading = (
    f'{share.count:,} of {share.total:,}: '
    f'{percent(interval.estimate).replace("%", " %")}\n95 % interval '
    f'{percent_interval(interval)}'
  )
  if member != row['_members'][0]:
    heading = 'a less typical run\nof this class'
  axes.set_title(_wrap(row['class']), fontsize=11, fontweight='bold', pad=36)
  axes.annotate(
    heading,
    xy=(0.5, 1.0),
    xycoords='axes fraction',
    xytext=(0, 4),
    textcoords='offset points',
    ha='center',
    va='bottom',
    fontsize=9.5,
    annotation_clip=False,
  )
  if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
    axes.text(
      0.5, 0.5, 'not finite', transform=axes.transAxes, ha='center', va='center'
    )
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_aspect(1.0)
    return
  weights = _turn_up(weights)
  latent_plane.draw_latent_plane(
    axes,
    weights=weights,
    bias=bias,
    view=latent_plane.view_of(weights, margin=1.32),
    compact=True,
  )
  number = population.runs.data['run'][member]
  sse = population.sse[member]
  axes.set_xlabel(f'SSE {sse:.3g}, run {number}', fontsize=9)


def _wrap(name: str) -> str:
  """Breaks the name of a class to the width of a panel."""
  verdict, colon, entry = name.partition(': ')
  lines = textwrap.wrap(entry, 30) if colon else []
  return '\n'.join([f'{verdict}{colon.strip()}', *lines])


def _turn_up(weights: np.ndarray) -> np.ndarray:
  """Turns W [2, N] so that its longest row points up; nothing else changes."""
  longest = weights[:, np.argmax(np.linalg.norm(weights, axis=0))]
  norm = np.linalg.norm(longest)
  if norm == 0.0:
    return weights
  x, y = longest / norm
  return np.asarray([[y, -x], [x, y]]) @ weights

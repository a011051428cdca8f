"""The atlas: a latent plane for each class of runs, with its share."""

from collections.abc import Mapping, Sequence
import pathlib
import textwrap
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared.atlas_classes import Class, Population
from scripts.shared.tables import percent, percent_interval
from toyjax.plots import latent_plane

_DPI = 110
_BY = {
  'outcome': 'label',
  'certificate': 'certified verdict and catalogue entry, after polishing',
}


def rows(
  columns: Mapping[str, Any], population: Population, classes: Sequence[Class]
) -> list[dict[str, Any]]:
  """Returns a row for each class: counts, interval, SSE, its typical run."""
  return [
    {
      **columns,
      'step': population.step,
      'by': population.by,
      'class': found.name,
      'count': found.num_runs,
      'total': found.total,
      'fraction': found.share.estimate,
      'lower': found.share.lower,
      'upper': found.share.upper,
      'sse_05': float(found.sse[0]),
      'sse_median': float(found.sse[1]),
      'sse_95': float(found.sse[2]),
      'typical_run': int(population.runs[found.members[0]]),
    }
    for found in classes
  ]


def draw_atlas(
  path: pathlib.Path,
  population: Population,
  classes: Sequence[Class],
  *,
  max_panels: int,
) -> None:
  """Draws a panel for each member of each class, the largest classes first."""
  panels = [(found, member) for found in classes for member in found.members]
  shown, hidden = panels[:max_panels], panels[max_panels:]
  # Four in a row, or three where that leaves fewer places empty.
  widest = min((4, 3), key=lambda c: (-len(shown) % c, -c))
  columns = min(len(shown), widest)
  num_rows = -(-len(shown) // columns)
  width = max(3.0 * columns, 8.4)
  num_lines = max(_wrap(found.name).count('\n') + 1 for found, _ in shown)
  figure = matplotlib.figure.Figure(
    (width, (3.7 + 0.22 * num_lines) * num_rows + 1.5), layout='constrained'
  )
  figure.set_layout_engine('constrained', h_pad=0.09 * num_lines)
  axes = figure.subplots(num_rows, columns, squeeze=False).ravel()
  for place, (found, member) in zip(axes, shown):
    _draw_member(place, population, found, int(member))
  for place in axes[len(shown) :]:
    place.set_axis_off()
  names = {found.name for found, _ in hidden} - {f.name for f, _ in shown}
  rest = [found for found in classes if found.name in names]
  left_out = (
    f'\nNot shown: {len(rest)} more classes, '
    f'{sum(found.num_runs for found in rest):,} runs in all (see atlas.csv).'
    if rest
    else ''
  )
  figure.suptitle(
    f'How {len(population.codes):,} ReLU autoencoders stand after '
    f'{population.step:,} steps: {population.title}\n'
    f'A panel is a class ({_BY[population.by]}): share of runs with its 95 % '
    'Wilson interval,\nand the latent plane of a typical run, whose row norms '
    f'and SSE are nearest to the class medians, turned.{left_out}',
    fontsize=11,
  )
  figure.legend(
    handles=latent_plane.legend_handles(),
    loc='outside lower center',
    ncols=3,
    frameon=False,
    fontsize=9.5,
  )
  figure.savefig(path, dpi=_DPI)


def _draw_member(axes, population: Population, found: Class, member: int):
  weights, bias = population.weights[member], population.bias[member]
  first = member == found.members[0]
  share = percent_interval(found.share.lower, found.share.upper)
  heading = (
    f'{found.num_runs:,} of {found.total:,}: '
    f'{percent(found.share.estimate).replace("%", " %")}\n95 % interval {share}'
  )
  if not first:
    heading = 'a less typical run\nof this class'
  sse = f'SSE {population.sse[member]:.3g}, run {population.runs[member]}'
  axes.set_title(_wrap(found.name), fontsize=11, fontweight='bold', pad=36)
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
  axes.set_xlabel(sse, fontsize=9)


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

"""Vectors in the plane and losses, at the end and through training."""

import pathlib

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from toyjax.analysis.autoencoder import polygons
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.plots import palette, sheets
from toyjax.plots.latent import moving, vectors
from toyjax.runs import Runs

_COLORS = (palette.VERMILION, palette.BLUE)
_NAMES = ('by hand', 'by the gradient')


def draw(found: list[Runs]) -> Figure:
  """Draws a typical net of each update, and the losses of all runs."""
  figure, grid = sheets.panels(
    3 * len(found),
    "Superposition by the article's update and by the gradient of its loss:\n"
    'two nets from one start on the same batches, a row for each n',
    most=9,
    columns=3,
    width=3.9,
    height=3.9,
  )
  for place, runs in enumerate(found[:3]):
    row = grid[3 * place : 3 * place + 3]
    run = _typical(runs)
    reach = 1.25 * max(1.0, np.abs(runs.data['ends'][run, :, 0]).max())
    for u, axes in enumerate(row[:2]):
      _draw_plane(axes, runs.data['ends'][run, u, 0], reach)
      kind = Polygon(int(runs.data['outcome'][run, u, 0]))
      loss = runs.data['loss'][run, u, 0]
      words = kind.name.lower().replace('_', ' ')
      axes.set_title(f'{runs.label}, {_NAMES[u]}: {words}\nL = {loss:.4f}')
    _draw_losses(row[2], runs)
  return figure


def _typical(runs: Runs) -> int:
  """Returns a run that ends as most do by hand, of the largest such polygon."""
  by_hand = runs.data['outcome'][:, 0, 0]
  hexagons = np.flatnonzero(by_hand == Polygon.HEXAGON)
  if len(hexagons):
    lengths = np.linalg.norm(runs.data['ends'][hexagons, 0, 0], axis=1)
    # The published one has feature 7 if any has.
    has = lengths[:, 7] > polygons.THRESHOLDS.represented
    return int(hexagons[np.argmax(has)])
  return int(np.argmax(by_hand == np.bincount(by_hand).argmax()))


def _draw_plane(axes: Axes, weights: np.ndarray, reach: float) -> None:
  vectors.draw_vectors(
    axes,
    vectors=weights,
    reach=reach,
    named_from=polygons.THRESHOLDS.represented,
  )
  axes.set_xlabel('hidden unit 1')


def _draw_losses(axes: Axes, runs: Runs) -> None:
  """Draws the median moving average of each update, and the middle half."""
  steps = np.asarray(runs.values['observe_steps'])
  for u, name in enumerate(_NAMES):
    low, middle, high = np.quantile(
      runs.data['average_loss'][:, u], (0.25, 0.5, 0.75), axis=0
    )
    axes.fill_between(steps, low, high, color=_COLORS[u], alpha=0.25)
    axes.plot(steps, middle, color=_COLORS[u], label=name)
  axes.set_title(
    f'{runs.label}: loss of {runs.num_runs:,} runs,\nmedian and middle half'
  )
  axes.set_xlabel('steps')
  axes.set_ylabel('L, moving average')
  axes.legend()


def animate(runs: Runs, path: pathlib.Path, *, num_frames: int) -> None:
  """Writes both nets of one run through training, beside their losses."""
  run = _typical(runs)
  moving.animate_vectors(
    path,
    titles=[f'{runs.label}, {name}' for name in _NAMES],
    steps=runs.values['observe_steps'],
    vectors=runs.data['weights'][run],
    losses=runs.data['average_loss'][run],
    colors=_COLORS,
    named_from=polygons.THRESHOLDS.represented,
    num_frames=num_frames,
  )

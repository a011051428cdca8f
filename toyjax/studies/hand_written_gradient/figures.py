"""Vectors in the plane and losses, at the end and through training."""

import pathlib

from matplotlib.axes import Axes
import matplotlib.figure
import numpy as np

from toyjax.analysis.autoencoder import polygons
from toyjax.analysis.autoencoder.hand_written import UPDATES
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.plots import animations, palette, sheets
from toyjax.plots.latent.latent_plane import feature_colors
from toyjax.runs import Runs

_COLORS = (palette.VERMILION, palette.BLUE)
_NAMES = ('by hand', 'by the gradient')


def draw(found: list[Runs]) -> matplotlib.figure.Figure:
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
  for runs, row in zip(found, np.reshape(grid, (-1, 3))):
    run = _typical(runs)
    reach = 1.25 * max(1.0, np.abs(runs.data['ends'][run, :, 0]).max())
    for u, axes in enumerate(row[:2]):
      _draw_vectors(axes, runs.data['ends'][run, u, 0], reach)
      kind = Polygon(int(runs.data['outcome'][run, u, 0]))
      loss = runs.data['loss'][run, u, 0]
      axes.set_title(f'{runs.label}, {_NAMES[u]}: {_words(kind)}\nL = {loss:.4f}')
    _draw_losses(row[2], runs)
  return figure


def _words(kind: Polygon) -> str:
  return kind.name.lower().replace('_', ' ')


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


def _draw_vectors(axes: Axes, weights: np.ndarray, reach: float) -> None:
  """Draws the columns of W [2, N] as dots, the longer ones with their names."""
  axes.add_patch(
    matplotlib.patches.Circle(
      (0, 0), 1.0, fill=False, edgecolor='#C8C8C4', linestyle=':'
    )
  )
  lengths = np.linalg.norm(weights, axis=0)
  for i, color in enumerate(feature_colors(weights.shape[1])):
    axes.plot(*zip((0, 0), weights[:, i]), color=color, linewidth=1.2)
    axes.plot(*weights[:, i], 'o', color=color, markersize=5)
    if lengths[i] > polygons.THRESHOLDS.represented:
      axes.annotate(
        str(i),
        1.12 * weights[:, i],
        color=color,
        ha='center',
        va='center',
        fontweight='bold',
      )
  axes.set_xlim(-reach, reach)
  axes.set_ylim(-reach, reach)
  axes.set_aspect('equal')
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
  """Writes vectors of one run through training beside its moving average.

  Axes stay; frames are evenly spaced in distance travelled by both nets.
  """
  run = _typical(runs)
  weights, losses = (
    runs.data[name][run] for name in ('weights', 'average_loss')
  )
  steps = runs.values['observe_steps']
  flat = np.moveaxis(weights, 1, 0).reshape(len(steps), -1)
  frames = animations.evenly_moving(flat, max(num_frames, 2))[:num_frames]
  reach = 1.25 * max(1.0, np.abs(weights).max())
  figure = matplotlib.figure.Figure((9.6, 3.6), layout='constrained')
  *planes, curve = figure.subplots(1, len(UPDATES) + 1)
  for u, name in enumerate(_NAMES):
    curve.plot(steps, losses[u], color=_COLORS[u], label=name)
  cursor = curve.axvline(steps[0], color='black', linewidth=1.0)
  curve.set_title('loss, moving average', fontsize=9.5)
  curve.set_xlabel('steps')
  curve.legend(fontsize=8)

  def draw_frame(frame: int) -> None:
    k = frames[frame]
    for u, axes in enumerate(planes):
      axes.clear()
      _draw_vectors(axes, weights[u, k], reach)
      axes.set_title(
        f'{runs.label}, {_NAMES[u]}, step {steps[k]:,}', fontsize=9.5
      )
    cursor.set_xdata([steps[k], steps[k]])

  animations.write_animation(
    figure,
    draw_frame,
    num_frames=len(frames),
    frames_per_second=8,
    dpi=80,
    path=path,
  )

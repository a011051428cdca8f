"""Figures of one run: the plane, its way there, WᵀW, tilt, an animation."""

from collections.abc import Sequence
import functools
import pathlib
from typing import Any, NamedTuple

import matplotlib.figure
from matplotlib.gridspec import GridSpec
import numpy as np

from toyjax.plots import animations, palette, sheets
from toyjax.plots.latent import gram, latent_plane, tilt, training
from toyjax.plots.latent.latent_plane import View
from toyjax.plots.sheets import Sheet
from toyjax.runs import Arrays
from toyjax.studies.base import Report
from toyjax.toys.relu_autoencoder import Outcome


class Trajectory(NamedTuple):
  """One run at many steps, as far as all its numbers are finite.

  Attributes:
    name: of the run, for titles.
    steps: int [T].
    weights: W [T, M, N].
    bias: b [T, N].
    sse: [T].
    outcomes: [T] codes.
    solved_sse: where a run counts as solved.
    cut_at: the first observed step that is not finite, or None.
  """

  name: str
  steps: np.ndarray
  weights: np.ndarray
  bias: np.ndarray
  sse: np.ndarray
  outcomes: np.ndarray
  solved_sse: float
  cut_at: int | None

  def stages(self, number: int) -> np.ndarray:
    """Returns indices of steps that are evenly spaced in distance travelled."""
    points = np.concatenate(
      [self.weights.reshape(len(self.steps), -1), self.bias], axis=1
    )
    return animations.evenly_moving(points, number)

  def state(self, k: int) -> str:
    """Says in words how the run stands at its k-th step."""
    label = Outcome(int(self.outcomes[k])).name.lower().replace('_', ' ')
    return f'step {self.steps[k]:,}: {label}, SSE {self.sse[k]:.3g}'


def make_trajectory(
  name: str, steps: Sequence[int], seen: Arrays, solved_sse: float
) -> Trajectory:
  """Returns the trajectory of a run, cut before it is no longer finite.

  Args:
    name: of the run.
    steps: at which it was observed, length T.
    seen: weights, bias, sse and outcome by name, [T, ...].
    solved_sse: where a run counts as solved.
  """
  finite = np.isfinite(seen['sse'])
  for array in (seen['weights'], seen['bias']):
    finite &= np.isfinite(array).reshape(len(steps), -1).all(axis=1)
  number = len(steps) if finite.all() else int(np.argmin(finite))
  return Trajectory(
    name=name,
    steps=np.asarray(steps[:number]),
    weights=seen['weights'][:number],
    bias=seen['bias'][:number],
    sse=seen['sse'][:number],
    outcomes=seen['outcome'][:number],
    solved_sse=solved_sse,
    cut_at=None if number == len(steps) else int(steps[number]),
  )


def pictures(
  run: Trajectory, *, num_stages: int, num_frames: int, outputs: Sequence[int]
) -> Report:
  """Returns all pictures of a run, and what was left out and why.

  Args:
    run: what is drawn.
    num_stages: panels of stages.png.
    num_frames: of the animation; 0 makes none.
    outputs: three of the tilt view; none to choose them.
  """
  drawn = {
    'training': functools.partial(_draw_training, run),
    'gram': functools.partial(_draw_gram, run),
  }
  moving, left_out = [], []
  num_hidden, num_features = run.weights.shape[1:]
  if num_hidden != 2:
    left_out.append(
      f'no latent plane, tilt or animation: m = {num_hidden}, not 2'
    )
  else:
    drawn['stages'] = functools.partial(_draw_stages, run, num_stages)
    if num_features >= 3:
      drawn['tilt'] = functools.partial(_draw_tilt, run, outputs)
    else:
      left_out.append(f'no tilt view: n = {num_features}, less than 3')
    moving += ['animation.gif'] * bool(num_frames)
  if moving and animations.mp4_is_possible():
    moving.append('animation.mp4')
  elif moving:
    left_out.append(
      'no animation.mp4: install ffmpeg for it; animation.gif is there'
    )
  write = functools.partial(_animate, run, num_frames)
  return Report(
    ['\n'.join(left_out)],
    [Sheet(name, draw, dpi=120) for name, draw in drawn.items()],
    files=dict.fromkeys(moving, write),
  )


def _draw_plane(
  axes, run: Trajectory, k: int, view: View, **form: bool
) -> None:
  latent_plane.draw_latent_plane(
    axes,
    weights=run.weights[k],
    bias=run.bias[k],
    view=view,
    **{'compact': True, **form},
  )


def _draw_training(run: Trajectory) -> matplotlib.figure.Figure:
  """Latent plane at the end beside SSE, norms and biases through training."""
  is_plane = run.weights.shape[1] == 2
  figure = matplotlib.figure.Figure(
    (11.5 if is_plane else 5.8, 6.4), layout='constrained'
  )
  curves_at: Any = figure
  explained = ''
  if is_plane:
    halves: Any = figure.subfigures(1, 2, width_ratios=[1.15, 1.0])
    left, curves_at = halves
    explained = (
      '. Numbers at the tips: what output i gives for input i, then each '
      'other output that is on there.'
    )
    axes = left.subplots()
    view = latent_plane.view_of(run.weights[-1], margin=1.4)
    _draw_plane(axes, run, -1, view, compact=False)
    axes.set_title(f'The latent plane at {run.state(-1)}')
    axes.legend(
      handles=latent_plane.legend_handles(),
      loc='upper center',
      bbox_to_anchor=(0.5, -0.1),
      ncols=2,
      fontsize=8,
    )
  curves = curves_at.subplots(3, 1, sharex=True)
  _draw_sse(curves[0], run)
  norms = np.linalg.norm(run.weights, axis=1)
  for axes, values, ylabel in (
    (curves[1], norms, 'row norm $|W_i|$'),
    (curves[2], run.bias, 'bias $b_i$'),
  ):
    training.draw_features(axes, steps=run.steps, values=values, ylabel=ylabel)
  curves[2].set_xlabel('optimizer steps (square-root scale)')
  curves[0].set_title('SSE, norms and biases through training', fontsize=10)
  cut = f', not finite from step {run.cut_at:,} on' if run.cut_at else ''
  figure.suptitle(f'{run.name}{cut}{explained}', fontsize=10.5)
  return figure


def _draw_sse(axes, run: Trajectory) -> None:
  training.draw_sse(
    axes,
    steps=run.steps,
    sse=run.sse,
    solved_sse=run.solved_sse,
    num_features=run.bias.shape[1],
  )


def _draw_stages(run: Trajectory, num_stages: int) -> matplotlib.figure.Figure:
  """The latent plane at steps evenly spaced in distance travelled."""
  chosen = run.stages(num_stages)
  figure, panels = sheets.panels(
    len(chosen),
    f'{run.name}: the latent plane on its way. Panels are evenly spaced in '
    'distance\ntravelled by weights and biases, not in steps; all have one '
    'scale.',
    most=len(chosen),
    columns=3,
    width=3.6,
    height=4.5,
  )
  figure.set_layout_engine('constrained', h_pad=0.09)
  view = latent_plane.view_of(run.weights[chosen], margin=1.2)
  for axes, k in zip(panels, chosen):
    _draw_plane(axes, run, k, view)
    axes.set_title(run.state(k).replace(': ', '\n', 1), fontsize=9)
  latent_plane.legend_below(figure, 8)
  return figure


def _draw_gram(run: Trajectory) -> matplotlib.figure.Figure:
  """WᵀW and b at the last step."""
  figure, axes = sheets.single(
    6.6,
    6.2,
    f'{run.name}: $W^TW$ and $b$ at\n{run.state(-1)}\n'
    'framed: output i is on for input j, $W_i^TW_j + b_i$ > '
    f'{latent_plane.MARKED:g}',
  )
  image = gram.draw_gram(axes, weights=run.weights[-1], bias=run.bias[-1])
  figure.colorbar(image, ax=axes, shrink=0.8, label='$W_i^TW_j$ and $b_i$')
  return figure


def _draw_tilt(
  run: Trajectory, outputs: Sequence[int]
) -> matplotlib.figure.Figure:
  """The latent polygon in three output dimensions, at four steps."""
  figure = matplotlib.figure.Figure((10.0, 9.0))
  chosen = run.stages(5)[-4:]
  right, back, upright = outputs or tilt.choose_outputs(run.weights[chosen])
  for place, k in enumerate(chosen, 1):
    axes = figure.add_subplot(2, 2, place, projection='3d')
    tilt.draw_tilt(
      axes,
      weights=run.weights[k],
      bias=run.bias[k],
      outputs=(right, back, upright),
    )
    axes.set_title(run.state(k), fontsize=9.5, y=0.97)
  figure.suptitle(
    f'{run.name}: the latent polygon as outputs {right}, {back} and '
    f'{upright} (upright) see it before the ReLU.\n'
    'Dashed: the floor at 0, where the ReLU cuts; coloured: the zone of output '
    f'{upright}, above it. Dotted: what input {upright} lacks\n'
    'of its target, the star at 1. A level polygon says nothing of the input; '
    'as the row grows it tilts.',
    fontsize=10.5,
  )
  figure.subplots_adjust(0.0, 0.03, 0.95, 0.9, wspace=0.06, hspace=0.08)
  return figure


def _animate(run: Trajectory, num_frames: int, path: pathlib.Path) -> None:
  """Vectors and zones through training, with the loss and a cursor below."""
  chosen = run.stages(num_frames)
  view = latent_plane.view_of(run.weights, margin=1.18)
  figure = matplotlib.figure.Figure((4.8, 6.4))
  grid = GridSpec(
    2, 1, figure, height_ratios=[3.9, 1.0], hspace=0.14, left=0.14, right=0.94,
    top=0.90, bottom=0.075,
  )  # fmt: skip
  plane, curve = (figure.add_subplot(grid[part]) for part in (0, 1))
  _draw_sse(curve, run)
  curve.set_ylim(bottom=1e-4)  # What lies below is solved.
  curve.set_xlabel('optimizer steps (square-root scale)')
  cursor = curve.axvline(run.steps[0], color=palette.VERMILION, linewidth=1.6)

  def draw(frame: int) -> None:
    k = chosen[frame]
    plane.clear()
    _draw_plane(plane, run, k, view)
    plane.set_title(f'{run.name}\n{run.state(k)}', fontsize=9.5)
    cursor.set_xdata([run.steps[k], run.steps[k]])

  animations.write_animation(
    figure,
    draw,
    num_frames=len(chosen),
    frames_per_second=12,
    dpi=90,
    path=path,
  )

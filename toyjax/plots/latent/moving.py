"""An animation of vectors that move in the plane while the loss falls."""

from collections.abc import Sequence
import pathlib

from matplotlib.figure import Figure
import numpy as np

from toyjax.plots import animations
from toyjax.plots.latent.vectors import draw_vectors


def animate_vectors(
  path: pathlib.Path,
  *,
  titles: Sequence[str],
  steps: Sequence[int],
  vectors: np.ndarray,
  losses: np.ndarray,
  colors: Sequence[str],
  named_from: float,
  num_frames: int,
) -> None:
  """Writes A nets through training side by side, and their losses.

  Axes stay; frames are evenly spaced in distance travelled by all nets.

  Args:
    path: of the .gif or .mp4.
    titles: [A].
    steps: [K] at which the nets were seen.
    vectors: [A, K, 2, N].
    losses: [A, K], such as moving averages.
    colors: [A], of their curves.
    named_from: length from which a vector has its number.
    num_frames: at most, >= 2.
  """
  flat = np.moveaxis(vectors, 1, 0).reshape(len(steps), -1)
  frames = animations.evenly_moving(flat, num_frames)
  reach = 1.25 * max(1.0, float(np.abs(vectors).max()))
  figure = Figure((3.2 * (len(titles) + 1), 3.6), layout='constrained')
  *planes, curve = figure.subplots(1, len(titles) + 1)
  for own, color in zip(losses, colors):
    curve.plot(steps, own, color=color)
  (marks,) = curve.plot([], [], 'o', color='black', markersize=4)
  curve.set_title('loss, moving average', fontsize=9.5)
  curve.set_xlabel('steps')

  def draw(frame: int) -> None:
    k = frames[frame]
    for axes, title, own, color in zip(planes, titles, vectors, colors):
      axes.clear()
      draw_vectors(axes, vectors=own[k], reach=reach, named_from=named_from)
      axes.set_title(f'{title}, step {steps[k]:,}', fontsize=9.5, color=color)
    marks.set_data([steps[k]] * len(losses), losses[:, k])

  animations.write_animation(
    figure,
    draw,
    num_frames=len(frames),
    frames_per_second=8,
    dpi=80,
    path=path,
  )

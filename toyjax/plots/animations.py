"""Writes a figure that is drawn anew for each frame as a GIF and as an MP4."""

from collections.abc import Callable
import os
import pathlib
from typing import Any

from matplotlib import animation
from matplotlib.figure import Figure
import numpy as np
from PIL import Image

_NUM_COLORS = 64  # Of a GIF, of either kind.
_HELD_SECONDS = 2  # The last frame.


class PalettePillowWriter(animation.PillowWriter):
  """A GIF writer whose frames share one palette, so that the file is small."""

  _frames: list[Image.Image]

  def finish(self) -> None:
    """Reduces all frames to one palette, holds the last, and writes."""
    frames = [frame.convert('RGB') for frame in self._frames]
    few = frames[:: max(len(frames) // 6, 1)]
    width, height = few[0].size
    sheet = Image.new('RGB', (width, height * len(few)))
    for k, frame in enumerate(few):
      sheet.paste(frame, (0, k * height))
    palette = _make_palette(sheet)
    self._frames = [
      frame.quantize(palette=palette, dither=Image.Dither.NONE)
      for frame in frames
    ]
    self._frames += self._frames[-1:] * (_HELD_SECONDS * self.fps)
    super().finish()


def _make_palette(sheet: Image.Image) -> Image.Image:
  """Returns a palette of the commonest colours, and of colours far from them.

  Fills are few colours of many pixels each and stay exact. Thin coloured lines
  are many colours of few pixels each, which medians would lose.
  """
  counted: Any = sheet.getcolors(sheet.width * sheet.height)
  commonest = [color for _, color in sorted(counted, reverse=True)]
  rest = sheet.quantize(colors=_NUM_COLORS, method=Image.Quantize.MAXCOVERAGE)
  flat = [level for color in commonest[:_NUM_COLORS] for level in color]
  palette = Image.new('P', (1, 1))
  palette.putpalette([*flat, *(rest.getpalette() or [])][: 3 * 256])
  return palette


def mp4_is_possible() -> bool:
  """Whether ffmpeg, which writes MP4 files, is on this machine."""
  return animation.FFMpegWriter.isAvailable()


def write_animation(
  figure: Figure,
  draw: Callable[[int], None],
  *,
  num_frames: int,
  frames_per_second: int,
  dpi: int,
  path: pathlib.Path,
) -> None:
  """Writes the frames to `path`, by its suffix a .gif or an .mp4.

  The last frame stands still for two seconds.

  Args:
    figure: what is written.
    draw: frame number -> None; draws that frame on the figure.
    num_frames: >= 1.
    frames_per_second: >= 1.
    dpi: pixels per inch.
    path: of the file, replaced in one move.

  Raises:
    ValueError: on another suffix, or an .mp4 where there is no ffmpeg.
  """
  writer: animation.AbstractMovieWriter
  if path.suffix == '.gif':
    writer = PalettePillowWriter(fps=frames_per_second)
  elif path.suffix == '.mp4':
    if not mp4_is_possible():
      raise ValueError(f'{path.name} needs ffmpeg, which is not here')
    writer = animation.FFMpegWriter(fps=frames_per_second)
  else:
    raise ValueError(f'{path.name} must end in .gif or .mp4')
  partial = path.with_name(f'{path.stem}.partial{path.suffix}')
  with writer.saving(figure, str(partial), dpi=dpi):
    for frame in range(num_frames):
      draw(frame)
      writer.grab_frame()
    if path.suffix == '.mp4':
      for _ in range(_HELD_SECONDS * frames_per_second):
        writer.grab_frame()
  os.replace(partial, path)


def evenly_moving(trajectory: np.ndarray, num_frames: int) -> np.ndarray:
  """Chooses frames that are evenly spaced in distance travelled.

  A run that creeps for thousands of steps and then jumps is shown creeping in
  few frames and jumping in many.

  Args:
    trajectory: [T, D] finite.
    num_frames: >= 2.

  Returns:
    Increasing indices into the T points, at most `num_frames`, the first and
    the last among them.
  """
  moved = np.linalg.norm(np.diff(trajectory, axis=0), axis=1)
  travelled = np.concatenate([[0.0], np.cumsum(moved)])
  wanted = np.linspace(0.0, travelled[-1], num_frames)
  found = np.searchsorted(travelled, wanted).clip(0, len(travelled) - 1)
  return np.unique([0, *found, len(travelled) - 1])

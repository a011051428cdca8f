"""Sheets: whole pictures with their title, size and file, drawn when asked for.

Sheet --.figure()--> Figure; --.save(folder)--> NAME.png
"""

from collections.abc import Callable, Sequence
import math
import pathlib
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from toyjax.plots import style

DPI = 160


class Sheet(NamedTuple):
  """One picture.

  Attributes:
    name: of the file.
    draw: makes the figure.
    is_cropped: whether margins follow what is drawn outside of the axes.
    dpi: of the file.
  """

  name: str
  draw: Callable[[], Figure]
  is_cropped: bool = True
  dpi: int = DPI

  def figure(self) -> Figure:
    """Returns the picture, in the house's style."""
    with style.house_style():
      return self.draw()

  def save(self, folder: pathlib.Path) -> None:
    """Writes the picture as NAME.png."""
    crop: Any = {'bbox_inches': 'tight'} if self.is_cropped else {}
    path = folder / f'{self.name}.png'
    with style.house_style():
      self.draw().savefig(path, dpi=self.dpi, **crop)


def single(
  width: float, height: float, title: str, **options: Any
) -> tuple[Figure, Axes]:
  """Returns a figure of one panel; `options` are of its title, such as loc."""
  figure = Figure((width, height))
  axes = figure.subplots()
  axes.set_title(title, **options)
  return figure, axes


def panels(
  number: int,
  title: str,
  *,
  most: int,
  columns: int = 2,
  width: float = 6.2,
  height: float = 3.2,
  **options: Any,
) -> tuple[Figure, list[Axes]]:
  """Returns a figure of several panels, and says where some are left out.

  Args:
    number: of panels that there could be.
    title: above all.
    most: panels that are drawn.
    columns: of them.
    width: of one, in inches.
    height: of one, in inches.
    **options: of `Figure.subplots`, such as sharey.
  """
  shown = min(number, most)
  columns = min(shown, columns)
  rows = math.ceil(shown / columns)
  figure = Figure((width * columns, height * rows + 0.4), layout='constrained')
  grid = figure.subplots(rows, columns, squeeze=False, **options).ravel()
  for axes in grid[shown:]:
    axes.axis('off')
  if number > shown:
    figure.text(
      0.99,
      0.01,
      f'the first {shown} of {number} configurations',
      ha='right',
      fontsize='small',
    )
  figure.suptitle(title)
  return figure, list(grid[:shown])


def legend_beside(axes: Axes, **options: Any) -> None:
  """Puts the legend to the right of the axes."""
  axes.legend(loc='center left', bbox_to_anchor=(1.01, 0.5), **options)


def sizes(numbers: Sequence[int]) -> str:
  """Returns '4,096', or '1,000 to 4,096' where sizes differ."""
  ends = dict.fromkeys([min(numbers), max(numbers)])
  return ' to '.join(f'{number:,}' for number in ends)

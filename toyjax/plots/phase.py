"""The phase diagram: how runs end over a grid of two hyperparameters."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch, Rectangle
import numpy as np

from toyjax import statistics
from toyjax.plots import palette
from toyjax.roles import Outcome
from toyjax.runs import Runs


def draw_phase(
  axes: Axes,
  *,
  columns: Sequence[str],
  rows: Sequence[str],
  outcomes: Sequence[Outcome],
  fractions: np.ndarray,
  texts: Sequence[Sequence[str]] | None,
) -> list[Patch]:
  """Draws a cell for each point of the grid, filled by its shares of outcomes.

  Within a cell the outcomes are stacked from below, as in
  `outcomes.draw_outcome_shares`.

  Args:
    axes: where to draw.
    columns: [C] names of the columns, left to right.
    rows: [R] names of the rows, from the bottom up.
    outcomes: [K] all outcomes.
    fractions: [R, C, K] shares that add up to 1 in each cell.
    texts: [R][C] what is written in each cell; None writes nothing.

  Returns:
    Handles of the outcomes that occur, for a legend.
  """
  occurring = [k for k in range(len(outcomes)) if fractions[..., k].any()]
  every = palette.styles_of(outcomes)
  styles = [every[k] for k in occurring]
  width, height = 0.94, 0.92
  for r, c in np.ndindex(fractions.shape[:2]):
    bottom = r - height / 2
    for k, style in zip(occurring, styles):
      part = height * fractions[r, c, k]
      axes.add_patch(
        Rectangle(
          (c - width / 2, bottom),
          width,
          part,
          facecolor=style.color,
          hatch=style.hatch,
          edgecolor=(0.0, 0.0, 0.0, 0.35),
          linewidth=0.2,
        )
      )
      bottom += part
    if texts is not None:
      axes.text(
        c,
        r,
        texts[r][c],
        ha='center',
        va='center',
        fontsize=8.5,
        bbox=dict(facecolor='white', alpha=0.85, edgecolor='none', pad=1.8),
      )
  axes.set_xticks(range(len(columns)), columns)
  axes.set_yticks(range(len(rows)), rows)
  axes.set_xlim(-0.5, len(columns) - 0.5)
  axes.set_ylim(-0.5, len(rows) - 0.5)
  axes.tick_params(length=0)
  for spine in axes.spines.values():
    spine.set_visible(False)
  return [
    Patch(
      facecolor=style.color,
      hatch=style.hatch,
      edgecolor=(0.0, 0.0, 0.0, 0.35),
      label=outcomes[k].name.lower().replace('_', ' '),
    )
    for k, style in zip(occurring, styles)
  ][::-1]


def draw_fine_phase(
  axes: Axes,
  *,
  fractions: np.ndarray,
  colors: Sequence[str],
  num_levels: int,
) -> None:
  """Draws a diagram of many cells as an image, without gaps and hatches.

  Within a cell the outcomes are stacked from below, in whole levels.

  Args:
    axes: where to draw.
    fractions: [R, C, K] shares that add up to 1 in each cell, rows from the
      bottom up.
    colors: [K] of the outcomes.
    num_levels: of a cell.
  """
  num_rows, num_columns, _ = fractions.shape
  middles = (np.arange(num_levels) + 0.5) / num_levels
  # [R, C, L]: the first outcome up to which the shares exceed a level.
  ends = np.cumsum(fractions, axis=2)[:, :, None, :]
  kinds = np.sum(ends <= middles[:, None], axis=3)
  kinds = np.minimum(kinds, len(colors) - 1)
  rgb = np.asarray([to_rgb(color) for color in colors])
  image = rgb[np.moveaxis(kinds, 2, 1)].reshape(-1, num_columns, 3)
  axes.imshow(
    image,
    origin='lower',
    aspect='auto',
    interpolation='nearest',
    extent=(-0.5, num_columns - 0.5, -0.5, num_rows - 0.5),
  )


def draw_phase_of_runs(
  axes: Axes,
  found: Sequence[Runs],
  outcomes: type[Outcome],
  *,
  column: str,
  row: str,
) -> list[Patch]:
  """Draws the shares of last outcomes over two settings, see `draw_phase`.

  Args:
    axes: where to draw.
    found: configurations with an array outcome [S, K]; of several that share
      both settings the first is drawn.
    outcomes: of the codes.
    column: name of the setting from left to right, increasing.
    row: name of the setting from the bottom up, increasing.

  Returns:
    Handles of the outcomes that occur, for a legend.
  """
  cells: dict[tuple[float, float], np.ndarray] = {}
  for runs in found:
    counts = statistics.counts(runs.last('outcome'), len(outcomes))
    point = runs.configuration[row], runs.configuration[column]
    cells.setdefault(point, counts / runs.num_runs)
  rows, columns = (sorted(set(values)) for values in zip(*cells))
  return draw_phase(
    axes,
    columns=[f'{value:g}' for value in columns],
    rows=[f'{value:g}' for value in rows],
    outcomes=list(outcomes),
    fractions=np.asarray([[cells[r, c] for c in columns] for r in rows]),
    texts=None,
  )

"""Stacked shares of outcomes, one bar per configuration and observed step."""

from collections.abc import Sequence

from matplotlib import patheffects
from matplotlib.axes import Axes
import numpy as np

from toyjax.plots import palette, sheets
from toyjax.plots.sheets import Sheet
from toyjax.plots.texts import LINE, literal
from toyjax.roles import Outcome
from toyjax.runs import Runs
from toyjax.tables import Table

_GROUP_WIDTH = 0.86  # of the distance between two configurations.
_MAX_CLUSTERED = 6  # More configurations show their last step only.


def draw_outcome_shares(
  axes: Axes,
  *,
  labels: Sequence[str],
  steps: Sequence[int],
  outcomes: Sequence[Outcome],
  fractions: np.ndarray,
  lower: np.ndarray,
  upper: np.ndarray,
) -> None:
  """Draws the shares of outcomes as stacked bars that reach 1.

  A whisker on top of a segment is the interval of that segment's own share.

  Args:
    axes: where to draw.
    labels: [C] names of the configurations.
    steps: [T] observed steps, one bar each within a configuration.
    outcomes: [K] all outcomes, the lowest segment first.
    fractions: [C, T, K] shares.
    lower: [C, T, K] lower ends of their intervals.
    upper: [C, T, K] upper ends.
  """
  num_configurations, num_steps, _ = fractions.shape
  width = _GROUP_WIDTH / num_steps
  offsets = (np.arange(num_steps) - (num_steps - 1) / 2.0) * width
  centers = (np.arange(num_configurations)[:, None] + offsets).ravel()
  occurring = [k for k in range(len(outcomes)) if fractions[:, :, k].any()]
  # Whiskers of neighbouring segments stand side by side, so each can be read.
  places = np.linspace(-0.32, 0.32, len(occurring)) * width
  bottom = np.zeros(len(centers))
  styles = palette.styles_of(outcomes)
  for code, place in zip(occurring, places):
    share = fractions[:, :, code].ravel()
    style = styles[code]
    axes.bar(
      centers,
      share,
      width=0.94 * width,
      bottom=bottom,
      color=style.color,
      hatch=style.hatch,
      edgecolor=(0.0, 0.0, 0.0, 0.4),
      linewidth=0.3,
      label=outcomes[code].name.lower().replace('_', ' '),
    )
    bottom = bottom + share
    seen = share > 0.0
    ends = np.stack(
      [share - lower[:, :, code].ravel(), upper[:, :, code].ravel() - share]
    )
    axes.errorbar(
      centers[seen] + place,
      bottom[seen],
      yerr=np.maximum(ends[:, seen], 0.0),
      fmt='none',
      ecolor='black',
      elinewidth=1.0,
      path_effects=[patheffects.withStroke(linewidth=2.4, foreground='white')],
    )
  # Bars name their step, groups their configuration.
  axes.set_xticks(
    centers,
    [f'{step:,}' for step in steps] * num_configurations,
    rotation=90,
    fontsize='small',
  )
  groups = axes.secondary_xaxis('top')
  groups.set_xticks(np.arange(num_configurations), labels)
  groups.tick_params(length=0)
  axes.set_xlim(-0.5, num_configurations - 0.5)
  axes.set_ylim(0.0, 1.005)
  axes.set_xlabel('optimizer steps')
  axes.set_ylabel('share of runs')
  handles, names = axes.get_legend_handles_labels()
  axes.legend(
    handles[::-1],
    names[::-1],
    loc='center left',
    bbox_to_anchor=(1.01, 0.5),
    handlelength=1.6,
    handleheight=1.4,
  )


def sheet(
  found: Sequence[Runs],
  counted: Table,
  outcomes: type[Outcome],
  title: str,
  *,
  unit: str = 'step',
  where: tuple[str, str] | None = None,
  xlabel: str = 'optimizer steps',
) -> Sheet:
  """Returns the sheet of the shares of outcomes at the observed steps.

  Args:
    found: the configurations.
    counted: from `tables.outcomes`: a row a configuration, step and outcome.
    outcomes: all of the toy.
    title: without the note on whiskers.
    unit: name of the column of steps.
    where: (column, value) of the rows that are drawn.
    xlabel: what the bars are after.
  """

  def draw():
    rows = [r for r in counted.rows if where is None or r[where[0]] == where[1]]
    steps = list(dict.fromkeys(row[unit] for row in rows))
    shares = [(r[''].count / r[''].total, *r[''].interval[1:]) for r in rows]
    cells = np.reshape(shares, (len(found), len(steps), len(outcomes), 3))
    if len(found) > _MAX_CLUSTERED:
      cells, steps = cells[:, -1:], steps[-1:]
    width = 3.0 + (0.28 * len(steps) + 0.5) * len(found)
    figure, axes = sheets.single(
      min(max(width, 7.0), 24.0),
      4.8,
      f'{title}\nwhisker: 95 % Wilson interval of the segment it tops',
    )
    draw_outcome_shares(
      axes,
      labels=[
        literal(runs.label, length=LINE).replace(
          ' ', '\n' if len(found) > 1 else ' '
        )
        for runs in found
      ],
      steps=steps,
      outcomes=list(outcomes),
      fractions=cells[..., 0],
      lower=cells[..., 1],
      upper=cells[..., 2],
    )
    axes.set_xlabel(xlabel)
    return figure

  return Sheet('outcomes', draw)

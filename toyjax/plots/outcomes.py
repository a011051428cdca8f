"""Stacked shares of outcomes, one bar per configuration and observed step."""

from collections.abc import Mapping, Sequence
import itertools
from typing import NamedTuple

from matplotlib import patheffects
from matplotlib.axes import Axes
import numpy as np


class Style(NamedTuple):
  """How one outcome is filled: colour, and a hatch that survives grey print."""

  color: str
  hatch: str = ''


# Okabe and Ito's palette, which colour-blind readers can tell apart: blue for
# solved, grey for undecided, warm colours for failures.
STYLES: Mapping[str, Style] = {
  'DIVERGED': Style('#000000'),
  'SOLVED_REGULAR': Style('#0072B2'),
  'SOLVED_IRREGULAR': Style('#56B4E9'),
  'UNRESOLVED': Style('#D9D9D9', '...'),
  'SYMMETRIC_FAILURE': Style('#D55E00'),
  'ASYMMETRIC_FAILURE': Style('#E69F00', '//'),
  'MERGED': Style('#CC79A7', '\\\\'),
  'OFF': Style('#7A0019', 'xx'),
  'MIXED': Style('#009E73', '--'),
  'OTHER': Style('#F0E442', '++'),
  # The tiny text net.
  'LEARNED_ALL': Style('#0072B2'),
  'TIED': Style('#E69F00', '//'),
  'DEAD_LAYER': Style('#7A0019', 'xx'),
  'PARTLY_LEARNED': Style('#CC79A7', '\\\\'),
  'ALL_WRONG': Style('#D55E00'),
  # The net of one variable.
  'REACHED': Style('#0072B2'),
  'CONSTANT': Style('#D55E00'),
  'ONE_LINE': Style('#E69F00', '//'),
  'DEAD_UNITS': Style('#CC79A7', '\\\\'),
  'ALL_LIVE': Style('#009E73', '--'),
}
# Of outcomes that have no style of their own, in turn.
_OTHERS = tuple(
  Style(color, hatch)
  for hatch in ('oo', '**', '||')
  for color in ('#56B4E9', '#E69F00', '#009E73', '#CC79A7', '#F0E442')
)
_GROUP_WIDTH = 0.86  # of the distance between two configurations.


def styles_of(outcomes: Sequence[str]) -> list[Style]:
  """Returns a style for each outcome, those without one told apart.

  Args:
    outcomes: names of all outcomes of a toy, so that one keeps its style
      wherever it is drawn.
  """
  others = itertools.cycle(_OTHERS)
  return [STYLES[name] if name in STYLES else next(others) for name in outcomes]


def draw_outcome_shares(
  axes: Axes,
  *,
  labels: Sequence[str],
  steps: Sequence[int],
  outcomes: Sequence[str],
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
    outcomes: [K] names of the outcomes, the lowest segment first.
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
  styles = styles_of(outcomes)
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
      label=outcomes[code].lower().replace('_', ' '),
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
    frameon=False,
    handlelength=1.6,
    handleheight=1.4,
  )

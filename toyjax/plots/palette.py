"""The colours of the house, and what they mean.

Okabe and Ito's palette, which colour-blind readers can tell apart: blue for
solved, grey for undecided, warm colours for failures, black for diverged.
"""

from collections.abc import Iterable
import itertools
from typing import NamedTuple

from toyjax.roles import Outcome, Role

BLACK, ORANGE, SKY, GREEN = '#000000', '#E69F00', '#56B4E9', '#009E73'
YELLOW, BLUE, VERMILION, PURPLE = '#F0E442', '#0072B2', '#D55E00', '#CC79A7'
WINE, GREY = '#7A0019', '#D9D9D9'
# Of curves: without yellow, which is lost on white paper.
CURVES = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, BLACK)


class Style(NamedTuple):
  """How one outcome is filled: colour, and a hatch that survives grey print."""

  color: str
  hatch: str = ''


# What each role takes in turn.
_STYLES = {
  Role.DIVERGED: (Style(BLACK),),
  Role.SOLVED: (
    Style(BLUE),
    Style(SKY),
    Style(GREEN, 'oo'),
    Style(BLUE, '//'),
    Style(GREEN),
    Style(SKY, 'xx'),
    Style(BLUE, '..'),
    Style(SKY, '\\\\'),
    Style(GREEN, '//'),
  ),
  Role.UNDECIDED: (Style(GREY, '...'),),
  Role.FAILED: (
    Style(VERMILION),
    Style(ORANGE, '//'),
    Style(PURPLE, '\\\\'),
    Style(WINE, 'xx'),
    Style(GREEN, '--'),
    Style(YELLOW, '++'),
  ),
}
# Where a role has more outcomes than styles: none of those above.
_OTHERS = tuple(
  Style(color, hatch)
  for hatch in ('oo', '**', '||', 'OO', '..')
  for color in (SKY, ORANGE, PURPLE, YELLOW)
)


def styles_of(outcomes: Iterable[Outcome]) -> list[Style]:
  """Returns a style for each outcome, by its role, all told apart.

  Args:
    outcomes: all of a toy, so that one keeps its style wherever it is drawn;
      of more than there are styles for, the last ones look alike.
  """
  others = itertools.chain(_OTHERS, itertools.repeat(_OTHERS[-1]))
  kinds = {
    role: itertools.chain(styles, others) for role, styles in _STYLES.items()
  }
  return [next(kinds[outcome.role]) for outcome in outcomes]

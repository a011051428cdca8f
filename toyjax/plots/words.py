"""Words and sentences of the data, as a figure shows them to the letter."""

import functools

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from toyjax.texts import visible

# Has no width. matplotlib leaves out of a legend what begins with '_'.
_NO_WIDTH = '\u200b'


def literal(text: str) -> str:
  """Returns text that matplotlib draws as it stands.

  A dollar is no mathematics, a leading underscore hides nothing from a legend,
  and what the font lacks is named by its code point instead of an empty box
  and a warning.

  Args:
    text: a word, a sentence or a name from a user's data or flags. Only '\\n'
      ends a line.
  """
  text = visible(text, keep='\n')
  if not text.isascii():
    known = _letters(font_manager.findfont(font_manager.FontProperties()))
    text = ''.join(
      c if ord(c) in known or c == '\n' else f'U+{ord(c):04X}' for c in text
    )
  text = text.replace('$', r'\$')
  return _NO_WIDTH + text if text.startswith('_') else text


@functools.cache
def _letters(path: str) -> frozenset[int]:
  """Returns the code points that a font file has a glyph for."""
  return frozenset(FT2Font(path).get_charmap())

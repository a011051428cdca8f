r"""Text of unknown origin, made fit to be shown.

Words, sentences and names in a user's data may hold anything: signs that a
terminal obeys, signs that turn the line around, halves of a letter that no
encoding can write, formulas, letters that no font has.

    printable    for a terminal: what cannot be seen is an escape such as \x1b
    shorten      in one line of limited length
    literal      for a picture: no formula, no letter without a glyph
"""

import functools
import pathlib

import matplotlib
from matplotlib import ft2font

from toyjax.texts import cut, escape, printable, shorten

__all__ = ['LINE', 'NAME', 'WORD', 'literal', 'printable', 'shorten']

WORD = 24  # Longest word in a picture, in characters.
NAME = 50  # Longest name of a file, a trace, a class.
LINE = 100  # Longest line.
# Matplotlib's own, of which titles and marked labels use the bold one.
_FONTS = ('DejaVuSans.ttf', 'DejaVuSans-Bold.ttf')
# It has a glyph without width, and keeps a label out of what legends skip.
_NOTHING = '\u200b'


def literal(text: str, *, length: int) -> str:
  """Returns what matplotlib draws as the text, letter by letter.

  Dollars do not begin a formula; letters without a glyph are escapes, so that
  words of another script can still be told apart; a leading underscore does not
  hide an entry from the legend.

  Args:
    text: of any origin; it is drawn in one line, with a space for every kind of
      white space.
    length: characters that are left of it.
  """
  glyphs = _glyphs()
  text = ''.join(' ' if letter.isspace() else letter for letter in text)
  shown = ''.join(
    letter if ord(letter) in glyphs else escape(letter)
    for letter in printable(text)
  )
  shown = cut(shown, length).replace('$', r'\$')
  return _NOTHING + shown if shown.startswith('_') else shown


@functools.cache
def _glyphs() -> frozenset[int]:
  """Returns the code points of all letters that the fonts have."""
  folder = pathlib.Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
  fonts = (ft2font.FT2Font(str(folder / name)) for name in _FONTS)
  return frozenset.intersection(
    *(frozenset(font.get_charmap()) for font in fonts)
  )

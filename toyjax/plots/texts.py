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

WORD = 24  # Longest word in a picture, in characters.
NAME = 50  # Longest name of a file, a trace, a class.
LINE = 100  # Longest line.
# Matplotlib's own, of which titles and marked labels use the bold one.
_FONTS = ('DejaVuSans.ttf', 'DejaVuSans-Bold.ttf')
# It has a glyph without width, and keeps a label out of what legends skip.
_NOTHING = '\u200b'


def printable(text: str, *, keep: str = '') -> str:
  r"""Returns the text with everything that cannot be seen as an escape.

  Control characters, marks of direction, spaces without width and lone
  surrogates become \x1b, \u202e and the like; a backslash is left as it is.

  Args:
    text: of any origin.
    keep: characters that stay as they are, such as a line feed.
  """
  if text.isprintable():
    return text
  return ''.join(
    letter if letter.isprintable() or letter in keep else _escape(letter)
    for letter in text
  )


def shorten(text: str, length: int) -> str:
  """Returns the text in one line of at most that many printable characters.

  White space is made single, and an ellipsis stands for what is cut off.
  """
  return _cut(printable(' '.join(text.split())), length)


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
    letter if ord(letter) in glyphs else _escape(letter)
    for letter in printable(text)
  )
  shown = _cut(shown, length).replace('$', r'\$')
  return _NOTHING + shown if shown.startswith('_') else shown


def _cut(text: str, length: int) -> str:
  return text if len(text) <= length else text[: length - 1].rstrip() + '…'


def _escape(letter: str) -> str:
  return letter.encode('unicode_escape').decode('ascii')


@functools.cache
def _glyphs() -> frozenset[int]:
  """Returns the code points of all letters that the fonts have."""
  folder = pathlib.Path(matplotlib.get_data_path()) / 'fonts' / 'ttf'
  fonts = (ft2font.FT2Font(str(folder / name)) for name in _FONTS)
  return frozenset.intersection(
    *(frozenset(font.get_charmap()) for font in fonts)
  )

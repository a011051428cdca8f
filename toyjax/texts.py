"""Text of other people made visible: on a terminal, in a file, in a report.

A sentence of a trace or a word of a list can hold anything: sequences that
recolour a terminal or move its cursor, marks that turn the direction of
writing, halves of characters that no file can store. `visible` writes each of
these as an escape, as Python does: \\x1b, \\u202e.
"""

import io
from typing import Any, TextIO
import unicodedata

# Control, format (direction, zero width), half of a pair, unassigned or private
# to a font, separators of lines and paragraphs.
_INVISIBLE = frozenset(('Cc', 'Cf', 'Cs', 'Co', 'Cn', 'Zl', 'Zp'))


def visible(text: str, *, keep: str = '') -> str:
  """Returns the text with an escape for each character that does not print.

  Args:
    text: any.
    keep: characters that stay as they are, such as the end of a line.

  Returns:
    A text of which UTF-8 can encode every character.
  """
  if text.isascii() and text.isprintable():
    return text
  return ''.join(
    _escape(c) if unicodedata.category(c) in _INVISIBLE and c not in keep else c
    for c in text
  )


def _escape(character: str) -> str:
  code = ord(character)
  if code < 0x100:
    return f'\\x{code:02x}'
  return f'\\u{code:04x}' if code < 0x10000 else f'\\U{code:08x}'


class VisibleStream(io.TextIOBase):
  """A stream to print on, which makes text visible.

  What the stream's encoding does not have is written as an escape, too, so
  that printing never fails.
  """

  def __init__(self, stream: TextIO):
    self._stream = stream

  def write(self, text: str) -> int:
    """Writes the text, ends of lines and tabs as they are."""
    encoding = getattr(self._stream, 'encoding', None) or 'utf-8'
    shown = visible(text, keep='\n\t')
    shown = shown.encode(encoding, 'backslashreplace').decode(encoding)
    self._stream.write(shown)
    return len(text)

  def flush(self) -> None:
    """Flushes the stream below."""
    self._stream.flush()

  def isatty(self) -> bool:
    """Whether the stream below is a terminal."""
    return self._stream.isatty()

  def __getattr__(self, name: str) -> Any:
    return getattr(self._stream, name)

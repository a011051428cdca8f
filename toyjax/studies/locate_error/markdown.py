"""Markdown that also reads as plain text, of data that may hold anything."""

from collections.abc import Sequence
import re

import numpy as np

from toyjax.texts import printable

_MARKUP = re.compile(r'[\\`*_{}\[\]<>|~&$]|^#|://')  # What Markdown reads.


def verbatim(text: str) -> str:
  """Returns text of the data as Markdown that shows just these characters.

  Where it has a sign that Markdown or HTML reads, it is a span of code, since
  escapes of every such sign make a formula unreadable.

  Args:
    text: of any origin; it is shown in one line.
  """
  text = printable(' '.join(text.split()))
  if not _MARKUP.search(text):
    return text
  runs = re.findall('`+', text)
  fence = '`' * next(n for n in range(1, len(text) + 2) if '`' * n not in runs)
  pad = ' ' if '`' in (text[0], text[-1]) else ''
  return f'{fence}{pad}{text}{pad}{fence}'


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Returns a table that also reads well as plain text."""
  cells = [
    [printable(cell).replace('|', '\\|') for cell in row] for row in rows
  ]
  widths = [max(map(len, column)) for column in zip(header, *cells)]

  def line(row: Sequence[str]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row, widths))
    return f'| {" | ".join(padded)} |'

  rule = line(['-' * width for width in widths])
  return '\n'.join([line(header), rule, *map(line, cells)])


def spans(first: int, last: int) -> str:
  """Returns '5' or '5 to 7'."""
  return str(first) if first == last else f'{first} to {last}'


def number_of(count: int) -> str:
  """Returns '1 position' or '5 positions'."""
  return '1 position' if count == 1 else f'{count} positions'


def stretches(indices: np.ndarray) -> str:
  """Returns '3 to 5, 9'."""
  blocks = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
  shown = [spans(int(block[0]), int(block[-1])) for block in blocks[:8]]
  more = '' if len(blocks) <= 8 else f', and {len(blocks) - 8} more stretches'
  return ', '.join(shown) + more

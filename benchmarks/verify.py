r"""Does every linked number of the documents stand in its file, and every file?

A claim is a link to cells of a CSV file, so that a reader can click:

  [553 of 1,024, 54.0 % [50.9, 57.0]](results/NAME/a.csv#step=5000&outcome=OFF)

What follows the # selects rows, COLUMN=VALUE each. The text shows, in order,
count, total, share in per cent and its 95 % Wilson interval, or the first of
these; counts of several rows of one total are added up. Further words:

  share=COUNT/TOTAL   columns of the count and of the total
  pooled=             rows are different runs, whose totals are added up, too
  filter=EXPRESSION   what pandas' `query` takes, for all that = cannot say;
                      a further one is asked of the rows that are left
  each=               the text is true of each of the rows alone
  cell=COLUMN         the text shows this cell, and its interval if it goes on
  times=100           ... in per cent or points
  cells=COLUMN,...    the text shows these cells of each row, row by row, and
                      no number less
  rows=               the text shows how many rows there are

A column may also be what pandas' `eval` makes of columns, as in count.max().

A number agrees where it is the file's, rounded to the digits that are shown.
results/SHA256SUMS has the digest of every file there; --write makes it anew.

  python -m benchmarks.verify
  python -m benchmarks.verify --write
"""

from collections.abc import Iterator, Sequence
import decimal
import hashlib
import pathlib
import re
import sys
from typing import Any, NamedTuple
import urllib.parse

from absl import app, flags
import numpy as np
import pandas as pd

from toyjax import parsers, statistics
from toyjax.command.flags import define
from toyjax.settings import fixed

ROOT = pathlib.Path(__file__).parents[1]
DOCUMENTS = ('CLAIMS.md', 'README.md', 'BUILD.md')
SUMS = ROOT / 'results' / 'SHA256SUMS'
# Text of a link may hold one pair of brackets, that of an interval.
_LINK = re.compile(
  r'\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\((results/[^)#\s]+\.csv)#([^)\s]+)\)'
)
_NUMBER = re.compile(r'(?<![\w.])[-+]?(?:\d[\d,]*\d|\d)?(?:\.\d+)?(?:e-?\d+)?')
_WORDS = (
  *('share', 'pooled', 'filter', 'each', 'cell', 'times', 'cells', 'rows'),
)
# What a wrong path, column or expression raises.
_ERRORS = (
  *(AttributeError, KeyError, NameError, OSError, SyntaxError, TypeError),
  ValueError,
)

SETTINGS = (
  fixed(
    'write', False, parsers.truth, 'Write the digests of the files as they are.'
  ),
)


class Link(NamedTuple):
  """A linked number.

  Attributes:
    text: as it is read.
    path: of the file.
    query: what selects and shows cells, see the head of this file.
  """

  text: str
  path: str
  query: str


def links(document: str) -> list[Link]:
  """Returns all links to cells in a text."""
  return [Link(*match) for match in _LINK.findall(document)]


def plain(document: str) -> str:
  """Returns a text as it is read, without the addresses of its links."""
  return _LINK.sub(lambda match: match[1], document)


def numbers(text: str) -> list[str]:
  """Returns the numbers in a text, without their commas."""
  found = (match.replace(',', '') for match in _NUMBER.findall(text))
  return [number for number in found if re.search(r'\d', number)]


def expected(link: Link) -> list[float]:
  """Returns the numbers that a link's text may show, in order.

  Raises:
    ValueError: where no row is selected, too many are, or a column is not
      there.
  """
  table, words = _selected(link)
  if 'each' not in words:
    return _shown(table, words)
  found = {tuple(_shown(table[i : i + 1], words)) for i in range(len(table))}
  if len(found) > 1:
    raise ValueError('selects rows that differ')
  return list(found.pop())


def _selected(link: Link) -> tuple[pd.DataFrame, dict[str, str]]:
  """Returns the rows that a link selects, and its words."""
  table = pd.read_csv(ROOT / link.path, dtype=str, keep_default_na=False)
  words, filters = {}, []
  for part in link.query.split('&'):
    name, _, value = urllib.parse.unquote(part).partition('=')
    if name == 'filter':
      filters.append(value)
    elif name in _WORDS:
      words[name] = value
    elif name not in table:
      raise ValueError(f'no column {name}')
    else:
      table = table[table[name] == value]
  table = table.apply(_numeric)
  for expression in filters:
    table = table.query(expression, engine='python')
  if table.empty:
    raise ValueError('selects no row')
  return table, words


def _shown(table: pd.DataFrame, words: dict[str, str]) -> list[float]:
  """Returns the numbers that words show of rows."""
  if 'rows' in words:
    return [len(table)]
  if 'cells' in words:
    columns = [_column(table, name) for name in words['cells'].split(',')]
    rows = zip(*map(np.atleast_1d, columns), strict=True)
    return [float(cell) for row in rows for cell in row]
  if 'cell' in words:
    if len(table) > 1:
      raise ValueError(f'selects {len(table)} rows')
    name, times = words['cell'], float(words.get('times', 1))
    part = name if f'{name}_lower' in table else ''
    ends = [f'{part}_{end}'.lstrip('_') for end in ('lower', 'upper')]
    cells = [table[n].iloc[0] for n in (name, *ends) if n in table]
    return [times * float(cell) for cell in cells]
  names = words.get('share', 'count/total').rpartition('/')
  count, total = _column(table, names[0]), _column(table, names[2])
  if len(set(total)) > 1 and 'pooled' not in words:
    raise ValueError(f'selects rows of {set(total)} runs')
  num = int(count.sum())
  of = int(total.sum() if 'pooled' in words else total.iloc[0])
  interval = statistics.wilson(num, of)
  return [num, of, *(100.0 * number for number in interval)]


def _column(table: pd.DataFrame, name: str) -> Any:
  """Returns a column, or what an expression makes of columns."""
  return table[name] if name in table else table.eval(name, engine='python')


def _numeric(cells: pd.Series) -> pd.Series:
  """Returns numbers where all cells are, or are empty or NaN."""
  found = pd.to_numeric(cells, errors='coerce')
  return cells if (found.isna() & ~cells.isin(['', 'nan'])).any() else found


def problem(link: Link) -> str:
  """Says what is wrong with a link; '' where nothing is."""
  try:
    held = expected(link)
  except _ERRORS as error:
    return f'[{link.text}]: {link.path}#{link.query}: {error}'
  shown = numbers(link.text)
  least = len(held) if '&cells=' in f'&{link.query}' else 1
  if not least <= len(shown) <= len(held):
    return f'[{link.text}]: {link.path} has {len(held)} numbers for it'
  for text, number in zip(shown, held):
    digits = re.sub(r'\D', '', text.partition('e')[0]).lstrip('0')
    if 'e' in text and len(digits) < 2:
      return f'[{link.text}]: {text} needs two digits or more before its e'
    unit = 10.0 ** int(decimal.Decimal(text).as_tuple().exponent)
    # NaN, an empty cell, agrees with nothing.
    if not abs(float(text) - number) <= 0.5000001 * unit:
      return f'[{link.text}]: {text} is {number:.6g} in {link.path}'
  return ''


def sums() -> dict[str, str]:
  """Returns the SHA-256 of every file in results, by its path there."""
  return {
    path.relative_to(SUMS.parent).as_posix(): hashlib.sha256(
      path.read_bytes()
    ).hexdigest()
    for path in sorted(SUMS.parent.rglob('*'))
    if path.is_file() and path != SUMS
  }


def changed_files() -> Iterator[str]:
  """Yields a text for each file that is not as `SUMS` says."""
  lines = SUMS.read_text(encoding='utf-8').splitlines()
  noted = {name: code for code, name in (line.split('  ', 1) for line in lines)}
  found = sums()
  for name in sorted({*noted, *found}):
    if noted.get(name) != found.get(name):
      what = 'is lost' if name not in found else 'is not noted'
      yield f'results/{name} ' + (
        what if name not in noted or name not in found else 'was changed'
      )


def main(argv: Sequence[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  if flags.FLAGS.write:
    lines = [f'{code}  {name}\n' for name, code in sums().items()]
    SUMS.write_text(''.join(lines), encoding='utf-8')
  num_links, wrong = 0, list(changed_files())
  for name in DOCUMENTS:
    found = links((ROOT / name).read_text(encoding='utf-8'))
    num_links += len(found)
    wrong += [f'{name}: {text}' for text in map(problem, found) if text]
  print(f'{num_links} linked numbers, {len(sums())} files')
  if wrong:
    sys.exit('\n'.join(wrong))
  print('all agree')


if __name__ == '__main__':
  define(SETTINGS)
  app.run(main)

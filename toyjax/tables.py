"""Tables of a report: one CSV file, one text, one data frame of the same cells.

    runs --each, outcomes--> rows --Table--> .write(folder), .text(), .frame

A row is a dict; a share or an estimate stays one cell, with its
interval, until it is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
import csv
import dataclasses
import enum
import io
import os
import pathlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from toyjax import statistics
from toyjax.runs import Runs
from toyjax.statistics import Interval
from toyjax.texts import printable

if TYPE_CHECKING:
  import pandas as pd

Row = Mapping[str, Any]
# Key of the label of a configuration in a row: for print, in no file.
LABEL = '_configuration'


@dataclasses.dataclass(frozen=True)
class Share:
  """A number of runs among others.

  Attributes:
    count: of those counted.
    total: of those looked at.
  """

  count: int
  total: int

  @property
  def interval(self) -> Interval:
    """The share with its 95 % Wilson interval; NaN and [0, 1] for none."""
    return statistics.wilson(self.count, self.total)

  def text(self) -> str:
    """Returns '1,234 of 5,000, 24.68% [23.51, 25.89]' for a sentence."""
    share = percent(self.interval.estimate)
    number = f'{self.count:,} of {self.total:,}'
    return f'{number}, {share} {percent_interval(self.interval)}'


class Column(NamedTuple):
  """A column of a printed table.

  Attributes:
    header: above it.
    text: row -> cell.
  """

  header: str
  text: Callable[[Row], str]


def column(
  name: str, header: str = '', form: str | Callable[[Any], str] = ''
) -> Column:
  """Returns the column of one cell; nothing is printed for None.

  Args:
    name: of the cell.
    header: above it; '' is the name.
    form: as in an f-string, such as '.3g', or cell -> text.
  """
  write = form if callable(form) else lambda cell: format(cell, form)
  return Column(
    header or name, lambda row: '' if row[name] is None else write(row[name])
  )


def shares(
  name: str = '', interval: str = '95 % interval'
) -> tuple[Column, ...]:
  """Returns the four columns of a `Share`; `interval` is the last header."""
  return (
    Column('count', lambda row: str(row[name].count)),
    Column('of', lambda row: str(row[name].total)),
    Column('share', lambda row: percent(row[name].interval.estimate)),
    Column(interval, lambda row: percent_interval(row[name].interval)),
  )


def difference(
  name: str, interval: str = '95 % interval'
) -> tuple[Column, ...]:
  """Returns the two columns of a difference of shares, `Interval` or None."""
  return (
    Column(
      'difference',
      lambda row: percent(row[name].estimate, '+.2f') if row[name] else '',
    ),
    Column(
      interval,
      lambda row: percent_interval(row[name]) if row[name] else '',
    ),
  )


CONFIGURATION = Column('configuration', lambda row: row[LABEL])


class Table(NamedTuple):
  """Rows of equal keys.

  Attributes:
    name: of the file; '' is of none.
    rows: in order. A `Share` under key 'a' is a_count, a_total, a, a_lower and
      a_upper in the file, under '' count, total, fraction, lower and upper; an
      `Interval` under 'a' is a, lower and upper, under 'b:a' b_a, b_lower and
      b_upper, under 'b:' b, b_lower and b_upper; with a colon it may be None.
      Keys with a leading underscore are not in it.
    title: printed above; a table without one is not printed.
    shown: what is printed.
    where: row -> whether it is printed.
  """

  name: str
  rows: Sequence[Row]
  title: str = ''
  shown: Sequence[Column] = ()
  where: Callable[[Row], bool] = lambda row: True

  def records(self) -> list[dict[str, Any]]:
    """Returns the rows as they are in the file, numbers in full."""
    return [dict(flat(row)) for row in self.rows]

  @property
  def frame(self) -> 'pd.DataFrame':
    """The table as pandas has it."""
    import pandas as pd  # Slow to import, and most scripts need none.

    return pd.DataFrame(self.records())

  def text(self) -> str:
    """Returns what is printed; '' where there is nothing to print."""
    body = self.body() if self.title else ''
    return f'{self.title}\n\n{body}' if body else ''

  def body(self) -> str:
    """Returns what is printed below the title; '' where there is no row."""
    rows = [row for row in self.rows if self.where(row)]
    if not rows:
      return ''
    lines = [[shown.text(row) for shown in self.shown] for row in rows]
    return align([c.header for c in self.shown], lines)

  def write(self, folder: pathlib.Path) -> None:
    """Writes the CSV file, if there is a row."""
    if self.rows and self.name:
      write_csv(folder / f'{self.name}.csv', self.records())


def flat(row: Row) -> Iterable[tuple[str, Any]]:
  """Yields the cells of a row as they are in the file, see `Table`."""
  for key, cell in row.items():
    if key.startswith('_'):
      continue
    if isinstance(cell, Share):
      part = f'{key}_' if key else ''
      yield f'{part}count', cell.count
      yield f'{part}total', cell.total
      yield key or 'fraction', cell.interval.estimate
      yield f'{part}lower', cell.interval.lower
      yield f'{part}upper', cell.interval.upper
    elif isinstance(cell, Interval) or (cell is None and ':' in key):
      part, _, name = key.rpartition(':')
      for end, number in zip((name, 'lower', 'upper'), cell or (None,) * 3):
        yield '_'.join(filter(None, (part, end))), number
    else:
      yield key, cell


def each(
  found: Sequence[Runs], make_rows: Callable[[Runs], Iterable[Row]]
) -> list[Row]:
  """Returns the rows of all configurations, each with its settings first."""
  return [
    {LABEL: runs.label, **runs.configuration, **row}
    for runs in found
    for row in make_rows(runs)
  ]


def outcomes(
  steps: Sequence[int],
  codes: type[enum.IntEnum],
  *,
  name: str = 'outcome',
  unit: str = 'step',
) -> Callable[[Runs], Iterable[Row]]:
  """Returns what counts each outcome at each observed step, zeros included.

  Args:
    steps: the observed ones, length K.
    codes: the outcomes' names.
    name: of the array [S, K] of codes, and of the column.
    unit: name of the column of steps.
  """

  def make_rows(runs: Runs) -> Iterable[Row]:
    for k, step in enumerate(steps):
      counts = statistics.counts(runs.data[name][:, k], len(codes))
      for code in codes:
        share = Share(int(counts[code]), runs.num_runs)
        yield {unit: step, name: code.name, '': share}

  return make_rows


def paired_difference(
  a: np.ndarray, b: np.ndarray, confidence: float = statistics.CONFIDENCE
) -> Interval:
  """Returns the share of a less that of b, both bool [S] of the same seeds."""
  cells = (a & b, a & ~b, ~a & b, ~a & ~b)
  both, only_a, only_b, neither = (int(np.sum(cell)) for cell in cells)
  return statistics.paired_difference(both, only_a, only_b, neither, confidence)


def quantile(values: np.ndarray, q: float) -> float:
  """Returns a quantile that is one of the values.

  Neighbours are not averaged: one of them may be infinite.
  """
  return float(np.quantile(values, q, method='inverted_cdf'))


def write_csv(path: pathlib.Path, rows: Sequence[Row]) -> None:
  """Writes rows of equal keys, replacing the file in one move.

  The file is UTF-8 in every locale; half a letter, which UTF-8 cannot write, is
  an escape: it can be told from others, and is not lost.
  """
  temporary = path.with_suffix('.csv.partial')
  with temporary.open(
    'w', encoding='utf-8', errors='backslashreplace', newline=''
  ) as file:
    # With '\n' as its line end, csv leaves '\r' bare, and readers break there.
    line = io.StringIO(newline='')
    writer = csv.DictWriter(line, list(rows[0]), lineterminator='\r\n')
    for row in (dict(zip(rows[0], rows[0])), *rows):
      writer.writerow({name: _cell(value) for name, value in row.items()})
      file.write(line.getvalue().removesuffix('\r\n') + '\n')
      line.seek(0)
      line.truncate()
  os.replace(temporary, path)


def _cell(value: Any) -> str:
  """Writes a number so that it reads back to six digits, None as nothing."""
  if value is None:
    return ''
  return f'{value:.6g}' if isinstance(value, float) else str(value)


def align(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
  """Aligns a table: names to the left, numbers to the right."""
  lines = [list(map(printable, row)) for row in (header, *rows)]
  widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

  def is_number(text: str) -> bool:
    is_interval = text.startswith('[') and ', ' in text
    return is_interval or bool(re.match(r'[-+(.]*\d|.+%$', text))

  def line(cells: Sequence[str]) -> str:
    return '  '.join(
      cell.rjust(width) if is_number(cell) else cell.ljust(width)
      for cell, width in zip(cells, widths)
    ).rstrip()

  rule = '  '.join('-' * width for width in widths)
  return '\n'.join(
    [line(lines[0]), rule, *(line(cells) for cells in lines[1:])]
  )


def percent(value: float, form: str = '.2f') -> str:
  """Writes a share in per cent, '-' for a share of none."""
  return '-' if np.isnan(value) else f'{100.0 * value:{form}}%'


def percent_interval(interval: Interval) -> str:
  """Writes an interval of shares in per cent."""
  return f'[{100.0 * interval.lower:.2f}, {100.0 * interval.upper:.2f}]'

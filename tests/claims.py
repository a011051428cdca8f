"""What CLAIMS.md says, and the rows of results that it says it of."""

import csv
import pathlib
import re

from benchmarks import verify
from toyjax import statistics

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = ROOT / 'results'


def read(name='CLAIMS.md'):
  """A document as it is read, on one line."""
  return re.sub(r'\s+', ' ', verify.plain((ROOT / name).read_text()))


def section(heading):
  """What CLAIMS.md says below a heading."""
  text = read()
  start = text.index(f'## {heading}')
  return text[start : text.find(' ## ', start + 1)]


def table(path, **wanted):
  """Rows of a table of the results, those with the wanted cells."""
  with (RESULTS / path).open() as file:
    return [
      row
      for row in csv.DictReader(file)
      if all(row[name] == value for name, value in wanted.items())
    ]


def find(rows, **wanted):
  """The only row with the wanted cells."""
  found = [
    row for row in rows if all(row[name] == v for name, v in wanted.items())
  ]
  assert len(found) == 1, (wanted, len(found))
  return found[0]


def share(count, total, digits=1):
  """A count with its share and interval, as the document writes them."""
  count, total = int(count), int(total)
  interval = statistics.wilson(count, total)
  low, high = 100 * float(interval.lower), 100 * float(interval.upper)
  return (
    f'{count:,} of {total:,}, {100 * count / total:.{digits}f} % '
    f'[{low:.{digits}f}, {high:.{digits}f}]'
  )

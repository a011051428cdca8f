"""Counts of outcomes as rows, as a CSV file and as a table for a terminal."""

from collections.abc import Iterable, Mapping, Sequence
import csv
import enum
import io
import math
import os
import pathlib
import re
from typing import Any

import numpy as np

from toyjax import statistics
from toyjax.plots.texts import printable


def outcome_rows(
  configuration: Mapping[str, Any],
  steps: Sequence[int],
  outcomes: np.ndarray,
  codes: type[enum.IntEnum],
) -> list[dict[str, Any]]:
  """Counts each outcome at each step, with Wilson intervals.

  Args:
    configuration: name -> value, copied to every row.
    steps: the observed steps, length K.
    outcomes: codes [S, K].
    codes: the outcomes' names.

  Returns:
    One row per step and outcome, zero counts included: the configuration, then
    step, outcome, count, total, fraction, lower, upper.
  """
  rows = []
  for k, step in enumerate(steps):
    counts = statistics.counts(outcomes[:, k], len(codes))
    for code in codes:
      rows.append(
        {
          **configuration,
          'step': step,
          'outcome': code.name,
          **interval_cells(int(counts[code]), len(outcomes)),
        }
      )
  return rows


def interval_cells(count: int, total: int) -> dict[str, Any]:
  """Returns count, total, and the fraction with its 95 % Wilson interval."""
  interval = statistics.wilson(count, total)
  return {
    'count': count,
    'total': total,
    'fraction': interval.estimate,
    'lower': interval.lower,
    'upper': interval.upper,
  }


def common(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
  """Returns where the seeds that both have stand in a [A] and in b [B]."""
  return np.intersect1d(a, b, return_indices=True)[1:]


def paired_difference(a: np.ndarray, b: np.ndarray) -> statistics.Interval:
  """Returns the share of a less that of b, both bool [S] of the same seeds."""
  return statistics.paired_difference(
    int(np.sum(a & b)),
    int(np.sum(a & ~b)),
    int(np.sum(~a & b)),
    int(np.sum(~a & ~b)),
  )


def write_csv(path: pathlib.Path, rows: Sequence[Mapping[str, Any]]) -> None:
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


def format_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
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


def percent(value: float) -> str:
  """Writes a share in per cent, '-' for a share of none."""
  return '-' if math.isnan(value) else f'{100.0 * value:.2f}%'


def percent_interval(lower: float, upper: float) -> str:
  """Writes an interval of shares in per cent."""
  return f'[{100.0 * lower:.2f}, {100.0 * upper:.2f}]'

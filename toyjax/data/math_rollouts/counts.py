"""Traces as a table of counts: one row per position."""

import decimal
from fractions import Fraction
import importlib.resources
import math
import pathlib
from typing import NamedTuple

import numpy as np

from toyjax.data.traces import (
  Problems,
  Reading,
  Trace,
  TraceError,
  check_cells,
  check_index,
  describe,
  read_table,
)

COLUMNS = ('model', 'base', 'problem', 'chunk_idx', 'k', 'n')


class _Row(NamedTuple):
  trace: tuple[str, str, str]
  chunk_idx: int
  num_correct: int
  num_answered: int
  min_answered: int
  num_none: int | None
  accuracy: float
  tag: str


def recover_counts(
  accuracy: float, *, max_rollouts: int
) -> tuple[int, int, int]:
  """Returns the counts that a published accuracy stands for.

  The accuracy is k / n rounded to a float, so the ratio is exact for
  n <= max_rollouts, but n itself only up to a multiple; 0 and 1 say nothing
  about it.

  Args:
    accuracy: in [0, 1], in full float precision.
    max_rollouts: largest possible n; 100 in the published data.

  Returns:
    k, the largest possible n, and the smallest.
  """
  if not 0.0 <= accuracy <= 1.0:
    raise ValueError(f'accuracy must be in [0, 1]: {accuracy}')
  ratio = Fraction(accuracy).limit_denominator(max_rollouts)
  if ratio.numerator / ratio.denominator != accuracy:
    raise ValueError(
      f'accuracy is no ratio of counts up to {max_rollouts}: {accuracy}'
    )
  factor = max_rollouts // ratio.denominator
  return factor * ratio.numerator, factor * ratio.denominator, ratio.denominator


def example_traces() -> tuple[Trace, ...]:
  """Returns the 20 traces of Qwen-14B that are shipped with the library.

  Ten problems, for each a correct and an incorrect trace, without texts. Where
  the counts come from: toyjax/data/files/README.md.
  """
  file = importlib.resources.files('toyjax.data') / 'files'
  name = 'math_rollouts_counts.csv'
  return _read((file / name).read_bytes(), name, skip_bad=False).traces


def read_counts(path: str | pathlib.Path, *, skip_bad: bool) -> Reading:
  """Reads a CSV of counts: a row per position, a header, traces in any order.

  Columns: model, base, problem, chunk_idx, k (correct), n (answered); and
  where they are there: n_min (the smallest n that the source allows, else n),
  num_none (rollouts without an answer), accuracy (k / n, checked against it),
  tag. Rows with n = 0 and missing rows are positions without data.

  Args:
    path: of the file.
    skip_bad: whether to leave out bad rows and list them, instead of raising.

  Raises:
    TraceError: names the line and the column, unless `skip_bad`.
  """
  path = pathlib.Path(path)
  problems = Problems(skip_bad)
  with problems.skipped():
    if not path.is_file():
      raise TraceError(str(path), '', 'missing')
    return _read(path.read_bytes(), str(path), skip_bad=skip_bad)
  return Reading((), tuple(problems))


def _read(content: bytes, name: str, *, skip_bad: bool) -> Reading:
  problems = Problems(skip_bad)
  traces: dict[tuple[str, str, str], dict[int, _Row]] = {}
  with problems.skipped():
    for where, cells in read_table(content, name, columns=COLUMNS):
      with problems.skipped():
        row = _parse(cells, where)
        rows = traces.setdefault(row.trace, {})
        if row.chunk_idx in rows:
          raise TraceError(where, 'chunk_idx', f'{row.chunk_idx} stands twice')
        rows[row.chunk_idx] = row
    if not traces and not problems:
      raise TraceError(name, '', 'no rows')
  return Reading(tuple(map(_assemble, traces.values())), tuple(problems))


def _parse(cells: dict[str, str], where: str) -> _Row:
  """Checks one row."""
  check_cells(cells, where)
  num_correct = _count(cells, 'k', where)
  num_answered = _count(cells, 'n', where)
  if num_correct > num_answered:
    raise TraceError(where, 'k', f'{num_correct} correct of {num_answered}')
  chunk_idx = _count(cells, 'chunk_idx', where)
  min_answered = num_answered
  if cells.get('n_min'):
    min_answered = _count(cells, 'n_min', where)
    if min_answered > num_answered:
      raise TraceError(where, 'n_min', f'{min_answered} above n')
  accuracy = math.nan
  if cells.get('accuracy'):
    accuracy = _accuracy(cells['accuracy'], num_correct, num_answered, where)
  return _Row(
    trace=(cells['model'], cells['base'], cells['problem']),
    chunk_idx=check_index(chunk_idx, where, 'chunk_idx'),
    num_correct=num_correct,
    num_answered=num_answered,
    min_answered=min_answered,
    num_none=(
      _count(cells, 'num_none', where) if cells.get('num_none') else None
    ),
    accuracy=accuracy,
    tag=cells.get('tag', ''),
  )


def _count(cells: dict[str, str], column: str, where: str) -> int:
  text = cells[column].strip()
  if not (text.isascii() and text.isdecimal() and len(text) < 10):
    raise TraceError(where, column, f'not a count: {describe(cells[column])}')
  return int(text)


def _accuracy(
  text: str, num_correct: int, num_answered: int, where: str
) -> float:
  """Returns a recorded accuracy that agrees with the counts in its digits."""
  try:
    number = decimal.Decimal(text.replace('_', '?'))  # Python reads 1_0 as 10.
  except decimal.InvalidOperation:
    number = decimal.Decimal('nan')
  if number.is_finite() and 0 <= number <= 1:
    places = max(-int(number.as_tuple().exponent), 0)
    error = abs(float(number) * num_answered - num_correct)
    if error <= 0.51 * 10.0**-places * num_answered:
      return float(number)
  raise TraceError(
    where,
    'accuracy',
    f'{describe(text)} is not {num_correct}/{num_answered}',
  )


def _assemble(rows: dict[int, _Row]) -> Trace:
  """Returns the trace of its rows, with gaps where there are none."""
  size = max(rows) + 1
  listed = list(rows.values())
  indices = np.array(list(rows))

  def scatter(values: list, empty: float, dtype: type) -> np.ndarray:
    array: np.ndarray = np.full(size, empty, dtype)
    array[indices] = values
    return array

  correct = scatter([row.num_correct for row in listed], 0, np.int64)
  answered = scatter([row.num_answered for row in listed], 0, np.int64)
  num_none = [row.num_none for row in listed]
  model, base, problem = listed[0].trace
  return Trace(
    model=model,
    sampling='',
    base=base,
    problem=problem,
    sentences=None,
    chunk_indices=np.arange(size),
    num_correct=correct,
    num_wrong=answered - correct,
    num_none=None if None in num_none else scatter(num_none, 0, np.int64),
    num_errors=None,
    min_answered=scatter([row.min_answered for row in listed], 0, np.int64),
    accuracies=scatter([row.accuracy for row in listed], np.nan, np.float64),
    tags=tuple(rows[i].tag if i in rows else '' for i in range(size)),
  )

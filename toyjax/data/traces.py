"""Reasoning traces with the counts of rollouts from each of their positions.

One record for all sources. Position t stands before sentence t: its rollouts
continue the text of the sentences 0..t-1, and its counts estimate

    p_t = P(correct | sentences before t).

So a rate that falls between the positions t - 1 and t blames sentence t - 1.
Plain Python and NumPy: shapes have T positions.
"""

from collections.abc import Iterator, Sequence
import contextlib
import csv
import functools
import io
import json
import reprlib
from typing import Any, NamedTuple

import numpy as np

from toyjax.json_text import each_key_once

MAX_POSITIONS = 1_000_000  # A larger index is taken for a damaged one.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 60


class TraceError(ValueError):
  """What is wrong in a file, and where.

  Attributes:
    file: name of the file, or of the row that stands for it.
    field: path inside it, empty for all of it.
    reason: what is wrong, with the offending value.
  """

  def __init__(self, file: str, field: str, reason: str):
    super().__init__(file, field, reason)
    self.file = file
    self.field = field
    self.reason = reason

  def __str__(self) -> str:
    return ': '.join(part for part in self.args if part)


class Trace(NamedTuple):
  """One chain of thought and how rollouts from its positions ended.

  Positions without data are kept, with zero counts: position and chunk index
  are then the same number. `without_gaps` leaves them out, and `chunk_indices`
  says which are left.

  Attributes:
    model: name of the model, empty where the source does not tell.
    sampling: settings of the sampling as its folder is called, or empty.
    base: 'correct' or 'incorrect', how the trace itself ended, or empty.
    problem: number of the problem.
    sentences: texts by chunk index, None for one that the source leaves out;
      None without any text.
    chunk_indices: int [T], increasing, index of the sentence that comes next.
    num_correct: int [T], rollouts with the right answer.
    num_wrong: int [T], rollouts with another answer.
    num_none: int [T], rollouts without an answer; None where the source does
      not tell. Published accuracies leave them out.
    num_errors: int [T], calls that failed and are no rollouts; None where the
      source does not tell.
    min_answered: int [T], the smallest num_correct + num_wrong that the source
      allows; the true number may be any multiple of it up to the largest
      possible. Equal to num_correct + num_wrong where the source counts.
    accuracies: float [T], P(correct) as recorded, NaN where it is not.
    tags: [T], kind of the sentence that comes next, or empty.
    question: text of the problem, or None.
    right_answer: or None.
    given_answer: of the trace itself, or None.
  """

  model: str
  sampling: str
  base: str
  problem: str
  sentences: tuple[str | None, ...] | None
  chunk_indices: np.ndarray
  num_correct: np.ndarray
  num_wrong: np.ndarray
  num_none: np.ndarray | None
  num_errors: np.ndarray | None
  min_answered: np.ndarray
  accuracies: np.ndarray
  tags: tuple[str, ...]
  question: str | None = None
  right_answer: str | None = None
  given_answer: str | None = None

  @property
  def num_answered(self) -> np.ndarray:
    """Number of rollouts that ended with an answer, int [T]."""
    return self.num_correct + self.num_wrong

  @property
  def has_data(self) -> np.ndarray:
    """Whether any rollout from a position is known, bool [T]."""
    none = 0 if self.num_none is None else self.num_none
    return self.num_answered + none > 0

  @property
  def is_number_known(self) -> np.ndarray:
    """Whether num_answered is certain and not only the ratio, bool [T]."""
    return self.has_data & (self.min_answered == self.num_answered)


class Reading(NamedTuple):
  """What a reader found.

  Attributes:
    traces: in the order of the source.
    problems: what was skipped and why; empty unless `skip_bad`.
  """

  traces: tuple[Trace, ...]
  problems: tuple[TraceError, ...]


class Problems(list[TraceError]):
  """What was skipped and why.

  Attributes:
    skip_bad: whether anything is skipped at all; if not, it is raised.
  """

  def __init__(self, skip_bad: bool):
    super().__init__()
    self.skip_bad = skip_bad

  @contextlib.contextmanager
  def skipped(self) -> Iterator[None]:
    """Keeps a TraceError that ends the block, or lets it pass."""
    try:
      yield
    except TraceError as error:
      if not self.skip_bad:
        raise
      self.append(error)


_ONCE = functools.partial(each_key_once, shown=lambda key: describe(key))


def parse_json(text: str | bytes | None, file: str, kind: type) -> Any:
  """Returns the value of a JSON text, of the given type (dict or list).

  A byte order mark before it is left out. An object that has a key twice is
  damaged: which of its values is meant cannot be known.
  """
  if text is None:
    raise TraceError(file, '', 'missing, or without content')
  if isinstance(text, str):
    text = text.removeprefix('\ufeff')
  try:
    value = json.loads(
      text, object_pairs_hook=functools.partial(each_key_once, shown=describe)
    )
  except RecursionError as error:
    raise TraceError(file, '', 'not JSON: nested too deep') from error
  except ValueError as error:
    raise TraceError(file, '', f'not JSON: {error}') from error
  return check(value, kind, file, '')


def read_table(
  content: bytes, file: str, *, columns: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
  """Yields where each row of a CSV stands, and its cells by column.

  As `csv` has it, None fills a row that is short and is the key of cells that
  are too many: see `check_cells`.

  Args:
    content: of the file, UTF-8, with or without a byte order mark.
    file: its name, for errors.
    columns: that must be there.

  Raises:
    TraceError: names the line of what is no such table.
  """
  try:
    text = content.decode('utf-8-sig')
    rows = csv.DictReader(io.StringIO(text, newline=''), strict=True)
    header = list(rows.fieldnames or ())
    missing = [column for column in columns if column not in header]
    if missing:
      raise TraceError(file, 'header', f'no column {", ".join(missing)}')
    for column in header:
      if header.count(column) > 1:
        raise TraceError(file, 'header', f'two columns {describe(column)}')
    for row in rows:
      yield f'{file}:{rows.line_num}', row
  except (UnicodeDecodeError, csv.Error) as error:
    raise TraceError(file, '', f'not a CSV: {error}') from error


def check_cells(row: dict[str, str], where: str) -> None:
  """Raises TraceError where a row of a table has not one cell a column."""
  if None in row or None in row.values():
    raise TraceError(where, '', 'more or fewer cells than columns')


def describe(value: Any) -> str:
  """Returns a value as short text, whatever it is and however deep."""
  return f'{_SHORT.repr(value):.60}'


def check(value: Any, kind: type, file: str, field: str) -> Any:
  """Returns the value, or raises TraceError if it has another type."""
  # In Python True is an int; in these files it never is.
  if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
    return value
  found = 'null'
  if value is not None:
    found = f'{type(value).__name__} {describe(value)}'
  raise TraceError(file, field, f'{kind.__name__} expected, found {found}')


def get(record: dict, key: str, kind: type, file: str, field: str = '') -> Any:
  """Returns record[key] of the given type; the field may say where it is."""
  path = f'{field}.{key}' if field else key
  if key not in record:
    raise TraceError(file, path, 'missing')
  return check(record[key], kind, file, path)


def get_text(record: dict, key: str, file: str, field: str = '') -> str | None:
  """Returns record[key], a text, or None where it is missing or null."""
  if record.get(key) is None:
    return None
  return get(record, key, str, file, field)


def check_index(index: int, file: str, field: str) -> int:
  """Returns an index in 0..MAX_POSITIONS-1."""
  if not 0 <= index < MAX_POSITIONS:
    raise TraceError(file, field, f'not an index: {describe(index)}')
  return index


def without_gaps(trace: Trace) -> Trace:
  """Returns the positions with data only; `chunk_indices` maps them back."""
  kept = trace.has_data
  arrays = {
    name: values[kept]
    for name, values in trace._asdict().items()
    if isinstance(values, np.ndarray)
  }
  tags = tuple(tag for tag, keep in zip(trace.tags, kept) if keep)
  return trace._replace(tags=tags, **arrays)


def guilty_sentences(trace: Trace, first_low_position: int) -> range:
  """Returns the chunk indices among which the guilty sentence is.

  One sentence where the position before has data, more after a gap, none
  where no position before has any: then nothing is known to have dropped.
  """
  before = np.flatnonzero(trace.has_data[:first_low_position])
  if not len(before):
    return range(0)
  first = trace.chunk_indices[before[-1]]
  return range(int(first), int(trace.chunk_indices[first_low_position]))


def sentence_effects(trace: Trace) -> np.ndarray:
  """Returns p_{t+1} - p_t, what sentence t does to the rate, float [T].

  Negative where it lowers the chance of success, NaN where either rate is
  unknown. The published importances have no common sign: this equals
  `resampling_importance_accuracy`, while a large positive
  `counterfactual_importance_accuracy` marks a sentence that *lowers* the rate,
  and the KL importances have no sign at all. None of them is read.
  """
  rates = np.full(len(trace.chunk_indices), np.nan)
  np.divide(
    trace.num_correct,
    trace.num_answered,
    out=rates,
    where=trace.num_answered > 0,
  )
  effects = np.append(rates[1:] - rates[:-1], np.nan)
  steps = np.append(np.diff(trace.chunk_indices), 1)
  return np.where(steps == 1, effects, np.nan)

"""Parts of readable reports: one trace from a folder, text, tables."""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import hashlib
import pathlib
from typing import Any, NamedTuple

from absl import flags
import numpy as np

from scripts.shared.tables import format_table
from toyjax import statistics
from toyjax.data import math_rollouts

flags.disclaim_key_flags()

MAX_ROLLOUTS = 100  # From one position, in the published data.


class OneTrace(NamedTuple):
  """The trace of a folder.

  Attributes:
    trace: the trace.
    problems: what was skipped and why.
  """

  trace: math_rollouts.Trace
  problems: tuple[math_rollouts.TraceError, ...]


@contextlib.contextmanager
def flag_errors() -> Iterator[None]:
  """Turns what is wrong with the data into errors of one line."""
  try:
    yield
  except (math_rollouts.TraceError, ImportError) as error:
    raise flags.Error(str(error)) from error


def read_one_trace(folder: str, *, skip_bad: bool) -> OneTrace:
  """Reads a folder that holds one problem.

  Raises:
    TraceError: what cannot be read.
    flags.Error: the folder holds several problems.
  """
  reading = math_rollouts.read_folder(
    folder, max_rollouts=MAX_ROLLOUTS, skip_bad=skip_bad
  )
  if len(reading.traces) != 1:
    reason = f'; {reading.problems[0]}' if reading.problems else ''
    raise flags.Error(
      f'--trace={folder} holds {len(reading.traces)} traces, not one{reason}'
    )
  return OneTrace(reading.traces[0], reading.problems)


def digest(folder: str, content: Any) -> str:
  """Returns the name of a folder and a hash of what was read from it."""
  if hasattr(content, '_asdict'):
    content = {
      name: value.tolist() if isinstance(value, np.ndarray) else value
      for name, value in content._asdict().items()
    }
  code = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
  return f'{pathlib.Path(folder).resolve().name} {code}'


def shorten(text: str, length: int) -> str:
  """Returns the text in one line of at most that many characters."""
  text = ' '.join(text.split())
  return text if len(text) <= length else text[: length - 1].rstrip() + '…'


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Returns a Markdown table that also reads well as plain text."""
  cells = [[cell.replace('|', '\\|') for cell in row] for row in rows]
  widths = [
    max(len(row[i]) for row in [list(header), *cells])
    for i in range(len(header))
  ]

  def line(row: Sequence[str]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(row, widths))
    return f'| {" | ".join(padded)} |'

  rule = f'| {" | ".join("-" * width for width in widths)} |'
  return '\n'.join([line(header), rule, *map(line, cells)])


def share(successes: int, total: int) -> str:
  """Returns 'k/n = share [Wilson interval]', or that there is nothing."""
  if not total:
    return 'no data'
  interval = statistics.wilson(successes, total)
  return (
    f'{successes}/{total} = {interval.estimate:.3f} '
    f'[{interval.lower:.3f}, {interval.upper:.3f}]'
  )


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


def cluster_table(rows: Sequence[Mapping[str, Any]]) -> str:
  """Returns the clusters of sentences as a table for a terminal."""
  lines = []
  for row in rows:
    count = share(row['num_sentences'], row['total'])
    rate = (
      'unknown'
      if row['num_answered'] is None
      else share(row['num_correct'], row['num_answered'])
    )
    mark = '*' if row['has_original'] else ''
    text = shorten(row['most_frequent'], 60)
    lines.append(
      [
        f'{row["cluster"]}{mark}',
        count,
        str(row['num_distinct']),
        rate,
        text,
      ]
    )
  header = ['cluster', 'share of draws', 'distinct', 'P(correct)', 'such as']
  note = '* holds the sentence of the trace; intervals are 95 % Wilson'
  return f'{format_table(header, lines)}\n{note}'

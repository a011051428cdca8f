"""Parts of readable reports: one trace from a folder, text, tables."""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import hashlib
import pathlib
import re
from typing import Any, NamedTuple

from absl import flags
import numpy as np

from scripts.shared.number_flags import define_integer
from scripts.shared.tables import format_table
from toyjax import statistics
from toyjax.data import math_rollouts
from toyjax.plots.texts import printable, shorten

flags.disclaim_key_flags()

MAX_ROLLOUTS = 100  # From one position, in the published data.
_MARKUP = re.compile(r'[\\`*_{}\[\]<>|~&$]|^#|://')  # What Markdown reads.


class OneTrace(NamedTuple):
  """The trace of a folder.

  Attributes:
    trace: the trace.
    problems: what was skipped and why.
    left_out: folders of rollouts beside it that are about no problem.
  """

  trace: math_rollouts.Trace
  problems: tuple[math_rollouts.TraceError, ...]
  left_out: tuple[pathlib.Path, ...] = ()


def define_max_rollouts() -> None:
  """Defines the flag that turns recorded accuracies into counts."""
  define_integer(
    'max_rollouts',
    MAX_ROLLOUTS,
    'Most rollouts from one position, where only an accuracy is recorded; the '
    'published data have 100. Rollouts that are there one by one are counted, '
    'however many.',
    1,
    1_000_000,
  )


@contextlib.contextmanager
def flag_errors() -> Iterator[None]:
  """Turns what is wrong with the data into errors of one line."""
  try:
    yield
  except (math_rollouts.TraceError, ImportError) as error:
    is_accuracy = 'no ratio of counts' in str(error)
    hint = '; see --max_rollouts' if is_accuracy else ''
    raise flags.Error(f'{error}{hint}') from error


def find_problem(folder: str) -> pathlib.Path:
  """Returns the folder of one problem, which is the given one or below it.

  Raises:
    TraceError: it is no folder.
    flags.Error: the folder holds several problems.
  """
  found = math_rollouts.find_folders(folder)
  if len(found.problems) > 1:
    raise flags.Error(
      f'--trace={folder} holds {len(found.problems)} traces, not one: '
      f'{found.problems[0].name}, {found.problems[1].name} ...'
    )
  return found.problems[0] if found.problems else pathlib.Path(folder)


def read_one_trace(
  folder: str, *, skip_bad: bool, max_rollouts: int = MAX_ROLLOUTS
) -> OneTrace:
  """Reads a folder that holds one problem, or lies above its folder.

  Raises:
    TraceError: what cannot be read.
    flags.Error: the folder holds several problems.
  """
  reading = math_rollouts.read_folder(
    find_problem(folder), max_rollouts=max_rollouts, skip_bad=skip_bad
  )
  if len(reading.traces) != 1:
    reason = f'; {reading.problems[0]}' if reading.problems else ''
    raise flags.Error(
      f'--trace={folder} holds {len(reading.traces)} traces, not one{reason}'
    )
  left_out = math_rollouts.find_folders(folder).left_out
  return OneTrace(reading.traces[0], reading.problems, left_out)


def describe_left_out(folders: Sequence[pathlib.Path]) -> str:
  """Says which folders of rollouts were not read, and why."""
  number = f'{len(folders)} folder{"s" * (len(folders) != 1)}'
  names = ', '.join(map(str, folders[:5])) + ', ...' * (len(folders) > 5)
  return (
    f'{number} with other rollouts left out, of no problem_{{id}} with right '
    f'answers: {shorten(names, 300)}'
  )


def digest(folder: str | pathlib.Path, content: Any) -> str:
  """Returns the name of a folder and a hash of what was read from it."""
  if hasattr(content, '_asdict'):
    content = {
      name: value.tolist() if isinstance(value, np.ndarray) else value
      for name, value in content._asdict().items()
    }
  code = hashlib.sha256(repr(content).encode()).hexdigest()[:16]
  return f'{pathlib.Path(folder).resolve().name} {code}'


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


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """Returns a Markdown table that also reads well as plain text."""
  cells = [
    [printable(cell).replace('|', '\\|') for cell in row] for row in rows
  ]
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

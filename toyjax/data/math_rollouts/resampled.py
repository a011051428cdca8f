"""The sentences that were drawn in place of one sentence of a trace.

Each rollout from position i starts with another draw of sentence i. Sources,
the first one that is there:

    chunk_{i}/solutions.json        also says how each rollout ended
    chunks_resampled.json           {position: [sentence, ...]}, no answers
    chunks_resampled_subset.json    the same of some positions
"""

from collections.abc import Iterable
import enum
import pathlib
import re
from typing import Any, NamedTuple

from toyjax.data.math_rollouts.parts import outcome_code
from toyjax.data.traces import (
  Problems,
  TraceError,
  check,
  get,
  parse_json,
)

_POSITION = re.compile('[0-9]{1,9}')
LISTS = ('chunks_resampled.json', 'chunks_resampled_subset.json')


class Ending(enum.IntEnum):
  """How a rollout ended."""

  CORRECT = 0
  WRONG = 1
  NO_ANSWER = 2
  UNKNOWN = 3


class Resampled(NamedTuple):
  """Sentences drawn at one position.

  Attributes:
    position: index of the sentence that they stand for.
    source: name of the file they come from.
    sentences: texts, in the order of the file, copies included.
    endings: how the rollout that starts with each ended; UNKNOWN throughout
      where the source does not tell.
    num_errors: calls that failed and drew nothing.
    problems: what was skipped and why; empty unless `skip_bad`.
  """

  position: int
  source: str
  sentences: tuple[str, ...]
  endings: tuple[Ending, ...]
  num_errors: int
  problems: tuple[TraceError, ...]


def read_resampled(
  folder: str | pathlib.Path, *, position: int, skip_bad: bool
) -> Resampled:
  """Reads the sentences that were drawn at a position of a problem folder.

  Args:
    folder: of one problem.
    position: index of the sentence, >= 0.
    skip_bad: whether to leave out bad rows and list them, instead of raising.

  Raises:
    TraceError: names the file and the field; also where the folder has no such
      sentences.
  """
  folder = pathlib.Path(folder)
  if position < 0:
    raise ValueError(f'position must be >= 0: {position}')
  if not folder.is_dir():
    raise TraceError(str(folder), '', 'missing, or not a folder')
  problems = Problems(skip_bad)
  solutions = folder / f'chunk_{position}' / 'solutions.json'
  if solutions.is_file():
    rows = parse_json(solutions.read_bytes(), str(solutions), list)
    return _from_rollouts(rows, position, str(solutions), problems)
  known: set[int] = set()
  for name in LISTS:
    file = folder / name
    if file.is_file():
      lists = parse_json(file.read_bytes(), str(file), dict)
      if str(position) in lists:
        return _from_list(lists, position, str(file), problems)
      known |= {int(key) for key in lists if _POSITION.fullmatch(key)}
  raise TraceError(
    str(folder), '', f'no sentences resampled at {position}; {_there(known)}'
  )


def _there(positions: Iterable[int]) -> str:
  listed = ', '.join(map(str, sorted(positions)))
  return f'there are some at {listed}' if listed else 'there are none at all'


def _from_rollouts(
  rows: list[Any], position: int, file: str, problems: Problems
) -> Resampled:
  sentences, endings, num_errors = [], [], 0
  for number, row in enumerate(rows):
    with problems.skipped():
      field = f'[{number}]'
      code = outcome_code(row, file, field)
      if code == Ending.UNKNOWN:  # Here the code of an error.
        num_errors += 1
        continue
      sentences.append(get(row, 'chunk_resampled', str, file, field))
      endings.append(Ending(code))
  return Resampled(
    position,
    pathlib.Path(file).name,
    tuple(sentences),
    tuple(endings),
    num_errors,
    tuple(problems),
  )


def _from_list(
  lists: dict[str, Any], position: int, file: str, problems: Problems
) -> Resampled:
  sentences = []
  field = str(position)
  for number, sentence in enumerate(get(lists, field, list, file)):
    with problems.skipped():
      sentences.append(check(sentence, str, file, f'{field}[{number}]'))
  return Resampled(
    position,
    pathlib.Path(file).name,
    tuple(sentences),
    (Ending.UNKNOWN,) * len(sentences),
    0,
    tuple(problems),
  )

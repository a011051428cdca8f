"""The folder layout of math-rollouts, on disk or as one row per file.

    {model}/{sampling}/{correct,incorrect}_base_solution/problem_{id}/
      problem.json, base_solution.json, chunks.json, chunks_labeled.json
      chunk_{i}/solutions.json

Neighbours such as `correct_base_solution_forced_answer` hold another
experiment (the answer is forced, nothing is rolled out) and are not read. Nor
are rollouts about something else than a right answer, such as
`yes_base_solution/scenario_{id}`; `find_folders` tells of them.
"""

from collections.abc import Iterable, Iterator, Mapping
import pathlib
import re
from typing import Any, NamedTuple

from toyjax.data.math_rollouts.parts import (
  PROBLEM,
  SOLUTIONS,
  Parts,
  add_file,
  assemble,
)
from toyjax.data.traces import (
  Problems,
  Reading,
  TraceError,
  check,
  describe,
)

_OTHER_EXPERIMENT = re.compile(r'[a-z]+_base_solution_\w+')
_REQUIRED = ('problem.json', 'base_solution.json')
_FILES = (*_REQUIRED, 'chunks.json', 'chunks_labeled.json')

File = tuple[str, str | bytes | None]


class Folders(NamedTuple):
  """Folders that hold the files of a trace or of rollouts.

  Attributes:
    problems: paths of those that are read.
    left_out: the others, by paths that begin with the name of the folder that
      was searched.
  """

  problems: tuple[pathlib.Path, ...]
  left_out: tuple[pathlib.Path, ...]


def read_folder(
  path: str | pathlib.Path, *, max_rollouts: int, skip_bad: bool
) -> Reading:
  """Reads all problem folders at or below a folder.

  Rollouts are counted from `chunk_{i}/solutions.json`. A folder without any
  of these gives what its recorded accuracies tell: see `recover_counts`.

  Args:
    path: of a folder called ...problem_{id}, or of one above such folders.
    max_rollouts: most rollouts from one position, to turn accuracies into
      counts; 100 in the published data.
    skip_bad: whether to leave out what cannot be read and list it, instead of
      raising. What is left out of solutions.json leaves a gap.

  Raises:
    TraceError: names the file and the field, unless `skip_bad`.
  """
  path = pathlib.Path(path)
  problems = Problems(skip_bad)
  with problems.skipped():
    found = find_folders(path)
    reading = _read(_walk(found.problems), max_rollouts, skip_bad)
    if not reading.traces and not reading.problems:
      reason = 'no folder problem_{id} with files in it'
      if found.left_out:
        number, names = len(found.left_out), list(map(str, found.left_out))
        reason += f'; {number} of another kind left out: {describe(names)}'
      raise TraceError(str(path), '', reason)
    return reading
  return Reading((), tuple(problems))


def read_rows(
  rows: Iterable[Mapping[str, Any]], *, max_rollouts: int, skip_bad: bool
) -> Reading:
  """Reads rows of one file each, in any order.

  Args:
    rows: mappings with 'path' and 'content', as in the Hugging Face data set;
      the other columns are not needed. Read once, one at a time.
    max_rollouts: see `read_folder`.
    skip_bad: see `read_folder`.
  """
  problems = Problems(skip_bad)

  def files() -> Iterator[File]:
    for number, row in enumerate(rows):
      with problems.skipped():
        where = f'row {number}'
        check(row, Mapping, where, '')
        path = check(row.get('path'), str, where, 'path')
        content = row.get('content')
        if content is not None:
          check(content, str, path, 'content')
        yield path, content

  reading = _read(files(), max_rollouts, skip_bad)
  return reading._replace(problems=(*problems, *reading.problems))


def find_folders(path: str | pathlib.Path) -> Folders:
  """Returns what `read_folder` would read at or below a folder, and would not.

  Raises:
    TraceError: it is no folder.
  """
  path = pathlib.Path(path)
  if not path.is_dir():
    raise TraceError(str(path), '', 'missing, or not a folder')
  path = path.resolve()
  holders = {file.parent for name in _FILES for file in path.rglob(name)}
  chunks = [*path.glob('chunk_*'), *path.rglob('chunk_*')]
  holders |= {chunk.parent for chunk in chunks if chunk.is_dir()}
  problems = {
    folder
    for folder in holders
    if PROBLEM.fullmatch(folder.name) and not _is_other(folder.as_posix())
  }
  left_out = {folder.relative_to(path.parent) for folder in holders - problems}
  return Folders(tuple(sorted(problems)), tuple(sorted(left_out)))


def _is_other(folder: str) -> bool:
  return any(map(_OTHER_EXPERIMENT.fullmatch, folder.split('/')))


def _walk(folders: Iterable[pathlib.Path]) -> Iterator[File]:
  """Yields the known files of problem folders."""
  for folder in folders:
    files = [folder / name for name in _FILES if (folder / name).is_file()]
    chunks = [chunk for chunk in folder.glob('chunk_*') if chunk.is_dir()]
    files += [chunk / 'solutions.json' for chunk in sorted(chunks)]
    for file in files:
      yield file.as_posix(), file.read_bytes() if file.is_file() else None


def _read(files: Iterable[File], max_rollouts: int, skip_bad: bool) -> Reading:
  problems = Problems(skip_bad)
  folders: dict[str, Parts] = {}
  for path, content in files:
    folder, name = _split(path)
    if name:
      parts = folders.setdefault(folder, Parts())
      with problems.skipped():
        add_file(parts, name, path, content, problems)
  traces = []
  for folder, parts in folders.items():
    for name in _REQUIRED:
      with problems.skipped():
        if name not in parts.seen:
          raise TraceError(f'{folder}/{name}', '', 'missing')
    with problems.skipped():
      traces.append(assemble(folder, parts, max_rollouts, problems))
  return Reading(tuple(traces), tuple(problems))


def _split(path: str) -> tuple[str, str]:
  """Returns the problem folder and the known name in it, or empty."""
  for depth in (1, 2):
    folder, *names = path.rsplit('/', depth)
    name = '/'.join(names)
    known = name in _FILES or SOLUTIONS.fullmatch(name)
    if known and PROBLEM.fullmatch(folder):
      return ('', '') if _is_other(folder) else (folder, name)
  return '', ''

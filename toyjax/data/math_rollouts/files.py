"""The folder layout of math-rollouts, on disk or as one row per file.

    {model}/{sampling}/{correct,incorrect}_base_solution/problem_{id}/
      problem.json, base_solution.json, chunks.json, chunks_labeled.json
      chunk_{i}/solutions.json

Neighbours such as `correct_base_solution_forced_answer` hold another
experiment (the answer is forced, nothing is rolled out) and are not read.
"""

from collections.abc import Iterable, Iterator, Mapping
import pathlib
import re
from typing import Any

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
)

_OTHER_EXPERIMENT = re.compile(r'(correct|incorrect)_base_solution_\w+')
_REQUIRED = ('problem.json', 'base_solution.json')
_FILES = (*_REQUIRED, 'chunks.json', 'chunks_labeled.json')

File = tuple[str, str | bytes | None]


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
    if not path.is_dir():
      raise TraceError(str(path), '', 'missing, or not a folder')
    reading = _read(_walk(path.resolve()), max_rollouts, skip_bad)
    if not reading.traces and not reading.problems:
      raise TraceError(str(path), '', 'no folder problem_{id} with files in it')
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
        path = check(row.get('path'), str, f'row {number}', 'path')
        content = row.get('content')
        if content is not None:
          check(content, str, path, 'content')
        yield path, content

  reading = _read(files(), max_rollouts, skip_bad)
  return reading._replace(problems=(*problems, *reading.problems))


def _walk(path: pathlib.Path) -> Iterator[File]:
  """Yields the known files of all problem folders at or below a folder."""
  candidates = [path, *sorted(path.rglob('*problem_*'))]
  for folder in candidates:
    if not (folder.is_dir() and PROBLEM.fullmatch(folder.name)):
      continue
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
      parts.seen.add(name)
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
      other = any(map(_OTHER_EXPERIMENT.fullmatch, folder.split('/')))
      return ('', '') if other else (folder, name)
  return '', ''

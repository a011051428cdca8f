"""What studies of one trace share: its folder, read and described.

values --read--> OneTrace; TraceError --setting_errors--> SettingError
"""

from collections.abc import Iterator, Sequence
import contextlib
import hashlib
import pathlib
from typing import Any, NamedTuple

import numpy as np

from toyjax import parsers, statistics
from toyjax.data import math_rollouts
from toyjax.parsers import Number, SettingError
from toyjax.settings import Setting, Values, fixed, machine
from toyjax.texts import shorten


class OneTrace(NamedTuple):
  """The trace of a folder.

  Attributes:
    trace: the trace.
    problems: what was skipped and why.
    left_out: folders of rollouts beside it that are about no problem.
    folder: of the problem.
  """

  trace: math_rollouts.Trace
  problems: tuple[math_rollouts.TraceError, ...] = ()
  left_out: tuple[pathlib.Path, ...] = ()
  folder: pathlib.Path = pathlib.Path()


def rows(name: str, *, trace: str, skip_bad: str) -> tuple[Setting, ...]:
  """Returns the settings of what is read, and of where the results go.

  Args:
    name: of the study.
    trace: help of the folder that is read.
    skip_bad: help of what is left out.
  """
  return (
    fixed('trace', None, parsers.path, trace),
    fixed('skip_bad', False, parsers.truth, skip_bad),
    fixed(
      'max_rollouts',
      100,
      Number(int, 1, 1_000_000),
      'Most rollouts from one position, where only an accuracy is recorded; '
      'the published data have 100. Rollouts that are there one by one are '
      'counted, however many.',
    ),
    machine('workdir', f'runs/{name}', parsers.path, 'Folder for results.'),
  )


@contextlib.contextmanager
def setting_errors() -> Iterator[None]:
  """Turns what is wrong with the data into errors of one line."""
  try:
    yield
  except math_rollouts.TraceError as error:
    is_accuracy = 'no ratio of counts' in str(error)
    hint = '; see --max_rollouts' if is_accuracy else ''
    raise SettingError(f'{error}{hint}') from error


def read(values: Values) -> OneTrace:
  """Reads a folder that holds one problem, or lies above its folder.

  Args:
    values: of `rows`.

  Raises:
    TraceError: what cannot be read.
    SettingError: the folder holds several problems, or none.
  """
  path = values['trace']
  found = math_rollouts.find_folders(path)
  if len(found.problems) > 1:
    raise SettingError(
      f'--trace={path} holds {len(found.problems)} traces, not one: '
      f'{found.problems[0].name}, {found.problems[1].name} ...'
    )
  folder = found.problems[0] if found.problems else pathlib.Path(path)
  reading = math_rollouts.read_folder(
    folder,
    max_rollouts=values['max_rollouts'],
    skip_bad=values['skip_bad'],
  )
  if len(reading.traces) != 1:
    reason = f'; {reading.problems[0]}' if reading.problems else ''
    raise SettingError(
      f'--trace={path} holds {len(reading.traces)} traces, not one{reason}'
    )
  return OneTrace(reading.traces[0], reading.problems, found.left_out, folder)


def digest(folder: pathlib.Path, content: Any) -> str:
  """Returns the name of a folder and a hash of the record read from it."""
  fields = {
    name: value.tolist() if isinstance(value, np.ndarray) else value
    for name, value in content._asdict().items()
  }
  code = hashlib.sha256(repr(fields).encode()).hexdigest()[:16]
  return f'{folder.resolve().name} {code}'


def describe_left_out(folders: Sequence[pathlib.Path]) -> str:
  """Says which folders of rollouts were not read, and why."""
  number = f'{len(folders)} folder{"s" * (len(folders) != 1)}'
  names = ', '.join(map(str, folders[:5])) + ', ...' * (len(folders) > 5)
  return (
    f'{number} with other rollouts left out, of no problem_{{id}} with right '
    f'answers: {shorten(names, 300)}'
  )


def share(successes: int, total: int) -> str:
  """Returns 'k/n = share [Wilson interval]', or that there is nothing."""
  if not total:
    return 'no data'
  interval = statistics.wilson(successes, total)
  return (
    f'{successes}/{total} = {interval.estimate:.3f} '
    f'[{interval.lower:.3f}, {interval.upper:.3f}]'
  )

"""One run of a sweep on its own: settings with one value, its folder.

settings of a sweep --require_single--> one configuration --run_one--> the run
"""

from collections.abc import Sequence
import pathlib
import re

from toyjax import chunks, memory, parsers, settings, stages
from toyjax.common_settings import DTYPE, seed
from toyjax.parsers import NATURAL, Choice, SettingError
from toyjax.settings import Setting, Values, fixed, machine
from toyjax.stages import Stage
from toyjax.studies import options


def rows(name: str) -> tuple[Setting, ...]:
  """Returns the settings of which run it is, and where its files go.

  Args:
    name: of the task.
  """
  return (
    seed('Seed of the sweep that the net is a run of.'),
    fixed('seed_index', 0, NATURAL, "The net's place in that sweep."),
    DTYPE,
    machine(
      'map',
      'lanes',
      Choice(chunks.MAPS),
      'How the sweep maps the run over seeds.',
    ),
    options.num_devices(),
    machine(
      'workdir',
      '',
      parsers.path,
      f"Folder for the text and pictures; '' is runs/{name} and below it a "
      'name made of the flags that are not left alone.',
    ),
  )


def require_single(rows: Sequence[Setting], values: Values) -> None:
  """Checks that each swept setting holds one value.

  Raises:
    SettingError: naming the first that does not.
  """
  for row in settings.swept(rows):
    held = values[row.name]
    if len(held) > 1:
      raise SettingError(
        f'--{row.name}={",".join(map(str, held))} holds {len(held)} values; '
        'one net has one'
      )


def require_room(stage: Stage, seed_index: int) -> None:
  """Refuses a run that has no room in memory, before it has a folder.

  Raises:
    SettingError: saying how much it takes.
  """
  memory.require_room(
    lambda: stage.trial,
    stages.one_x(stage, seed_index),
    stage.sizes,
    num_runs=1,
    chunk_size=1,
  )


def folder_of(
  name: str, rows: Sequence[Setting], values: Values
) -> pathlib.Path:
  """Returns `workdir`, or a folder of its own for each set of settings.

  It is named by what is not as it would be if it were left alone.

  Args:
    name: of the task.
    rows: settings that tell runs apart.
    values: of all settings.
  """
  if values['workdir']:
    return pathlib.Path(values['workdir'])
  parts = []
  for row in rows:
    value, alone = values[row.name], row.default
    if row.follow is not None:
      alone = row.follow(alone, False, values)
    if value != alone:
      held = value if isinstance(value, list) else [value]
      # Of a file its name is enough.
      texts = [str(item).rpartition('/')[2] for item in held]
      parts.append(f'{row.name}={",".join(texts)}')
  own = re.sub(r'[^\w=.,!-]', '-', '_'.join(parts)) or 'default'
  return pathlib.Path('runs') / name / own

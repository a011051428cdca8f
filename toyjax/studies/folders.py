"""A finished folder, as its own script and other studies read it.

folder --find--> manifest, which its stores agree with
folder of a study --open_folder--> Folder: its values, stages and stored runs
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import contextlib
import pathlib
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from toyjax import checks, manifest, parsers
from toyjax.manifest import Workdir
from toyjax.parsers import SettingError
from toyjax.processors import num_cores
from toyjax.runs import Lazy, Runs, open_runs, require_size
from toyjax.settings import Setting, Values, machine
from toyjax.stages import Stage
from toyjax.stored_runs import MissingError, StoredRuns
from toyjax.studies.base import STORE, Plan, Report, Study

# What readers of trained weights need, beside what stages are made of.
TRAINED = ('observe_steps', 'dtype')


def find(path: str | pathlib.Path, script: str) -> dict[str, Any]:
  """Returns the manifest of a folder, after a look at what it holds.

  Args:
    path: the folder.
    script: that made it.

  Raises:
    WorkdirError: where it holds nothing, belongs to another script, or its
      manifest says something else than its runs.
    StoreError: where a group says nothing that can be read.
  """
  path = pathlib.Path(path)
  found = manifest.read(path)
  if found is None:
    raise manifest.WorkdirError(f'{path} holds no results to read')
  if found['script'] != script:
    raise manifest.WorkdirError(
      f'{path} belongs to {found["script"]!r}, not to {script!r}'
    )
  folders = sorted(path.glob(f'{STORE}/*/{checks.FOLDER}'))
  for folder in [path / STORE / folder.parts[-3] for folder in folders]:
    record = checks.read_record(folder)
    if record is None or record.identity is None:
      continue
    for text in checks.unlike(record.identity, manifest.identity(found)):
      raise manifest.WorkdirError(
        f'{folder} holds runs of {text} as in {path / manifest.FILENAME}, '
        'which was changed: correct it'
      )
  return found


def find_num_devices(num_devices: int, path: str | pathlib.Path) -> int:
  """Returns a number of devices, or for 0 the folder's own, or that of cores.

  For studies whose layout holds it: where a device's share of the runs is one
  batch, its size may move last bits.
  """
  if num_devices:
    return num_devices
  found = manifest.read(pathlib.Path(path)) or {}
  return found.get('layout', {}).get('num_devices') or num_cores()


@contextlib.contextmanager
def understood(path: str | pathlib.Path) -> Iterator[None]:
  """Says in one line that settings of a manifest are not a script's.

  Those of a folder whose stores do not repeat them can be anything.

  Raises:
    WorkdirError: where what is done raises what a wrong type or a missing name
      raises.
  """
  try:
    yield
  except (SettingError, manifest.WorkdirError, checks.StoreError):
    raise
  except (LookupError, TypeError, ValueError, AttributeError) as error:
    reason = f'{type(error).__name__}: {checks.reason(error)}'
    raise manifest.WorkdirError(
      f"{pathlib.Path(path) / manifest.FILENAME}: 'science' is not that of "
      f'its script ({reason})'
    ) from None


class Folder(NamedTuple):
  """The folder of a finished study, for a study that reads it.

  Attributes:
    path: the folder.
    study: whose.
    manifest: what it says of itself.
    values: of all settings.
    stages: all of them.
  """

  path: pathlib.Path
  study: Study
  manifest: Mapping[str, Any]
  values: Values
  stages: list[Stage]

  def choose(self, name: str) -> Stage:
    """Returns the stage of that name; '' names the only one.

    Raises:
      SettingError: naming those there are.
    """
    chosen = [stage for stage in self.stages if name in ('', stage.name)]
    if len(chosen) != 1:
      names = ', '.join(stage.name for stage in self.stages)
      raise SettingError(f'--group={name}: choose one of {names}')
    return chosen[0]

  def observed(self, step: int) -> int:
    """Returns one of the observed steps; 0 is the last.

    Raises:
      SettingError: naming those there are.
    """
    steps = self.values['observe_steps']
    step = step or steps[-1]
    if step not in steps:
      raise SettingError(
        f'--step={step} was not observed: choose one of {steps}'
      )
    return step

  def open(self, stage: Stage, store: str = STORE) -> StoredRuns:
    """Opens the finished runs of a stage in one of the folder's stores.

    Raises:
      SettingError: where it is not there, or is of another folder's runs.
      StoreError: where it is damaged, or holds more runs than the manifest
        says.
    """
    try:
      runs = open_runs(self.path / store, stage)
    except MissingError as error:
      raise SettingError(str(error)) from None
    if store == STORE:
      num_seeds = self.manifest.get('extent', {}).get('num_seeds')
      if num_seeds is not None:
        require_size(runs, stage.num_runs(num_seeds))
    elif runs.identity is not None:
      # What was made of this folder's runs has all of their settings.
      was = runs.identity.get('science', {})
      shared = {name: was.get(name) for name in self.values}
      for difference in checks.unlike(shared, self.values):
        raise SettingError(
          f'{runs.folder} was made of runs of {difference} as in {self.path}; '
          'make it again'
        )
    return runs

  def split(
    self,
    stage: Stage,
    stored: StoredRuns,
    also: Mapping[str, np.ndarray] = MappingProxyType({}),
  ) -> list[Runs]:
    """Returns opened runs by configuration, some of which may have none.

    Args:
      stage: whose.
      stored: from `open`. Their numbers are added as 'run'.
      also: further arrays [F, ...] of the runs, which win.
    """
    arrays = {'run': stored.runs, **also}

    def make(name: str) -> np.ndarray:
      return arrays[name] if name in arrays else stored.read(name)

    return self.study.split(
      stage,
      Lazy(dict.fromkeys((*stored.names, *arrays)), make),
      stored.runs % stage.num_configurations,
      self.values,
    )

  def read(self, stages: Sequence[Stage] | None = None) -> list[Runs]:
    """Returns all finished runs by configuration.

    Args:
      stages: of the folder; None is all.
    """
    return self.study.open(self.path / STORE, self.values, stages=stages)

  def plan(
    self,
    values: Values,
    name: str,
    run: Callable[[Workdir], Report | Iterator[Report]],
    **fields: Any,
  ) -> Plan:
    """Returns the plan of a task that reads the folder.

    Args:
      values: of the task, whose `output` may name the folder for the results.
      name: of that folder in this one, where it does not.
      run: see `Plan`.
      **fields: others of `Plan`; left out, they are those of this folder.
    """
    own: dict[str, Any] = {
      'science': self.values,
      'extent': self.manifest['extent'],
      'layout': self.manifest['layout'],
      'dtype': self.values['dtype'],
      'num_devices': values.get('num_devices', 1),
    }
    folder = pathlib.Path(values['output'] or self.path / name)
    return Plan(folder, run=run, folder_flag='output', **own | fields)


def open_folder(
  path: str | pathlib.Path, study: Study, names: Sequence[str] = ()
) -> Folder:
  """Returns the folder of a study.

  Args:
    path: the folder.
    study: that made it.
    names: settings that the reader needs beside those of the stages.

  Raises:
    WorkdirError: where the folder is none of that study.
    StoreError: where it is damaged.
  """
  found = find(path, study.name)
  with understood(path):
    values = found['science']
    for name in names:
      values[name]
    return Folder(
      pathlib.Path(path), study, found, values, study.stages(values)
    )


def open_trained(values: Values, study: Study) -> Folder:
  """Returns the folder `workdir` of a study that keeps trained weights."""
  return open_folder(values['workdir'], study, TRAINED)


def rows(
  text: str, name: str, *, workdir: str = 'runs/optimization_failure'
) -> tuple[Setting, Setting]:
  """Returns the settings of a task that reads a folder: that, and its own.

  Args:
    text: help of the folder that is read.
    name: of the folder for the results in it, for the help.
    workdir: default of the folder that is read.
  """
  own = f"Folder for the results; '' is WORKDIR/{name}."
  return (
    machine('workdir', workdir, parsers.path, text),
    machine('output', '', parsers.path, own),
  )

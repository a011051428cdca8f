"""What a study is, and what can be done with one.

Study, given --resolve--> values --run or read--> [Runs] --report--> Report
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import pathlib
from typing import Any, NamedTuple

import numpy as np

from toyjax import runs as finished_runs
from toyjax import settings, training
from toyjax.manifest import Workdir
from toyjax.parsers import SettingError
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Setting, Values
from toyjax.stages import Stage, grid
from toyjax.tables import Table
from toyjax.texts import printable

STORE = 'results.zarr'


def train(
  workdir: Workdir,
  stage: Stage,
  xs: dict[str, Any],
  *,
  progress: bool = True,
  ready: training.Ready | None = None,
) -> None:
  """Runs a stage into the store of a folder, or resumes it there.

  In JAX's present precision: see `stages.precision_of`.

  Args:
    workdir: the folder, whose layout says the size of chunks and the map.
    stage: what is run.
    xs: its runs.
    progress: whether to show a bar on stderr.
    ready: the stage compiled before, see `training.compiled`.
  """
  layout = workdir.manifest['layout']
  training.train(
    stage,
    xs,
    path=workdir.path / STORE,
    identity=workdir.identity,
    chunk_size=layout['chunk_size'],
    map_name=layout.get('map', 'lanes'),
    progress=printable(stage.name) if progress else None,
    ready=ready,
  )


class Report(NamedTuple):
  """What a study shows of its finished runs.

  Attributes:
    parts: tables and texts, in the order in which they are printed.
    sheets: pictures.
    notes: the manifest's 'summary': thresholds, and what labels depend on.
    files: name -> what writes it, for all that is no table and no sheet.
  """

  parts: Sequence[Table | str]
  sheets: Sequence[Sheet] = ()
  notes: Mapping[str, Any] = {}
  files: Mapping[str, Callable[[pathlib.Path], object]] = {}

  @property
  def tables(self) -> list[Table]:
    """The tables alone."""
    return [part for part in self.parts if isinstance(part, Table)]

  def table(self, name: str) -> Table:
    """Returns one table; raises KeyError with the names there are."""
    return _named(self.tables, name)

  def sheet(self, name: str) -> Sheet:
    """Returns one picture; raises KeyError with the names there are."""
    return _named(self.sheets, name)


def _named(things: Sequence[Any], name: str) -> Any:
  found = {thing.name: thing for thing in things}
  if name not in found:
    raise KeyError(f'{name!r} is none of {", ".join(found)}')
  return found[name]


def _unchanged(values: Values) -> Values:
  return values


class Study(NamedTuple):
  """One study: what is asked, of which runs, and what is shown.

  Attributes:
    name: of its script, its folder of results and its tests.
    settings: the rows, in the order of the columns of tables.
    stages: values -> stages, in the order in which they run.
    report: (finished runs, values) -> tables and sheets.
    num_seeds: default.
    complete: values -> values that fit each other, with what follows from
      several; raises SettingError.
    relabel: labels stored runs again with the present code, for reports of
      other thresholds; None where no label has one.
    always: settings that make a label where nothing is swept.
    dtypes: values -> precisions that must hold all numbers.
    grows: whether more seeds may extend a folder.
  """

  name: str
  settings: Sequence[Setting]
  stages: Callable[[Values], list[Stage]]
  report: Callable[[list[Runs], Values], Report]
  num_seeds: int
  complete: Callable[[Values], Values] = _unchanged
  relabel: finished_runs.Relabel | None = None
  always: Sequence[str] = ()
  dtypes: Callable[[Values], Sequence[str]] = lambda values: [values['dtype']]
  grows: bool = True

  def resolve(self, **given: Any) -> Values:
    """Returns a checked value for every setting.

    Args:
      **given: by name; others take their default. A swept setting takes a list,
        or one value.

    Raises:
      SettingError: naming the setting that does not fit.
    """
    values = settings.resolve(self.settings, given, dtypes=self.dtypes)
    return self.complete(values)

  @property
  def reported(self) -> list[str]:
    """Names of the settings that no run depends on."""
    return settings.names_of(self.settings, settings.REPORTED)

  def science(self, values: Values) -> Values:
    """Returns what a folder holds: all values but those of role MACHINE."""
    others = settings.names_of(self.settings, settings.MACHINE)
    return {name: values[name] for name in values if name not in others}

  def split(
    self,
    stage: Stage,
    arrays: finished_runs.Arrays,
    number: np.ndarray,
    values: Values,
  ) -> list[Runs]:
    """Returns the runs of a stage by configuration, see `runs.split`."""
    return list(
      finished_runs.split(
        stage,
        arrays,
        number,
        rows=self.settings,
        values=values,
        always=self.always,
        attrs=stage.group_attrs(arrays),
      )
    )

  def open(
    self,
    path: pathlib.Path,
    values: Values,
    *,
    relabel: bool = False,
    stages: Sequence[Stage] | None = None,
  ) -> list[Runs]:
    """Returns the finished runs of a store, see `runs.read`.

    Args:
      path: of the store.
      values: of all settings.
      relabel: whether to label them again.
      stages: those that are read; None is all.
    """
    return finished_runs.read(
      path,
      self.stages(values) if stages is None else stages,
      rows=self.settings,
      values=values,
      always=self.always,
      relabel=self.relabel if relabel else None,
    )


def grid_study(
  name: str,
  rows: Sequence[Setting],
  report: Callable[[list[Runs], Values], Report],
  *,
  num_seeds: int,
  complete: Callable[[Values], Values] = _unchanged,
  relabel: finished_runs.Relabel | None = None,
  always: Sequence[str] = (),
  spanned: Callable[[Values], Values] = _unchanged,
  **trained: Any,
) -> Study:
  """Returns a study that trains a grid of its settings.

  Args:
    name: see `Study`, as the others but for two.
    rows: the settings.
    report: what is shown.
    num_seeds: default.
    complete: what fits each other.
    relabel: labels stored runs again.
    always: settings that make a label.
    spanned: values -> those that the grid spans, where they are others.
    **trained: make_trial, variables, outcome, attrs ... of `stages.grid`.
  """

  def stages(values: Values) -> list[Stage]:
    return list(grid(rows, spanned(values), **trained))

  return Study(name, rows, stages, report, num_seeds, complete, relabel, always)


class Plan(NamedTuple):
  """What a task does, where and on what.

  Attributes:
    folder: for what it writes.
    science: all that its results depend on, for the manifest.
    run: what it does in the folder; one report, or several that are shown one
      by one as it goes on.
    extent: see `manifest.Workdir`.
    layout: see `manifest.Workdir`; a chunk_size of 0 becomes the folder's own,
      or one that suits the device.
    dtype: precision that JAX is set up for.
    num_devices: CPU devices; 0 means one for each core.
    check: called with JAX set up, before there is a folder; raises SettingError
      on what has no room.
    folder_flag: the setting that names the folder, for messages.
    forecast: stages, each with the number of its runs, where only what they
      take is asked for; nothing is run then, or written.
  """

  folder: pathlib.Path
  science: Mapping[str, Any]
  run: Callable[[Workdir], Report | Iterator[Report]]
  extent: Mapping[str, int] = {}
  layout: Mapping[str, Any] = {}
  dtype: str = 'float32'
  num_devices: int = 1
  check: Callable[[], None] = lambda: None
  folder_flag: str = 'workdir'
  forecast: Sequence[tuple[Stage, int]] | None = None


class Task(NamedTuple):
  """A study that sweeps no seeds: it reads a folder, data, or one net.

  Attributes:
    name: of its script, its folder of results and its tests.
    settings: the rows, those of the machine among them.
    prepare: values -> plan; touches no device and writes nothing.
    required: names of settings that must be given.
    complete: as in `Study`.
    dtypes: values -> precisions that must hold the numbers.
  """

  name: str
  settings: Sequence[Setting]
  prepare: Callable[[Values], Plan]
  required: Sequence[str] = ()
  complete: Callable[[Values], Values] = _unchanged
  dtypes: Callable[[Values], Sequence[str]] = lambda values: (
    [values['dtype']] if 'dtype' in values else []
  )

  def resolve(self, **given: Any) -> Values:
    """Returns a checked value for every setting, as `Study.resolve`."""
    values = settings.resolve(self.settings, given, dtypes=self.dtypes)
    for name in self.required:
      if values[name] is None:
        raise SettingError(f'--{name} must be given')
    return self.complete(values)

  @property
  def reported(self) -> list[str]:
    """Names of the settings that change no result, as `Study.reported`."""
    return settings.names_of(self.settings, settings.REPORTED)

  def science(self, values: Values) -> Values:
    """Returns the values of all settings but those of the machine."""
    names = [s.name for s in self.settings if s.role != settings.MACHINE]
    return {name: values[name] for name in values if name in names}

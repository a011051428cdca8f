"""The finished runs of a study, configuration by configuration.

results.zarr --read--> [Runs]: arrays [S, ...] of one configuration each
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import logging
import pathlib
from typing import Any, NamedTuple

import numpy as np

from toyjax import settings
from toyjax.checks import StoreError
from toyjax.manifest import FILENAME, WorkdirError
from toyjax.settings import Setting, Values
from toyjax.stages import Stage
from toyjax.stored_runs import MissingError, StoredRuns
from toyjax.texts import printable

_LOGGER = logging.getLogger(__name__)
Arrays = Mapping[str, np.ndarray]
# (values of a stage, its stored arrays) -> arrays to take instead of theirs.
Relabel = Callable[[Values, Arrays], Arrays]


class Runs(NamedTuple):
  """All finished runs of one configuration.

  Attributes:
    label: what tells it from the others, such as n=7 lr=0.1.
    configuration: value of each swept setting; None where it is not used.
    values: all settings; of shapes and statics the one value of the stage.
    stage: name of its group in the store.
    data: name -> array [S, ...], one row a run, in the order of their seeds.
    attrs: attributes of the group.
  """

  label: str
  configuration: dict[str, Any]
  values: Values
  stage: str
  data: Arrays
  attrs: Mapping[str, Any] = {}

  @property
  def num_runs(self) -> int:
    """S."""
    return len(self.data['seed_index'])

  def last(self, name: str) -> np.ndarray:
    """Returns [S, ...], what was observed at the last step."""
    return self.data[name][:, -1]


def common(a: Runs, b: Runs) -> tuple[np.ndarray, np.ndarray]:
  """Returns where the seeds that both have stand in a and in b, int [P] each.

  Configurations share their seeds: differences between them are paired.
  """
  here, there = a.data['seed_index'], b.data['seed_index']
  return np.intersect1d(here, there, return_indices=True)[1:]


class Lazy(Mapping[str, np.ndarray]):
  """Arrays by name, each made once, when it is asked for."""

  def __init__(self, names: Iterable[str], make: Callable[[str], np.ndarray]):
    """`make` is called with one of the names."""
    self._names = tuple(names)
    self._make = make
    self._kept: dict[str, np.ndarray] = {}

  def __getitem__(self, name: str) -> np.ndarray:
    if name not in self._kept:
      self._kept[name] = self._make(name)
    return self._kept[name]

  def __contains__(self, name: object) -> bool:
    return name in self._names

  def __iter__(self) -> Iterator[str]:
    return iter(self._names)

  def __len__(self) -> int:
    return len(self._names)


def _rows(arrays: Arrays, rows: np.ndarray) -> Lazy:
  return Lazy(arrays, lambda name: arrays[name][rows])


def _changed(arrays: Arrays, instead: Arrays) -> Lazy:
  return Lazy(arrays, lambda n: (instead if n in instead else arrays)[n])


def split(
  stage: Stage,
  arrays: Arrays,
  number: np.ndarray,
  *,
  rows: Sequence[Setting],
  values: Values,
  always: Sequence[str],
  attrs: Mapping[str, Any],
) -> Iterator[Runs]:
  """Splits the runs of a stage into its configurations.

  Args:
    stage: whose.
    arrays: [F, ...] of its F finished runs, seed_index among them.
    number: int [F], configuration of each run.
    rows: the settings.
    values: of the whole grid.
    always: settings that make a label where nothing is swept.
    attrs: attributes of the group.
  """
  points = configurations(rows, stage, values, always)
  for c, (configuration, label) in enumerate(points):
    yield Runs(
      label=label,
      configuration=configuration,
      values=stage.values,
      stage=stage.name,
      data=_rows(arrays, np.flatnonzero(number == c)),
      attrs=attrs,
    )


def read(
  path: pathlib.Path,
  stages: Sequence[Stage],
  *,
  rows: Sequence[Setting],
  values: Values,
  always: Sequence[str],
  relabel: Relabel | None = None,
) -> list[Runs]:
  """Reads the finished runs of all configurations of all stages.

  Args:
    path: of the store.
    stages: in order.
    rows: the settings.
    values: of the whole grid.
    always: settings that make a label where nothing is swept.
    relabel: labels runs again by the present code and `values`.

  Raises:
    WorkdirError: where a configuration has none.
    StoreError: where a group is damaged.
  """
  found: list[Runs] = []
  for stage in stages:
    stored = open_finished(path, stage)
    arrays = Lazy(stored.names, stored.read)
    if relabel is not None:
      arrays = _changed(arrays, relabel(stage.values, arrays))
    found += split(
      stage,
      arrays,
      stored.runs % stage.num_configurations,
      rows=rows,
      values=values,
      always=always,
      attrs=stored.attrs,
    )
  return found


def configurations(
  rows: Sequence[Setting],
  stage: Stage,
  values: Values,
  always: Sequence[str],
) -> Iterator[tuple[dict[str, Any], str]]:
  """Yields each configuration of a stage, and its label.

  A label names a configuration by what is swept, such as n=7 lr=0.1, unless
  the stage has labels of its own.

  Args:
    rows: the settings.
    stage: of the grid.
    values: of the whole grid.
    always: settings that make the label where nothing is swept.

  Yields:
    Value of each swept setting, None where it is not used; the label.
  """
  columns = list(settings.swept(rows))
  several = [row for row in columns if len(values[row.name]) > 1]
  named = several or [row for row in columns if row.name in always]
  for c in range(stage.num_configurations):
    point = {**stage.static, **{n: v[c].item() for n, v in stage.axes.items()}}
    parts = []
    for row in named:
      if (value := point.get(row.name)) is not None:
        title = row.name if row.label is None else row.label
        text = settings.text_of(value)
        parts.append(f'{title}={text}' if title else text)
    label = stage.labels[c] if stage.labels else ' '.join(parts)
    yield {row.name: point.get(row.name) for row in columns}, printable(label)


def open_runs(path: pathlib.Path, stage: Stage) -> StoredRuns:
  """Opens the finished runs of a stage, each checked as it is read.

  Args:
    path: of the store.
    stage: whose.

  Raises:
    MissingError: where the group has not been begun.
    StoreError: where it is damaged, or holds runs of other traced settings.
  """
  runs = StoredRuns(path, stage.name)
  number = runs.runs % stage.num_configurations
  for name, values in stage.axes.items():
    if name not in runs:
      continue
    stored = runs.read(name)
    asked = values.astype(stored.dtype)[number]
    for k in np.flatnonzero(stored != asked)[:1]:
      raise StoreError(
        f'{runs.folder} holds runs of --{name}={stored[k]}, not {asked[k]} as '
        f'in {path.parent / FILENAME}, which was changed'
      )
  return runs


def open_finished(
  path: pathlib.Path, stage: Stage, num_seeds: int | None = None
) -> StoredRuns:
  """Opens a stage whose every configuration has a finished run.

  Args:
    path: of the store.
    stage: whose.
    num_seeds: of the sweep by its manifest, where that is to be checked.

  Raises:
    WorkdirError: where a configuration has none, as in a sweep that was stopped
      early.
    StoreError: where it is damaged, or holds more seeds.
  """
  early = WorkdirError(
    f'{path.parent}: not every configuration of {stage.name} has a finished '
    'run yet; the command without --from_store goes on'
  )
  try:
    runs = open_runs(path, stage)
  except MissingError:
    raise early from None
  number = runs.runs % stage.num_configurations
  if len(set(number.tolist())) < stage.num_configurations:
    raise early
  if num_seeds is not None:
    require_size(runs, stage.num_runs(num_seeds))
  return runs


def require_size(runs: StoredRuns, num_runs: int) -> None:
  """Compares the size of a group with what its manifest says.

  Raises:
    StoreError: where it is larger; what is missing is logged.
  """
  if runs.num_runs > num_runs:
    raise StoreError(
      f'{runs.folder} holds {runs.num_runs:,} runs, its manifest says '
      f'{num_runs:,}: it was changed'
    )
  if runs.num_runs < num_runs:
    _LOGGER.warning(
      '%s: finished runs %s of %s; the command without --from_store runs the '
      'others',
      runs.folder,
      f'{len(runs.runs):,}',
      f'{num_runs:,}',
    )

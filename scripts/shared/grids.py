"""A grid of flags as groups of runs, each one compiled program and store group.

settings (flag -> list) --make_groups--> Group --run_group--> results.zarr
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
import itertools
import logging
import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from scripts.shared import memory
from toyjax import chunks, manifest, store, sweeps
from toyjax.checks import StoreError
from toyjax.plots.texts import printable
from toyjax.stored_runs import MissingError, StoredRuns

# Of the library, whose remarks a script shows.
_LOGGER = logging.getLogger('toyjax.scripts')


class Group(NamedTuple):
  """All runs of one compiled program: one group of the store.

  Attributes:
    name: of the group, such as n7_m2.
    static: value of each static flag.
    axes: traced flag -> array [C], the configurations of the group.
  """

  name: str
  static: dict[str, Any]
  axes: dict[str, np.ndarray]

  @property
  def num_configurations(self) -> int:
    """C, the number of configurations each seed is run under."""
    return len(next(iter(self.axes.values())))


def make_groups(
  settings: Mapping[str, Any],
  *,
  shapes: Mapping[str, str],
  choices: Sequence[str],
  traced: Callable[[Mapping[str, Any]], Sequence[str]],
) -> Iterator[Group]:
  """Splits a grid into groups, one for each combination of static flags.

  Args:
    settings: flag -> list of values.
    shapes: static flag -> its letter in the group's name, as n in n7_m2.
    choices: further static flags; in the name only where they are swept.
    traced: static flags of a group -> names of the flags it traces.

  Yields:
    The groups in the order of the flags' values, the last flag fastest.
  """
  names = (*shapes, *choices)
  for values in itertools.product(*(settings[name] for name in names)):
    static = dict(zip(names, values))
    parts = [f'{letter}{static[name]}' for name, letter in shapes.items()]
    parts += [static[name] for name in choices if len(settings[name]) > 1]
    axes = sweeps.grid(**{name: settings[name] for name in traced(static)})
    yield Group('_'.join(parts), static, axes)


def group_xs(
  group: Group, *, seed: int, num_seeds: int, dtype: str
) -> dict[str, Any]:
  """Returns the runs of a group: its configurations crossed with the seeds.

  Raises:
    flags.Error: where they are too many for this machine's memory.
  """
  memory.require_runs(
    num_seeds * group.num_configurations,
    len(group.axes) * np.dtype(dtype).itemsize,
  )
  configurations = {
    name: values.astype(dtype) for name, values in group.axes.items()
  }
  return sweeps.seeds_by_grid(
    seed=seed, num_seeds=num_seeds, configurations=configurations
  )


def require_room(groups: Iterable[Group], num_seeds: int) -> None:
  """Refuses groups whose runs have no room, before they have a folder.

  Raises:
    flags.Error: saying how many runs, and how much they take.
  """
  for group in groups:
    memory.require_runs(
      num_seeds * group.num_configurations, 4 * len(group.axes)
    )


def points(
  group: Group,
  settings: Mapping[str, Any],
  columns: Sequence[str],
  *,
  short: Mapping[str, str],
  always: Sequence[str],
) -> Iterator[tuple[dict[str, Any], str]]:
  """Yields the flags and the label of each configuration of a group.

  A label names a configuration by what is swept, such as n=7 lr=0.1.

  Args:
    group: of the store.
    settings: all scientific flags.
    columns: the list flags, in the order of the columns.
    short: flag -> its name in a label; the value stands alone where it is ''.
    always: flags that make the label where nothing is swept.
  """
  swept = [name for name in columns if len(settings[name]) > 1]
  for c in range(group.num_configurations):
    point = group.static | {
      name: values[c].item() for name, values in group.axes.items()
    }
    flags = {name: point.get(name) for name in columns}
    parts = []
    for name in swept or always:
      value = flags[name]
      if value is None:
        continue
      text = text_of(value) if isinstance(value, float) else str(value)
      title = short.get(name, name)
      parts.append(f'{title}={text}' if title else text)
    yield flags, printable(' '.join(parts))


def text_of(value: float) -> str:
  """Returns a number in few digits, or in all that tell it from others."""
  short = f'{value:g}'
  return short if float(short) == value else repr(value)


def open_runs(path: pathlib.Path, group: Group) -> StoredRuns:
  """Opens the finished runs of a group, each checked as it is read.

  Args:
    path: of the store.
    group: one of its groups.

  Raises:
    MissingError: where the group has not been begun.
    StoreError: where it is damaged, or holds runs of other traced flags.
  """
  runs = StoredRuns(path, group.name)
  number = runs.runs % group.num_configurations
  for name, values in group.axes.items():
    if name not in runs:
      continue
    stored = runs.read(name)
    asked = values.astype(stored.dtype)[number]
    for k in np.flatnonzero(stored != asked)[:1]:
      raise StoreError(
        f'{runs.folder} holds runs of --{name}={stored[k]}, not {asked[k]} as '
        f'in {path.parent / manifest.FILENAME}, which was changed'
      )
  return runs


def is_begun(path: pathlib.Path, group: Group) -> bool:
  """Whether a sweep has come to a group of the store."""
  try:
    StoredRuns(path, group.name)
  except MissingError:
    return False
  return True


def open_finished(
  path: pathlib.Path, group: Group, num_seeds: int | None = None
) -> StoredRuns:
  """Opens a group whose every configuration has a finished run.

  Args:
    path: of the store.
    group: one of its groups.
    num_seeds: what the manifest says of it, where that is to be checked.

  Raises:
    WorkdirError: where a configuration has none, as in a sweep that was stopped
      early.
    StoreError: where it is damaged, or holds more seeds.
  """
  early = manifest.WorkdirError(
    f'{path.parent}: not every configuration of {group.name} has a finished '
    'run yet; the command without --from_store goes on'
  )
  try:
    runs = open_runs(path, group)
  except MissingError:
    raise early from None
  number = runs.runs % group.num_configurations
  if len(set(number.tolist())) < group.num_configurations:
    raise early
  if num_seeds is not None:
    require_size(runs, group.num_configurations * num_seeds)
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


def run_group(
  group: Group,
  trial: chunks.Trial,
  xs: dict[str, Any],
  *,
  path: pathlib.Path,
  chunk_size: int,
  map_name: str,
  identity: Mapping[str, Any],
  variables: Mapping[str, store.Variable],
  coordinates: Mapping[str, store.Coordinate],
  attrs: Mapping[str, Any],
  summarize: sweeps.Summarize,
  work_per_run: int,
) -> None:
  """Sweeps one group into its group of the store, or resumes it there.

  Args:
    group: what is run.
    trial: x -> results by name.
    xs: the runs, from `group_xs`.
    path: of the store.
    chunk_size: runs per chunk.
    map_name: see `chunks.compile_chunk`.
    identity: of the folder, from `manifest.Workdir`.
    variables: a description for each result.
    coordinates: beside the seed index and the traced flags, which are added.
    attrs: attributes beside the static flags.
    summarize: for the progress line, see `sweeps.sweep`.
    work_per_run: for the progress line.
  """
  by_run = ('seed_index', *group.axes)
  run_store = store.RunStore(
    path,
    group.name,
    num_runs=len(xs['seed_index']),
    chunk_size=chunk_size,
    results=memory.shapes_of(
      trial,
      jax.tree.map(lambda leaf: leaf[0], xs),
      num_runs=len(xs['seed_index']),
      chunk_size=chunk_size,
    ),
    variables=variables,
    coordinates={
      **coordinates,
      **{name: store.Coordinate(store.RUN, xs[name]) for name in by_run},
    },
    attrs={
      **group.static,
      'num_configurations': group.num_configurations,
      **attrs,
    },
    identity=identity,
  )
  sweeps.sweep(
    trial,
    xs,
    chunk_size=chunk_size,
    store=run_store,
    summarize=summarize,
    work_per_run=work_per_run,
    progress=printable(group.name),
    map_name=map_name,
  )

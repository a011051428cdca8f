"""A Zarr v3 store of runs: written chunk by chunk, opened with xarray.

    results.zarr/<group>/<variable>      one group per static shape
        [run, ...]                       one Zarr chunk per sweep chunk
    results.zarr/<group>/completed_runs  [chunk], written after the chunk's
                                         data and their digests, see `marks`

A user opens a group with `xarray.open_zarr(path, group='n7_m2')`. All variables
share the dimension `run`; more runs can be appended at its end. Runs that have
not finished hold fill values (NaN, or -1 for integers).
"""

from collections.abc import Mapping
import enum
import json
import logging
import math
import pathlib
from typing import Any, NamedTuple

import numpy as np
import zarr

from toyjax import arrays, checks
from toyjax.checks import COMPLETED, StoreError
from toyjax.marks import Marks

RUN = 'run'
_MOST_LOGGED = 5  # Lines on damage; more would be read by nobody.
_LOGGER = logging.getLogger(__name__)


class Variable(NamedTuple):
  """How one result of a trial is named and described in the store.

  Attributes:
    dims: names of its dimensions after `run`.
    attrs: attributes, for instance `long_name`, `units` or CF flags.
  """

  dims: tuple[str, ...] = ()
  attrs: Mapping[str, Any] = {}


class Coordinate(NamedTuple):
  """Values along one dimension of the group.

  Attributes:
    dim: name of the dimension: `run`, which may grow, or any other.
    values: array [length of that dimension].
    attrs: attributes.
  """

  dim: str
  values: np.ndarray
  attrs: Mapping[str, Any] = {}


def flag_attrs(codes: type[enum.IntEnum]) -> dict[str, Any]:
  """Returns the CF attributes that name the codes of an `IntEnum`."""
  return {
    'flag_values': [int(code) for code in codes],
    'flag_meanings': ' '.join(code.name.lower() for code in codes),
  }


class RunStore:
  """The runs of one group: a `sweeps.Store` that survives any interruption.

  Opening creates what is missing, extends what is there to more runs, and
  checks it: a finished chunk that is damaged is finished no more, so that a
  sweep runs it again, and the log says so. Data are written before their
  digests, these before the completion mark, each file atomically. What is
  finished is never written again.
  """

  def __init__(
    self,
    path: str | pathlib.Path,
    group: str,
    *,
    num_runs: int,
    chunk_size: int,
    results: Mapping[str, Any],
    variables: Mapping[str, Variable],
    coordinates: Mapping[str, Coordinate],
    attrs: Mapping[str, Any],
    identity: Mapping[str, Any] | None = None,
  ):
    """Opens or creates the group for writing.

    Args:
      path: the store's folder, by custom `results.zarr`.
      group: name of the group, such as `n7_m2`.
      num_runs: number of runs the group shall hold; may exceed what it has.
      chunk_size: runs per sweep chunk and per Zarr chunk.
      results: what a trial returns, by name: anything with shape and dtype,
        without the axis of runs (from `jax.eval_shape`).
      variables: a description for each result.
      coordinates: hyperparameters, seed indices, labels of dimensions.
      attrs: attributes of the group.
      identity: all that makes the runs what they are, such as
        `manifest.Workdir.identity`; runs of another are refused. None takes
        that of the group.

    Raises:
      ValueError: where the path is an address of another machine.
      StoreError: a ValueError, where a result has no description or not its
        dimensions, or the group on disk has other shapes, dtypes or chunks,
        more runs, or another identity.
    """
    if set(results) != set(variables):
      raise StoreError(
        f'results {sorted(results)} and variables {sorted(variables)} differ'
      )
    path = checks.local_path(path)
    self._folder = path / group
    self._coordinates = coordinates
    damage, record = self._prepare(json.loads(json.dumps(identity)))
    root, self._group = arrays.open_groups(path, group)
    self._group.attrs.update(arrays.plain(attrs))
    self._arrays: dict[str, zarr.Array] = {}
    for name, result in results.items():
      dims, var_attrs = variables[name]
      if len(dims) != len(result.shape):
        raise StoreError(f'{name} has shape {result.shape}, dimensions {dims}')
      self._arrays[name] = arrays.require(
        self._group,
        self._folder / name,
        shape=(num_runs, *result.shape),
        chunks=(chunk_size, *result.shape),
        dtype=np.dtype(result.dtype),
        dims=(RUN, *dims),
        attrs=var_attrs,
      )
    num_chunks = math.ceil(num_runs / chunk_size)
    self._completed = arrays.require(
      self._group,
      self._folder / COMPLETED,
      shape=(num_chunks,),
      chunks=(1,),
      dtype=np.dtype(np.int32),
      dims=('chunk',),
      attrs={'long_name': 'finished runs of each sweep chunk'},
      fill_value=0,
    )
    for name, (dim, values, coord_attrs) in coordinates.items():
      values = np.asarray(values)
      array = arrays.require(
        self._group,
        self._folder / name,
        shape=values.shape,
        chunks=(chunk_size if dim == RUN else max(len(values), 1),),
        dtype=values.dtype,
        dims=(dim,),
        attrs=coord_attrs,
      )
      if identity is not None and record is None:
        arrays.refuse_other(self._folder / name, array, values)
      arrays.write_changed(self._folder / name, array, values)
    self._marks = Marks(
      self._folder,
      self._completed,
      num_runs=num_runs,
      chunk_size=chunk_size,
      is_strict=record is not None,
    )
    self._chunk_size = chunk_size
    self._check(damage, is_known=identity is not None)
    if identity is None and record is not None:
      identity = record.identity
    names = (*results, *coordinates, COMPLETED)
    checks.write_record(self._folder, identity, names)
    arrays.consolidate(root)

  def _prepare(self, identity: Any) -> tuple[list[str], checks.Record | None]:
    """Removes damaged metadata, to be made anew.

    Args:
      identity: of the runs that are asked for.

    Returns:
      What was damaged, and the group's record, None in a group from before
      there were any.

    Raises:
      StoreError: where the group has another identity.
    """
    folder = self._folder
    try:
      record = checks.read_record(folder)
    except StoreError as error:
      return [str(error)], checks.Record(None, {})
    if record is None:
      return [], None
    if None not in (identity, record.identity):
      for difference in checks.unlike(record.identity, identity):
        raise StoreError(f'{folder} holds runs of {difference}')
    damage = checks.changed(folder, record)
    for name in damage:
      checks.drop_metadata(folder / name)
    return list(damage.values()), record

  def _stored(self, name: str, start: int, stop: int) -> np.ndarray:
    """Returns what an array holds of some runs, or should hold."""
    if name in self._arrays:
      return np.asarray(self._arrays[name][start:stop])
    dim, values, _ = self._coordinates[name]
    return np.asarray(values)[start:stop] if dim == RUN else np.asarray(values)

  def _check(self, damage: list[str], *, is_known: bool) -> None:
    """Takes the marks from damaged chunks, and logs what was damaged.

    Args:
      damage: what is known of it already.
      is_known: whether the runs have an identity; if not, coordinates are what
        the caller says.
    """
    marks = self._marks
    old, names = set(marks.unchecked), (*self._arrays, *self._coordinates)
    for chunk in list(marks.finished):
      start, num_runs = marks.span(chunk)[0], marks.num_checked(chunk)
      try:
        for name, array in self._arrays.items():
          marks.verified(chunk, name, self._stored, array.attrs)
      except StoreError as error:
        marks.damaged[chunk] = str(error)
        continue
      others = [
        name
        for name in self._coordinates
        if not marks.agrees(
          chunk, name, self._stored(name, start, start + num_runs)
        )
      ]
      if others and is_known and chunk not in old:
        what = 'is not of the runs that were made'
        marks.damaged[chunk] = marks.place(others[0], chunk, what)
        continue
      if others or chunk in old:
        # From before there were digests, or renamed by the caller.
        marks.write_digests(chunk, num_runs, names, self._stored)
      if num_runs > marks.finished[chunk]:  # A kill came before the mark.
        self._mark(chunk, num_runs)
    for chunk in marks.damaged:
      marks.clear(chunk)
    damage = [*damage, *marks.damaged.values()]
    for line in damage[:_MOST_LOGGED]:
      _LOGGER.warning('%s; what is damaged is made again', line)
    if len(damage) > _MOST_LOGGED:
      _LOGGER.warning('and %d more', len(damage) - _MOST_LOGGED)
    if kept := old - marks.damaged.keys():
      _LOGGER.warning(
        '%s: %d chunks from before there were checksums are taken as they are',
        self._folder,
        len(kept),
      )

  def is_finished(self, start: int, stop: int) -> bool:
    """Whether all runs of the chunk start..stop-1 are stored."""
    return self._num_finished(start) >= stop - start

  def _num_finished(self, start: int) -> int:
    return self._marks.finished.get(start // self._chunk_size, 0)

  def write(self, start: int, chunk: Mapping[str, np.ndarray]) -> None:
    """Stores a chunk of results, then marks it complete."""
    num_runs = len(next(iter(chunk.values())))
    number, kept = start // self._chunk_size, self._num_finished(start)
    if not kept:  # What is left of a chunk that was damaged, or cut short.
      for name in (COMPLETED, *self._arrays):
        checks.drop_chunk(self._folder / name, number)
    for name, array in self._arrays.items():
      array[start + kept : start + num_runs] = chunk[name][kept:]

    def read(name: str, first: int, last: int) -> np.ndarray:
      if kept or name not in chunk:
        return self._stored(name, first, last)
      return np.asarray(chunk[name], self._arrays[name].dtype)

    names = (*self._arrays, *self._coordinates)
    self._marks.write_digests(number, num_runs, names, read)
    self._mark(number, num_runs)

  def _mark(self, chunk: int, num_runs: int) -> None:
    self._completed[chunk] = num_runs
    self._marks.finished[chunk] = num_runs

  def read(self, start: int = 0, stop: int | None = None) -> dict[str, Any]:
    """Returns the results of the runs start..stop-1, by name."""
    return {name: array[start:stop] for name, array in self._arrays.items()}

  @property
  def num_finished(self) -> int:
    """Number of runs that are stored and marked complete."""
    return sum(self._marks.finished.values())

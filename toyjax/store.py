"""A Zarr v3 store of runs: written chunk by chunk, opened with xarray.

    results.zarr/<group>/<variable>      one group per static shape
        [run, ...]                       one Zarr chunk per sweep chunk
    results.zarr/<group>/completed_runs  [chunk], written after the chunk's data

A user opens a group with `xarray.open_zarr(path, group='n7_m2')`. All variables
share the dimension `run`; more runs can be appended at its end. Runs that have
not finished hold fill values (NaN, or -1 for integers).
"""

from collections.abc import Mapping
import enum
import math
import pathlib
from typing import Any, NamedTuple
import warnings

import numpy as np
import zarr
import zarr.codecs
import zarr.errors

from toyjax.base import Array

COMPLETED = 'completed_runs'
RUN = 'run'


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

  Opening creates what is missing, and extends what is there to more runs.
  Data are written before their completion mark, each file atomically, and every
  chunk carries a CRC-32C checksum.
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

    Raises:
      ValueError: where a result has no description or not its dimensions, or
        the group on disk has other shapes, dtypes or chunks, or more runs.
    """
    self._chunk_size = chunk_size
    if set(results) != set(variables):
      raise ValueError(
        f'results {sorted(results)} and variables {sorted(variables)} differ'
      )
    root = zarr.open_group(
      pathlib.Path(path), mode='a', zarr_format=3, use_consolidated=False
    )
    self._group = root.require_group(group)
    self._group.attrs.update(_plain(attrs))
    self._arrays: dict[str, zarr.Array] = {}
    for name, result in results.items():
      dims, var_attrs = variables[name]
      if len(dims) != len(result.shape):
        raise ValueError(f'{name} has shape {result.shape}, dimensions {dims}')
      self._arrays[name] = self._require(
        name,
        shape=(num_runs, *result.shape),
        chunks=(chunk_size, *result.shape),
        dtype=np.dtype(result.dtype),
        dims=(RUN, *dims),
        attrs=var_attrs,
      )
    num_chunks = math.ceil(num_runs / chunk_size)
    self._completed = self._require(
      COMPLETED,
      shape=(num_chunks,),
      chunks=(1,),
      dtype=np.dtype(np.int32),
      dims=('chunk',),
      attrs={'long_name': 'finished runs of each sweep chunk'},
      fill_value=0,
    )
    for name, (dim, values, coord_attrs) in coordinates.items():
      values = np.asarray(values)
      array = self._require(
        name,
        shape=values.shape,
        chunks=(chunk_size if dim == RUN else max(len(values), 1),),
        dtype=values.dtype,
        dims=(dim,),
        attrs=coord_attrs,
      )
      array[...] = values
    with warnings.catch_warnings():
      # It is a convention of Zarr's Python package, and what xarray looks for.
      warnings.simplefilter('ignore', zarr.errors.ZarrUserWarning)
      zarr.consolidate_metadata(root.store)

  def _require(
    self,
    name: str,
    *,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    dtype: np.dtype,
    dims: tuple[str, ...],
    attrs: Mapping[str, Any],
    fill_value: Any = None,
  ) -> zarr.Array:
    """Returns the array of that name, created or extended to `shape`."""
    chunks = tuple(max(size, 1) for size in chunks)
    if name not in self._group:
      return self._group.create_array(
        name,
        shape=shape,
        chunks=chunks,
        dtype=dtype,
        dimension_names=dims,
        attributes=_plain(attrs),
        fill_value=_fill_value(dtype) if fill_value is None else fill_value,
        compressors=(
          zarr.codecs.ZstdCodec(level=3),
          zarr.codecs.Crc32cCodec(),
        ),
      )
    array = self._group[name]
    if not isinstance(array, zarr.Array):
      raise ValueError(f'{self._group.name}/{name} is a group, not an array')
    found = (array.shape[1:], array.dtype, array.chunks, array.shape[0])
    if found[:3] != (shape[1:], dtype, chunks) or found[3] > shape[0]:
      raise ValueError(
        f'{self._group.name}/{name} holds shape {array.shape} of {array.dtype} '
        f'in chunks {array.chunks}; asked for {shape} of {dtype} in {chunks}'
      )
    if found[3] < shape[0]:
      array.resize(shape)
    return array

  def is_finished(self, start: int, stop: int) -> bool:
    """Whether all runs of the chunk start..stop-1 are stored."""
    num_finished = np.asarray(self._completed[start // self._chunk_size])
    return bool(num_finished >= stop - start)

  def write(self, start: int, chunk: Mapping[str, np.ndarray]) -> None:
    """Stores a chunk of results, then marks it complete."""
    num_runs = len(next(iter(chunk.values())))
    for name, array in self._arrays.items():
      array[start : start + num_runs] = chunk[name]
    self._completed[start // self._chunk_size] = num_runs

  def read(self, start: int = 0, stop: int | None = None) -> dict[str, Any]:
    """Returns the results of the runs start..stop-1, by name."""
    return {name: array[start:stop] for name, array in self._arrays.items()}

  @property
  def num_finished(self) -> int:
    """Number of runs that are stored and marked complete."""
    return int(np.sum(np.asarray(self._completed[...])))


def _fill_value(dtype: np.dtype) -> Any:
  """What a run that has not finished holds."""
  if dtype.kind == 'f':
    return dtype.type(np.nan)
  return dtype.type(-1) if dtype.kind == 'i' else dtype.type(0)


def _plain(attrs: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the attributes as JSON can hold them."""

  def plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray | Array):
      return np.asarray(value).tolist()
    return value

  return {name: plain(value) for name, value in attrs.items()}

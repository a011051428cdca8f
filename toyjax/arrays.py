"""Zarr groups and arrays on disk: made, opened, extended.

names, shapes, dtypes --open_groups, require--> Zarr's groups and arrays
"""

from collections.abc import Mapping
import pathlib
from typing import Any
import warnings

import numpy as np
import zarr
import zarr.codecs
import zarr.errors

from toyjax import checks
from toyjax.base import Array
from toyjax.checks import StoreError


def open_groups(path: pathlib.Path, name: str) -> tuple[zarr.Group, zarr.Group]:
  """Opens or creates a store and one of its groups.

  Returns:
    The root and the group.

  Raises:
    StoreError: where Zarr cannot open them.
  """

  def opened() -> tuple[zarr.Group, zarr.Group]:
    root = zarr.open_group(
      path, mode='a', zarr_format=3, use_consolidated=False
    )
    return root, root.require_group(name)

  try:
    return opened()
  except OSError:
    raise
  except Exception as error:  # Zarr raises what it likes.
    # The root says nothing that is not known.
    checks.drop_metadata(path)
    try:
      return opened()
    except Exception:
      raise StoreError(
        f'cannot open {path / name}: {checks.reason(error)}'
      ) from None


def require(
  group: zarr.Group,
  folder: pathlib.Path,
  *,
  shape: tuple[int, ...],
  chunks: tuple[int, ...],
  dtype: np.dtype,
  dims: tuple[str, ...],
  attrs: Mapping[str, Any],
  fill_value: Any = None,
) -> zarr.Array:
  """Returns an array of a group, created or extended along its first axis.

  Args:
    group: to hold the array.
    folder: of the array, whose name is that of the array.
    shape: of the array; may exceed what there is along the first axis.
    chunks: shape of a chunk.
    dtype: of the array.
    dims: names of its dimensions.
    attrs: attributes of a new array.
    fill_value: of a new array; None takes NaN or -1.

  Raises:
    StoreError: where the array has another form, more runs, or is unreadable.
  """
  chunks = tuple(max(size, 1) for size in chunks)
  if not checks.has_metadata(folder):
    return group.create_array(
      folder.name,
      shape=shape,
      chunks=chunks,
      dtype=dtype,
      dimension_names=dims,
      attributes=plain(attrs),
      fill_value=_fill_value(dtype) if fill_value is None else fill_value,
      compressors=(
        zarr.codecs.ZstdCodec(level=3),
        zarr.codecs.Crc32cCodec(),
      ),
    )
  array = find(group, folder)
  found = (array.shape[1:], array.dtype, array.chunks, array.shape[0])
  if found[:3] != (shape[1:], dtype, chunks) or found[3] > shape[0]:
    raise StoreError(
      f'{folder} holds shape {array.shape} of {array.dtype} in chunks '
      f'{array.chunks}; asked for {shape} of {dtype} in {chunks}'
    )
  if found[3] < shape[0]:
    array.resize(shape)
  return array


def find(group: zarr.Group, folder: pathlib.Path) -> zarr.Array:
  """Returns an array of a group.

  Args:
    group: that holds the array.
    folder: of the array, whose name is that of the array.

  Raises:
    StoreError: where there is none, or it cannot be opened.
  """
  try:
    array = group[folder.name]
  except Exception as error:  # Zarr raises what it likes.
    raise StoreError(f'cannot open {folder}: {checks.reason(error)}') from None
  if not isinstance(array, zarr.Array) or not array.shape:
    raise StoreError(f'{folder} is no array of runs')
  return array


def refuse_other(
  folder: pathlib.Path, array: zarr.Array, values: np.ndarray
) -> None:
  """Refuses a coordinate that says something else than is asked.

  Args:
    folder: of the array.
    array: [length].
    values: the same, what is asked.

  Raises:
    StoreError: where values that are neither fill nor damage differ.
  """
  try:
    found = np.asarray(array[...])
  except Exception:  # Zarr and its codecs raise what they like.
    return
  is_there = ~np.isnan(found) if found.dtype.kind == 'f' else found != -1
  (other,) = np.nonzero(is_there & (found != values))
  if len(other):
    at = other[0]
    raise StoreError(
      f'{folder} holds runs of --{folder.name}={found[at]}, not {values[at]}'
    )


def write_changed(
  folder: pathlib.Path, array: zarr.Array, values: np.ndarray
) -> None:
  """Writes the chunks of a coordinate that are not as they should be.

  Args:
    folder: of the array.
    array: [length].
    values: the same, what it shall hold.
  """
  size = array.chunks[0]
  for chunk, start in enumerate(range(0, len(values), size)):
    own = values[start : start + size]
    try:
      found = np.asarray(array[start : start + size])
      is_right = checks.digest(found) == checks.digest(own)
    except Exception:  # Zarr and its codecs raise what they like.
      is_right = False
    if not is_right:
      checks.drop_chunk(folder, chunk)
      array[start : start + size] = own


def consolidate(root: zarr.Group) -> None:
  """Gathers the metadata of all groups at the root, for other readers."""
  with warnings.catch_warnings():
    # It is a convention of Zarr's Python package, and what xarray looks for.
    warnings.simplefilter('ignore', zarr.errors.ZarrUserWarning)
    try:
      zarr.consolidate_metadata(root.store)
    except OSError:
      raise
    except Exception as error:  # Of a group that is damaged.
      raise StoreError(
        f'cannot read all groups of {root.store}: {checks.reason(error)}'
      ) from None


def plain(attrs: Mapping[str, Any]) -> dict[str, Any]:
  """Returns attributes as JSON can hold them."""

  def one(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray | Array):
      return np.asarray(value).tolist()
    return value

  return {name: one(value) for name, value in attrs.items()}


def _fill_value(dtype: np.dtype) -> Any:
  """What a run that has not finished holds."""
  if dtype.kind == 'f':
    return dtype.type(np.nan)
  return dtype.type(-1) if dtype.kind == 'i' else dtype.type(0)

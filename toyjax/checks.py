"""What tells a store that one of its files is not what was written.

values of a chunk --digest--> 64 bits, for each array and chunk
folder of a group --write_record--> Record, with a digest of each `zarr.json`

A digest covers the values with the names of group and array and the number of
the chunk: a file of another chunk, array or group does not pass.
"""

from collections.abc import Iterator, Mapping, Sequence
import hashlib
import json
import os
import pathlib
import re
import shutil
from typing import Any, NamedTuple

import numpy as np

COMPLETED = 'completed_runs'
# Within an array, where Zarr looks for nothing.
FOLDER = f'{COMPLETED}/checks'
_RECORD = 'group.json'
_METADATA = 'zarr.json'
# s3://bucket, gs://bucket, file:///tmp, file:/tmp; C:/ of Windows is none.
_SCHEME = re.compile(r'[a-z][a-z0-9+.-]+:/', re.IGNORECASE)


class StoreError(ValueError):
  """A store is damaged, or not as asked; the message is one line."""


def local_path(path: str | pathlib.Path) -> pathlib.Path:
  """Returns the path of a local file or folder.

  Raises:
    ValueError: on an address of another machine, which would become a folder
      of that name here.
  """
  if _SCHEME.match(str(path).strip()):
    raise ValueError(f'{path} is an address: only local paths can be used')
  return pathlib.Path(path)


def digest(values: np.ndarray, *where: Any) -> str:
  """Returns 64 bits that tell these values in this place from all others.

  Args:
    values: of any shape. All NaN count as one, since an array without a file
      reads as one of them.
    where: names and numbers of the place.
  """
  values = np.asarray(values)
  kind, shape = values.dtype.str.lstrip('<>=|'), values.shape
  if values.dtype.kind == 'c':
    # A chunk of nothing but zeros has no file, so signs of zeros are lost.
    values = np.stack([values.real, values.imag]) + 0.0
  if values.dtype.kind == 'f':
    values = np.where(np.isnan(values), values.dtype.type(np.nan), values)
  values = values.astype(values.dtype.newbyteorder('<'), copy=False)
  found = hashlib.blake2b(digest_size=8)
  found.update(json.dumps([*where, kind, shape]).encode())
  found.update(np.ascontiguousarray(values).tobytes())
  return found.hexdigest()


class Record(NamedTuple):
  """What a group says of itself, beside its arrays.

  Attributes:
    identity: what its runs are of, see `store.RunStore`.
    metadata: array -> digest of its `zarr.json`; '' is the group's own.
  """

  identity: Any
  metadata: Mapping[str, str]


def write_record(
  folder: pathlib.Path, identity: Any, arrays: Sequence[str]
) -> None:
  """Writes the record of a group as it is.

  Args:
    folder: of the group.
    identity: of its runs.
    arrays: names of all its arrays.

  Raises:
    StoreError: where a `zarr.json` cannot be read.
  """
  metadata = {name: _metadata_digest(folder / name) for name in ('', *arrays)}
  write_json(folder / FOLDER / _RECORD, Record(identity, metadata)._asdict())


def read_record(folder: pathlib.Path) -> Record | None:
  """Returns the record of a group, or None where it has none.

  Raises:
    StoreError: where it cannot be read.
  """
  path = folder / FOLDER / _RECORD
  if not path.exists():
    return None
  found = read_json(path)
  if not isinstance(found.get('metadata'), dict) or 'identity' not in found:
    raise StoreError(f'cannot read {path}: it is no record of a group')
  return Record(found['identity'], found['metadata'])


def changed(folder: pathlib.Path, record: Record) -> dict[str, str]:
  """Returns what is wrong with each `zarr.json` that is not as recorded."""
  found = {}
  for name, expected in record.metadata.items():
    try:
      if _metadata_digest(folder / name) != expected:
        found[name] = f'{folder / name / _METADATA} was changed'
    except StoreError as error:
      found[name] = str(error)
  return found


def write_json(path: pathlib.Path, content: Any) -> None:
  """Writes a file of JSON in one move, so that it is never half written."""
  path.parent.mkdir(parents=True, exist_ok=True)
  temporary = path.with_suffix('.partial')
  temporary.write_text(json.dumps(content), 'utf-8')
  if path.is_dir():
    shutil.rmtree(path)
  os.replace(temporary, path)


def read_json(path: pathlib.Path) -> dict[str, Any]:
  """Returns the object in a file of JSON.

  Raises:
    StoreError: where it cannot be read.
  """
  try:
    found = json.loads(path.read_text('utf-8'))
  except (OSError, ValueError, RecursionError) as error:
    raise StoreError(f'cannot read {path}: {reason(error)}') from None
  if not isinstance(found, dict):
    raise StoreError(f'cannot read {path}: it is no object of JSON')
  return found


def has_metadata(folder: pathlib.Path) -> bool:
  """Whether there is a `zarr.json`."""
  return (folder / _METADATA).is_file()


def drop_metadata(folder: pathlib.Path) -> None:
  """Removes a `zarr.json`, so that it is made anew; chunks stay."""
  _remove(folder / _METADATA)


def drop_chunk(folder: pathlib.Path, chunk: int) -> None:
  """Removes all files of an array's chunk along its first axis."""
  _remove(folder / 'c' / str(chunk))


def unlike(was: Any, asked: Any) -> Iterator[str]:
  """Yields how two identities differ, setting by setting.

  Args:
    was: of the stored runs: name -> value, which may be a mapping in turn.
    asked: the same, of what is asked.
  """
  if not isinstance(was, Mapping) or not isinstance(asked, Mapping):
    was, asked = {'identity': was}, {'identity': asked}
  for name in sorted(was.keys() | asked.keys()):
    before, after = was.get(name), asked.get(name)
    if before == after:
      continue
    if isinstance(before, Mapping) and isinstance(after, Mapping):
      yield from unlike(before, after)
    else:
      yield f'--{name}={show(before)}, not {show(after)}'


def show(value: Any) -> str:
  """Returns a setting as a flag has it."""
  return ','.join(map(str, value)) if isinstance(value, list) else str(value)


def reason(error: BaseException) -> str:
  """Returns in one line what an error says."""
  text = getattr(error, 'strerror', None) or str(error)
  return text.strip().partition('\n')[0] or type(error).__name__


def _metadata_digest(folder: pathlib.Path) -> str:
  """Returns a digest of a `zarr.json`, but for the number of runs."""
  found = read_json(folder / _METADATA)
  if isinstance(found.get('shape'), list):
    found['shape'] = found['shape'][1:]
  found.pop('consolidated_metadata', None)
  text = json.dumps(found, sort_keys=True)
  return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _remove(path: pathlib.Path) -> None:
  if path.is_dir() and not path.is_symlink():
    shutil.rmtree(path)
  else:
    path.unlink(missing_ok=True)

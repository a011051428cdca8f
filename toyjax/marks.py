"""Completion marks and digests of the chunks of a group.

    completed_runs              [chunk], finished runs, written last
    completed_runs/checks/I.json  runs of chunk I, and a digest of each array

A chunk is finished by its mark, and read where its digests agree.
"""

from collections.abc import Callable, Sequence
import pathlib
from typing import Any

import numpy as np

from toyjax import checks
from toyjax.checks import COMPLETED, StoreError

# (array, first run, end of the runs) -> values.
Read = Callable[[str, int, int], np.ndarray]


class Marks:
  """The marks of one group.

  Attributes:
    finished: chunk -> number of its finished runs, if any.
    damaged: chunk -> what is wrong with its marks.
    unchecked: finished chunks that have no digests.
  """

  def __init__(
    self,
    folder: pathlib.Path,
    completed: Any,
    *,
    num_runs: int,
    chunk_size: int,
    is_strict: bool,
  ):
    """Reads the marks.

    Args:
      folder: of the group.
      completed: Zarr array [chunk].
      num_runs: of the group.
      chunk_size: runs of a chunk.
      is_strict: whether every finished chunk must have digests.
    """
    self._folder, self._completed = folder, completed
    self._num_runs, self._chunk_size = num_runs, chunk_size
    self._digests: dict[int, dict[str, Any]] = {}
    self.finished: dict[int, int] = {}
    self.damaged: dict[int, str] = {}
    self.unchecked: set[int] = set()
    for chunk, mark in enumerate(_values(completed)):
      try:
        self._read(chunk, mark, is_strict)
      except StoreError as error:
        self.damaged[chunk] = str(error)

  def _read(self, chunk: int, mark: int | None, is_strict: bool) -> None:
    """Takes over the marks of a chunk; raises what is wrong with them."""
    _, size = self.span(chunk)
    if mark is None:
      raise StoreError(self.place(COMPLETED, chunk, 'cannot be read'))
    if mark == 0:
      return
    if not 0 < mark <= size:
      what = f'{mark} of {size} runs are said to be finished'
      raise StoreError(self.place(COMPLETED, chunk, what))
    path = self._path(chunk)
    if path.exists() or is_strict:
      found = checks.read_json(path)
      count = found.get('num_runs')
      if not isinstance(count, int) or not mark <= count <= size:
        what = f'{path} does not fit its completion mark'
        raise StoreError(self.place(COMPLETED, chunk, what))
      self._digests[chunk] = found
    else:
      self.unchecked.add(chunk)
    self.finished[chunk] = mark

  def _path(self, chunk: int) -> pathlib.Path:
    return self._folder / checks.FOLDER / f'{chunk}.json'

  def span(self, chunk: int) -> tuple[int, int]:
    """First run of a chunk, and how many it has when all are finished."""
    start = chunk * self._chunk_size
    return start, min(self._chunk_size, self._num_runs - start)

  def place(self, name: str, chunk: int, what: str) -> str:
    """Returns a line that names an array, a chunk and what is wrong."""
    start, size = self.span(chunk)
    return (
      f'{self._folder / name}, chunk {chunk} (runs {start} to '
      f'{start + size - 1}): {what}'
    )

  def verified(
    self,
    chunk: int,
    name: str,
    read: Read,
    attrs: Any,
    *,
    is_along_runs: bool = True,
  ) -> np.ndarray:
    """Returns what an array holds of the finished runs of a chunk.

    Args:
      chunk: a finished one.
      name: of the array.
      read: where its values come from.
      attrs: attributes of the array.
      is_along_runs: whether its first dimension is `run`; if not, all of it is
        returned.

    Raises:
      StoreError: where they are not what was written.
    """
    start, _ = self.span(chunk)
    own = self._digests.get(chunk)
    stop = start + (own['num_runs'] if own else self.finished[chunk])
    try:
      values = np.asarray(read(name, start, stop))
    except Exception as error:  # Zarr and its codecs raise what they like.
      what = f'cannot be read: {checks.reason(error)}'
      raise StoreError(self.place(name, chunk, what)) from None
    if own is None:
      if _is_nothing(values, attrs):
        raise StoreError(self.place(name, chunk, 'holds nothing'))
    elif self._digest(chunk, name, values) != own.get(name):
      what = 'does not hold what was written (checksum)'
      raise StoreError(self.place(name, chunk, what))
    return values[: self.finished[chunk]] if is_along_runs else values

  def _digest(self, chunk: int, name: str, values: np.ndarray) -> str:
    return checks.digest(values, self._folder.name, name, chunk)

  def agrees(self, chunk: int, name: str, values: np.ndarray) -> bool:
    """Whether values are those that the digest of an array is of."""
    own = self._digests.get(chunk, {})
    return own.get(name) == self._digest(chunk, name, values)

  def num_checked(self, chunk: int) -> int:
    """Runs of a finished chunk that its digests are of."""
    own = self._digests.get(chunk)
    return own['num_runs'] if own else self.finished[chunk]

  def write_digests(
    self, chunk: int, num_runs: int, names: Sequence[str], read: Read
  ) -> None:
    """Stores the digests of a chunk, to be followed by its mark.

    Args:
      chunk: whose results are written.
      num_runs: of these.
      names: of the arrays.
      read: array, first run, end -> what was written.
    """
    start, _ = self.span(chunk)
    found: dict[str, Any] = {'num_runs': num_runs}
    for name in names:
      values = read(name, start, start + num_runs)
      found[name] = self._digest(chunk, name, values)
    checks.write_json(self._path(chunk), found)
    self._digests[chunk] = found
    self.unchecked.discard(chunk)

  def clear(self, chunk: int) -> None:
    """Takes the mark from a chunk, which is to be run again."""
    checks.drop_chunk(self._folder / COMPLETED, chunk)
    self._completed[chunk] = 0
    self.finished.pop(chunk, None)
    self.unchecked.discard(chunk)


def _is_nothing(values: np.ndarray, attrs: Any) -> bool:
  """Whether values are what a file that is gone reads as."""
  if values.dtype.kind == 'f':
    return bool(values.size) and bool(np.isnan(values).all())
  codes = attrs.get('flag_values', [-1])
  return (
    -1 not in codes
    and values.dtype.kind == 'i'
    and bool(values.size and (values == -1).all())
  )


def _values(completed: Any) -> list[int | None]:
  """Returns the marks of all chunks, None where one cannot be read."""
  try:
    return np.asarray(completed[...]).tolist()
  except Exception:  # Zarr and its codecs raise what they like.
    pass
  found: list[int | None] = []
  for chunk in range(completed.shape[0]):
    try:
      found.append(int(np.asarray(completed[chunk])))
    except Exception:
      found.append(None)
  return found

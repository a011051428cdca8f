"""The finished runs of a group of a store, as every report reads them.

folder of a group --StoredRuns--> arrays [F, ...] of its F finished runs

What is read is checked: damage is an error that names its place, never numbers.
"""

from collections.abc import Sequence
import logging
import pathlib
from typing import Any

import numpy as np
import zarr

from toyjax import arrays, checks
from toyjax.checks import COMPLETED, StoreError
from toyjax.marks import Marks
from toyjax.store import RUN

_LOGGER = logging.getLogger(__name__)
_AGAIN = 'the command that made it makes it again'


class MissingError(StoreError):
  """A group has not been begun."""


class StoredRuns:
  """The finished runs of one group, in the order of their numbers.

  Attributes:
    folder: of the group.
    attrs: attributes of the group.
    identity: what the runs are of, see `store.RunStore`; None in a group from
      before that was noted.
    num_runs: R, runs that the group has or will have.
    runs: int [F], the numbers of its finished runs.
  """

  def __init__(self, path: str | pathlib.Path, group: str):
    """Opens a group and reads its marks; the log says what is not there yet.

    Args:
      path: the store's folder.
      group: name of the group.

    Raises:
      MissingError: where there is no such group.
      StoreError: where it is damaged.
    """
    self.folder = pathlib.Path(path) / group
    record = checks.read_record(self.folder)
    if record is None and not checks.has_metadata(self.folder):
      raise MissingError(f'{path} holds no group {group} yet')
    for what in checks.changed(self.folder, record).values() if record else ():
      raise StoreError(f'{what}; {_AGAIN}')
    self._group = self._open()
    self.attrs = dict(self._group.attrs)
    self.identity = record.identity if record else None
    names = [name for name in record.metadata if name] if record else None
    self._arrays = {
      name: arrays.find(self._group, self.folder / name)
      for name in names or self._group.array_keys()
    }
    if COMPLETED not in self._arrays:
      raise StoreError(f'{self.folder} has no {COMPLETED}; {_AGAIN}')
    by_run = [a for n, a in self._arrays.items() if self._dim(n) == RUN]
    sizes = {(array.shape[0], array.chunks[0]) for array in by_run}
    if len(sizes) != 1:
      # A sweep was stopped while it extended the group.
      raise StoreError(f'{self.folder}: its arrays differ in length; {_AGAIN}')
    ((self.num_runs, self.chunk_size),) = sizes
    self._marks = self._read_marks(is_strict=record is not None)
    finished = self._marks.finished
    parts = [c * self.chunk_size + np.arange(n) for c, n in finished.items()]
    self.runs = np.concatenate([np.zeros(0, int), *parts])
    self._log()

  def _open(self) -> zarr.Group:
    try:
      return zarr.open_group(
        self.folder, mode='r', zarr_format=3, use_consolidated=False
      )
    except Exception as error:  # Zarr raises what it likes.
      raise StoreError(
        f'cannot open {self.folder}: {checks.reason(error)}; {_AGAIN}'
      ) from None

  def _dim(self, name: str) -> str | None:
    metadata: Any = self._arrays[name].metadata
    return (metadata.dimension_names or [None])[0]

  def _read_marks(self, *, is_strict: bool) -> Marks:
    completed = self._arrays[COMPLETED]
    if completed.shape != (-(-self.num_runs // self.chunk_size),):
      raise StoreError(
        f'{self.folder / COMPLETED} has not one mark a chunk; {_AGAIN}'
      )
    marks = Marks(
      self.folder,
      completed,
      num_runs=self.num_runs,
      chunk_size=self.chunk_size,
      is_strict=is_strict,
    )
    for what in marks.damaged.values():
      raise StoreError(f'{what}; {_AGAIN}')
    return marks

  def _log(self) -> None:
    """Says what a reader should know of the group."""
    if self._marks.unchecked:
      _LOGGER.warning(
        '%s is from before there were checksums: a file that is lost or '
        'swapped may go unnoticed; the command that made it adds them',
        self.folder,
      )
    if len(self.runs) < self.num_runs:
      _LOGGER.warning(
        '%s: finished runs %s of %s; the command that made it runs the others',
        self.folder,
        f'{len(self.runs):,}',
        f'{self.num_runs:,}',
      )

  @property
  def is_whole(self) -> bool:
    """Whether all runs are finished."""
    return len(self.runs) == self.num_runs

  @property
  def names(self) -> tuple[str, ...]:
    """The arrays that there are."""
    return tuple(self._arrays)

  def __contains__(self, name: str) -> bool:
    return name in self._arrays

  def attrs_of(self, name: str) -> dict[str, Any]:
    """Returns the attributes of an array."""
    return dict(self._find(name).attrs)

  def _find(self, name: str) -> zarr.Array:
    if name not in self._arrays:
      raise StoreError(f'{self.folder} has no {name}; {_AGAIN}')
    return self._arrays[name]

  def read(
    self, name: str, runs: Sequence[int] | np.ndarray | None = None
  ) -> np.ndarray:
    """Returns what an array holds of finished runs.

    Args:
      name: of an array along `run`.
      runs: [K], numbers of finished runs; None takes all F.

    Returns:
      [K, ...].

    Raises:
      StoreError: where it is damaged, naming the chunk.
    """
    array = self._find(name)
    wanted = self.runs if runs is None else np.asarray(runs, int)
    found = np.empty((len(wanted), *array.shape[1:]), array.dtype)
    number = wanted // self.chunk_size
    for chunk in np.unique(number).tolist():
      values = self._verified(chunk, name)
      (own,) = np.nonzero(number == chunk)
      found[own] = values[wanted[own] - chunk * self.chunk_size]
    return found

  def read_labels(self, name: str) -> np.ndarray:
    """Returns a coordinate along another dimension than `run`.

    Args:
      name: of the coordinate, such as `step`.

    Raises:
      StoreError: where it is damaged.
    """
    self._find(name)
    if not self._marks.finished:
      raise StoreError(f'{self.folder} has no finished run yet')
    return self._verified(min(self._marks.finished), name)

  def _verified(self, chunk: int, name: str) -> np.ndarray:
    array = self._arrays[name]
    is_along_runs = self._dim(name) == RUN

    def read(name: str, start: int, stop: int) -> np.ndarray:
      return np.asarray(array[start:stop] if is_along_runs else array[...])

    try:
      return self._marks.verified(
        chunk, name, read, array.attrs, is_along_runs=is_along_runs
      )
    except StoreError as error:
      raise StoreError(f'{error}; {_AGAIN}') from None

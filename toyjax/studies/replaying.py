"""One stored run of a study, run again and compared bit by bit.

folder of a study --read_run--> Original --rerun, rerun_chunk--> the run again
stored, replayed --compare--> a row for each observed step
"""

from collections.abc import Mapping, Sequence
import enum
import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np

from toyjax import loops, stages, sweeps
from toyjax.base import ArrayTree
from toyjax.manifest import Workdir
from toyjax.parsers import SettingError
from toyjax.runs import Arrays, Lazy
from toyjax.settings import MACHINE
from toyjax.stages import Stage
from toyjax.stored_runs import StoredRuns
from toyjax.studies.base import STORE, Study, train
from toyjax.studies.folders import Folder, open_folder
from toyjax.tables import Row

# Of a start: what is no part of its environment, and what is looked into.
_NOT_COMPARED = ('started', 'ended', 'status', 'versions')


class Original(NamedTuple):
  """What the folder of a study says of one of its runs.

  Attributes:
    folder: that it is in.
    stage: of the run; one that starts from seeds.
    num_seeds: of the stage.
    run: its number in the stage.
    stored: its results by name, those at the observed steps [K, ...].
  """

  folder: Folder
  stage: Stage
  num_seeds: int
  run: int
  stored: Arrays

  @property
  def environment(self) -> Mapping[str, Any]:
    """Of the last start: versions, device, JAX's settings."""
    return (self.folder.manifest['invocations'] or [{}])[-1]

  @property
  def num_devices(self) -> int:
    """Of that start, 0 where it does not say."""
    found = self.environment.get('num_devices')
    return found if isinstance(found, int) else 0

  @property
  def steps(self) -> list[int]:
    """The observed steps, length K."""
    return self.stage.values[self.stage.observe]

  def more_steps(self, number: int) -> list[int]:
    """Returns steps to observe: half log-spaced, half even, all stored."""
    last, half = self.stage.num_steps, max(number // 2, 2)
    even = np.linspace(2, last, half).astype(int).tolist()
    chosen = {*loops.log_spaced(last, half), *even, *self.steps}
    return sorted(chosen - {1})


def read_run(
  path: str | pathlib.Path, study: Study, group: str, run: int
) -> Original:
  """Reads a run and all that is needed to run it again.

  Args:
    path: the folder.
    study: that made it.
    group: name of the run's group; '' is the only one.
    run: its number there.

  Raises:
    WorkdirError: where the folder is none of the study.
    StoreError: where it is damaged.
    SettingError: where it does not hold that run.
  """
  # All of them, since it is trained again.
  names = [row.name for row in study.settings if row.role != MACHINE]
  folder = open_folder(path, study, names)
  stage = folder.choose(group)
  runs = folder.open(stage)
  if not 0 <= run < runs.num_runs:
    raise SettingError(f'--run={run} must lie in 0..{runs.num_runs - 1}')
  if run not in runs.runs:
    raise SettingError(f'--run={run} of {stage.name} has not finished yet')
  stored = Lazy(runs.names, lambda name: runs.read(name, [run])[0])
  num_seeds = runs.num_runs // stage.num_configurations
  return Original(folder, stage, num_seeds, run, stored)


def rerun(
  original: Original, steps: Sequence[int], workdir: Workdir
) -> dict[str, np.ndarray]:
  """Runs it alone, observed at other steps, into the store of a folder.

  Args:
    original: the run.
    steps: observed now.
    workdir: the folder, of the same layout.

  Returns:
    Its results by name, those at the observed steps [T, ...].
  """
  values = original.folder.values | {original.stage.observe: list(steps)}
  name = original.stage.name
  (stage,) = (
    stage
    for stage in original.folder.study.stages(values)
    if stage.name == name
  )
  with stages.precision_of(stage):
    xs = stage.xs(original.num_seeds)
    own = jax.tree.map(lambda leaf: leaf[original.run : original.run + 1], xs)
    train(workdir, stage, own)
  runs = StoredRuns(workdir.path / STORE, name)
  return {name: runs.read(name)[0] for name in stage.variables}


class _OneChunk:
  """A store that lacks only the chunk of one run, and keeps only that run."""

  def __init__(self, run: int):
    self._run = run
    self.result: ArrayTree = None

  def is_finished(self, start: int, stop: int) -> bool:
    return not start <= self._run < stop

  def read(self, start: int, stop: int) -> ArrayTree:
    raise AssertionError('a sweep that summarizes nothing reads nothing')

  def write(self, start: int, chunk: ArrayTree) -> None:
    self.result = jax.tree.map(lambda leaf: leaf[self._run - start], chunk)


def rerun_chunk(original: Original) -> ArrayTree:
  """Runs the run's whole chunk again, with the very program of the sweep.

  Returns:
    The results of the run alone, as the store had them.
  """
  stage, kept = original.stage, _OneChunk(original.run)
  layout = original.folder.manifest['layout']
  with stages.precision_of(stage):
    sweeps.sweep(
      stage.trial,
      stage.xs(original.num_seeds),
      chunk_size=layout['chunk_size'],
      store=kept,
      map_name=layout['map'],
    )
  return kept.result


def ulps_apart(a: np.ndarray, b: np.ndarray) -> int:
  """Returns the largest number of representable steps between a and b.

  0 is the same bits; zeros of either sign are the same number, and so are any
  two NaN. A NaN and a number are as far apart as can be.

  Args:
    a: floats of any shape.
    b: of the same shape and dtype.

  Raises:
    ValueError: where shapes or dtypes differ.
  """
  if a.shape != b.shape or a.dtype != b.dtype:
    raise ValueError(f'{a.shape} {a.dtype} against {b.shape} {b.dtype}')
  both_nan = np.isnan(a) & np.isnan(b)
  if (np.isnan(a) != np.isnan(b)).any():
    return int(np.iinfo(np.int64).max)
  whole = np.dtype(f'int{8 * a.dtype.itemsize}')

  def order(x: np.ndarray) -> list[int]:
    # Floats sort like integers of sign and magnitude; Python's do not overflow.
    bits = np.ascontiguousarray(x).view(whole).ravel().tolist()
    lowest = int(np.iinfo(whole).min)
    return [n if n >= 0 else lowest - n for n in bits]

  pairs = zip(order(a), order(b), both_nan.ravel().tolist())
  return max((abs(x - y) for x, y, skip in pairs if not skip), default=0)


def _furthest(a: np.ndarray, b: np.ndarray) -> float:
  """Returns the largest |a - b|, where any two NaN are the same."""
  differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
  away = np.abs(np.subtract(a, b, where=differs, out=np.zeros_like(a)))
  return float(away.max())


def compare(
  steps: Sequence[int],
  stored: Arrays,
  program: str,
  replayed: Arrays,
  *,
  states: Sequence[str],
  error: str,
  outcomes: type[enum.IntEnum],
) -> list[Row]:
  """Returns a row for each observed step: how far apart, and which labels.

  Args:
    steps: the observed steps, length K.
    stored: arrays by name, [K, ...].
    program: what was run, a name for the rows.
    replayed: the same arrays, run again.
    states: names of the arrays that are compared bit by bit.
    error: name of the array of errors.
    outcomes: the codes in the array 'outcome'.
  """

  def row(k: int, step: int) -> Row:
    pairs = [(stored[name][k], replayed[name][k]) for name in states]
    codes = [outcomes(int(a['outcome'][k])).name for a in (stored, replayed)]
    return {
      'program': program,
      'step': step,
      'max_ulps': max(ulps_apart(a, b) for a, b in pairs),
      'max_abs_difference': max(_furthest(a, b) for a, b in pairs),
      f'{error}_stored': float(stored[error][k]),
      f'{error}_replayed': float(replayed[error][k]),
      'outcome_stored': codes[0],
      'outcome_replayed': codes[1],
    }

  return [row(k, step) for k, step in enumerate(steps)]


def describe(rows: Sequence[Row]) -> str:
  """Says in one line whether a replay equals the store, and where not."""
  different = [row for row in rows if row['max_ulps']]
  if not different:
    return f'bit for bit the same at all {len(rows)} stored steps'
  flips = sum(r['outcome_stored'] != r['outcome_replayed'] for r in rows)
  most = max(row['max_ulps'] for row in rows)
  largest = max(row['max_abs_difference'] for row in rows)
  return (
    f'differs from step {different[0]["step"]:,} on: at most {most:,} ulps, '
    f'{largest:.3g} in all; {flips} of {len(rows)} labels differ'
  )


def environment_differences(
  then: Mapping[str, Any], now: Mapping[str, Any]
) -> list[str]:
  """Names what differs between the environments of two starts, one a line."""

  def flat(found: Mapping[str, Any]) -> dict[str, Any]:
    versions = found.get('versions', {})
    names = [k for k in found if k in now and k not in _NOT_COMPARED]
    return {name: found[name] for name in names} | versions

  before, after = flat(then), flat(now)
  return [
    f'{name}: {before.get(name)} then, {after.get(name)} now'
    for name in sorted(before.keys() | after.keys())
    if before.get(name) != after.get(name)
  ]

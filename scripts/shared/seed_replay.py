"""One stored run of the ReLU autoencoder, run again and compared bit by bit.

store, manifest --read_run--> Original --rerun_chunk--> the same program again
stored, replayed --compare--> a row for each observed step
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from absl import flags
import jax
import numpy as np

from scripts.shared import (
  autoencoder_trial,
  failure_grid,
  grids,
  stored_folder,
  sweep_script,
)
from toyjax import loops, sweeps
from toyjax.base import ArrayTree
from toyjax.toys.relu_autoencoder import Outcome

flags.disclaim_key_flags()

COMPARED = ('weights', 'bias', 'sse', 'outcome')


class Original(NamedTuple):
  """What a folder of optimization_failure says of one of its runs.

  Attributes:
    manifest: of the folder.
    group: of the run.
    run: its number in the group.
    stored: the variables named in `COMPARED` at the observed steps, [K, ...].
  """

  manifest: dict[str, Any]
  group: grids.Group
  num_seeds: int
  run: int
  stored: dict[str, np.ndarray]

  @property
  def settings(self) -> dict[str, Any]:
    """All scientific flags of the folder."""
    return self.manifest['science']

  @property
  def environment(self) -> dict[str, Any]:
    """Of the last start that trained: versions, device, JAX's settings."""
    return (self.manifest['invocations'] or [{}])[-1]

  @property
  def num_devices(self) -> int:
    """Of that start, 0 where it does not say."""
    found = self.environment.get('num_devices')
    return found if isinstance(found, int) else 0

  def xs(self) -> dict[str, Any]:
    """Returns all runs of the group, as the sweep had them."""
    return sweep_script.group_xs(self.group, self.settings, self.num_seeds)


def read_run(workdir: str, group_name: str, run: int) -> Original:
  """Reads a run and all that is needed to run it again.

  Raises:
    WorkdirError: where the folder is none of optimization_failure.
    StoreError: where it is damaged.
    flags.Error: where it does not hold that run.
  """
  found, groups = stored_folder.read(workdir)
  with stored_folder.understood(workdir):
    # All of them, since it is trained again.
    stored_folder.require_settings(found, failure_grid.SCIENCE)
  group = stored_folder.choose_group(groups, group_name)
  runs = stored_folder.open_group(workdir, group)
  if not 0 <= run < runs.num_runs:
    raise flags.Error(f'--run={run} must lie in 0..{runs.num_runs - 1}')
  if run not in runs.runs:
    raise flags.Error(f'--run={run} of {group.name} has not finished yet')
  stored = {name: runs.read(name, [run])[0] for name in COMPARED}
  num_seeds = runs.num_runs // group.num_configurations
  return Original(found, group, num_seeds, run, stored)


def trajectory_steps(settings: Mapping[str, Any], number: int) -> list[int]:
  """Returns steps to observe: half log-spaced, half even, and all stored."""
  num_steps = settings['num_steps']
  even = np.linspace(2, num_steps, max(number // 2, 2)).astype(int)
  chosen = {*loops.log_spaced(num_steps, max(number // 2, 2)), *even.tolist()}
  return sorted({*chosen, *settings['observe_steps']} - {1})


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


def rerun_chunk(original: Original) -> dict[str, np.ndarray]:
  """Runs the run's whole chunk again, with the very program of the sweep.

  Returns:
    The results of the run alone, as the store had them.
  """
  layout, kept = original.manifest['layout'], _OneChunk(original.run)
  sweeps.sweep(
    autoencoder_trial.make_trial(original.group.static, original.settings),
    original.xs(),
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
  program: str,
  steps: Sequence[int],
  stored: Mapping[str, np.ndarray],
  replayed: Mapping[str, np.ndarray],
) -> list[dict[str, Any]]:
  """Returns a row for each observed step: how far apart, and which labels.

  Args:
    program: what was run, a name for the rows.
    steps: the observed steps, length K.
    stored: the variables named in `COMPARED`, [K, ...].
    replayed: the same, run again.
  """
  rows = []
  for k, step in enumerate(steps):
    pairs = [(stored[name][k], replayed[name][k]) for name in COMPARED[:2]]
    rows.append(
      {
        'program': program,
        'step': step,
        'max_ulps': max(ulps_apart(a, b) for a, b in pairs),
        'max_abs_difference': max(_furthest(a, b) for a, b in pairs),
        'sse_stored': float(stored['sse'][k]),
        'sse_replayed': float(replayed['sse'][k]),
        'outcome_stored': Outcome(int(stored['outcome'][k])).name,
        'outcome_replayed': Outcome(int(replayed['outcome'][k])).name,
      }
    )
  return rows


def describe(rows: Sequence[Mapping[str, Any]]) -> str:
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
  """Names what differs between two environments, one line each."""

  def flat(found: Mapping[str, Any]) -> dict[str, Any]:
    known = {k: v for k, v in found.items() if k in now and k != 'versions'}
    return {**known, **found.get('versions', {})}

  before, after = flat(then), flat(now)
  return [
    f'{name}: {before.get(name)} then, {after.get(name)} now'
    for name in sorted(before.keys() | after.keys())
    if before.get(name) != after.get(name)
  ]

"""The dry run: what a sweep will take, from a chunk of a few steps.

trial, a few of its runs --estimate--> time, memory and disk of all of them
"""

from collections.abc import Callable
import math
import time
from typing import Any, NamedTuple

import jax
import numpy as np

from toyjax import chunks, memory, run_sizes

_STEPS = 200


class Estimate(NamedTuple):
  """What a sweep will take.

  Attributes:
    num_runs: number of runs.
    steps_per_second: measured rate of a short sweep.
    elapsed_seconds: predicted time, compilation included.
    memory_bytes: predicted peak of arrays in memory.
    disk_bytes: results before compression.
  """

  num_runs: int
  steps_per_second: float
  elapsed_seconds: float
  memory_bytes: int
  disk_bytes: int


def estimate(
  make_trial: Callable[[int], chunks.Trial],
  few: Any,
  *,
  num_runs: int,
  num_steps: int,
  chunk_size: int,
  map_name: str,
) -> Estimate:
  """Predicts time, memory and disk from a chunk of a few steps.

  Args:
    make_trial: number of steps -> trial.
    few: some runs of the sweep, see `Stage.few_xs`.
    num_runs: of the sweep, which is never made.
    num_steps: steps of the real trial.
    chunk_size: runs per chunk.
    map_name: see `chunks.compile_chunk`.

  Raises:
    SettingError: where a chunk has no room in this machine's memory.
  """
  mesh = chunks.local_mesh()
  leaves = jax.tree.leaves(few)
  num_few = leaves[0].shape[0]
  row_bytes = sum(leaf.nbytes for leaf in leaves) // num_few
  memory.require_runs(num_runs, row_bytes)
  result = memory.shapes_of(
    make_trial(num_steps),
    jax.tree.map(lambda a: a[0], few),
    num_runs=num_runs,
    chunk_size=chunk_size,
  )
  few_steps = min(_STEPS, num_steps)
  start = time.monotonic()
  program = chunks.compile_chunk(make_trial(few_steps), few, mesh, map_name)
  size = chunks.padded_size(num_runs, chunk_size, program.multiple)
  # A larger chunk takes as long a run as this one, which keeps devices busy.
  busy = chunks.padded_size(size, chunks.default_size(mesh), program.multiple)
  chunk = jax.tree.map(lambda leaf: leaf[np.arange(busy) % num_few], few)

  compiled = program.run.lower(chunk).compile()
  compile_seconds = time.monotonic() - start
  usage = compiled.memory_analysis()
  # What the compiler says is of one device.
  of_all = mesh.size * _bytes_of(usage) if usage else 0
  chunk_bytes = size * of_all // busy
  memory.require(chunk_bytes, f'{size:,} runs, a chunk,')
  jax.block_until_ready(compiled(chunk))
  start = time.monotonic()
  jax.block_until_ready(compiled(chunk))
  step_seconds = (time.monotonic() - start) / few_steps * size / busy

  num_chunks = math.ceil(num_runs / chunk_size)
  return Estimate(
    num_runs=num_runs,
    steps_per_second=size / step_seconds,
    elapsed_seconds=compile_seconds + num_chunks * num_steps * step_seconds,
    memory_bytes=2 * chunk_bytes + num_runs * row_bytes,
    disk_bytes=num_runs * run_sizes.num_bytes(result),
  )


def _bytes_of(usage: Any) -> int:
  return usage.temp_size_in_bytes + usage.output_size_in_bytes

"""A trial mapped over many runs in one call, at the speed of a sweep.

trial (one x) --map_runs--> xs [R, ...] -> results [R, ...]
"""

from collections.abc import Callable
import functools
from typing import Any

import jax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import numpy as np

from toyjax import chunks, ranges
from toyjax.base import ArrayTree
from toyjax.chunks import Trial


def map_runs(
  trial: Trial, *, map_name: str = 'lanes', mesh: Mesh | None = None
) -> Callable[[ArrayTree], ArrayTree]:
  """Returns what `jax.jit(jax.vmap(trial))` returns, only faster.

  Of a tiny trial `jax.jit(lanes(trial))` is but a part of it: a sweep also
  computes runs in blocks that fit the cache, on every device, with options that
  the compiler needs. All of that is in here; `sweep` adds chunks, a store and
  progress. It is compiled once for each shape of its argument, and is called,
  not transformed: put `jax.grad` and the like inside of the trial.

  Args:
    trial: a pure function of one x, returning a pytree of arrays.
    map_name: 'lanes', 'vmap' or 'kernel', see `chunks.compile_chunk`.
    mesh: one-axis mesh named `chunks.RUNS`; None means all local devices.

  Returns:
    A function of xs, a pytree of arrays [R, ...], one row a run; typed keys are
    welcome. It returns the results of all runs, a pytree of JAX arrays
    [R, ...]: those of `sweep`, bit for bit where `lanes` maps it; under vmap
    last bits may hang on R.

  Raises:
    ValueError: on an unknown map; when it is called, as `sweep` does.
  """
  if map_name not in chunks.MAPS:
    raise ValueError(f'unknown map {map_name!r}: choose from {chunks.MAPS}')
  programs: dict[Any, chunks.ChunkProgram] = {}

  @functools.wraps(trial)
  def mapped(xs: ArrayTree) -> ArrayTree:
    num_runs = chunks.num_runs(xs)
    ranges.require_kept(xs)
    devices = chunks.local_mesh() if mesh is None else mesh
    leaves, structure = jax.tree.flatten(xs)
    key = structure, tuple(np.shape(leaf)[1:] for leaf in leaves)
    if key not in programs:
      programs[key] = chunks.compile_chunk(trial, xs, devices, map_name)
    program = programs[key]
    size = chunks.padded_size(num_runs, num_runs, program.multiple)
    if size > num_runs:
      rows = np.minimum(np.arange(size), num_runs - 1)
      xs = jax.tree.map(lambda leaf: leaf[rows], xs)
    sharding = NamedSharding(devices, PartitionSpec(chunks.RUNS))
    results = program.run(jax.device_put(xs, sharding))
    if size > num_runs:
      results = jax.tree.map(lambda leaf: leaf[:num_runs], results)
    return results

  return mapped

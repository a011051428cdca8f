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
  programs: dict[Any, Callable[[ArrayTree], ArrayTree]] = {}

  @functools.wraps(trial)
  def mapped(xs: ArrayTree) -> ArrayTree:
    num_runs = chunks.num_runs(xs)
    ranges.require_kept(xs)
    devices = chunks.local_mesh() if mesh is None else mesh
    leaves, structure = jax.tree.flatten(xs)
    key = structure, num_runs, tuple(np.shape(leaf)[1:] for leaf in leaves)
    if key not in programs:
      program = chunks.compile_chunk(trial, xs, devices, map_name)
      programs[key] = _of_any_number(program, num_runs)
    everywhere = NamedSharding(devices, PartitionSpec())
    return programs[key](
      jax.tree.map(
        lambda x: jax.device_put(x, everywhere) if _is_bound(x) else x, xs
      )
    )

  return mapped


def _of_any_number(
  program: chunks.ChunkProgram, num_runs: int
) -> Callable[[ArrayTree], ArrayTree]:
  """Returns the program of so many runs, which pads and trims by itself."""
  size = chunks.padded_size(num_runs, num_runs, program.multiple)
  rows = np.minimum(np.arange(size), num_runs - 1)

  def padded(xs: ArrayTree) -> ArrayTree:
    results = program.spread(jax.tree.map(lambda leaf: leaf[rows], xs))
    return jax.tree.map(lambda leaf: leaf[:num_runs], results)

  fun = padded if size > num_runs else program.spread
  return jax.jit(fun, compiler_options=program.options)


def _is_bound(x: Any) -> bool:
  """Whether an array is bound to devices, which may not be those of a mesh."""
  return isinstance(x, jax.Array) and x.committed

"""Runs any trial over thousands to millions of inputs, chunk by chunk.

    xs [S, ...] --chunk, pad--> map over devices --trim--> store or memory

A trial is any pure function x -> pytree, written for one x. The sweep knows
nothing of toys, outcomes or files: it maps, streams and reports progress.
"""

from collections.abc import Iterator, Mapping
import itertools
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec
import numpy as np

from toyjax import chunks, ranges, run_sizes
from toyjax.base import Array, ArrayTree, PRNGKey
from toyjax.chunks import Trial
from toyjax.progress import Progress, Summarize


class Store(Protocol):
  """Where a sweep streams its chunks to, and what it resumes from."""

  def is_finished(self, start: int, stop: int) -> bool:
    """Whether the runs start..stop-1, one whole chunk, are stored."""
    ...

  def write(self, start: int, chunk: ArrayTree) -> None:
    """Stores the results of the runs from `start` on, then marks them done."""
    ...

  def read(self, start: int, stop: int) -> ArrayTree:
    """Returns the stored results of the runs start..stop-1."""
    ...


def seed_keys(seed: int, indices: Array | np.ndarray) -> PRNGKey:
  """Returns one key per seed index; key i never depends on how many there are.

  Args:
    seed: the sweep's own seed, an integer in 0..2^32 - 1.
    indices: integers [S] in 0..2^32 - 1, the seed indices.

  Returns:
    Typed keys [S], fold_in(key(seed), index): the same with and without x64.

  Raises:
    ValueError: on a seed or an index outside of that, or that is no integer.
  """
  root_key = jax.random.key(ranges.seed(seed))
  return jax.vmap(lambda index: jax.random.fold_in(root_key, index))(
    jnp.asarray(ranges.indices(indices))
  )


def common_key(seed: int) -> PRNGKey:
  """Returns a key of what all runs of a sweep share, such as test samples.

  Args:
    seed: as of `seed_keys`, whose last index no run has: 2^32 - 1.
  """
  return seed_keys(seed, np.asarray([2**32 - 1], np.uint32))[0]


def grid(**axes: Any) -> dict[str, np.ndarray]:
  """Returns the Cartesian product of the axes, the last one running fastest.

  Args:
    **axes: for each name a one-dimensional sequence of values.

  Returns:
    For each name an array [C], where C is the product of the lengths.

  Raises:
    ValueError: on an axis that is no list, or whose integers no array holds.
  """
  arrays = {name: np.asarray(values) for name, values in axes.items()}
  for name, values in arrays.items():
    if values.ndim != 1:
      raise ValueError(f'axis {name!r} must be a list: shape {values.shape}')
    for given, held in zip(axes[name], values.tolist()):
      # NumPy makes floats or objects of lists of large integers.
      if isinstance(given, int) and (values.dtype == object or given != held):
        raise ValueError(f'axis {name!r} cannot hold {given} beside the others')
  rows = list(itertools.product(*(range(len(a)) for a in arrays.values())))
  places = np.asarray(rows, int).reshape(len(rows), len(arrays))
  return {
    name: values[places[:, i]]
    for i, (name, values) in enumerate(arrays.items())
  }


def seeds_by_grid(
  *, seed: int, num_seeds: int, configurations: Mapping[str, np.ndarray]
) -> dict[str, Any]:
  """Crosses seeds with the configurations of a grid: the xs of a sweep.

  Run r is seed index r // C under configuration r % C, so that more seeds
  extend a sweep at its end, and all configurations share each seed's key:
  differences between configurations are paired.

  Args:
    seed: the sweep's own seed, see `seed_keys`.
    num_seeds: number of seeds S, in 1..2^31.
    configurations: for each hyperparameter an array [C], from `grid`.

  Returns:
    'key' [S C] typed keys, 'seed_index' int32 [S C], and each hyperparameter
    [S C].

  Raises:
    ValueError: on a seed or a number of seeds outside of its range.
  """
  num_seeds = ranges.num_seeds(num_seeds)
  num = len(next(iter(configurations.values()))) if configurations else 1
  index = np.repeat(np.arange(num_seeds, dtype=np.int32), num)
  tiled = {name: np.tile(v, num_seeds) for name, v in configurations.items()}
  return {'key': seed_keys(seed, index), 'seed_index': index, **tiled}


def compiled(
  trial: Trial,
  few: ArrayTree,
  *,
  num_runs: int,
  chunk_size: int,
  mesh: Mesh | None = None,
  map_name: str = 'lanes',
) -> chunks.ChunkProgram:
  """Compiles what `sweep` runs of such runs, for its `program`.

  Args:
    trial: see `sweep`, as those not named here.
    few: some of the runs, for their shapes and types.
    num_runs: R, how many there will be.
    chunk_size: runs per chunk.
    mesh: the devices.
    map_name: see `chunks.compile_chunk`.
  """
  mesh = chunks.local_mesh() if mesh is None else mesh
  program = chunks.compile_chunk(trial, few, mesh, map_name)
  size = chunks.padded_size(num_runs, chunk_size, program.multiple)
  sharding = NamedSharding(mesh, PartitionSpec(chunks.RUNS))
  chunk = jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(
      (size, *leaf.shape[1:]), leaf.dtype, sharding=sharding
    ),
    jax.eval_shape(lambda xs: xs, few),
  )
  return program._replace(run=program.run.lower(chunk).compile())


def sweep(
  trial: Trial,
  xs: ArrayTree,
  *,
  chunk_size: int | None = None,
  mesh: Mesh | None = None,
  store: Store | None = None,
  summarize: Summarize | None = None,
  work_per_run: int = 1,
  progress: str | None = None,
  map_name: str = 'lanes',
  program: chunks.ChunkProgram | None = None,
) -> ArrayTree:
  """Runs `trial` for every x of `xs`.

  Chunks are padded to one size and trimmed, so there is one compilation; a
  sweep shorter than one chunk is padded to a power of two only. While one chunk
  is computed the one before it is stored. It can be interrupted at any moment:
  what the store has is never run again.

  Args:
    trial: a pure function of one x, returning a pytree of arrays.
    xs: pytree of arrays [R, ...], one row a run; typed keys are welcome.
      Without x64, float64 is rounded to float32.
    chunk_size: runs per chunk, >= 1; also the store's chunk. None leaves it to
      `chunks.default_size`.
    mesh: one-axis mesh named `chunks.RUNS`; None means all local devices.
    store: where finished chunks go; None keeps them in memory.
    summarize: chunk of results -> counts by name, added up in the progress
      line.
    work_per_run: units of work a run, such as its steps, for the rate shown.
    progress: name shown before a progress bar on stderr; None shows none.
    map_name: 'lanes' or 'vmap', see `chunks.compile_chunk`.
    program: from `compiled` for these runs; None compiles when the first chunk
      is run.

  Returns:
    The results of all runs, a pytree of NumPy arrays [R, ...] in the order of
    `xs`; or `()` with a store, which then has them.

  Raises:
    ValueError: on an empty sweep, unequal leading sizes, chunk_size < 1, or
      numbers in `xs` that the device cannot hold, see `ranges.require_kept`.
  """
  num_runs = chunks.num_runs(xs)
  ranges.require_kept(xs)
  mesh = chunks.local_mesh() if mesh is None else mesh
  if chunk_size is None:
    one = jax.eval_shape(lambda xs: jax.tree.map(lambda leaf: leaf[0], xs), xs)
    run_bytes = run_sizes.run_bytes(trial, one)
    chunk_size = chunks.default_size(mesh, run_bytes)
  if chunk_size < 1:
    raise ValueError(f'chunk_size must be >= 1: {chunk_size}')
  if program is None:
    program = chunks.compile_chunk(trial, xs, mesh, map_name)
  run = program.run
  sharding = NamedSharding(mesh, PartitionSpec(chunks.RUNS))
  padded_size = chunks.padded_size(num_runs, chunk_size, program.multiple)

  def launch(start: int) -> ArrayTree:
    rows = np.minimum(np.arange(start, start + padded_size), num_runs - 1)
    chunk = jax.tree.map(lambda leaf: leaf[rows], xs)
    return run(jax.device_put(chunk, sharding))

  kept = []
  report = Progress(progress, num_runs, work_per_run)

  def finish(start: int, stop: int, computed: ArrayTree) -> None:
    chunk = jax.tree.map(
      lambda leaf: np.asarray(leaf)[: stop - start], computed
    )
    if store is None:
      kept.append(chunk)
    else:
      store.write(start, chunk)
    report.add(stop - start, summarize(chunk) if summarize else {})

  with report:
    pending = None
    for start, stop in _spans(num_runs, chunk_size):
      if store is not None and store.is_finished(start, stop):
        counts = summarize(store.read(start, stop)) if summarize else {}
        report.skip(stop - start, counts)
        continue
      launched = (start, stop, launch(start))
      if pending is not None:
        finish(*pending)
      pending = launched
    if pending is not None:
      finish(*pending)
  if store is not None:
    return ()
  return jax.tree.map(lambda *leaves: np.concatenate(leaves), *kept)


def _spans(num_runs: int, chunk_size: int) -> Iterator[tuple[int, int]]:
  for start in range(0, num_runs, chunk_size):
    yield start, min(start + chunk_size, num_runs)

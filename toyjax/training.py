"""Runs a stage into its group of the store.

Stage, xs --compiled--> Ready --train--> group of results.zarr
"""

from collections.abc import Mapping
import pathlib
from typing import Any, NamedTuple

import jax

from toyjax import chunks, memory, store, sweeps
from toyjax.stages import Stage


class Ready(NamedTuple):
  """A stage that may run.

  Attributes:
    trial: what is run.
    program: of all its runs; None compiles when the first chunk is run.
  """

  trial: chunks.Trial
  program: chunks.ChunkProgram | None = None


def compiled(
  stage: Stage, num_seeds: int, *, chunk_size: int, map_name: str
) -> Ready:
  """Compiles the program of a stage before it is trained, or has its runs.

  Args:
    stage: what will be run; its runs are seeds crossed with its axes.
    num_seeds: of the sweep.
    chunk_size: runs per chunk.
    map_name: see `chunks.compile_chunk`.
  """
  trial = stage.trial
  program = sweeps.compiled(
    trial,
    stage.few_xs(1),
    num_runs=stage.num_runs(num_seeds),
    chunk_size=chunk_size,
    map_name=map_name,
  )
  return Ready(trial, program)


def train(
  stage: Stage,
  xs: dict[str, Any],
  *,
  path: pathlib.Path,
  identity: Mapping[str, Any],
  chunk_size: int,
  map_name: str,
  progress: str | None,
  ready: Ready | None = None,
) -> None:
  """Runs a stage into its group of the store, or resumes it there.

  Args:
    stage: what is run.
    xs: its runs.
    path: of the store.
    identity: of the folder, from `manifest.Workdir`.
    chunk_size: runs per chunk.
    map_name: see `chunks.compile_chunk`.
    progress: name in the progress bar; None shows none.
    ready: from `compiled`, for so many runs.
  """
  trial, program = ready or Ready(stage.trial)
  num_runs = len(jax.tree.leaves(xs)[0])
  by_run = [name for name in ('seed_index', *stage.axes) if name in xs]
  run_store = store.RunStore(
    path,
    stage.name,
    num_runs=num_runs,
    chunk_size=chunk_size,
    results=memory.shapes_of(
      trial,
      jax.tree.map(lambda leaf: leaf[0], xs),
      num_runs=num_runs,
      chunk_size=chunk_size,
    ),
    variables=stage.variables,
    coordinates={
      **stage.coordinates,
      **{name: store.Coordinate(store.RUN, xs[name]) for name in by_run},
    },
    attrs=stage.group_attrs(xs),
    identity=identity,
  )
  sweeps.sweep(
    trial,
    xs,
    chunk_size=chunk_size,
    store=run_store,
    summarize=stage.summarize,
    work_per_run=stage.num_steps,
    progress=progress,
    map_name=map_name,
    program=program,
  )

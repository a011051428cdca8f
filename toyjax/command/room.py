"""What a sweep takes of the machine: refused where there is no room, or told.

stages --require_room--> nothing, or one line; --print_estimate--> a forecast
"""

from collections.abc import Callable, Sequence
import functools
from typing import Any

import jax

from toyjax import memory, run_sizes, stages
from toyjax.command import estimates
from toyjax.stages import Stage
from toyjax.texts import printable


def largest_run(todo: Sequence[Stage]) -> int:
  """Returns the bytes of a run of the largest stage; 0 where all are tiny."""
  return max(map(_run_bytes, todo))


def _run_bytes(stage: Stage) -> int:
  if not memory.is_large(stage.sizes):
    return 0
  with stages.precision_of(stage):
    one = jax.tree.map(lambda leaf: leaf[0], stage.few_xs(1))
    return run_sizes.run_bytes(stage.trial, one)


def require_room(
  todo: Sequence[Stage], num_seeds: int, chunk_size: int
) -> None:
  """Refuses runs that have no room in memory, before they have a folder."""
  for stage in todo:
    with stages.precision_of(stage):
      memory.require_room(
        lambda stage=stage: stage.trial,  # type: ignore[misc]
        stage.few_xs(1),
        stage.sizes,
        num_runs=stage.num_runs(num_seeds),
        chunk_size=chunk_size,
      )


def print_estimate(
  todo: Sequence[Stage], num_seeds: int, chunk_size: int, map_name: str
) -> None:
  """Prints what the sweep will take, stage by stage."""
  seconds, disk, most_memory = 0.0, 0, 0
  for stage in todo:
    cost = _cost(
      stage,
      functools.partial(stage.few_xs, num_seeds),
      num_runs=stage.num_runs(num_seeds),
      chunk_size=chunk_size,
      map_name=map_name,
    )
    seconds += cost.elapsed_seconds
    disk += cost.disk_bytes
    most_memory = max(most_memory, cost.memory_bytes)
    most = 'at most ' if stage.make_xs else ''
    print(
      f'{printable(stage.name)}: {most}{cost.num_runs:,} runs x '
      f'{stage.num_steps:,} steps at {cost.steps_per_second:.3g} steps/s'
    )
  print(
    f'about {seconds / 60:.1f} minutes, {most_memory / 2**30:.2f} GiB of '
    f'arrays in memory, at most {disk / 2**20:.1f} MiB on disk; nothing was '
    'written'
  )


def print_forecast(
  forecast: Sequence[tuple[Stage, int]], chunk_size: int, map_name: str
) -> None:
  """Prints what the stages of a task will take, see `Plan.forecast`."""
  seconds, disk = 0.0, 0
  for stage, num_runs in forecast:
    cost = _cost(
      stage,
      functools.partial(stage.xs, 1),
      num_runs=num_runs,
      chunk_size=chunk_size,
      map_name=map_name,
    )
    seconds += cost.elapsed_seconds
    disk += cost.disk_bytes
    print(
      f'{printable(stage.name)}: {cost.num_runs:,} runs x '
      f'{stage.num_steps:,} steps at {cost.steps_per_second:.3g} steps/s, '
      f'about {cost.elapsed_seconds / 60:.1f} minutes'
    )
  print(
    f'about {seconds / 60:.1f} minutes, at most {disk / 2**20:.1f} MiB on '
    'disk; nothing was written'
  )


def _cost(
  stage: Stage,
  make_few: Callable[[], Any],
  *,
  num_runs: int,
  chunk_size: int,
  map_name: str,
) -> estimates.Estimate:
  """Returns what a stage will take, in its own precision."""
  with stages.precision_of(stage):
    return estimates.estimate(
      lambda n: stage.trial if n == stage.num_steps else stage.short_trial(n),
      make_few(),
      num_runs=num_runs,
      num_steps=stage.num_steps,
      chunk_size=chunk_size,
      map_name=map_name,
    )

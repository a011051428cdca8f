"""The sweeps around symmetric failure: escapes from it, trainings from scratch.

settings --> groups --run--> results.zarr; settings --print_estimate--> a guess
"""

from collections.abc import Iterator, Mapping
import functools
import pathlib
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import estimates, grids, symmetric_trial
from toyjax import store, sweeps

START = ('norm_factor', 'start_noise')  # Flags of the start of an escape.
_SHAPES = {'num_features': 'n'}


def escape_groups(settings: Mapping[str, Any]) -> list[grids.Group]:
  """Returns the groups of escape runs, one for each n and optimizer."""
  return list(
    grids.make_groups(
      settings,
      shapes=_SHAPES,
      choices=('optimizer',),
      traced=lambda static: [
        *symmetric_trial.TRACED[static['optimizer']],
        *START,
      ],
    )
  )


def training_groups(settings: Mapping[str, Any]) -> list[grids.Group]:
  """Returns the groups of training runs from scratch, one for each n."""
  settings = {
    **settings,
    'num_features': settings['state_features'],
    'optimizer': ['adamw'],
    'weight_decay': settings['state_decay'],
  }
  groups = grids.make_groups(
    settings,
    shapes=_SHAPES,
    choices=('optimizer',),
    traced=lambda static: symmetric_trial.TRACED[static['optimizer']],
  )
  return [group._replace(name=f'training_{group.name}') for group in groups]


class _Sweep(NamedTuple):
  """One group with all that its sweep needs."""

  group: grids.Group
  make_trial: Any
  num_seeds: int
  num_steps: int
  variables: Mapping[str, store.Variable]
  coordinates: Mapping[str, store.Coordinate]
  summarize: sweeps.Summarize


def _sweeps(settings: Mapping[str, Any], num_seeds: int) -> Iterator[_Sweep]:
  for group in escape_groups(settings):
    yield _Sweep(
      group,
      functools.partial(symmetric_trial.escape_trial, group.static, settings),
      num_seeds,
      settings['num_steps'],
      symmetric_trial.ESCAPE_VARIABLES,
      {},
      symmetric_trial.count_escapes,
    )
  steps = np.asarray(settings['state_steps'])
  for group in training_groups(settings):
    yield _Sweep(
      group,
      functools.partial(symmetric_trial.training_trial, group.static, settings),
      settings['num_state_seeds'],
      settings['state_steps'][-1],
      symmetric_trial.TRAINING_VARIABLES,
      {'step': store.Coordinate('step', steps)},
      lambda chunk: {},
    )


def require_room(settings: Mapping[str, Any], num_seeds: int) -> None:
  """Refuses runs that have no room, as `grids.require_room`."""
  for one in _sweeps(settings, num_seeds):
    grids.require_room([one.group], one.num_seeds)


def require_finished(
  settings: Mapping[str, Any], path: pathlib.Path, num_seeds: int | None
) -> None:
  """Opens all groups of a folder as `grids.open_finished`.

  Args:
    settings: all scientific flags.
    path: of the store.
    num_seeds: of its manifest; None where that does not say.
  """
  for one in _sweeps(settings, num_seeds or 0):
    grids.open_finished(path, one.group, one.num_seeds or None)


def _xs(
  settings: Mapping[str, Any], one: _Sweep, num_seeds: int
) -> dict[str, Any]:
  return grids.group_xs(
    one.group,
    seed=settings['seed'],
    num_seeds=num_seeds,
    dtype=settings['dtype'],
  )


def run(
  settings: Mapping[str, Any],
  path: pathlib.Path,
  *,
  identity: Mapping[str, Any],
  num_seeds: int,
  chunk_size: int,
  map_name: str,
) -> None:
  """Runs what the store at `path` does not have yet."""
  for one in _sweeps(settings, num_seeds):
    grids.run_group(
      one.group,
      one.make_trial(),
      _xs(settings, one, one.num_seeds),
      path=path,
      identity=identity,
      chunk_size=chunk_size,
      map_name=map_name,
      variables=one.variables,
      coordinates=one.coordinates,
      attrs={
        'solved_sse': settings['solved_sse'],
        'escape_share': settings['escape_share'],
      },
      summarize=one.summarize,
      work_per_run=one.num_steps,
    )


def print_estimate(
  settings: Mapping[str, Any],
  *,
  num_seeds: int,
  chunk_size: int,
  map_name: str,
) -> None:
  """Prints what the sweeps will take, group by group."""
  seconds = 0.0
  for one in _sweeps(settings, num_seeds):
    cost = estimates.estimate(
      one.make_trial,
      _xs(settings, one, estimates.few_seeds(one.num_seeds)),
      num_runs=one.num_seeds * one.group.num_configurations,
      num_steps=one.num_steps,
      chunk_size=chunk_size,
      map_name=map_name,
    )
    seconds += cost.elapsed_seconds
    print(
      f'{one.group.name}: {cost.num_runs:,} runs x {one.num_steps:,} steps at '
      f'{cost.steps_per_second:.3g} steps/s'
    )
  print(
    f'about {seconds / 60:.1f} minutes of training, and a minute or two of '
    'float64 analysis; nothing was written'
  )

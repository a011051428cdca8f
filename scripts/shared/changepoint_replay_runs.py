"""Replays recorded traces under every policy and prior, into a store.

recorded traces, settings --combinations--> all replays of each policy and prior
"""

from collections.abc import Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from scripts.shared import (
  changepoint_recorded,
  changepoint_replay_report,
  changepoint_replays,
  grids,
)
from toyjax import manifest, sweeps


def replay_policy(
  policy: str,
  recorded: changepoint_recorded.Recorded,
  positions: np.ndarray,
  settings: dict[str, Any],
  workdir: manifest.Workdir,
  *,
  num_repeats: int,
  chunk_size: int,
  map_name: str,
) -> dict[str, np.ndarray]:
  """Runs what the store lacks of a policy: name -> [N, priors, traces, ...]."""
  num_priors, num_traces = positions.shape
  axes = sweeps.grid(prior=range(num_priors), trace=range(num_traces))
  axes = {name: values.astype(np.int32) for name, values in axes.items()}
  group = grids.Group(policy, {'policy': policy}, axes)
  xs = sweeps.seeds_by_grid(
    seed=settings['seed'], num_seeds=num_repeats, configurations=axes
  )
  trial = changepoint_replays.make_trial(
    recorded,
    policy_name=policy,
    prior_names=settings['prior'],
    positions=positions,
    rules=changepoint_recorded.make_rules(settings),
    num_rollouts=settings['num_rollouts'],
    dtype=jnp.dtype(settings['dtype']),
  )
  grids.run_group(
    group,
    trial,
    xs,
    path=workdir.path / 'results.zarr',
    identity=workdir.identity,
    chunk_size=chunk_size,
    map_name=map_name,
    variables=changepoint_replays.VARIABLES,
    coordinates={},
    attrs={'priors': settings['prior']},
    summarize=changepoint_replays.count_verdicts,
    work_per_run=settings['num_rollouts'],
  )
  return changepoint_replays.read(
    workdir.path / 'results.zarr', policy, (num_repeats, num_priors, num_traces)
  )


def combinations(
  recorded: changepoint_recorded.Recorded,
  settings: dict[str, Any],
  workdir: manifest.Workdir,
  *,
  num_repeats: int,
  chunk_size: int,
  map_name: str,
) -> Iterator[changepoint_replay_report.Combination]:
  """Yields all replays of every policy under every prior."""
  rules = changepoint_recorded.make_rules(settings)
  exhaustive = [
    changepoint_recorded.find_exhaustive(recorded, prior, rules)
    for prior in settings['prior']
  ]
  positions = np.asarray(
    [[one.position for one in each] for each in exhaustive], np.int32
  )
  for policy in settings['policy']:
    results = replay_policy(
      policy,
      recorded,
      positions,
      settings,
      workdir,
      num_repeats=num_repeats,
      chunk_size=chunk_size,
      map_name=map_name,
    )
    for k, prior in enumerate(settings['prior']):
      yield changepoint_replay_report.Combination(
        policy,
        prior,
        exhaustive[k],
        recorded.num_answered > 0,
        {name: values[:, k].swapaxes(0, 1) for name, values in results.items()},
      )

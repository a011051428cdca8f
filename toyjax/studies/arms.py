"""Trials whose arms all go on from the same states of runs before.

finished runs --states--> [E, ...] --cross--> the runs of a stage, E x arms
[Runs of the arms] --whole--> arm -> name -> [E, ...], paired

A stage that goes on has the arms as its configurations. A row has the key and
the seed index of the run whose state it goes on from, taken together.
"""

from collections.abc import Callable, Mapping, Sequence
import functools
from typing import Any

import jax
import numpy as np

from toyjax import chunks, manifest, statistics, sweeps, tables
from toyjax.runs import Arrays, Runs
from toyjax.stages import Stage, seeds_by_axes
from toyjax.statistics import Interval

# Arm -> name -> [E, ...], the same E states in each.
Arms = Mapping[str, Arrays]


def states(
  stage: Stage,
  search: chunks.Trial,
  names: Sequence[str],
  finished: Sequence[Runs],
  num_seeds: int,
) -> dict[str, np.ndarray]:
  """Returns what the runs of the search ended with, or some of its shapes.

  Args:
    stage: that goes on, whose seeds the made-up ones are.
    search: the trial of the search.
    names: of its results; the seed index comes with them.
    finished: runs of the search; where there are none, as in a dry run, ones
      stand for what they would end with.
    num_seeds: of the search.
  """
  if finished:
    data = finished[0].data
    return {name: data[name] for name in (*names, 'seed_index')}
  few = jax.tree.map(lambda a: a[:num_seeds], seeds_by_axes(stage, num_seeds))
  found = jax.eval_shape(jax.vmap(search), few)
  made_up = {
    name: np.ones(found[name].shape, found[name].dtype) for name in names
  }
  return made_up | {'seed_index': few['seed_index']}


def cross(stage: Stage, starts: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """Returns the runs of a stage: each state under every configuration.

  Args:
    stage: whose configurations are the arms.
    starts: arrays [E, ...], seed_index among them.

  Returns:
    Rows [E C], states slowest, in the stage's precision.
  """
  xs = seeds_by_axes(stage, len(starts['seed_index']))
  for name, array in starts.items():
    if np.issubdtype(array.dtype, np.floating):
      array = array.astype(stage.dtype)
    xs[name] = np.repeat(array, stage.num_configurations, 0)
  return xs | {'key': sweeps.seed_keys(stage.values['seed'], xs['seed_index'])}


def whole(
  going: Sequence[Runs], names: Sequence[str], label: Callable[[str], str] = str
) -> dict[str, dict[str, np.ndarray]]:
  """Returns the runs of the states that have gone on in every arm.

  Arms are compared in pairs, so a state that lacks one of them is left out.

  Args:
    going: the runs of each arm.
    names: of the results.
    label: label of the runs -> name of the arm.

  Raises:
    WorkdirError: where no state has gone on in every arm.
  """
  seeds = [runs.data['seed_index'] for runs in going]
  common = functools.reduce(np.intersect1d, seeds)
  if not len(common):
    raise manifest.WorkdirError(
      'no run has gone on in every way yet; the command without --from_store '
      'goes on'
    )
  return {
    label(runs.label): {
      name: runs.data[name][np.isin(own, common)] for name in names
    }
    for runs, own in zip(going, seeds)
  }


def paired(a: np.ndarray, b: np.ndarray, number: int) -> Interval:
  """Returns the share of a less that of b, as one of several comparisons.

  Args:
    a: bool [E], of the same states as b.
    b: bool [E].
    number: of comparisons; all intervals hold at once with 95 % or more
      (Bonferroni).
  """
  return tables.paired_difference(a, b, corrected(number))


def corrected(number: int) -> float:
  """Returns the confidence of one of so many intervals, by Bonferroni."""
  return 1.0 - (1.0 - statistics.CONFIDENCE) / number

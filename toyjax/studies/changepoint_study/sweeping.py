"""Runs the parts of the study: policies, their alarms, rounds of batches.

values --run--> cases of all parts; finished sweeps are kept in the folder
"""

from collections.abc import Callable, Iterator, Sequence
import functools
import itertools
from typing import Any

import jax
import numpy as np

from toyjax import chunks, memory, sweeps
from toyjax.manifest import Workdir
from toyjax.settings import Values
from toyjax.studies.changepoint_study import (
  kept_arrays,
  measures,
  traces,
  trial,
)
from toyjax.studies.changepoint_study.measures import where
from toyjax.studies.changepoint_study.settings import (
  number_pairs,
  pairs_to_show,
  rate_pairs,
)
from toyjax.studies.changepoint_study.traces import CONSTANTS, RISES
from toyjax.tables import Row

Parts = Sequence[dict[str, Any]]
Sweep = Callable[[chunks.Trial, Parts, str], list[dict[str, np.ndarray]]]


def run(values: Values, workdir: Workdir) -> list[Row]:
  """Returns the cases of all parts; what the folder holds is not run again."""
  sweep = functools.partial(_sweep, values['chunk_size'], workdir)
  return [
    *_policies(values, sweep),
    *_alarms(values, sweep),
    *_batches(values, sweep),
    *(
      where('limits', 'limit', '', pair, 0) | measures.of_limits(pair, values)
      for pair in number_pairs(values)
    ),
  ]


def require_room(values: Values) -> None:
  """Refuses traces that have no room in memory, before they have a folder.

  Raises:
    SettingError: saying how much they take.
  """
  num_pairs = len(rate_pairs(values))
  # Rates in float64 and float32, and where each policy was after each rollout.
  trace_bytes = 12 * values['num_positions'] + 4 * values['num_rollouts']
  for name, num_kinds in (
    ('num_traces', num_pairs * len(values['priors'])),
    ('num_null_traces', num_pairs + len(CONSTANTS) + len(RISES)),
  ):
    memory.require(
      num_kinds * values[name] * trace_bytes,
      f'--{name}={values[name]} of {num_kinds} kinds',
    )


def _sweep(
  chunk_size: int, workdir: Workdir, of: chunks.Trial, parts: Parts, name: str
) -> list[dict[str, np.ndarray]]:
  """Returns the results of each part, run together in one sweep, or stored."""
  file_name = name.replace(' ', '_').replace(',', '')
  stored = workdir.path / 'sweeps' / f'{file_name}.npz'
  xs = traces.join(parts)
  like = jax.eval_shape(jax.vmap(of), xs)
  found = kept_arrays.load(stored, like, workdir.identity)
  if found is None:
    found = sweeps.sweep(
      of, xs, chunk_size=chunk_size, progress=name, map_name='vmap'
    )
    kept_arrays.save(stored, found, workdir.identity)
  ends = np.cumsum([0, *(len(part['change']) for part in parts)])
  return [
    {name: array[start:end] for name, array in found.items()}
    for start, end in itertools.pairwise(ends)
  ]


def _simulated(values: Values, prior: str, pair: Any) -> dict[str, Any]:
  return traces.simulated(
    seed=values['seed'],
    num_traces=values['num_traces'],
    num_positions=values['num_positions'],
    rates=pair,
    prior=prior,
  )


def _policies(values: Values, sweep: Sweep) -> Iterator[Row]:
  keys = [(p, pair) for p in values['priors'] for pair in rate_pairs(values)]
  parts = [_simulated(values, *key) for key in keys]
  for policy in values['policies']:
    found = sweep(trial.make_trial(policy, values), parts, policy)
    for (prior, pair), part, results in zip(keys, parts, found):
      at = where('policies', policy, prior, pair, values['num_rollouts'])
      case = at | measures.of_policy(results, part['change'], pair, values)
      # Curves of one prior are enough, and keep the file small.
      if prior != values['priors'][0]:
        case.pop('exact_after', None)
      yield case


def _alarms(values: Values, sweep: Sweep) -> Iterator[Row]:
  """Yields false alarms on traces that never fall, and power on drops.

  A trace whose first low position is 0 has nothing to fall and is no drop:
  there power means nothing, and an alarm is false.
  """
  prior, most = values['priors'][0], values['num_rollouts']
  common = {
    'seed': values['seed'] + 1,
    'num_traces': values['num_null_traces'],
    'num_positions': values['num_positions'],
    'prior': prior,
  }
  kinds, pairs = (*CONSTANTS, *RISES), number_pairs(values)
  falling = [traces.simulated(rates=pair, **common) for pair in pairs]
  parts = [*(traces.null(kind=kind, **common) for kind in kinds), *falling]
  for policy in values['policies']:
    alarms = trial.make_alarm_trial(policy, values)
    found = sweep(alarms, parts, f'{policy}, alarms')
    case = where('alarms', policy, prior, ('', ''), most)
    for kind, results in zip(kinds, found):
      case |= measures.of_alarms(results, kind, values)
    yield case
    for pair, part, results in zip(pairs, falling, found[len(kinds) :]):
      drops = {name: v[part['change'] > 0] for name, v in results.items()}
      yield where('power', policy, prior, pair, most) | measures.of_alarms(
        drops, 'drops', values
      )


def _batches(values: Values, sweep: Sweep) -> Iterator[Row]:
  """Yields rounds and rollouts of batches, first prior, first pair of rates."""
  prior, most = values['priors'][0], values['num_rollouts']
  pair = pairs_to_show(values)[0]
  part = _simulated(values, prior, pair)
  for size in values['batch_sizes']:
    batches = trial.make_batch_trial(size, values)
    (results,) = sweep(batches, [part], f'batches of {size}')
    yield where(
      'batches', f'q={size}', prior, pair, most // size * size
    ) | measures.of_batches(results, part['change'], size)

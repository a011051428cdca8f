"""Replays of recorded traces: rollouts drawn with the recorded rates.

Recorded [R, T] --make_trial--> trial: x (key, trace, prior) -> VARIABLES

R traces share one length T, so that all replays are one compiled program;
positions without data have weight zero: no change, and no rollout, is there.
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import store
from toyjax.base import Array, ArrayTree, PRNGKey
from toyjax.chunks import Trial
from toyjax.inference import changepoint
from toyjax.inference.changepoint import evidence, intervals, rivals
from toyjax.inference.changepoint.policies import RollOut
from toyjax.settings import Values
from toyjax.studies.changepoint_replay.recorded import (
  Recorded,
  decide,
  hypotheses,
)


def _variable(text: str, *dims: str, **attrs: Any) -> store.Variable:
  return store.Variable(dims, {'long_name': text, **attrs})


VARIABLES: Mapping[str, store.Variable] = {
  'location': _variable(
    'index of the first low accuracy that was named',
    comment='one past the last position where all were found high',
  ),
  'central_lower': _variable('first of the interval'),
  'central_upper': _variable('last of the interval'),
  'highest_size': _variable('positions of the highest-density set'),
  'highest_covers': _variable('whether that set has the exhaustive index'),
  'verdict': _variable(
    'what the e-values say', **store.flag_attrs(evidence.Verdict)
  ),
  'num_rollouts': _variable('rollouts used'),
  'rollouts_to_drop': _variable(
    'rollouts until the verdict DROP',
    comment='-1 where that never came, or was looked at only at the end',
  ),
  'is_finite': _variable('whether all numbers are'),
  'rollouts_right': _variable('right rollouts from each position', 'position'),
  'rollouts_wrong': _variable('wrong rollouts from each position', 'position'),
}


def make_trial(
  policy: str, recorded: Recorded, positions: np.ndarray, values: Values
) -> Trial:
  """Returns one replay: x with key, trace and prior -> results by name.

  The draws depend on the key and the trace, never on the prior or the policy:
  replays of the same repeat can be compared in pairs.

  Args:
    policy: of `rivals.RIVALS`.
    recorded: the traces.
    positions: int [K, R], exhaustive index under each prior, of each trace.
    values: prior [K], num_rollouts, dtype, and those of intervals and verdicts.
  """
  dtype, level = jnp.dtype(values['dtype']), values['level']
  answered = jnp.asarray(recorded.num_answered, dtype)
  success_rates = jnp.asarray(recorded.num_correct, dtype) / jnp.maximum(
    answered, 1.0
  )
  shapes = jnp.asarray([rivals.PRIORS[name] for name in values['prior']], dtype)
  truth = jnp.asarray(positions)

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    chances = success_rates[x['trace']]
    before, after = shapes[x['prior']]
    prior = changepoint.make_prior(
      before=tuple(before),
      after=tuple(after),
      weights=(answered[x['trace']] > 0).astype(dtype),
    )

    def roll_out(key: PRNGKey, position: Array) -> Array:
      return jax.random.bernoulli(key, chances[position])

    key = jax.random.fold_in(x['key'], x['trace'])
    found, state = _find(policy, key, prior, roll_out, values)
    probs = changepoint.posterior(state)
    central = intervals.central_interval(probs, level=level)
    highest = intervals.highest_density(probs, level=level)
    counts = changepoint.counts_by_position(state)
    right, wrong = (jnp.round(count).astype(jnp.int16) for count in counts)
    return {
      **{name: value.astype(jnp.int32) for name, value in found.items()},
      'central_lower': central.lower.astype(jnp.int32),
      'central_upper': central.upper.astype(jnp.int32),
      'highest_size': jnp.sum(highest.members).astype(jnp.int32),
      'highest_covers': highest.members[truth[x['prior'], x['trace']]],
      'is_finite': jnp.all(jnp.isfinite(probs)),
      'rollouts_right': right,
      'rollouts_wrong': wrong,
    }

  return trial


def _find(
  policy: str,
  key: PRNGKey,
  prior: changepoint.Prior,
  roll_out: RollOut,
  values: Values,
) -> tuple[dict[str, Array], changepoint.State]:
  """Returns what was found, with what verdict, and the state at the end.

  The e-values of stepwise policies are the largest after any rollout; those of
  the others, which tell no order of their rollouts, the ones at the end.
  """
  named, num_rollouts = rivals.RIVALS[policy], values['num_rollouts']
  if named.policy is None:
    found = named.find(key, prior, roll_out, num_rollouts)
    state, location, used = found.state, found.location, found.num_rollouts
    largest = evidence.evidence(state, **hypotheses(values))
    first = jnp.asarray(-1)
  else:
    state, rollouts = changepoint.run(
      key, prior, roll_out, num_rollouts, named.policy
    )
    path = evidence.evidence_so_far(prior, rollouts, **hypotheses(values))
    largest = jax.tree.map(lambda leaf: leaf[-1], path)
    is_drop = path.drop >= -jnp.log(values['alpha'])
    first = jnp.where(jnp.any(is_drop), jnp.argmax(is_drop) + 1, -1)
    location = changepoint.most_probable_position(state)
    used = jnp.asarray(num_rollouts)
  return {
    'location': location,
    'verdict': decide(state, largest, values),
    'num_rollouts': used,
    'rollouts_to_drop': first,
  }, state

"""Replays of recorded traces: rollouts drawn with the recorded rates.

Recorded [R, T] --make_trial--> trial: x (key, trace, prior) -> VARIABLES

R traces share one length T, so that all replays are one compiled program;
positions without data have weight zero: no change, and no rollout, is there.
"""

from collections.abc import Callable, Mapping, Sequence
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import changepoint_choices as choices
from scripts.shared.changepoint_recorded import Recorded, Rules
from toyjax import statistics, store
from toyjax.base import Array, ArrayTree, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint import evidence, intervals
from toyjax.stored_runs import StoredRuns

VARIABLES: Mapping[str, store.Variable] = {
  'location': store.Variable(
    (),
    {
      'long_name': 'index of the first low accuracy that was named',
      'comment': 'one past the last position where all were found high',
    },
  ),
  'central_lower': store.Variable((), {'long_name': 'first of the interval'}),
  'central_upper': store.Variable((), {'long_name': 'last of the interval'}),
  'highest_size': store.Variable(
    (), {'long_name': 'positions of the highest-density set'}
  ),
  'highest_covers': store.Variable(
    (), {'long_name': 'whether that set has the exhaustive index'}
  ),
  'verdict': store.Variable(
    (),
    {
      'long_name': 'what the e-values say',
      **store.flag_attrs(evidence.Verdict),
    },
  ),
  'num_rollouts': store.Variable((), {'long_name': 'rollouts used'}),
  'rollouts_to_drop': store.Variable(
    (),
    {
      'long_name': 'rollouts until the verdict DROP',
      'comment': '-1 where that never came, or was looked at only at the end',
    },
  ),
  'is_finite': store.Variable((), {'long_name': 'whether all numbers are'}),
  'rollouts_right': store.Variable(
    ('position',), {'long_name': 'right rollouts from each position'}
  ),
  'rollouts_wrong': store.Variable(
    ('position',), {'long_name': 'wrong rollouts from each position'}
  ),
}


def make_trial(
  recorded: Recorded,
  *,
  policy_name: str,
  prior_names: Sequence[str],
  positions: np.ndarray,
  rules: Rules,
  num_rollouts: int,
  dtype: Any,
) -> Callable[[Mapping[str, Array]], dict[str, ArrayTree]]:
  """Returns one replay: x with key, trace and prior -> results by name.

  The draws depend on the key and the trace, never on the prior or the policy:
  replays of the same repeat can be compared in pairs.

  Args:
    recorded: the traces.
    policy_name: of `choices.POLICIES`.
    prior_names: [K], of `choices.PRIORS`.
    positions: int [K, R], exhaustive index under each prior, of each trace.
    rules: of intervals and verdicts.
    num_rollouts: budget of a replay.
    dtype: of the computation.
  """
  answered = jnp.asarray(recorded.num_answered, dtype)
  success_rates = jnp.asarray(recorded.num_correct, dtype) / jnp.maximum(
    answered, 1.0
  )
  shapes = jnp.asarray([choices.PRIORS[name] for name in prior_names], dtype)
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
    found = _find(key, prior, roll_out, policy_name, num_rollouts, rules)
    location, num_used, state, decision, to_drop = found
    probs = changepoint.posterior(state)
    central = intervals.central_interval(probs, level=rules.level)
    highest = intervals.highest_density(probs, level=rules.level)
    counts = changepoint.counts_by_position(state)
    right, wrong = (jnp.round(count).astype(jnp.int16) for count in counts)
    return {
      'location': location.astype(jnp.int32),
      'central_lower': central.lower.astype(jnp.int32),
      'central_upper': central.upper.astype(jnp.int32),
      'highest_size': jnp.sum(highest.members).astype(jnp.int32),
      'highest_covers': highest.members[truth[x['prior'], x['trace']]],
      'verdict': decision.verdict,
      'num_rollouts': num_used.astype(jnp.int32),
      'rollouts_to_drop': to_drop,
      'is_finite': jnp.all(jnp.isfinite(probs)),
      'rollouts_right': right,
      'rollouts_wrong': wrong,
    }

  return trial


def _find(
  key: PRNGKey,
  prior: changepoint.Prior,
  roll_out: Callable[[PRNGKey, Array], Array],
  policy_name: str,
  num_rollouts: int,
  rules: Rules,
) -> tuple[Array, Array, changepoint.State, evidence.Decision, Array]:
  """Returns location, rollouts used, state, verdict, rollouts until DROP.

  The e-values of stepwise policies are the largest after any rollout; those of
  the others, which tell no order of their rollouts, the ones at the end.
  """
  if policy_name not in choices.STEPWISE:
    rival = choices.POLICIES[policy_name]()
    found = rival.find(key, prior, roll_out, num_rollouts)
    decision = rules.decide(found.state, rules.weigh(found.state))
    never = jnp.int32(-1)
    return found.location, found.num_rollouts, found.state, decision, never
  state, rollouts = changepoint.run(
    key, prior, roll_out, num_rollouts, choices.STEPWISE[policy_name]
  )
  path = evidence.evidence_so_far(
    prior, rollouts, null=rules.null, smallest_drop=rules.smallest_drop
  )
  decision = rules.decide(state, jax.tree.map(lambda leaf: leaf[-1], path))
  is_drop = path.drop >= -jnp.log(rules.alpha)
  first = jnp.where(jnp.any(is_drop), jnp.argmax(is_drop) + 1, -1)
  location = changepoint.most_probable_position(state)
  num_used = jnp.asarray(num_rollouts)
  return location, num_used, state, decision, first.astype(jnp.int32)


def count_verdicts(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Returns how often each verdict came, for the progress line."""
  counts = statistics.counts(chunk['verdict'], len(evidence.Verdict))
  return {code.name: int(counts[code]) for code in evidence.Verdict}


def read(
  path: pathlib.Path, policy_name: str, shape: tuple[int, ...]
) -> dict[str, np.ndarray]:
  """Returns the stored results of a policy: name -> array [*shape, ...]."""
  runs = StoredRuns(path, policy_name)
  found = {name: runs.read(name) for name in VARIABLES}
  return {n: v.reshape((*shape, *v.shape[1:])) for n, v in found.items()}

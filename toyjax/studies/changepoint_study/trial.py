"""Trials on simulated traces: one policy, its e-processes, rounds of batches.

policy, values --make_trial, make_alarm_trial, make_batch_trial--> x -> results
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey
from toyjax.chunks import Trial
from toyjax.inference import changepoint
from toyjax.inference.changepoint import batches, evidence, intervals, rivals
from toyjax.inference.changepoint.policies import Design, RollOut
from toyjax.settings import Values

NUM_LOOKS = 5  # At searches, whose rollouts are seen through their budget.
_MOST_JOINT = 8  # Rollouts in parallel that are chosen by joint information.


def _start(x: Mapping[str, Array]) -> tuple[changepoint.Prior, RollOut]:
  shapes: Any = x['shapes']
  prior = changepoint.make_prior(
    before=(shapes[0], shapes[1]),
    after=(shapes[2], shapes[3]),
    weights=jnp.ones_like(x['rates']),
  )

  def roll_out(key: PRNGKey, position: Array) -> Array:
    return jax.random.bernoulli(key, x['rates'][position])

  return prior, roll_out


def make_trial(policy: str, values: Values) -> Trial:
  """Returns the trial of a policy: where it finds the change, how sure it is.

  Its results: `location`, `num_rollouts`, `num_rounds`, `is_complete`, whether
  each interval covers the change and how many positions it has, and `place`,
  P(τ < change) + u P(τ = change): uniform where the posterior is calibrated.

  Of a stepwise policy also `locations` [N], the most probable position after
  each rollout, and `first_sure` [], after how many the mass was first reached,
  N + 1 if never.

  Args:
    policy: of `rivals.RIVALS`.
    values: num_positions, num_rollouts, level and mass.
  """
  named, level = rivals.RIVALS[policy], values['level']
  budget = named.budget(values['num_rollouts'], values['num_positions'])

  def trial(x: Mapping[str, Array]) -> dict[str, Array]:
    prior, roll_out = _start(x)
    found = named.find(x['key'], prior, roll_out, budget)
    probs = changepoint.posterior(found.state)
    change, uniform = x['change'], x['uniform']
    central = intervals.central_interval(probs, level=level)
    highest = intervals.highest_density(probs, level=level)
    random = intervals.randomised_interval(probs, uniform, level=level)
    before = jnp.sum(jnp.where(jnp.arange(len(probs)) < change, probs, 0.0))
    path = {}
    if named.policy is not None:
      path = _look(*_replay(named, x, values, _measure(values['mass'])))
    return {
      'location': found.location,
      'num_rollouts': found.num_rollouts,
      'num_rounds': found.num_rounds,
      'is_complete': found.is_complete,
      'central': (central.lower <= change) & (change <= central.upper),
      'hpd': highest.members[change],
      'randomised': (random.lower <= change) & (change <= random.upper),
      'central_width': central.upper - central.lower + 1,
      'hpd_width': jnp.sum(highest.members),
      'randomised_width': jnp.maximum(random.upper - random.lower + 1, 0),
      'place': before + uniform * probs[change],
      **path,
    }

  return trial


def _measure(mass: float) -> Callable[[changepoint.State], tuple[Array, Array]]:
  def measure(state: changepoint.State) -> tuple[Array, Array]:
    top = jnp.max(changepoint.posterior(state))
    return changepoint.most_probable_position(state), top >= mass

  return measure


def _look(locations: Array, is_sure: Array) -> dict[str, Array]:
  first = jnp.argmax(is_sure) + 1
  first = jnp.where(jnp.any(is_sure), first, len(is_sure) + 1)
  return {'locations': locations, 'first_sure': first}


def _replay(
  named: rivals.Named,
  x: Mapping[str, Array],
  values: Values,
  look: Callable[[changepoint.State], Any],
) -> Any:
  """Returns what is seen after each rollout of a stepwise policy."""
  assert named.policy is not None
  prior, roll_out = _start(x)
  prior = named.believed(prior)
  _, rollouts = changepoint.run(
    x['key'], prior, roll_out, values['num_rollouts'], named.policy
  )
  return evidence.replay(prior, rollouts, look)


def make_alarm_trial(policy: str, values: Values) -> Trial:
  """Returns the trial of the largest log e-values: `change` and `drop`, [].

  Of a one-at-a-time policy after every rollout; of a search after every fifth
  of its budget; of a fixed design once, at its end.

  Args:
    policy: of `rivals.RIVALS`.
    values: num_positions and num_rollouts.
  """
  named = rivals.RIVALS[policy]
  budget = named.budget(values['num_rollouts'], values['num_positions'])

  def look(state: changepoint.State) -> dict[str, Array]:
    return {
      'change': evidence.log_e_change_nats(state),
      'drop': evidence.log_e_drop_nats(state),
    }

  def trial(x: Mapping[str, Array]) -> dict[str, Array]:
    if named.policy is not None:
      path = _replay(named, x, values, look)
    else:
      start = _start(x)
      states = [
        named.find(x['key'], *start, size).state
        for size in look_sizes(named.rival.design, budget)
      ]
      stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
      path = jax.vmap(look)(stacked)
    return jax.tree.map(jnp.max, path)

  return trial


def look_sizes(design: Design, budget: int) -> list[int]:
  """Returns after how many rollouts a search or a fixed design is looked at."""
  if design == Design.FIXED:
    return [budget]
  looks = np.linspace(0, budget, min(NUM_LOOKS, budget) + 1)[1:]
  return sorted({int(size) for size in looks})


def make_batch_trial(batch_size: int, values: Values) -> Trial:
  """Returns the trial of parallel rollouts, q at a time.

  Up to eight by exact joint information, beyond by a spread over quantiles. Its
  results: `locations` [R] after each round, and `first_sure`, after how many
  rounds the mass was reached, R + 1 if never.

  Args:
    batch_size: q.
    values: num_rollouts and mass.
  """
  choose: Callable[..., Array] = (
    batches.select_jointly
    if batch_size <= _MOST_JOINT
    else batches.select_spread
  )

  def trial(x: Mapping[str, Array]) -> dict[str, Array]:
    prior, roll_out = _start(x)
    _, rollouts = batches.run_batches(
      x['key'],
      prior,
      roll_out,
      values['num_rollouts'] // batch_size,
      lambda state: choose(state, batch_size, batches.none_pending()),
    )

    def step(
      state: changepoint.State, batch: changepoint.Rollout
    ) -> tuple[changepoint.State, tuple[Array, Array]]:
      state, _ = jax.lax.scan(
        lambda s, one: (changepoint.update(s, *one), None), state, batch
      )
      return state, _measure(values['mass'])(state)

    start = changepoint.init(prior)
    return _look(*jax.lax.scan(step, start, rollouts)[1])

  return trial

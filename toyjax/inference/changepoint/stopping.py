"""When to stop, and what a rollout costs.

A stopping rule is state -> bool []. `run_until` stops by a rule or a budget,
whichever comes first. The posterior's claims do not depend on the rule, if the
prior is right; only e-values keep their guarantee at any stopping time for
every constant rate.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint.policies import RollOut

StoppingRule = Callable[[changepoint.State], Array]


def never(state: changepoint.State) -> Array:
  """The rule that leaves the end to the budget."""
  del state
  return jnp.asarray(False)


def mass_at_least(level: float) -> StoppingRule:
  """Stops where the most probable position has that posterior mass.

  Args:
    level: in (0, 1); git_bayesect has .95.
  """
  _check_share(level)
  return lambda state: jnp.max(changepoint.posterior(state)) >= level


def interval_at_most(width: int, mass: float) -> StoppingRule:
  """Stops where so few neighbours hold that posterior mass.

  Args:
    width: number of consecutive positions, >= 1.
    mass: in (0, 1).
  """
  _check_share(mass)
  if width < 1:
    raise ValueError(f'width must be >= 1: {width}')

  def rule(state: changepoint.State) -> Array:
    reached = jnp.cumsum(changepoint.posterior(state))
    before = jnp.pad(reached, (width, 0))[: len(reached)]
    return jnp.max(reached - before) >= mass

  return rule


def evidence_at_least(
  log_e_value_nats: Callable[[changepoint.State], Array], false_alarms: float
) -> StoppingRule:
  """Stops where an e-value against the null reaches 1/α.

  Args:
    log_e_value_nats: state -> ln E [].
    false_alarms: α in (0, 1). The null is rejected with at most that chance
      where E is an e-process.
  """
  _check_share(false_alarms)
  threshold = jnp.log(1.0 / false_alarms)
  return lambda state: log_e_value_nats(state) >= threshold


def any_of(*rules: StoppingRule) -> StoppingRule:
  """Stops where one of the rules does."""
  return lambda state: jnp.any(jnp.stack([rule(state) for rule in rules]))


def all_of(*rules: StoppingRule) -> StoppingRule:
  """Stops where all of the rules do."""
  return lambda state: jnp.all(jnp.stack([rule(state) for rule in rules]))


def _check_share(share: float) -> None:
  if not 0 < share < 1:
    raise ValueError(f'must be strictly between 0 and 1: {share}')


def costs_of_lengths(lengths: Array) -> Array:
  """Returns what is left to write from each position on, [T].

  A rollout at t writes sentence t and all that follow: Σ_{s>=t} length_s.

  Args:
    lengths: [T], > 0 (0 in the padding), of each sentence, in tokens say.
  """
  return jnp.cumsum(lengths[::-1])[::-1]


def by_information_per_cost(costs: Array) -> changepoint.Policy:
  """Returns the policy of the largest information gain per cost.

  Args:
    costs: [T], > 0.
  """

  def policy(key: PRNGKey, state: changepoint.State) -> Array:
    del key
    return changepoint.select(state, costs)

  return policy


class Stopped(NamedTuple):
  """How a run ended.

  Attributes:
    state: what is believed at the end.
    num_rollouts: int [].
    cost: [], of all rollouts.
    has_met_rule: bool [], whether the rule held at the end.
  """

  state: changepoint.State
  num_rollouts: Array
  cost: Array
  has_met_rule: Array


def run_until(
  key: PRNGKey,
  prior: changepoint.Prior,
  roll_out: RollOut,
  stop: StoppingRule,
  *,
  max_rollouts: Array | int,
  policy: changepoint.Policy,
  costs: Array | None = None,
  max_cost: Array | float | None = None,
) -> Stopped:
  """Runs a policy until a rule holds or the budget is spent.

  Its rollouts are the first ones of `changepoint.run` under the same key.

  Args:
    key: [] typed key.
    prior: the prior.
    roll_out: (key, position) -> bool [].
    stop: asked before each rollout.
    max_rollouts: int [], N >= 0.
    policy: (key, state) -> position.
    costs: [T], >= 0, of a rollout at each position; 1 each where left out.
    max_cost: the run ends before a rollout that would exceed it; no limit
      where left out.
  """
  dtype = prior.log_weights.dtype
  costs = jnp.ones_like(prior.log_weights) if costs is None else costs
  limit = jnp.asarray(jnp.inf if max_cost is None else max_cost, dtype)

  class Carry(NamedTuple):
    state: changepoint.State
    num: Array
    cost: Array
    position: Array

  def next_position(state: changepoint.State, index: Array) -> Array:
    policy_key, _ = jax.random.split(jax.random.fold_in(key, index))
    return policy(policy_key, state).astype(jnp.int32)

  def goes_on(carry: Carry) -> Array:
    is_paid = carry.cost + costs[carry.position] <= limit
    return (carry.num < max_rollouts) & is_paid & ~stop(carry.state)

  def step(carry: Carry) -> Carry:
    _, rollout_key = jax.random.split(jax.random.fold_in(key, carry.num))
    success = roll_out(rollout_key, carry.position)
    state = changepoint.update(carry.state, carry.position, success)
    cost = carry.cost + costs[carry.position].astype(dtype)
    index = carry.num + 1
    return Carry(state, index, cost, next_position(state, index))

  state, index = changepoint.init(prior), jnp.int32(0)
  first = Carry(state, index, jnp.zeros((), dtype), next_position(state, index))
  end = jax.lax.while_loop(goes_on, step, first)
  return Stopped(end.state, end.num, end.cost, stop(end.state))

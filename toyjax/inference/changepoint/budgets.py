"""One budget for many traces: each rollout goes where it tells most.

The only module of the single-change model with an axis of traces, for they
compete: a scheduler gives the next rollout to the trace and position with the
largest information gain, per cost. After a rollout only that trace's gains have
changed, so a step takes O(S + T).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint.stopping import StoppingRule

# (key, trace, position) -> bool [], whether the rollout succeeded.
RollOutOfTrace = Callable[[PRNGKey, Array, Array], Array]


class Offer(NamedTuple):
  """The best next rollout of a trace.

  Attributes:
    value: [], information gain in nats, per cost; -inf where the trace needs
      none.
    position: int [].
    cost: [].
  """

  value: Array
  position: Array
  cost: Array


class SharedRollout(NamedTuple):
  """One rollout of a shared budget.

  Attributes:
    trace: int [].
    position: int [].
    success: bool [].
    is_used: bool [], False once the budget is spent or no trace needs more.
  """

  trace: Array
  position: Array
  success: Array
  is_used: Array


def best_offer(
  state: changepoint.State, costs: Array, stop: StoppingRule
) -> Offer:
  """Returns the best next rollout of one trace.

  Args:
    state: what is believed of it.
    costs: [T], > 0.
    stop: whether it needs no more.
  """
  values = changepoint.information_gains_nats(state) / costs
  position = jnp.argmax(values).astype(jnp.int32)
  value = jnp.where(stop(state), -jnp.inf, values[position])
  return Offer(value, position, costs[position])


def run_shared(
  key: PRNGKey,
  priors: changepoint.Prior,
  roll_out: RollOutOfTrace,
  stop: StoppingRule,
  *,
  num_rollouts: int,
  costs: Array,
  max_cost: Array | float,
) -> tuple[changepoint.State, SharedRollout]:
  """Spends one budget over many traces.

  Args:
    key: [] typed key.
    priors: one for each trace, leaves [S, ...].
    roll_out: (key, trace, position) -> bool [].
    stop: state of one trace -> whether it needs no more rollouts.
    num_rollouts: N >= 0, at most.
    costs: [S, T], > 0, of a rollout at each position of each trace.
    max_cost: of all rollouts. The run ends before one that would exceed it.

  Returns:
    The final states, leaves [S, ...], and the rollouts in their order, [N].
  """

  class Carry(NamedTuple):
    states: changepoint.State
    offers: Offer
    cost: Array

  def step(carry: Carry, index: Array) -> tuple[Carry, SharedRollout]:
    trace = jnp.argmax(carry.offers.value)
    state, offer = jax.tree.map(
      lambda leaf: leaf[trace], (carry.states, carry.offers)
    )
    cost = carry.cost + offer.cost
    is_used = (offer.value > -jnp.inf) & (cost <= max_cost)
    success = roll_out(jax.random.fold_in(key, index), trace, offer.position)
    updated = changepoint.update(state, offer.position, success)
    offered = best_offer(updated, costs[trace], stop)
    states, offers = jax.tree.map(
      lambda leaf, new, old: leaf.at[trace].set(jnp.where(is_used, new, old)),
      (carry.states, carry.offers),
      (updated, offered),
      (state, offer),
    )
    rollout = SharedRollout(trace, offer.position, success, is_used)
    return Carry(states, offers, jnp.where(is_used, cost, carry.cost)), rollout

  states = jax.vmap(changepoint.init)(priors)
  offers = jax.vmap(lambda state, cost: best_offer(state, cost, stop))(
    states, costs
  )
  start = Carry(states, offers, jnp.zeros((), costs.dtype))
  end, rollouts = jax.lax.scan(step, start, jnp.arange(num_rollouts))
  return end.states, rollouts

"""Where the next rollout tells most about the change, and whole active runs.

state --information_gains_nats--> select --> position
key, prior, roll_out --run--> state after N rollouts, the rollouts
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import sums
from toyjax.inference.changepoint.single import (
  Prior,
  State,
  average_by_position,
  init,
  posterior,
  rates,
  update,
)


def information_gains_nats(state: State) -> Array:
  """Returns E[H(τ) - H(τ | y_t)] of one rollout at each position t, [T].

  gain(t) = h(Σ_{τ>t} πA + Σ_{τ<=t} πB) - (Σ_{τ>t} π h(A) + Σ_{τ<=t} π h(B)),

  with A, B the means of p₁, p₂ given τ and h the entropy of a coin: all
  positions in O(T) by prefix sums. Excluded positions have -inf. A gain below
  1e-6 is rounding in float32.
  """
  before, after = rates(state)
  probs = posterior(state)
  mean = average_by_position(probs, before.mean(), after.mean())
  expected = average_by_position(
    probs, coin_entropy_nats(before.mean()), coin_entropy_nats(after.mean())
  )
  gains = coin_entropy_nats(mean) - expected
  return jnp.where(jnp.isfinite(state.prior.log_weights), gains, -jnp.inf)


def coin_entropy_nats(p: Array) -> Array:
  """Returns h(p) = -p ln p - (1 - p) ln (1 - p) for p strictly in (0, 1)."""
  return -p * jnp.log(p) - (1.0 - p) * jnp.log1p(-p)


def select(state: State, costs: Array | None = None) -> Array:
  """Returns the position of the next rollout, int []: the most informative.

  Args:
    state: what is believed.
    costs: [T], > 0, of a rollout at each position; where given, gain per cost
      is what counts.
  """
  gains = information_gains_nats(state)
  return sums.first_maximum(gains if costs is None else gains / costs)


class Rollout(NamedTuple):
  """One rollout of an active run.

  Attributes:
    position: int [], where it started.
    success: bool [], how it ended.
  """

  position: Array
  success: Array


Policy = Callable[[PRNGKey, State], Array]


def by_information(key: PRNGKey, state: State) -> Array:
  """The policy of the largest information gain; it needs no randomness."""
  del key
  return select(state)


def run(
  key: PRNGKey,
  prior: Prior,
  roll_out: Callable[[PRNGKey, Array], Array],
  num_rollouts: int,
  policy: Policy = by_information,
) -> tuple[State, Rollout]:
  """Runs a policy for a fixed number of rollouts.

  Args:
    key: [] typed key.
    prior: the prior.
    roll_out: (key, position) -> bool [], whether the rollout succeeded.
    num_rollouts: N >= 0.
    policy: (key, state) -> position.

  Returns:
    The final state, and the rollouts in their order, arrays [N].
  """
  return follow(key, init(prior), update, roll_out, num_rollouts, policy)


def follow(
  key: PRNGKey,
  state: Any,
  update: Callable[[Any, Array, Array], Any],
  roll_out: Callable[[PRNGKey, Array], Array],
  num_rollouts: int,
  policy: Callable[[PRNGKey, Any], Array],
) -> tuple[Any, Rollout]:
  """Runs a policy from a state of any model that `update` tells outcomes."""

  def step(state: Any, index: Array) -> tuple[Any, Rollout]:
    policy_key, rollout_key = jax.random.split(jax.random.fold_in(key, index))
    position = policy(policy_key, state)
    success = roll_out(rollout_key, position)
    return update(state, position, success), Rollout(position, success)

  return jax.lax.scan(step, state, jnp.arange(num_rollouts))

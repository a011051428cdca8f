"""Several rollouts at a time: which positions tell most about τ together?

Up to about eight: greedy, by exact joint information. By the chain rule

    I(τ; y_1..y_k) = I(τ; y_1..y_{k-1}) + Σ_o P(o) I(τ; y_k | o),

the sum over all 2^(k-1) outcomes o of the earlier picks, the next pick is the
best of a mean of single gains, one for each state that the earlier picks may
lead to. Given τ, outcomes are exchangeable and not independent, for p₁ and p₂
are shared: each state carries the updated rates. Rollouts under way, with
outcomes unknown, are earlier picks too. Beyond eight: a spread over quantiles.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint.policies import RollOut, included_positions


class Pending(NamedTuple):
  """Rollouts that were started and have not ended.

  Attributes:
    positions: int [P], where they started.
    is_used: bool [P]; entries that are not used mean nothing.
  """

  positions: Array
  is_used: Array


def none_pending() -> Pending:
  """Returns no pending rollouts, P = 0."""
  return Pending(jnp.zeros(0, jnp.int32), jnp.zeros(0, bool))


class _Outlook(NamedTuple):
  """States that rollouts under way may lead to, and their probabilities.

  Attributes:
    states: leaves [2^k, ...] after k rollouts.
    probs: [2^k], sum 1.
  """

  states: changepoint.State
  probs: Array


def _look(state: changepoint.State) -> _Outlook:
  states = jax.tree.map(lambda leaf: leaf[None], state)
  return _Outlook(states, jnp.ones(1, state.log_joint.dtype))


def _extend(outlook: _Outlook, position: Array, is_used: Array) -> _Outlook:
  """Doubles the states by the two outcomes of one more rollout."""

  def after(
    state: changepoint.State, success: float
  ) -> tuple[changepoint.State, Array]:
    updated = changepoint.update(state, position, jnp.asarray(success))
    log_chance = changepoint.log_evidence_nats(
      updated
    ) - changepoint.log_evidence_nats(state)
    kept = jax.tree.map(
      lambda new, old: jnp.where(is_used, new, old), updated, state
    )
    return kept, jnp.where(is_used, jnp.exp(log_chance), 0.5)

  both = [
    jax.vmap(after, (0, None))(outlook.states, success)
    for success in (0.0, 1.0)
  ]
  states = jax.tree.map(
    lambda *leaves: jnp.concatenate(leaves), *(states for states, _ in both)
  )
  probs = jnp.concatenate([outlook.probs * chance for _, chance in both])
  return _Outlook(states, probs)


def _mean_gains(outlook: _Outlook) -> Array:
  gains = jax.vmap(changepoint.information_gains_nats)(outlook.states)
  # An excluded position has -inf, and a state may have probability zero.
  is_possible = outlook.probs[:, None] > 0.0
  return jnp.sum(
    jnp.where(is_possible, outlook.probs[:, None] * gains, 0.0), axis=0
  )


def pending_gains_nats(state: changepoint.State, pending: Pending) -> Array:
  """Returns E[I(τ; y_t | outcomes of the pending rollouts)] for each t, [T].

  What one more rollout at t will add, before the outcomes of those under way
  are known: 2^P states.
  """
  return _mean_gains(_expect(state, pending))


def _expect(state: changepoint.State, pending: Pending) -> _Outlook:
  outlook = _look(state)
  for index in range(len(pending.positions)):
    outlook = _extend(outlook, pending.positions[index], pending.is_used[index])
  return outlook


def joint_information_nats(state: changepoint.State, positions: Array) -> Array:
  """Returns I(τ; outcomes of rollouts at these positions), [], in 2^q states.

  Args:
    state: what is believed.
    positions: int [q], repeats allowed.
  """
  outlook, total = _look(state), jnp.zeros((), state.log_joint.dtype)
  for position in positions:
    total += _mean_gains(outlook)[position]
    outlook = _extend(outlook, position, jnp.asarray(True))
  return total


def select_jointly(
  state: changepoint.State,
  batch_size: int,
  pending: Pending,
  costs: Array | None = None,
) -> Array:
  """Returns where to start a batch: greedy, exact joint information, int [q].

  Each pick adds most, per cost, to what the earlier ones and the pending ones
  tell on average. A position may be picked several times. Takes 2^(P + q - 1)
  states.

  Args:
    state: what is believed.
    batch_size: q >= 1.
    pending: rollouts under way.
    costs: [T], > 0, of a rollout at each position.
  """
  _check(batch_size)
  outlook = _expect(state, pending)
  picks: list[Array] = []
  for index in range(batch_size):
    if index:
      outlook = _extend(outlook, picks[-1], jnp.asarray(True))
    gains = _mean_gains(outlook)
    picks.append(jnp.argmax(gains if costs is None else gains / costs))
  return jnp.stack(picks).astype(jnp.int32)


def select_spread(
  state: changepoint.State, batch_size: int, pending: Pending
) -> Array:
  """Returns where to start a batch: a spread over the posterior, int [q].

  The q + P quantiles (i + 1/2) / (q + P) of τ, less those nearest to the
  pending rollouts; each by the position whose P(τ <= t) is nearest to it. For
  large q: O((q + P) T), no enumeration.

  Args:
    state: what is believed.
    batch_size: q >= 1.
    pending: rollouts under way.
  """
  _check(batch_size)
  num_levels = batch_size + len(pending.positions)
  reached = jnp.cumsum(changepoint.posterior(state))
  included = included_positions(state.prior)
  num_open = batch_size + jnp.sum(pending.is_used)
  order = jnp.arange(num_levels, dtype=reached.dtype)
  levels = jnp.where(order < num_open, (order + 0.5) / num_open, jnp.inf)
  for index in range(len(pending.positions)):
    distances = jnp.abs(levels - reached[pending.positions[index]])
    nearest = jnp.argmin(distances)
    is_taken = (jnp.arange(num_levels) == nearest) & pending.is_used[index]
    levels = jnp.where(is_taken, jnp.inf, levels)
  levels = jnp.sort(levels)[:batch_size]
  misses = jnp.abs(reached[None, :] - levels[:, None])
  misses = jnp.where(included[None, :], misses, jnp.inf)
  return jnp.argmin(misses, axis=1).astype(jnp.int32)


def _check(batch_size: int) -> None:
  if batch_size < 1:
    raise ValueError(f'batch_size must be >= 1: {batch_size}')


def run_batches(
  key: PRNGKey,
  prior: changepoint.Prior,
  roll_out: RollOut,
  num_rounds: int,
  select_batch: Callable[[changepoint.State], Array],
) -> tuple[changepoint.State, changepoint.Rollout]:
  """Runs rounds of parallel rollouts.

  Args:
    key: [] typed key.
    prior: the prior.
    roll_out: (key, position) -> bool [].
    num_rounds: R >= 0.
    select_batch: state -> positions int [q].

  Returns:
    The final state, and the rollouts, arrays [R, q].
  """

  def tell(
    state: changepoint.State, rollout: changepoint.Rollout
  ) -> tuple[changepoint.State, None]:
    return changepoint.update(state, *rollout), None

  def step(
    state: changepoint.State, index: Array
  ) -> tuple[changepoint.State, changepoint.Rollout]:
    positions = select_batch(state)
    keys = jax.random.split(jax.random.fold_in(key, index), len(positions))
    rollouts = changepoint.Rollout(
      positions, jax.vmap(roll_out)(keys, positions)
    )
    state, _ = jax.lax.scan(tell, state, rollouts)
    return state, rollouts

  return jax.lax.scan(step, changepoint.init(prior), jnp.arange(num_rounds))

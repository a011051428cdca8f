"""Rivals of fixed design: the same number of rollouts at every position.

One round; no outcome decides where the next rollout starts.

References:
  [1] Ko et al. 2026, Cliff tokens, arXiv:2606.25524;
      github.com/beaver-22/Cliff-token, src/analysis/cliff_threshold.py.
"""

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta, Prior
from toyjax.inference.changepoint.policies import (
  Design,
  Found,
  Rival,
  RollOut,
  included_positions,
  position_of_rank,
)


def roll_out_everywhere(
  key: PRNGKey, included: Array, roll_out: RollOut, num_each: Array
) -> Beta:
  """Returns the outcomes of num_each rollouts at each position, [T] each.

  Position t of pass i has the key fold_in(fold_in(key, i), t), whatever the
  others do. Memory does not grow with the number of rollouts.

  Args:
    key: [] typed key.
    included: bool [T], positions that are rolled out.
    roll_out: (key, position) -> bool [].
    num_each: int [T], >= 0.
  """
  positions = jnp.arange(len(included))
  num_each = jnp.where(included, num_each, 0)
  dtype = jnp.result_type(float)

  def one_pass(index: Array, successes: Array) -> Array:
    pass_key = jax.random.fold_in(key, index)
    keys = jax.vmap(jax.random.fold_in, (None, 0))(pass_key, positions)
    is_right = jax.vmap(roll_out)(keys, positions)
    return successes + jnp.where(index < num_each, is_right, False)

  successes = jax.lax.fori_loop(
    0, jnp.max(num_each), one_pass, jnp.zeros(len(included), dtype)
  )
  return Beta(successes, num_each.astype(dtype) - successes)


def exhaustive() -> Rival:
  """Returns the rival that spreads its budget evenly over all positions.

  The first ones get one rollout more where the budget is no multiple of their
  number. It names the most probable position under the prior.
  """

  def find(
    key: PRNGKey, prior: Prior, roll_out: RollOut, num_rollouts: int
  ) -> Found:
    included = included_positions(prior)
    num_positions = jnp.sum(included)
    ranks = jnp.cumsum(included) - 1
    num_each = num_rollouts // num_positions + (
      ranks < num_rollouts % num_positions
    )
    counts = roll_out_everywhere(key, included, roll_out, num_each)
    state = _condition(prior, counts)
    location = changepoint.most_probable_position(state)
    return _found(location, jnp.asarray(num_rollouts), state)

  return Rival(find, Design.FIXED)


def cliff_test(*, least_drop: float, num_errors: float) -> Rival:
  """Returns the rival that tests neighbours for a significant drop [1].

  Each position gets the same number n of rollouts, as many as the budget
  allows. The location is the first whose share of right ones is lower than its
  predecessor's by more than

      δ₀ + z SE,  SE² = p̂₋ (1 - p̂₋) / n + p̂ (1 - p̂) / n,

  a one-sided two-proportion z-test without pooling. [1] has n = 64, δ₀ = .1 and
  z = 1.645 and makes no correction for the number of tests.

  Args:
    least_drop: δ₀ >= 0.
    num_errors: z >= 0.
  """
  if least_drop < 0 or num_errors < 0:
    raise ValueError(f'least_drop {least_drop}, num_errors {num_errors}')

  def find(
    key: PRNGKey, prior: Prior, roll_out: RollOut, num_rollouts: int
  ) -> Found:
    included = included_positions(prior)
    num_positions = jnp.sum(included)
    num_each = num_rollouts // num_positions
    counts = roll_out_everywhere(
      key, included, roll_out, jnp.where(included, num_each, 0)
    )
    rank = first_cliff(
      counts, included, least_drop=least_drop, num_errors=num_errors
    )
    return _found(
      position_of_rank(included, rank),
      num_each * num_positions,
      _condition(prior, counts),
    )

  return Rival(find, Design.FIXED)


def first_cliff(
  counts: Beta, included: Array, *, least_drop: float, num_errors: float
) -> Array:
  """Returns the rank of the first cliff, int []; their number n if none is.

  See `cliff_test`. Numbers of rollouts may differ between positions; one
  without rollouts is no cliff and has none after it.

  Args:
    counts: successes and failures at each position, [T] each.
    included: bool [T].
    least_drop: δ₀.
    num_errors: z.
  """
  positions = jnp.arange(len(included))
  reached = jax.lax.cummax(jnp.where(included, positions, -1))
  before = jnp.concatenate([jnp.full(1, -1, reached.dtype), reached[:-1]])
  num = counts.successes + counts.failures
  share = counts.successes / num
  variance = share * (1.0 - share) / num
  at = jnp.maximum(before, 0)
  drop = share[at] - share
  error = jnp.sqrt(variance[at] + variance)
  is_cliff = included & (before >= 0) & (drop > least_drop + num_errors * error)
  ranks = jnp.cumsum(included) - 1
  return jnp.min(jnp.where(is_cliff, ranks, jnp.sum(included)))


def _condition(prior: Prior, counts: Beta) -> changepoint.State:
  dtype = prior.log_weights.dtype
  return changepoint.condition(
    prior, Beta(*(count.astype(dtype) for count in counts))
  )


def _found(
  location: Array, num_rollouts: Array, state: changepoint.State
) -> Found:
  return Found(
    location=location,
    num_rollouts=num_rollouts.astype(jnp.int32),
    num_rounds=jnp.minimum(num_rollouts, 1).astype(jnp.int32),
    is_complete=jnp.asarray(True),
    state=state,
  )

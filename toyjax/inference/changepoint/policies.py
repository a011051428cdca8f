"""Where to roll out next: policies that read the posterior, and their rivals.

A policy is (key, state) -> position for `changepoint.run`. A `Rival` is
anything that looks for the first low position within a budget of rollouts:

    (key, prior, roll_out, num_rollouts) --find--> Found

Policies become rivals by `rival_of_policy`; searches with rules of their own
and fixed designs are in `searches` and `designs`, names of all in `rivals`.
Everything is written for one sequence. Positions of weight zero are never
rolled out; the others are counted by their rank 0..n-1.

References:
  [1] Thompson 1933, On the likelihood that one unknown probability exceeds
      another in view of the evidence of two samples.
  [2] Horstein 1963, Sequential transmission using noiseless feedback.
  [3] Burnashev and Zigangirov 1974, An interval estimation problem for
      controlled observations; Castro and Nowak 2008, Minimax bounds for active
      learning, section III.
  [4] git_bayesect 1.2, `Bisector.select`; https://github.com/hauntsaninja/git_bayesect
"""

from collections.abc import Callable
import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference import changepoint, sums

RollOut = Callable[[PRNGKey, Array], Array]
# Gains are equal where they differ by less than this many machine epsilons.
TIE_EPSILONS = 8


class Design(enum.IntEnum):
  """Whether the outcomes so far decide where the next rollout starts."""

  ADAPTIVE = 0
  FIXED = 1


class Found(NamedTuple):
  """What a rival found.

  Attributes:
    location: int [], the first low position; one past the last position where
      all were found high. Where the whole text is known to fail, the last
      sentence is guilty then.
    num_rollouts: int [], how many were really used, <= the budget.
    num_rounds: int [], of rollouts that can run at the same time.
    is_complete: bool [], whether its own rule came to its end; always so where
      the budget is the rule.
    state: what the single-change model believes after these rollouts.
  """

  location: Array
  num_rollouts: Array
  num_rounds: Array
  is_complete: Array
  state: changepoint.State


class Rival(NamedTuple):
  """A way to find the first low position.

  Attributes:
    find: (key, prior, roll_out, num_rollouts) -> Found, within a budget of
      num_rollouts >= 0.
    design: adaptive or fixed.
  """

  find: Callable[[PRNGKey, changepoint.Prior, RollOut, int], Found]
  design: Design


def included_positions(prior: changepoint.Prior) -> Array:
  """Returns which positions have a positive weight, bool [T]."""
  return jnp.isfinite(prior.log_weights)


def position_of_rank(included: Array, rank: Array) -> Array:
  """Returns the position of that rank, int []; past the last for rank >= n."""
  first = jnp.sum(jnp.cumsum(included) <= rank)
  ends = jnp.where(included, jnp.arange(1, len(included) + 1), 0)
  return jnp.minimum(first, jnp.max(ends)).astype(jnp.int32)


def by_uniform(key: PRNGKey, state: changepoint.State) -> Array:
  """The policy of a uniformly drawn position: a fixed design."""
  included = included_positions(state.prior)
  rank = jax.random.randint(key, (), 0, jnp.sum(included))
  return position_of_rank(included, rank)


def by_thompson(key: PRNGKey, state: changepoint.State) -> Array:
  """The policy of a drawn τ: at τ or just before it, by a fair coin [1].

  τ is drawn from its posterior; the two positions beside the step that it
  claims are those that can refute it.
  """
  draw_key, side_key = jax.random.split(key)
  reached = sums.cumulative_sum(changepoint.posterior(state))
  draw = reached[-1] * jax.random.uniform(draw_key, dtype=reached.dtype)
  change = jnp.sum(reached <= draw).astype(jnp.int32)
  is_before = jax.random.bernoulli(side_key)
  return jnp.where(is_before, _previous(state, change), change)


def by_median(key: PRNGKey, state: changepoint.State) -> Array:
  """The policy of the posterior median: probabilistic bisection [2].

  The smallest t with P(τ <= t) >= 1/2. It needs no randomness. Once a position
  has half of the mass, no other is rolled out.
  """
  del key
  return _median(state)[0]


def by_split_median(key: PRNGKey, state: changepoint.State) -> Array:
  """The policy of a randomised median: it splits the posterior in halves [3].

  With m the median, a = P(τ < m) and b = P(τ <= m): the position before m with
  probability (b - 1/2) / (b - a), else m; P(τ <= position) is 1/2 on average.
  """
  median, below, up_to = _median(state)
  draw = below + (up_to - below) * jax.random.uniform(key, dtype=below.dtype)
  return jnp.where(draw > 0.5, _previous(state, median), median)


def _median(state: changepoint.State) -> tuple[Array, Array, Array]:
  """Returns the median of τ, P(τ < median) and P(τ <= median)."""
  probs = changepoint.posterior(state)
  reached = sums.cumulative_sum(probs)
  is_low = reached < 0.5
  median = jnp.sum(is_low).astype(jnp.int32)
  below = jnp.sum(jnp.where(is_low, probs, 0.0))
  at = jnp.sum(jnp.where(jnp.arange(len(probs)) == median, probs, 0.0))
  return median, below, below + at


def _previous(state: changepoint.State, position: Array) -> Array:
  """Returns the included position before this one, or itself if it is first."""
  positions = jnp.arange(len(state.log_joint))
  is_before = included_positions(state.prior) & (positions < position)
  before = jnp.max(jnp.where(is_before, positions, -1))
  return jnp.where(before < 0, position, before)


def by_expected_entropy(key: PRNGKey, state: changepoint.State) -> Array:
  """The policy of the least expected entropy; ties go to the middle [4].

  The least E[H(τ | y_t)] is the largest information gain, so this is
  `changepoint.by_information` but for ties. [4] uses it with Jeffreys priors,
  Beta(1/2, 1/2) of both rates: then no first rollout tells anything and all
  positions tie. [4] counts from the other end: its index of position t of T is
  T - 1 - t, its middle is the index T // 2, and of two positions equally far
  from it the smaller index wins.
  """
  del key
  gains = changepoint.information_gains_nats(state)
  tie = TIE_EPSILONS * jnp.finfo(gains.dtype).eps
  is_best = gains >= jnp.max(gains) - tie
  included = included_positions(state.prior)
  index = jnp.sum(included) - jnp.cumsum(included)
  from_middle = jnp.abs(index - jnp.sum(included) // 2)
  order = 2 * from_middle + (index > jnp.sum(included) // 2)
  return jnp.argmin(jnp.where(is_best, order, 2 * len(included) + 2))


def rival_of_policy(policy: changepoint.Policy, design: Design) -> Rival:
  """Returns the rival that spends its whole budget by a policy.

  It names the most probable position. An adaptive policy takes a round for
  each rollout, a fixed design one round.
  """

  def find(
    key: PRNGKey,
    prior: changepoint.Prior,
    roll_out: RollOut,
    num_rollouts: int,
  ) -> Found:
    state, _ = changepoint.run(key, prior, roll_out, num_rollouts, policy)
    is_fixed = design == Design.FIXED
    return Found(
      location=changepoint.most_probable_position(state),
      num_rollouts=jnp.asarray(num_rollouts, jnp.int32),
      num_rounds=jnp.asarray(
        min(num_rollouts, 1) if is_fixed else num_rollouts, jnp.int32
      ),
      is_complete=jnp.asarray(True),
      state=state,
    )

  return Rival(find, design)

"""Credible sets of the change τ, and credible bands of the trace p_t.

Three sets of a discrete posterior [T], each of a level that is asked for:

    central             no more than half of the rest in either tail
    highest density     the fewest positions that hold the level
    randomised          holds the level exactly, on average over one uniform

A discrete posterior rarely holds a level exactly: the first two hold more, up
to one position's mass at either end, so they cover too often. The third does
not. All ends are inclusive, and every set says what it holds.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import betainc

from toyjax.base import Array
from toyjax.inference import changepoint


class PositionInterval(NamedTuple):
  """Consecutive positions.

  Attributes:
    lower: int [], the first of them.
    upper: int [], the last of them; less than lower where there is none.
    probability: float [], the posterior mass they really hold.
  """

  lower: Array
  upper: Array
  probability: Array


class HighestDensity(NamedTuple):
  """The most probable positions.

  Attributes:
    members: bool [T], which they are; they need not be consecutive.
    probability: float [], the posterior mass of the members.
    hull: the least interval around them, with its own mass.
  """

  members: Array
  probability: Array
  hull: PositionInterval


class Band(NamedTuple):
  """Pointwise credible intervals of the rates.

  Attributes:
    lower: [T], in (0, 1).
    upper: [T], in (0, 1).
  """

  lower: Array
  upper: Array


def central_interval(probs: Array, *, level: Array | float) -> PositionInterval:
  """Returns the shortest interval with at most (1 - level)/2 in either tail.

  Args:
    probs: [T], posterior of τ, with sum 1.
    level: in (0, 1].
  """
  tail = _tail(level)
  num_positions = len(probs)
  lower = jnp.sum(_mass_before(probs) <= tail) - 1
  mass_after = _mass_before(probs[::-1])[::-1]
  upper = num_positions - jnp.sum(mass_after <= tail)
  return _interval(probs, lower, upper)


def highest_density(probs: Array, *, level: Array | float) -> HighestDensity:
  """Returns the fewest positions that together hold the level.

  Of positions with the same mass the first ones are taken; positions without
  mass never.

  Args:
    probs: [T], posterior of τ, with sum 1.
    level: in (0, 1].
  """
  _tail(level)
  order = jnp.argsort(-probs, stable=True)
  ranked = probs[order]
  taken = (_mass_before(ranked) < level) & (ranked > 0.0)
  members = jnp.zeros(len(probs), bool).at[order].set(taken)
  return HighestDensity(
    members,
    jnp.sum(jnp.where(members, probs, 0.0)),
    _interval(probs, *_ends(members, members)),
  )


def randomised_interval(
  probs: Array, uniform: Array, *, level: Array | float
) -> PositionInterval:
  """Returns an interval that holds τ with probability level exactly.

  The positions with (1 - level)/2 <= P(τ < t) + u P(τ = t) < (1 + level)/2. For
  τ from the posterior and u uniform, the middle term is uniform on (0, 1)
  (Smirnov's randomised transform), so the chance of τ to be inside is the
  level, no more and no less. Only a position across one of the two limits
  depends on u. The interval is empty (upper < lower) at times: where one
  position holds more than the level it has to be left out now and then.

  Args:
    probs: [T], posterior of τ, with sum 1.
    uniform: float [], u in [0, 1), drawn without regard to the outcomes.
    level: in (0, 1].
  """
  tail = _tail(level)
  place = _mass_before(probs) + uniform * probs
  lower, upper = _ends(
    (place >= tail) & (probs > 0.0), (place < 1.0 - tail) & (probs > 0.0)
  )
  return _interval(probs, lower, upper)


def _tail(level: Array | float) -> Array | float:
  if isinstance(level, int | float) and not 0.0 < level <= 1.0:
    raise ValueError(f'level must be in (0, 1]: {level}')
  return (1.0 - level) / 2.0


def _mass_before(probs: Array) -> Array:
  """Returns Σ_{s<t} probs_s for each t, exactly zero at the first."""
  return jnp.concatenate([jnp.zeros_like(probs[:1]), jnp.cumsum(probs)[:-1]])


def _ends(not_below: Array, not_above: Array) -> tuple[Array, Array]:
  """Returns the first of one mask, else T, and the last of another, else -1."""
  size = len(not_below)
  lower = jnp.where(jnp.any(not_below), jnp.argmax(not_below), size)
  last = size - 1 - jnp.argmax(not_above[::-1])
  return lower, jnp.where(jnp.any(not_above), last, -1)


def _interval(probs: Array, lower: Array, upper: Array) -> PositionInterval:
  positions = jnp.arange(len(probs))
  inside = (positions >= lower) & (positions <= upper)
  return PositionInterval(lower, upper, jnp.sum(jnp.where(inside, probs, 0.0)))


def trajectory_quantile(
  state: changepoint.State, *, probability: Array | float
) -> Array:
  """Returns the quantile of p_t given the outcomes, for each t, [T].

  p_t is distributed as Σ_{τ>t} π_τ Beta(before_τ) + Σ_{τ<=t} π_τ Beta(after_τ):
  no draws, no normal approximation. Its distribution function is inverted by
  bisection, one halving for each bit of the significand, O(T²) each.

  Args:
    state: what is believed.
    probability: in (0, 1).
  """
  if isinstance(probability, int | float) and not 0.0 < probability < 1.0:
    raise ValueError(f'probability must be in (0, 1): {probability}')
  probs = changepoint.posterior(state)
  positions = jnp.arange(len(probs))
  is_before = positions[:, None] < positions[None, :]
  successes, failures = (
    jnp.where(is_before, before[None, :], after[None, :])
    for before, after in zip(*changepoint.rates(state))
  )

  def halve(_, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
    lower, upper = bracket
    middle = (lower + upper) / 2.0
    points = jnp.broadcast_to(middle[:, None], successes.shape)
    chances = betainc(successes, failures, points)
    reached = jnp.sum(probs[None, :] * chances, axis=1)
    is_low = reached < probability
    return jnp.where(is_low, middle, lower), jnp.where(is_low, upper, middle)

  bracket = jnp.zeros_like(probs), jnp.ones_like(probs)
  num_halvings = jnp.finfo(probs.dtype).nmant
  lower, upper = jax.lax.fori_loop(0, num_halvings, halve, bracket)
  return (lower + upper) / 2.0


def trajectory_band(state: changepoint.State, *, level: Array | float) -> Band:
  """Returns the central credible interval of p_t for each t.

  Pointwise: each p_t lies inside with the level, all together with less.

  Args:
    state: what is believed.
    level: in (0, 1).
  """
  tail = _tail(level)
  return Band(
    trajectory_quantile(state, probability=tail),
    trajectory_quantile(state, probability=1.0 - tail),
  )

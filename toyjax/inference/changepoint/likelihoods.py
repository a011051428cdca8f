"""The largest likelihood of the outcomes over families of rates.

This is what an e-value divides by. Each function returns, in nats,

    max Σ_t k_t log p_t + f_t log(1 - p_t),   0 log 0 = 0,

over one family of rates p_0..p_{T-1}, with k_t successes and f_t failures at t:
constant rates; rates that never fall; one change at τ, for each τ.
"""

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from toyjax.base import Array
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta


def log_max_constant_nats(state: changepoint.State) -> Array:
  """Returns the maximum over p_t = p, []: at p = S/(S + F)."""
  return _log_max(state.total)


def log_max_non_falling_nats(state: changepoint.State) -> Array:
  """Returns the maximum over p_0 <= p_1 <= ... <= p_{T-1}, []."""
  counts = changepoint.counts_by_position(state)
  rates = non_falling_rates(counts)
  return jnp.sum(
    xlogy(counts.successes, rates) + xlogy(counts.failures, 1.0 - rates)
  )


def non_falling_rates(counts: Beta) -> Array:
  """Returns the most likely rates that never fall, [T].

  The isotonic regression of k_t/n_t with weights n_t, by blocks:

    p_t = max_{i<=t} min_{j>=t} Σ_{s=i..j} k_s / Σ_{s=i..j} n_s

  From the last position to the first, O(T²) time and O(T) memory. Positions
  without rollouts have no say; theirs is some rate between those around them.

  Args:
    counts: successes and failures at each position, [T] each.

  References:
    Robertson, Wright and Dykstra 1988, Order restricted statistical inference,
    theorem 1.4.4 (max-min formula), theorem 1.5.2 (it maximises the binomial
    likelihood).
  """
  trials = counts.successes + counts.failures
  through = jnp.cumsum(counts.successes), jnp.cumsum(trials)
  before = through[0] - counts.successes, through[1] - trials
  starts = jnp.arange(len(trials))

  def step(least: Array, end: Array) -> tuple[Array, Array]:
    num_trials = through[1][end] - before[1]
    has_trials = num_trials > 0.0
    means = (through[0][end] - before[0]) / jnp.where(
      has_trials, num_trials, 1.0
    )
    # An empty block bounds nothing.
    least = jnp.minimum(least, jnp.where(has_trials, means, 1.0))
    return least, jnp.max(jnp.where(starts <= end, least, 0.0))

  ones = jnp.ones_like(trials)
  return jax.lax.scan(step, ones, starts, reverse=True)[1]


def log_max_by_change_nats(
  state: changepoint.State, *, smallest_drop: Array | float | None
) -> Array:
  """Returns the maximum over p₁ before τ and p₂ from τ on, for each τ, [T].

  Where the free maximum (S₁/n₁, S₂/n₂) falls short of the smallest drop δ, the
  best rates lie on p₁ = p₂ + δ: with p₂ = (1 - δ) v, the derivative in v

    S₁(1-δ)/(δ + (1-δ)v) - F₁/(1-v) + S₂/v - F₂(1-δ)/(δ + (1-δ)(1-v))

  falls, and its root is bisected, one halving for each bit of the significand.

  Args:
    state: after some rollouts.
    smallest_drop: δ in [0, 1), only rates with p₁ - p₂ >= δ are allowed; None
      allows all.
  """
  before, after = state.before, state.total.minus(state.before)
  free = _log_max(before) + _log_max(after)
  if smallest_drop is None:
    return free
  check_drop(smallest_drop)
  room = 1.0 - smallest_drop

  def slope(v: Array) -> Array:
    return (
      before.successes * room / (smallest_drop + room * v)
      - before.failures / (1.0 - v)
      + after.successes / v
      - after.failures * room / (smallest_drop + room * (1.0 - v))
    )

  def halve(_, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
    lower, upper = bracket
    middle = (lower + upper) / 2.0
    rises = slope(middle) > 0.0
    return jnp.where(rises, middle, lower), jnp.where(rises, upper, middle)

  bracket = jnp.zeros_like(free), jnp.ones_like(free)
  num_halvings = jnp.finfo(free.dtype).nmant
  lower, upper = jax.lax.fori_loop(0, num_halvings, halve, bracket)
  v = (lower + upper) / 2.0
  bound = (
    xlogy(before.successes, smallest_drop + room * v)
    + xlogy(before.failures, room * (1.0 - v))
    + xlogy(after.successes, room * v)
    + xlogy(after.failures, smallest_drop + room * (1.0 - v))
  )
  # A side without rollouts is free to take the rate that suits the other.
  drop = _share(before, if_none=1.0) - _share(after, if_none=0.0)
  return jnp.where(drop >= smallest_drop, free, bound)


def check_drop(smallest_drop: Array | float) -> None:
  """Raises ValueError for a number outside [0, 1)."""
  if isinstance(smallest_drop, int | float) and not 0.0 <= smallest_drop < 1.0:
    raise ValueError(f'smallest_drop must be in [0, 1): {smallest_drop}')


def _share(counts: Beta, if_none: float) -> Array:
  trials = counts.successes + counts.failures
  share = counts.successes / jnp.where(trials > 0.0, trials, 1.0)
  return jnp.where(trials > 0.0, share, if_none)


def _log_max(counts: Beta) -> Array:
  """Returns the maximum over one rate: S log S/n + F log F/n."""
  trials = counts.successes + counts.failures
  trials = jnp.where(trials > 0.0, trials, 1.0)
  return xlogy(counts.successes, counts.successes / trials) + xlogy(
    counts.failures, counts.failures / trials
  )

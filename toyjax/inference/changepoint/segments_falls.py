"""Where does the rate fall? Exact sums on a grid of rates, no sampling.

Given K and its priors the trace is a hidden Markov chain over (index of the
segment, rate): at each place it goes on, or changes with weight w and draws a
new rate. On M quadrature nodes all sums over segmentations and rates take
O(K T M²), and "the first change that falls by more than δ" is the chain that
has not yet fallen, then falls. What is left is the quadrature: the marginals
converge fast (`grid`), the comparison of two rates as 1 / M².

The rates are the segments', also where there is a dispersion. A fall at 0
needs a weight there: the empty first segment's rate is its prior's.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference.changepoint import Beta, rate_grid
from toyjax.inference.changepoint.segments import State, log_stops


class Falls(NamedTuple):
  """Posterior of falls and of their first.

  Attributes:
    falls: [T], P(a change at t, and the rate falls there by more than δ).
    first: [T + 1], P(the first such change is at t); P(none) in the last.
  """

  falls: Array
  first: Array


def infer_falls(
  state: State, grid: rate_grid.Grid, *, smallest_fall: Array | float
) -> Falls:
  """Returns the probabilities of a fall by more than `smallest_fall`.

  Args:
    state: what is known.
    grid: the nodes of the rates.
    smallest_fall: δ in [0, 1).
  """
  prior = state.prior
  max_segments = len(prior.log_num_segments)
  log_likelihoods = rate_grid.log_likelihoods(
    grid,
    state.counts,
    None if prior.dispersion is None else prior.dispersion.concentration,
  )
  shapes = Beta(
    *(jnp.broadcast_to(shape, (max_segments,)) for shape in prior.shapes)
  )
  log_new = rate_grid.log_prior(grid, shapes)
  log_weights = prior.log_change_weights
  # [new rate, old rate]: the share of the old rate's cell that does not fall.
  stays = rate_grid.shares_below(grid, smallest_fall)

  def backward(log_rest: Array, x: tuple) -> tuple[Array, Array]:
    log_weight, log_likelihood = x
    log_from = log_rest + log_likelihood[None]
    change = jax.nn.logsumexp(log_new + log_from, axis=1, keepdims=True)
    change = _shift(change, -1) + log_weight
    return jnp.logaddexp(log_from, change), log_from

  def forward(carry: Array, x: tuple) -> tuple[Array, Array]:
    log_weight, log_likelihood, log_from = x
    # Two chains: one of any history, one that has not fallen yet.
    kept = _log_weighted_sum(carry, stays)
    fell = _log_weighted_sum(carry, 1.0 - stays)
    old = jnp.stack([jnp.logaddexp(kept[0], fell[0]), kept[1]])
    entered = log_weight + _shift(old, 1) + log_new[None]
    fall = log_weight + _shift(fell, 1) + (log_new + log_from)[None]
    carry = jnp.logaddexp(carry, entered) + log_likelihood[None, None]
    return carry, jax.nn.logsumexp(fall, axis=(1, 2))

  end = jnp.broadcast_to(log_stops(prior)[:, None], log_new.shape)
  _, log_from = jax.lax.scan(
    backward, end, (log_weights, log_likelihoods), reverse=True
  )
  is_first = (jnp.arange(max_segments) == 0)[:, None]
  start = jnp.where(is_first, log_new, -jnp.inf)
  ended, log_falls = jax.lax.scan(
    forward, jnp.stack([start, start]), (log_weights, log_likelihoods, log_from)
  )
  log_evidence, log_none = jax.nn.logsumexp(ended + end[None], axis=(1, 2))
  falls, first = jnp.exp(log_falls - log_evidence).T
  none = jnp.exp(log_none - log_evidence)
  return Falls(falls, jnp.append(first, none))


def _shift(log_terms: Array, by: int) -> Array:
  """Moves the axis of segments, [..., K, M], by one; nothing moves in."""
  moved = jnp.roll(log_terms, by, axis=-2)
  return moved.at[..., 0 if by > 0 else -1, :].set(-jnp.inf)


def _log_weighted_sum(log_terms: Array, weights: Array) -> Array:
  """Returns ln Σ_j weights_ij exp(log_terms_...j), [..., i]."""
  top = jnp.max(log_terms, axis=-1, keepdims=True)
  top = jnp.where(jnp.isfinite(top), top, 0.0)
  return jnp.log(jnp.exp(log_terms - top) @ weights.T) + top

"""Which change is the drop? First, largest and last unrecovered, by sampling.

Segmentations and rates are drawn exactly from the posterior (no Markov chain:
draws are independent), so every share below has a binomial standard error.
With r_k the rate of segment k, c_k its first position and d_k = r_{k-1} - r_k:

  a drop is a change with d_k > smallest_fall;
  the first drop is the one with the least c_k;
  the largest drop is the one with the greatest d_k;
  a drop is recovered if some later segment j > k has
    r_j >= r_k + recovery d_k: it regains that fraction of what was lost;
  the last unrecovered drop is the one with the greatest c_k of those that are
    not recovered.

A place is the first low position of its drop; `changepoint.guilty_sentence`
names the sentence. Each of the three may be none.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.inference.changepoint import Beta, rate_grid
from toyjax.inference.changepoint.segments import State
from toyjax.inference.changepoint.segments_posterior import infer


class Segmentation(NamedTuple):
  """One way to lay segments.

  Attributes:
    num_segments: int [], 1..K.
    starts: int [K], the first position of each; num_positions for those that
      are absent. The first is 0; the second too where the first is empty.
  """

  num_segments: Array
  starts: Array


def most_probable_segmentation(state: State) -> Segmentation:
  """Returns argmax p(K, places | outcomes), the Viterbi path."""
  messages = infer(state, jnp.max)
  return _follow(state, messages.exits, jnp.zeros_like(messages.exits))


def draw_segmentation(key: PRNGKey, state: State) -> Segmentation:
  """Returns one draw of p(K, places | outcomes)."""
  exits = infer(state).exits
  return _follow(state, exits, jax.random.gumbel(key, exits.shape, exits.dtype))


def _follow(state: State, exits: Array, noise: Array) -> Segmentation:
  """Chooses the end of each segment in turn; Gumbel noise makes it a draw."""
  size = exits.shape[1] - 1

  def step(start: Array, x: tuple) -> tuple[Array, tuple[Array, Array]]:
    index, exit_, noise_row = x
    table = index % len(state.log_marginals)
    row = state.log_marginals[table, jnp.minimum(start, size - 1)]
    row = row.at[0].set(jnp.where(index == 0, 0.0, row[0]))
    end = jnp.argmax(row + exit_ + noise_row)
    return jnp.where(start == size, size, end), (start, start < size)

  indices = jnp.arange(len(exits))
  # A first segment can end at 0 and the next start there: size marks the end.
  _, (starts, present) = jax.lax.scan(
    step, jnp.zeros((), indices.dtype), (indices, exits, noise)
  )
  starts = jnp.where(present, starts, state.prior.num_positions)
  return Segmentation(jnp.sum(present), starts)


def draw_rates(key: PRNGKey, state: State, segmentation: Segmentation) -> Array:
  """Returns one draw of the segments' rates given where they lie, [K].

  From Beta(a_k + S_k, b_k + F_k), or from the grid where there is a
  dispersion. The values of absent segments mean nothing.
  """
  starts = segmentation.starts
  ends = jnp.append(starts[1:], state.prior.num_positions)
  places = jnp.arange(len(state.counts.successes))[None]
  holds = (starts[:, None] <= places) & (places < ends[:, None])
  shapes = Beta(
    *(jnp.broadcast_to(shape, starts.shape) for shape in state.prior.shapes)
  )
  if state.prior.dispersion is None:
    counts = Beta(
      *(holds.astype(count.dtype) @ count for count in state.counts)
    )
    return jax.random.beta(key, *shapes.plus(counts))
  concentration, grid = state.prior.dispersion
  log_likelihoods = rate_grid.log_likelihoods(grid, state.counts, concentration)
  log_weights = rate_grid.log_prior(grid, shapes)
  log_weights += holds.astype(log_weights.dtype) @ log_likelihoods
  keys = jax.random.split(key, len(starts))
  return jax.vmap(rate_grid.draw, in_axes=(0, None, 0))(keys, grid, log_weights)


class Places(NamedTuple):
  """Where the three drops of one drawn trace are; -1: there is none.

  Attributes:
    first: int [].
    largest: int [].
    last_unrecovered: int [].
  """

  first: Array
  largest: Array
  last_unrecovered: Array


def locate_drops(
  segmentation: Segmentation,
  rates: Array,
  *,
  smallest_fall: Array | float,
  recovery: Array | float,
) -> Places:
  """Returns the first low positions of the three drops of one trace.

  Args:
    segmentation: where the segments lie.
    rates: [K], their rates.
    smallest_fall: a drop falls by more than this, in [0, 1).
    recovery: the fraction of a fall that must be regained later, in (0, 1].
  """
  indices = jnp.arange(len(rates))
  present = (indices > 0) & (indices < segmentation.num_segments)
  falls = -jnp.diff(rates, prepend=rates[:1])
  is_drop = present & (falls > smallest_fall)
  is_later = (indices[:, None] < indices[None]) & present[None]
  best_later = jnp.max(jnp.where(is_later, rates[None], -jnp.inf), axis=1)
  is_unrecovered = is_drop & (best_later < rates + recovery * falls)
  ranks = indices.astype(rates.dtype)
  starts = segmentation.starts
  return Places(
    _place_of_best(starts, is_drop, -ranks),
    _place_of_best(starts, is_drop, falls),
    _place_of_best(starts, is_unrecovered, ranks),
  )


def _place_of_best(starts: Array, among: Array, scores: Array) -> Array:
  best = jnp.argmax(jnp.where(among, scores, -jnp.inf))
  return jnp.where(jnp.any(among), starts[best], -1)


class Shares(NamedTuple):
  """Posterior of one place from N draws.

  Attributes:
    probs: [T + 1], of each position, and of none in the last entry.
    standard_errors: [T + 1], √(q (1 - q) / N) with q = (x + 1) / (N + 2), x
      the number of draws there: never zero.
  """

  probs: Array
  standard_errors: Array


class Drops(NamedTuple):
  """Posteriors of the three drops, and what they were computed from.

  Attributes:
    first: of the first drop.
    largest: of the largest drop.
    last_unrecovered: of the last unrecovered drop.
    segmentations: the N draws, [N, ...].
    rates: [N, K], the segments' rates in each draw.
  """

  first: Shares
  largest: Shares
  last_unrecovered: Shares
  segmentations: Segmentation
  rates: Array


def sample_drops(
  key: PRNGKey,
  state: State,
  num_draws: int,
  *,
  smallest_fall: Array | float,
  recovery: Array | float,
) -> Drops:
  """Returns the posteriors of the three drops from exact posterior draws.

  Args:
    key: [] typed key.
    state: what is known.
    num_draws: N >= 1.
    smallest_fall: as for `locate_drops`.
    recovery: as for `locate_drops`.
  """
  if num_draws < 1:
    raise ValueError(f'num_draws must be at least 1: {num_draws}')
  exits = infer(state).exits

  def draw(draw_key: PRNGKey) -> tuple[Segmentation, Array, Places]:
    places_key, rates_key = jax.random.split(draw_key)
    noise = jax.random.gumbel(places_key, exits.shape, exits.dtype)
    segmentation = _follow(state, exits, noise)
    rates = draw_rates(rates_key, state, segmentation)
    places = locate_drops(
      segmentation, rates, smallest_fall=smallest_fall, recovery=recovery
    )
    return segmentation, rates, places

  segmentations, rates, places = jax.vmap(draw)(
    jax.random.split(key, num_draws)
  )
  size = len(state.counts.successes)
  first, largest, last = (
    _shares(place, size, num_draws, exits.dtype) for place in places
  )
  return Drops(first, largest, last, segmentations, rates)


def _shares(places: Array, size: int, num_draws: int, dtype) -> Shares:
  entries = jnp.where(places < 0, size, places)
  counts = jnp.zeros(size + 1, dtype).at[entries].add(1.0)
  smoothed = (counts + 1.0) / (num_draws + 2)
  errors = jnp.sqrt(smoothed * (1.0 - smoothed) / num_draws)
  return Shares(counts / num_draws, errors)


def rate_trajectories(drops: Drops, size: int) -> Array:
  """Returns the rate at each position in each draw, [N, T].

  Its quantiles over draws are the credible band of the rates.
  """
  starts = drops.segmentations.starts
  reached = starts[:, :, None] <= jnp.arange(size)[None, None]
  present = (
    jnp.arange(starts.shape[1])[None]
    < (drops.segmentations.num_segments[:, None])
  )
  index = jnp.sum(reached & present[:, :, None], axis=1) - 1
  return jnp.take_along_axis(drops.rates, index, axis=1)

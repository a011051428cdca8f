"""Several changes, up or down, in a sequence of success rates: exact Bayes.

A product-partition model [1, 2]. Positions 0..n-1 fall into K segments; the
rate p_k of each is drawn on its own, and every rollout at one of its positions
succeeds with that rate:

    K ~ weights;   p(places | K) = Π_i w(c_i) / Z_K;   p_k ~ Beta(a_k, b_k).

The places c_1 < ... < c_{K-1} are the first positions of the segments 1..K-1
(counted from 0), Z_K the sum of the products over all their choices: equal
weights make all placements of K - 1 changes equally likely, and other weights
(sentence lengths, say) favour some places given K without favouring a K.

A weight at place 0 lets a change fall before all data: segment 0 is then
empty. With K = 2, uniform weights on 0..n-1 and shapes ((2, 2), (1, 19)) this
is exactly the single-change model of `changepoint`.

Over-dispersion: a finite `concentration` gives each position its own rate
around its segment's (`grid`); infinity is the plain model.

Tables of segments [s, e) have the shape [J, T, T + 1]: J = 1 where all
segments have one prior, else J = K. The work is O(K T²), of any data.

    prior --condition--> state --> segments_posterior: what follows
                               --> segments_drops: first, largest
                               --> segments_active: the next rollout

References:
  [1] Barry and Hartigan 1992, Product partition models for change point
      problems.
  [2] Fearnhead 2006, Exact and efficient Bayesian inference for multiple
      changepoint problems, section 2 (the recursions).
"""

from collections.abc import Sequence
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference.changepoint import Beta, rate_grid
from toyjax.inference.special_functions import log_beta


class Dispersion(NamedTuple):
  """How the rates of positions scatter around their segment's rate.

  Attributes:
    concentration: ρ > 0, []; the more, the less they scatter.
    grid: the nodes of the segment's rate.
  """

  concentration: Array
  grid: rate_grid.Grid


class Prior(NamedTuple):
  """What is believed before any rollout; K is the most segments allowed.

  Attributes:
    shapes: of the segments' rates, two arrays [J], J = 1 or K.
    log_num_segments: [K], normalised log-probabilities of 1..K segments.
    log_placements: [K], ln Z of 1..K segments; -inf where there is no room.
    log_change_weights: [T], ln w of a change at each place; -inf excludes it.
    num_positions: int [], n <= T, the positions that can have rollouts.
    dispersion: None in the plain model.
  """

  shapes: Beta
  log_num_segments: Array
  log_placements: Array
  log_change_weights: Array
  num_positions: Array
  dispersion: Dispersion | None


class State(NamedTuple):
  """What is known after some rollouts.

  Attributes:
    prior: what was believed before them.
    counts: rollouts at each position, two arrays [T].
    log_marginals: [J, T, T + 1], log p(outcomes in [s, e) | one segment) in
      nats; -inf where e <= s.
    means: [J, T, T + 1], E[rate | outcomes in [s, e), one segment].
  """

  prior: Prior
  counts: Beta
  log_marginals: Array
  means: Array


def uniform_change_weights(
  num_positions: Array | int, size: int, dtype
) -> Array:
  """Returns equal weights [size] of changes at 1..num_positions - 1."""
  places = jnp.arange(size)
  return ((places > 0) & (places < num_positions)).astype(dtype)


def make_prior(
  *,
  shapes: Sequence[tuple[float, float]],
  num_segments_weights: Array,
  change_weights: Array,
  num_positions: Array | int,
  concentration: Array | float,
  num_nodes: int | None = None,
) -> Prior:
  """Returns a prior in the dtype of the change weights.

  Args:
    shapes: (successes, failures) > 0, of the rates: one pair for all segments,
      or K pairs, for the first, the second, ... segment.
    num_segments_weights: [K], of 1..K segments, >= 0. Numbers of segments that
      have no room get none; the rest is normalised here.
    change_weights: float [T], of changes at each place, >= 0; those past
      num_positions count as zero. `uniform_change_weights` is the usual one.
    num_positions: n, 1 <= n <= T.
    concentration: ρ > 0 of the positions' rates; `math.inf`: the plain model.
    num_nodes: M, of the quadrature that a finite concentration needs; 3 √N to
      5 √N for N rollouts in a segment.
  """
  change_weights = jnp.asarray(change_weights)
  dtype = change_weights.dtype
  if not jnp.issubdtype(dtype, jnp.floating) or change_weights.ndim != 1:
    raise ValueError(
      f'change_weights must be floats [T]: {dtype}{change_weights.shape}'
    )
  number_weights = jnp.asarray(num_segments_weights, dtype)
  if number_weights.ndim != 1 or len(shapes) not in (1, len(number_weights)):
    raise ValueError(
      f'num_segments_weights {number_weights.shape} and {len(shapes)} shapes: '
      'give one pair, or one for each segment'
    )
  for shape in (shape for pair in shapes for shape in pair):
    if isinstance(shape, int | float) and shape <= 0:
      raise ValueError(f'shape parameters must be > 0: {shapes}')
  dispersion = None
  if not isinstance(concentration, int | float) or concentration != math.inf:
    if isinstance(concentration, int | float) and not concentration > 0:
      raise ValueError(f'concentration must be > 0: {concentration}')
    if num_nodes is None:
      raise ValueError('a finite concentration needs num_nodes')
    grid = rate_grid.make_grid(num_nodes, dtype)
    dispersion = Dispersion(jnp.asarray(concentration, dtype), grid)
  inside = jnp.arange(len(change_weights)) < num_positions
  log_change_weights = jnp.log(jnp.where(inside, change_weights, 0.0))
  log_placements = _log_placements(log_change_weights, len(number_weights))
  log_number = jnp.where(
    jnp.isfinite(log_placements), jnp.log(number_weights), -jnp.inf
  )
  return Prior(
    shapes=Beta(*(jnp.asarray(row, dtype) for row in zip(*shapes))),
    log_num_segments=jax.nn.log_softmax(log_number),
    log_placements=log_placements,
    log_change_weights=log_change_weights,
    num_positions=jnp.asarray(num_positions, jnp.int32),
    dispersion=dispersion,
  )


def _log_placements(log_weights: Array, max_segments: int) -> Array:
  """Returns ln of the elementary symmetric sums of degree 0..K-1, [K]."""

  def step(log_sums: Array, log_weight: Array) -> tuple[Array, None]:
    longer = jnp.roll(log_sums, 1).at[0].set(-jnp.inf) + log_weight
    return jnp.logaddexp(log_sums, longer), None

  empty = jnp.full(max_segments, -jnp.inf, log_weights.dtype).at[0].set(0.0)
  return jax.lax.scan(step, empty, log_weights)[0]


def log_stops(prior: Prior) -> Array:
  """Returns ln p(K) / Z_K of 1..K segments, [K]; -inf without room."""
  log_probs = prior.log_num_segments
  has_room = jnp.isfinite(log_probs)
  return jnp.where(has_room, log_probs - prior.log_placements, -jnp.inf)


def condition(prior: Prior, counts: Beta) -> State:
  """Returns the state after all of some rollouts.

  Args:
    prior: the prior.
    counts: successes and failures at each position, [T] each; those past
      num_positions are ignored.
  """
  dtype = prior.log_change_weights.dtype
  inside = jnp.arange(len(prior.log_change_weights)) < prior.num_positions
  counts = Beta(
    *(jnp.where(inside, count, 0).astype(dtype) for count in counts)
  )
  if prior.dispersion is None:
    in_segment = _counts_by_segment(counts)
    shapes = Beta(*(shape[:, None, None] for shape in prior.shapes))
    given = shapes.plus(in_segment)
    log_marginals = log_beta(*given) - log_beta(*shapes)
    means = given.mean()
  else:
    concentration, grid = prior.dispersion
    log_marginals, means = rate_grid.segment_marginals(
      grid,
      rate_grid.log_prior(grid, prior.shapes),
      rate_grid.log_likelihoods(grid, counts, concentration),
    )
  is_segment = _is_segment(len(inside))[None]
  return State(
    prior, counts, jnp.where(is_segment, log_marginals, -jnp.inf), means
  )


def _is_segment(size: int) -> Array:
  """Returns whether s < e, bool [T, T + 1]."""
  return jnp.arange(size)[:, None] < jnp.arange(size + 1)[None]


def _counts_by_segment(counts: Beta) -> Beta:
  """Returns the counts in every segment [s, e), two arrays [1, T, T + 1]."""
  tables = []
  for count in counts:
    total = jnp.concatenate([jnp.zeros_like(count[:1]), jnp.cumsum(count)])
    table = total[None] - total[:-1, None]
    tables.append(jnp.where(_is_segment(len(count)), table, 0.0)[None])
  return Beta(*tables)


def init(prior: Prior) -> State:
  """Returns the state before any rollout."""
  none = jnp.zeros_like(prior.log_change_weights)
  return condition(prior, Beta(none, none))


def update(state: State, position: Array, success: Array) -> State:
  """Returns the state after one more rollout.

  In the plain model each marginal is multiplied by the chance that its
  segment gave to the outcome, without a gamma function. With a dispersion the
  tables are made anew, O(T² M).

  Args:
    state: before the rollout.
    position: int [], where it started.
    success: [], 1 or True where it succeeded, 0 where it failed.
  """
  y = jnp.asarray(success, state.means.dtype)
  counts = Beta(
    state.counts.successes.at[position].add(y),
    state.counts.failures.at[position].add(1.0 - y),
  )
  if state.prior.dispersion is not None:
    return condition(state.prior, counts)
  size = len(state.counts.successes)
  starts, ends = jnp.arange(size)[:, None], jnp.arange(size + 1)[None]
  covers = ((starts <= position) & (position < ends))[None]
  chances = jnp.where(y > 0, state.means, 1.0 - state.means)
  gained = jnp.where(covers, jnp.log(chances), 0.0)
  shapes = Beta(*(shape[:, None, None] for shape in state.prior.shapes))
  means = shapes.plus(_counts_by_segment(counts)).mean()
  return State(state.prior, counts, state.log_marginals + gained, means)

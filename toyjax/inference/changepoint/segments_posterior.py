"""The exact posterior of several changes, by messages between segments.

Forward and backward recursions over (index of the segment, place), O(K T²),
for the model of `segments`.

References:
  [1] Fearnhead 2006, Exact and efficient Bayesian inference for multiple
      changepoint problems, section 2.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference.changepoint import Beta
from toyjax.inference.changepoint.segments import (
  Prior,
  State,
  condition,
  log_stops,
)


class Messages(NamedTuple):
  """Joint log-probabilities of the outcomes and of how segments lie, nats.

  Attributes:
    entries: [K, T], of the outcomes before s, segments 0..k-1 covering them
      and segment k starting at s.
    exits: [K, T + 1], of the outcomes from e on, given that segment k ends
      there; e = T (the end) has the probability of stopping at k.
    starts: [K, T], of the outcomes from s on, given that segment k starts
      there; -inf but at s = 0 for k = 0.
    finished: [K], of all outcomes with 1..K segments, without p(K) / Z_K.
    log_evidence: [], of all outcomes in their order.
  """

  entries: Array
  exits: Array
  starts: Array
  finished: Array
  log_evidence: Array


def infer(
  state: State, combine: Callable[..., Array] = jax.nn.logsumexp
) -> Messages:
  """Returns the forward and the backward messages [1].

  Args:
    state: what is known.
    combine: how alternatives are joined, (array, axis=) -> array: logsumexp,
      or `jnp.max` for the most probable segmentation.
  """
  prior, log_marginals = state.prior, state.log_marginals
  max_segments, size = len(prior.log_num_segments), len(state.means[0])
  tables = jnp.arange(max_segments) % len(log_marginals)
  # Segment 0 alone may be empty: it ends at 0 with nothing in it.
  is_first = jnp.arange(max_segments) == 0

  def forward(entry: Array, x: tuple) -> tuple[Array, tuple[Array, Array]]:
    table, first = x
    ended = combine(entry[:, None] + log_marginals[table], axis=0)
    ended = ended.at[0].set(jnp.where(first, 0.0, ended[0]))
    return ended[:-1] + prior.log_change_weights, (entry, ended[-1])

  def backward(start: Array, x: tuple) -> tuple[Array, tuple[Array, Array]]:
    table, first, stop = x
    exit_ = jnp.append(start + prior.log_change_weights, stop)
    start = combine(log_marginals[table] + exit_[None], axis=1)
    empty = jnp.where(first, exit_[0], -jnp.inf)
    start = start.at[0].set(combine(jnp.stack([start[0], empty]), axis=0))
    start = jnp.where(first & (jnp.arange(size) > 0), -jnp.inf, start)
    return start, (exit_, start)

  nothing = jnp.full(size, -jnp.inf, state.means.dtype)
  _, (entries, finished) = jax.lax.scan(
    forward, nothing.at[0].set(0.0), (tables, is_first)
  )
  _, (exits, starts) = jax.lax.scan(
    backward, nothing, (tables, is_first, log_stops(prior)), reverse=True
  )
  return Messages(entries, exits, starts, finished, starts[0, 0])


def segment_probs(state: State, messages: Messages) -> Array:
  """Returns P(a segment is [s, e) | outcomes), [J, T, T + 1].

  With J = K the table of each k is that of segment k; with J = 1 it is the
  sum over k. An empty first segment is in none of them.
  """
  joint = (
    messages.entries[:, :, None]
    + state.log_marginals
    + messages.exits[:, None, :]
  )
  probs = jnp.exp(joint - messages.log_evidence)
  return probs if len(state.means) > 1 else jnp.sum(probs, 0, keepdims=True)


def sum_by_position(table: Array) -> Array:
  """Returns the sum over segments [s, e) that hold t, [T], of [J, T, T + 1]."""
  started = jnp.sum(table, axis=(0, 2))
  ended = jnp.sum(table, axis=(0, 1))[:-1]
  return jnp.cumsum(started - ended)


class Posterior(NamedTuple):
  """What is believed of the number and the places of changes.

  Attributes:
    log_evidence_nats: [], of all outcomes in their order.
    log_evidence_by_number_nats: [K], given 1..K segments; -inf without room.
    num_segments_probs: [K], p(1..K segments | outcomes).
    change_probs: [T], p(a segment but the first starts at t | outcomes).
    mean_rates: [T], E[rate of the segment that holds t | outcomes]; past
      num_positions, of the last segment.
  """

  log_evidence_nats: Array
  log_evidence_by_number_nats: Array
  num_segments_probs: Array
  change_probs: Array
  mean_rates: Array


def posterior(state: State) -> Posterior:
  """Returns the exact posterior."""
  prior, messages = state.prior, infer(state)
  log_evidences = jnp.where(
    jnp.isfinite(prior.log_placements),
    messages.finished - prior.log_placements,
    -jnp.inf,
  )
  log_starts = messages.entries[1:] + messages.starts[1:]
  probs = segment_probs(state, messages)
  return Posterior(
    messages.log_evidence,
    log_evidences,
    jax.nn.softmax(prior.log_num_segments + log_evidences),
    jnp.sum(jnp.exp(log_starts - messages.log_evidence), axis=0),
    sum_by_position(probs * state.means),
  )


def compare_priors(priors: Sequence[Prior], counts: Beta) -> Posterior:
  """Returns the posteriors of the same data under each of P priors, [P, ...].

  Args:
    priors: with equal shapes and equal K; weights of zero shorten a K.
    counts: successes and failures at each position, [T] each.
  """
  stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *priors)
  return jax.vmap(lambda prior: posterior(condition(prior, counts)))(stacked)

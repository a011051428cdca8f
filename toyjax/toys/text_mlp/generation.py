"""Generation: greedy, followed exactly to its end or its cycle, and sampled.

predictions [V] --functional graph--> ends at the end token, or a cycle
logits --temperature, top-k--> log-probabilities --key--> next token
"""

from collections.abc import Sequence
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey


class GreedyEnds(NamedTuple):
  """Where greedy generation leads from every token.

  Attributes:
    ends: bool [V], whether it reaches the end token.
    num_steps: int32 [V], tokens generated until the end token, or the first
      token of the cycle, is reached; 0 for a start that is one of them.
    cycle_length: int32 [V], number of tokens in the cycle that it falls into, 0
      where it ends. dog -> dog has length 1.
    cycle_members: bool [V, V], the tokens of that cycle; their order is that of
      the predictions.
  """

  ends: Array
  num_steps: Array
  cycle_length: Array
  cycle_members: Array


def follow(predictions: Array, *, end: int) -> GreedyEnds:
  """Follows greedy generation from every token, exactly.

  Each token has one next token: a functional graph of V nodes. After V steps
  every walk has met the end token or is on its cycle, and V more go through
  that cycle once or more.

  Args:
    predictions: int [V], the next token after each token.
    end: index of the end token in 0..V-1, where generation stops.

  Returns:
    `GreedyEnds` for every start; the end token itself ends after 0 tokens.

  Raises:
    ValueError: where `end` is not a token.
  """
  chex.assert_rank(predictions, 1)
  size = predictions.shape[0]
  if not 0 <= end < size:
    raise ValueError(f'end must lie in 0..{size - 1}: {end}')
  tokens = jnp.arange(size, dtype=jnp.int32)
  following = jnp.where(tokens == end, end, predictions).astype(jnp.int32)

  def walk(first: Array) -> tuple[Array, Array]:
    """Returns the walks of V tokens from `first` [V], and what comes next."""
    places = [first]
    for _ in range(size):
      places.append(following[places[-1]])
    return jnp.stack(places[:-1]), places[-1]

  path, later = walk(tokens)
  cycle, _ = walk(later)
  members = jnp.any(cycle[:, :, None] == tokens[None, None, :], axis=0)
  # A walk never comes back to what it leaves before its end or its cycle.
  on_members = members[tokens[None, :], path]
  ends = later == end
  return GreedyEnds(
    ends=ends,
    num_steps=jnp.sum(~on_members, axis=0, dtype=jnp.int32),
    cycle_length=jnp.where(ends, 0, jnp.sum(members, axis=1)).astype(jnp.int32),
    cycle_members=members & ~ends[:, None],
  )


def trace_cycle(
  predictions: np.ndarray, *, start: int, end: int
) -> tuple[int, ...]:
  """Returns the cycle that greedy generation from `start` falls into.

  Args:
    predictions: int [V], the next token after each token.
    start: where generation starts.
    end: index of the end token.

  Returns:
    Its tokens in their order, beginning with the lowest index, so that one
    cycle has one name; empty where generation ends.
  """
  path = [start]
  while path[-1] != end:
    following = int(predictions[path[-1]])
    if following in path:
      cycle = path[path.index(following) :]
      first = cycle.index(min(cycle))
      return (*cycle[first:], *cycle[:first])
    path.append(following)
  return ()


def name_cycle(cycle: Sequence[int], vocabulary: Sequence[str]) -> str:
  """Returns a cycle as text, e.g. 'dog->dog', and 'none' for no cycle."""
  if not cycle:
    return 'none'
  return '->'.join(vocabulary[token] for token in (*cycle, cycle[0]))


def next_token_log_probs(
  logits: Array | np.ndarray,
  *,
  temperature: float | Array,
  top_k: int | None,
) -> Array:
  """Returns log softmax(logits / T) among the k largest logits.

  Where logits are equal the lower index is the larger one, so that top_k = 1 is
  argmax at any temperature.

  Args:
    logits: [..., V], of NumPy (computed in NumPy, in its dtype) or of JAX.
    temperature: T > 0; may be traced.
    top_k: k in 1..V, or None for all.

  Returns:
    [..., V], -inf for tokens that are never drawn.

  Raises:
    ValueError: on T that is known and not positive and finite, or k outside.
  """
  is_traced = isinstance(temperature, jax.core.Tracer)
  if not is_traced and not 0.0 < float(temperature) < np.inf:
    raise ValueError(f'temperature must be > 0 and finite: {temperature}')
  size = logits.shape[-1]
  if top_k is not None and not 1 <= top_k <= size:
    raise ValueError(f'top_k must lie in 1..{size}: {top_k}')
  xp = np if isinstance(logits, np.ndarray) else jnp
  scaled = (logits - xp.max(logits, axis=-1, keepdims=True)) / temperature
  if top_k is not None and top_k < size:
    mine, other = logits[..., :, None], logits[..., None, :]
    lower = np.arange(size)[None, :] < np.arange(size)[:, None]
    lower = lower.reshape((1,) * (logits.ndim - 1) + lower.shape)
    rank = xp.sum((other > mine) | ((other == mine) & lower), axis=-1)
    scaled = xp.where(rank < top_k, scaled, -np.inf)
  total = xp.sum(xp.exp(scaled), axis=-1, keepdims=True)
  return scaled - xp.log(total)


class Walk(NamedTuple):
  """One sampled text.

  Attributes:
    tokens: int32 [T], the tokens after the start; after the end token only end
      tokens follow.
    num_tokens: int32 [], tokens up to the first end token, that one included; T
      where it was not drawn.
    ended: bool [], whether it was drawn.
  """

  tokens: Array
  num_tokens: Array
  ended: Array


def generate(
  key: PRNGKey,
  logit_table: Array,
  *,
  start: int | Array,
  end: int,
  temperature: float | Array,
  top_k: int | None,
  max_tokens: int,
) -> Walk:
  """Draws one text, token by token.

  Args:
    key: [] typed key of the walk.
    logit_table: [V, V], row i the logits after token i, as `logit_table` gives.
    start: index of the first token; it does not count.
    end: index of the end token, where generation stops.
    temperature: T > 0.
    top_k: k in 1..V, or None for all; 1 is argmax.
    max_tokens: T >= 1, the longest walk that is followed.

  Returns:
    A `Walk`. A start at the end token has ended after 0 tokens.

  Raises:
    ValueError: as `next_token_log_probs`.
  """
  log_probs = next_token_log_probs(
    logit_table, temperature=temperature, top_k=top_k
  )

  def step(token: Array, index: Array) -> tuple[Array, tuple[Array, Array]]:
    drawn = jax.random.categorical(
      jax.random.fold_in(key, index), log_probs[token]
    )
    following = jnp.where(token == end, end, drawn).astype(jnp.int32)
    return following, (following, token != end)

  last, (tokens, counted) = jax.lax.scan(
    step, jnp.asarray(start, jnp.int32), jnp.arange(max_tokens)
  )
  return Walk(tokens, jnp.sum(counted, dtype=jnp.int32), last == end)

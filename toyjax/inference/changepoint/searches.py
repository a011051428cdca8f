"""Rivals with rules of their own: searches node by node.

A search rolls out from one position, its node, until it has enough; moves to
the next node; and ends by itself, or where the budget does:

    start --> node --rollouts until full--> move --> ... --> location

Nodes are ranks 0..n-1 among the included positions. The result `n` means that
no position was found low.

References:
  [1] Luo et al. 2024, Improve mathematical reasoning in language models by
      automated process supervision (OmegaPRM), section 3.2, arXiv:2406.06592.
  [2] Sun et al. 2025, An efficient and precise training data construction
      framework for process-supervised reward model in mathematical reasoning
      (EpicPRM), arXiv:2503.02382; github.com/xiaolizh1/EpicPRM,
      generate_train_data.py, `find_error_step`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

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


class Search(NamedTuple):
  """The rule of a search node by node; its memory is any pytree.

  Attributes:
    start: (number n of positions [], size T) -> memory.
    node: memory -> rank [] of the node.
    is_full: (memory, counts at the node) -> whether it has enough rollouts.
    move: (memory, counts at the full node) -> memory.
    is_done: memory -> whether the search is over.
    location: memory -> rank [] of the first low position, 0..n.
  """

  start: Callable[[Array, int], Any]
  node: Callable[[Any], Array]
  is_full: Callable[[Any, Beta], Array]
  move: Callable[[Any, Beta], Any]
  is_done: Callable[[Any], Array]
  location: Callable[[Any], Array]


def rival_of_search(search: Search) -> Rival:
  """Returns the rival that runs a search until it, or the budget, ends.

  A round is a node; one that the budget cuts short counts, but decides nothing.
  """

  def find(
    key: PRNGKey, prior: Prior, roll_out: RollOut, num_rollouts: int
  ) -> Found:
    included = included_positions(prior)
    none = jnp.zeros_like(prior.log_weights)
    zero = jnp.zeros((), none.dtype)

    def step(carry: Any, index: Array) -> tuple[Any, None]:
      memory, at_node, counts, num_rounds = carry
      # As in `changepoint.run`, so that rivals can share their draws.
      _, rollout_key = jax.random.split(jax.random.fold_in(key, index))
      position = position_of_rank(included, search.node(memory))
      is_done = search.is_done(memory)
      success = roll_out(rollout_key, position).astype(none.dtype)
      outcome = Beta(success, 1.0 - success)
      is_first = at_node.successes + at_node.failures == 0
      at_node = at_node.plus(outcome)
      is_here = jnp.arange(len(none)) == position
      counts = counts.plus(Beta(*(is_here * value for value in outcome)))
      is_full = search.is_full(memory, at_node)
      memory = _where(is_full, search.move(memory, at_node), memory)
      at_node = _where(is_full, Beta(zero, zero), at_node)
      after = memory, at_node, counts, num_rounds + is_first
      return _where(is_done, carry, after), None

    memory = search.start(jnp.sum(included), len(none))
    start = memory, Beta(zero, zero), Beta(none, none), jnp.int32(0)
    (memory, _, counts, num_rounds), _ = jax.lax.scan(
      step, start, jnp.arange(num_rollouts)
    )
    num_used = jnp.sum(counts.successes) + jnp.sum(counts.failures)
    return Found(
      location=position_of_rank(included, search.location(memory)),
      num_rollouts=num_used.astype(jnp.int32),
      num_rounds=num_rounds,
      is_complete=search.is_done(memory),
      state=changepoint.condition(prior, counts),
    )

  return Rival(find, Design.ADAPTIVE)


def _where(condition: Array, left: Any, right: Any) -> Any:
  return jax.tree.map(lambda a, b: jnp.where(condition, a, b), left, right)


def num_at_node(counts: Beta) -> Array:
  """Returns the number of rollouts."""
  return counts.successes + counts.failures


def share_at_node(counts: Beta) -> Array:
  """Returns the share of right rollouts, of at least one."""
  return counts.successes / num_at_node(counts)


class _Range(NamedTuple):
  """The first low rank is in low..high, and `node` is tested next."""

  low: Array
  high: Array
  node: Array


def _halve(span: _Range, is_low: Array) -> _Range:
  high = jnp.where(is_low, span.node, span.high)
  low = jnp.where(is_low, span.low, span.node + 1)
  return _Range(low, high, (low + high) // 2)


def omega_bisection(*, num_per_node: int, low_share: float) -> Search:
  """Binary search with a fixed number of rollouts at each node [1].

  The middle of what is left is tested: the first low position is there or
  before where the share of right rollouts is <= low_share, else after it. [1]
  goes left where none of k = 8 is right, low_share = 0; a fairer rule where
  low positions succeed now and then is 1/4.

  Args:
    num_per_node: k >= 1.
    low_share: in [0, 1).
  """
  if num_per_node < 1 or not 0 <= low_share < 1:
    raise ValueError(f'num_per_node {num_per_node}, low_share {low_share}')

  def start(num_positions: Array, size: int) -> _Range:
    del size
    high = num_positions.astype(jnp.int32)
    return _Range(jnp.zeros_like(high), high, high // 2)

  return Search(
    start=start,
    node=lambda span: span.node,
    is_full=lambda span, counts: num_at_node(counts) >= num_per_node,
    move=lambda span, counts: _halve(span, share_at_node(counts) <= low_share),
    is_done=lambda span: span.low >= span.high,
    location=lambda span: span.node,
  )


class _Adaptive(NamedTuple):
  """Memory of the adaptive bisection; no share is known at its start."""

  span: _Range
  first_share: Array
  num_per_node: Array


def adaptive_bisection(
  *,
  num_successes: int,
  most_at_first: int,
  least_per_node: int,
  multiple: int,
  hard_share: float,
  easy_share: float,
) -> Search:
  """Binary search that adapts to how hard the problem is, after [2].

  The first position (no sentence yet) is rolled out until `num_successes` are
  right. As many rollouts as that took, rounded up to a multiple, are made at
  each node; a node is low where its share is below half of the first one. The
  first node is a quarter of the length earlier than the middle where the first
  share is below hard_share, later where it is above easy_share. Where
  most_at_first rollouts do not have enough successes, it is low itself.

  [2] has 10 successes, at most 72, at least 16, multiples of 8, shares .15 and
  .45 (two thresholds on the sum of two models). It also weighs answers by their
  perplexity, draws all 72 at first, and once more from the first position.

  Args:
    num_successes: >= 1.
    most_at_first: >= num_successes.
    least_per_node: >= 1.
    multiple: >= 1.
    hard_share: in [0, easy_share].
    easy_share: in [hard_share, 1].
  """
  if not 1 <= num_successes <= most_at_first:
    raise ValueError(f'{num_successes} successes of {most_at_first}')
  if least_per_node < 1 or multiple < 1 or not hard_share <= easy_share:
    raise ValueError(
      f'{least_per_node}, {multiple}, {hard_share}, {easy_share}'
    )

  def start(num_positions: Array, size: int) -> _Adaptive:
    del size
    high = num_positions.astype(jnp.int32)
    zero = jnp.zeros_like(high)
    return _Adaptive(_Range(zero, high, zero), jnp.float32(-1.0), zero)

  def is_full(memory: _Adaptive, counts: Beta) -> Array:
    first = (counts.successes >= num_successes) | (
      num_at_node(counts) >= most_at_first
    )
    later = num_at_node(counts) >= memory.num_per_node
    return jnp.where(memory.first_share < 0, first, later)

  def after_first(memory: _Adaptive, counts: Beta) -> _Adaptive:
    share = share_at_node(counts).astype(jnp.float32)
    num = jnp.ceil(num_at_node(counts) / multiple).astype(jnp.int32) * multiple
    is_low = counts.successes < num_successes
    span = _halve(memory.span, is_low)
    quarter = (span.high - span.low) // 4
    shift = jnp.where(share < hard_share, -quarter, 0)
    shift = jnp.where(share > easy_share, quarter, shift)
    span = span._replace(node=span.node + shift)
    return _Adaptive(span, share, jnp.maximum(num, least_per_node))

  def move(memory: _Adaptive, counts: Beta) -> _Adaptive:
    is_low = share_at_node(counts) < memory.first_share / 2.0
    later = memory._replace(span=_halve(memory.span, is_low))
    is_first = memory.first_share < 0
    return _where(is_first, after_first(memory, counts), later)

  return Search(
    start=start,
    node=lambda memory: memory.span.node,
    is_full=is_full,
    move=move,
    is_done=lambda memory: memory.span.low >= memory.span.high,
    location=lambda memory: (memory.span.low + memory.span.high) // 2,
  )

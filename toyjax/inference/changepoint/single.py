"""One change in a sequence of success rates, found by active rollouts.

Each position t = 0..T-1 has a chance p_t that a rollout from there succeeds.
The model [1] is a position τ with p₁ before it and p₂ from it on:

    p_t = p₁ for t < τ,   p_t = p₂ for t >= τ;   p₁, p₂ ~ Beta, τ ~ weights.

    prior --init--> state --active.select--> t --rollout--> y --update--> state

Everything is pure and written for one sequence: `jax.vmap` or `lanes` adds an
axis of sequences, and weight zero excludes the padding of short ones.

τ is the *first low position*. Where a rollout at position t continues the text
before sentence t, the guilty sentence is the one before: τ - 1.

References:
  [1] "Active changepoint detection" for chains of thought: τ uniform,
      p₁ ~ Beta(2, 2), p₂ ~ Beta(1, 19), the next rollout where it tells most
      about τ. The formulas are those of `information_gains` and `update`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference import sums
from toyjax.inference.special_functions import log_beta


class Beta(NamedTuple):
  """Shape parameters of Beta distributions, or counts that are added to them.

  Attributes:
    successes: float, any shape; > 0 as a shape parameter.
    failures: float, the same shape; > 0 as a shape parameter.
  """

  successes: Array
  failures: Array

  def mean(self) -> Array:
    """Returns E[p]."""
    return self.successes / (self.successes + self.failures)

  def plus(self, counts: 'Beta') -> 'Beta':
    """Returns the distribution given these counts."""
    return Beta(
      self.successes + counts.successes, self.failures + counts.failures
    )

  def minus(self, counts: 'Beta') -> 'Beta':
    """Returns what is left of counts without some of them."""
    return Beta(
      self.successes - counts.successes, self.failures - counts.failures
    )


class Prior(NamedTuple):
  """What is believed before any rollout.

  Attributes:
    before: of p₁, two numbers [].
    after: of p₂, two numbers [].
    log_weights: [T], normalised log-probabilities of τ; -inf excludes a
      position, as τ and for rollouts.
  """

  before: Beta
  after: Beta
  log_weights: Array


class State(NamedTuple):
  """What is believed after some rollouts.

  Attributes:
    prior: what was believed before them.
    log_joint: [T], log p(τ, outcomes): normalised, the posterior of τ.
    before: number of rollouts before τ, two arrays [T], for each τ.
    total: number of all rollouts, two numbers [].
  """

  prior: Prior
  log_joint: Array
  before: Beta
  total: Beta


def make_prior(
  *,
  before: tuple[float, float],
  after: tuple[float, float],
  weights: Array,
) -> Prior:
  """Returns a prior in the dtype of the weights.

  Args:
    before: shape parameters (successes, failures) of p₁, > 0.
    after: shape parameters of p₂, > 0.
    weights: float [T], of τ, >= 0 with a positive sum; normalised here.
  """
  weights = jnp.asarray(weights)
  dtype = weights.dtype
  if not jnp.issubdtype(dtype, jnp.floating) or weights.ndim != 1:
    raise ValueError(f'weights must be floats [T]: {dtype}{weights.shape}')
  shapes = [*before, *after]
  if any(isinstance(shape, int | float) and shape <= 0 for shape in shapes):
    raise ValueError(f'shape parameters must be > 0: {shapes}')
  b1, b2, a1, a2 = (jnp.asarray(shape, dtype) for shape in shapes)
  log_weights = jnp.log(weights) - jnp.log(jnp.sum(weights))
  return Prior(Beta(b1, b2), Beta(a1, a2), log_weights)


def uniform_weights(num_positions: Array | int, size: int, dtype) -> Array:
  """Returns equal weights [size] of the first positions, zero past them."""
  return (jnp.arange(size) < num_positions).astype(dtype)


def init(prior: Prior) -> State:
  """Returns the state before any rollout."""
  none = jnp.zeros_like(prior.log_weights)
  zero = jnp.zeros((), none.dtype)
  return State(prior, prior.log_weights, Beta(none, none), Beta(zero, zero))


def condition(prior: Prior, counts: Beta) -> State:
  """Returns the state after all of some rollouts, from their counts.

  log p(τ, outcomes in their order) = log w_τ
    + ln B(a₁ + S₁, b₁ + F₁) - ln B(a₁, b₁)
    + ln B(a₂ + S₂, b₂ + F₂) - ln B(a₂, b₂)

  with S₁, F₁ the counts before τ and S₂, F₂ those from τ on.

  Args:
    prior: the prior.
    counts: successes and failures at each position, [T] each.
  """
  before = Beta(*(jnp.cumsum(count) - count for count in counts))
  total = Beta(*map(jnp.sum, counts))
  log_joint = (
    prior.log_weights
    + log_marginal(prior.before, before)
    + log_marginal(prior.after, total.minus(before))
  )
  return State(prior, log_joint, before, total)


def log_marginal(prior: Beta, counts: Beta) -> Array:
  """Returns ln B(a + S, b + F) - ln B(a, b): outcomes in their order, nats."""
  return log_beta(*prior.plus(counts)) - log_beta(*prior)


def counts_by_position(state: State) -> Beta:
  """Returns successes and failures at each position, [T] each."""
  return Beta(
    *(
      jnp.diff(before, append=total)
      for before, total in zip(state.before, state.total)
    )
  )


def update(state: State, position: Array, success: Array) -> State:
  """Returns the state after one more rollout.

  Each joint probability is multiplied by the chance that its τ gave to the
  outcome; no gamma function is needed.

  Args:
    state: before the rollout.
    position: int [], where it started.
    success: [], 1 or True where it succeeded, 0 where it failed.
  """
  y = jnp.asarray(success, state.log_joint.dtype)
  chances = _chance_by_change(state, position)
  log_chance = jnp.log(jnp.where(y > 0, chances, 1.0 - chances))
  is_before = position < jnp.arange(len(state.log_joint))
  return State(
    prior=state.prior,
    log_joint=state.log_joint + log_chance,
    before=state.before.plus(Beta(is_before * y, is_before * (1.0 - y))),
    total=state.total.plus(Beta(y, 1.0 - y)),
  )


def rates(state: State) -> tuple[Beta, Beta]:
  """Returns the posteriors of p₁ and p₂ for each τ, two arrays [T] each."""
  after = state.total.minus(state.before)
  return state.prior.before.plus(state.before), state.prior.after.plus(after)


def _chance_by_change(state: State, position: Array) -> Array:
  """Returns the chance of success at a position for each τ, [T]."""
  before, after = rates(state)
  is_before = position < jnp.arange(len(state.log_joint))
  return jnp.where(is_before, before.mean(), after.mean())


def posterior(state: State) -> Array:
  """Returns p(τ | outcomes), [T]."""
  return jax.nn.softmax(state.log_joint)


def log_evidence_nats(state: State) -> Array:
  """Returns log p(outcomes in their order) under the model, []."""
  return jax.nn.logsumexp(state.log_joint)


def mean_trajectory(state: State) -> Array:
  """Returns E[p_t | outcomes] for each t: Σ_{τ>t} πA + Σ_{τ<=t} πB, [T]."""
  before, after = rates(state)
  return average_by_position(posterior(state), before.mean(), after.mean())


def average_by_position(
  probs: Array, if_before: Array, if_after: Array
) -> Array:
  """Returns Σ_{τ>t} π_τ if_before_τ + Σ_{τ<=t} π_τ if_after_τ for each t."""
  reached = sums.cumulative_sum(probs * (if_after - if_before))
  return jnp.sum(probs * if_before) + reached


def most_probable_position(state: State) -> Array:
  """Returns the index of the most probable first low position, int []."""
  return sums.first_maximum(state.log_joint)


def guilty_sentence(first_low_position: Array) -> Array:
  """Returns the index of the sentence before the first low position.

  -1 means that the rate is low from the start: no sentence is guilty.
  """
  return first_low_position - 1

"""Do the outcomes contradict the prior of p₂, the rate after the change?

Two warnings. The tail probability is easy to read but rough: τ is inferred from
the same outcomes, and which positions were tried depended on them. The e-value
holds at any stopping time under any policy.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta


class Tails(NamedTuple):
  """Chances to see as little, and as much, as was seen.

  Attributes:
    lower: [], of at most as many successes: small where p₂'s prior is too high.
    upper: [], of at least as many: small where p₂'s prior is too low.
  """

  lower: Array
  upper: Array


def prior_tails(state: changepoint.State, *, max_rollouts: int) -> Tails:
  """Returns the prior-predictive tail probabilities of successes from τ on.

    lower = Σ_τ π_τ P(X_τ <= S₂), upper = Σ_τ π_τ P(X_τ >= S₂),
    X_τ ~ BetaBinomial(S₂ + F₂, a₂, b₂),

  with π the posterior of τ, S₂ and F₂ the counts from τ on and (a₂, b₂) p₂'s
  prior. Both are 1 where nothing was tried from τ on. A warning, not a test:
  the posterior prefers those τ that suit the prior, which hides misfit, and the
  chances are those of a design fixed in advance.

  Args:
    state: after some rollouts.
    max_rollouts: static, at least the number of rollouts; with more of them the
      tails are NaN. Memory is T times this number.
  """
  if max_rollouts < 0:
    raise ValueError(f'max_rollouts must be >= 0: {max_rollouts}')
  probs = changepoint.posterior(state)
  after = state.total.minus(state.before)
  seen = after.successes[:, None]
  trials = seen + after.failures[:, None]
  fewer = jnp.arange(max_rollouts, dtype=probs.dtype)[None, :]
  failures = jnp.maximum(trials - fewer, 1.0)
  a, b = state.prior.after
  # From x to x + 1 of n successes the chance is multiplied by this.
  ratios = failures * (a + fewer) / ((fewer + 1.0) * (b + failures - 1.0))
  log_chances = jnp.pad(jnp.cumsum(jnp.log(ratios), axis=1), ((0, 0), (1, 0)))
  successes = jnp.arange(max_rollouts + 1, dtype=probs.dtype)[None, :]
  chances = jax.nn.softmax(log_chances, axis=1, where=successes <= trials)
  fits = sum(state.total) <= max_rollouts

  def average(is_tail: Array) -> Array:
    tails = jnp.sum(jnp.where(is_tail, chances, 0.0), axis=1)
    mean = jnp.sum(probs * jnp.minimum(tails, 1.0))
    return jnp.where(fits, mean, jnp.nan)

  return Tails(average(successes <= seen), average(successes >= seen))


def log_e_prior_nats(state: changepoint.State, *, alternative: Beta) -> Array:
  """Returns log E against p₂'s prior, [].

  E = Σ_τ w_τ p(D | τ; p₂ ~ alternative) / Σ_τ w_τ p(D | τ; p₂ ~ prior): a
  martingale from 1 where traces and outcomes come from the whole prior, so that
  then P(ever >= 1/α) <= α, under any policy, at any stopping time. It is a
  statement about many traces, not about a fixed one.

  Args:
    state: after some rollouts.
    alternative: another prior of p₂, such as Beta(1, 1).
  """
  counts = changepoint.counts_by_position(state)
  other = changepoint.condition(state.prior._replace(after=alternative), counts)
  return changepoint.log_evidence_nats(other) - changepoint.log_evidence_nats(
    state
  )

"""Is there a drop at all? A null, e-values that survive any stopping, verdicts.

The single-change model always contains a change, so its posterior alone never
says that there is none. Two answers:

  * Bayes: a constant rate with its own Beta prior and prior probability.
  * Without belief: e-values. Divide a predictive of all outcomes, fixed before
    the first, by the largest likelihood over all rates of a null hypothesis:

        E_n = q(y_1..y_n) / sup_{p in null} Π_i p(y_i | position_i).

    Whatever the true p in the null, E_n <= M_n = q(y_1..y_n) / Π p(y_i), and
    M_n is a martingale from 1: the policy's own chances cancel, and E[q(y_n |
    past) / p(y_n)] = Σ_y q(y | past) = 1. Ville: P(ever M_n >= 1/α) <= α.

So P(ever E_n >= 1/α) <= α for every p in the null, every policy that looks at
the past alone, and every stopping time; hence running maxima. What is assumed:
given its position t a rollout succeeds with chance p_t, whatever came before.

    name              predictive q          null
    log_e_change      single change         constant rates
    log_e_drop        single change         rates that never fall
    log_e_by_change   single change         one change at τ, for each τ
    log_e_no_drop     constant rate         one drop of at least δ

References:
  Ville 1939, Étude critique de la notion de collectif. Wasserman, Ramdas and
  Balakrishnan 2020, Universal inference, section 8 (running maximum
  likelihood under the null). Ramdas, Grünwald, Vovk and Shafer 2023,
  Game-theoretic statistics and safe anytime-valid inference.
"""

from collections.abc import Callable
import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, ArrayTree
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta, likelihoods


class Evidence(NamedTuple):
  """Log e-values for and against a drop: at one time, or the largest so far.

  Attributes:
    drop: [], `log_e_drop_nats`: against rates that never fall.
    no_drop: [], `log_e_no_drop_nats`: against a drop of at least δ.
  """

  drop: Array
  no_drop: Array


class Verdict(enum.IntEnum):
  """What the e-values say about a drop."""

  UNDECIDED = 0
  DROP = 1
  NO_DROP = 2


class Decision(NamedTuple):
  """A verdict and, where it is DROP, the place.

  Attributes:
    verdict: int32 [], code of `Verdict`.
    has_sentence: bool [], whether a sentence is named: only under DROP.
    first_low_position: int [], the most probable one, at least 1; -1 if none.
    guilty_sentence: int [], the sentence before it; -1 if none.
  """

  verdict: Array
  has_sentence: Array
  first_low_position: Array
  guilty_sentence: Array


def log_null_evidence_nats(state: changepoint.State, *, null: Beta) -> Array:
  """Returns log p(outcomes in their order) at a constant p ~ null, []."""
  return changepoint.log_marginal(null, state.total)


def log_bayes_factor_nats(state: changepoint.State, *, null: Beta) -> Array:
  """Returns log p(outcomes | one change) - log p(outcomes | constant), []."""
  change = changepoint.log_evidence_nats(state)
  return change - log_null_evidence_nats(state, null=null)


def null_probability(
  state: changepoint.State, *, null: Beta, prior_probability: Array | float
) -> Array:
  """Returns the posterior probability of a constant rate, [].

  Args:
    state: after some rollouts.
    null: distribution of the constant rate.
    prior_probability: of a constant rate, in (0, 1); one change has the rest.
  """
  _check_inside(prior_probability=prior_probability)
  log_prior_odds = jnp.log(prior_probability) - jnp.log1p(-prior_probability)
  log_odds = log_prior_odds - log_bayes_factor_nats(state, null=null)
  return jax.nn.sigmoid(log_odds)


def log_e_change_nats(state: changepoint.State) -> Array:
  """Returns log E = log Σ_τ w_τ p(D | τ) - max_p log p(D | p), [].

  The null holds constant rates alone: a rise counts against it too.
  """
  evidence_nats = changepoint.log_evidence_nats(state)
  return evidence_nats - likelihoods.log_max_constant_nats(state)


def log_e_drop_nats(state: changepoint.State) -> Array:
  """Returns log E_drop: as `log_e_change_nats`, against rates that never fall.

  The null holds all p_0 <= p_1 <= ... <= p_{T-1}, so a rise is no alarm.
  """
  evidence_nats = changepoint.log_evidence_nats(state)
  return evidence_nats - likelihoods.log_max_non_falling_nats(state)


def log_e_by_change_nats(
  state: changepoint.State, *, smallest_drop: Array | float | None
) -> Array:
  """Returns log E against one change at τ, for each τ, [T].

  The null of τ holds p₁ before τ and p₂ from τ on. None allows any rates: the
  set then covers rises as well, and is wider. A number δ >= 0 allows those with
  p₁ - p₂ >= δ: a smaller null, thus larger values and a smaller set, which
  promises nothing about a trace that rises there. 0 suits a first *low*
  position: constant rates stay in, and are consistent with every τ.
  Excluded positions have +inf.

  Args:
    state: after some rollouts.
    smallest_drop: δ in [0, 1), or None.
  """
  log_e = changepoint.log_evidence_nats(
    state
  ) - likelihoods.log_max_by_change_nats(state, smallest_drop=smallest_drop)
  return jnp.where(jnp.isfinite(state.prior.log_weights), log_e, jnp.inf)


def confidence_set(
  log_e_by_change: Array, *, error_rate: Array | float
) -> Array:
  """Returns which positions may be τ, bool [T]: those with E_τ < 1/α.

  P(τ is ever missing) <= α, at all times at once; given the largest values so
  far it is the intersection of all sets so far, with the same promise. Where
  several τ describe the trace (constant rates), all are kept together. The set
  may be empty: the trace is then none with a single change.

  Args:
    log_e_by_change: [T], from `log_e_by_change_nats`, or their maximum so far.
    error_rate: α in (0, 1).
  """
  _check_inside(error_rate=error_rate)
  return log_e_by_change < -jnp.log(error_rate)


def log_e_no_drop_nats(
  state: changepoint.State, *, null: Beta, smallest_drop: Array | float
) -> Array:
  """Returns log E against every trace with one drop of at least δ, [].

  E = p(D | constant p ~ null) / max_{τ>=1, p₁-p₂>=δ} p(D | τ, p₁, p₂). Valid
  as the table's head says: the numerator is a predictive fixed beforehand, the
  denominator at least the true likelihood of any trace with such a drop. τ = 0
  has nothing before it that could fall, and is no drop. A drop right after the
  first position, or at the last, is ruled out by rollouts there alone.

  Args:
    state: after some rollouts.
    null: distribution of the constant rate; any choice is valid.
    smallest_drop: δ in [0, 1), p₁ - p₂.
  """
  best = likelihoods.log_max_by_change_nats(state, smallest_drop=smallest_drop)
  is_drop = jnp.isfinite(state.prior.log_weights) & (jnp.arange(len(best)) > 0)
  largest = jnp.max(jnp.where(is_drop, best, -jnp.inf))
  return log_null_evidence_nats(state, null=null) - largest


def evidence(
  state: changepoint.State, *, null: Beta, smallest_drop: Array | float
) -> Evidence:
  """Returns the log e-values of the outcomes so far.

  One rollout at a time, the largest so far is
  `jax.tree.map(jnp.maximum, largest, evidence(state, ...))`.

  Args:
    state: after some rollouts.
    null: distribution of the constant rate, for `no_drop`.
    smallest_drop: δ in [0, 1), for `no_drop`.
  """
  return Evidence(
    log_e_drop_nats(state),
    log_e_no_drop_nats(state, null=null, smallest_drop=smallest_drop),
  )


def replay(
  prior: changepoint.Prior,
  rollouts: changepoint.Rollout,
  measure: Callable[[changepoint.State], ArrayTree],
) -> ArrayTree:
  """Returns a measure of the state after every rollout, arrays [N, ...].

  Args:
    prior: what was believed before them.
    rollouts: in their order, arrays [N], chosen by any policy.
    measure: of the state, [...].
  """

  def step(
    state: changepoint.State, rollout: changepoint.Rollout
  ) -> tuple[changepoint.State, ArrayTree]:
    state = changepoint.update(state, *rollout)
    return state, measure(state)

  return jax.lax.scan(step, changepoint.init(prior), rollouts)[1]


def evidence_so_far(
  prior: changepoint.Prior,
  rollouts: changepoint.Rollout,
  *,
  null: Beta,
  smallest_drop: Array | float,
) -> Evidence:
  """Returns the largest log e-values up to every rollout, arrays [N].

  Args:
    prior: of the change.
    rollouts: in their order, arrays [N], chosen by any policy.
    null: distribution of the constant rate, for `no_drop`.
    smallest_drop: δ in [0, 1), for `no_drop`.
  """
  path = replay(
    prior,
    rollouts,
    lambda state: evidence(state, null=null, smallest_drop=smallest_drop),
  )
  return jax.tree.map(jax.lax.cummax, path)


def decide(
  state: changepoint.State,
  largest: Evidence,
  *,
  false_alarm_rate: Array | float,
  false_clearance_rate: Array | float,
) -> Decision:
  """Returns the verdict after some rollouts, and the place of a drop.

  DROP where the largest E_drop so far reached 1/α: for a trace that never falls
  this ever happens with probability at most α = false_alarm_rate. NO_DROP where
  E_no_drop did, with its own rate, for a trace with one drop of at least δ. A
  drop below δ may be proven and cleared as well: it is a DROP.

  The place is the most probable τ >= 1. The verdict is guaranteed, the place is
  not: that is what `confidence_set` is for.

  Args:
    state: after all rollouts.
    largest: log e-values, each the largest so far, two numbers [].
    false_alarm_rate: in (0, 1).
    false_clearance_rate: in (0, 1).
  """
  _check_inside(
    false_alarm_rate=false_alarm_rate, false_clearance_rate=false_clearance_rate
  )
  is_drop = largest.drop >= -jnp.log(false_alarm_rate)
  is_cleared = largest.no_drop >= -jnp.log(false_clearance_rate)
  other = jnp.where(is_cleared, int(Verdict.NO_DROP), int(Verdict.UNDECIDED))
  verdict = jnp.where(is_drop, int(Verdict.DROP), other).astype(jnp.int32)
  later = jnp.where(
    jnp.arange(len(state.log_joint)) > 0, state.log_joint, -jnp.inf
  )
  place = jnp.argmax(later)
  has_sentence = is_drop & (place > 0)
  position = jnp.where(has_sentence, place, -1)
  sentence = jnp.where(has_sentence, changepoint.guilty_sentence(place), -1)
  return Decision(verdict, has_sentence, position, sentence)


def _check_inside(**rates: Array | float) -> None:
  for name, rate in rates.items():
    if isinstance(rate, int | float) and not 0.0 < rate < 1.0:
      raise ValueError(f'{name} must be in (0, 1): {rate}')

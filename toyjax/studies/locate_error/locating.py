"""Where one trace goes wrong: everything a report says, as numbers."""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey
from toyjax.data import traces
from toyjax.inference import changepoint
from toyjax.inference.changepoint import (
  Beta,
  checks,
  evidence,
  intervals,
  rivals,
  segments,
  segments_drops,
  segments_posterior,
)
from toyjax.settings import Values
from toyjax.studies.locate_error.located import Drop, Located, Place, Scatter

NULL = (1.0, 1.0)  # Beta shapes of a constant rate: uniform.


def locate(trace: traces.Trace, values: Values) -> Located:
  """Returns what is known of a trace, in the precision that JAX has.

  Args:
    trace: from `located.prepare`.
    values: of the settings.
  """
  before, after = rivals.PRIORS[values['prior']]
  prior = changepoint.make_prior(
    before=before, after=after, weights=jnp.ones(len(trace.chunk_indices))
  )
  key = jax.random.key(values['seed'])
  alpha, level = values['alpha'], values['level']
  state, largest = _observe(key, prior, trace, values)
  num_rollouts = round(float(sum(state.total)))

  @jax.jit
  def describe(state: changepoint.State) -> dict[str, Any]:
    uniform = Beta(*map(jnp.asarray, NULL))
    log_e = evidence.log_e_by_change_nats(state, smallest_drop=0.0)
    return {
      'counts': changepoint.counts_by_position(state),
      'posterior': changepoint.posterior(state),
      'mean': changepoint.mean_trajectory(state),
      'band': _band(state, level),
      'confidence': evidence.confidence_set(log_e, error_rate=alpha),
      'tails': checks.prior_tails(state, max_rollouts=num_rollouts),
      'log_e_prior': checks.log_e_prior_nats(state, alternative=uniform),
    }

  one = jax.device_get(describe(state))
  counts = Beta(*map(jnp.asarray, one.pop('counts')))
  scatter = sorted(
    (
      _scatter(counts, rivals.PRIORS[values['prior']], rho, level)
      for rho in values['concentration']
    ),
    key=lambda found: -found.log_evidence_nats,
  )
  evidences = np.asarray([found.log_evidence_nats for found in scatter])
  weights = np.exp(evidences - evidences.max())
  averaged = (weights / weights.sum()) @ [found.probs for found in scatter]
  many, drops = _several_changes(
    jax.random.fold_in(key, 1), counts, scatter[0].concentration, values
  )
  decision = evidence.decide(
    state, largest, false_alarm_rate=alpha, false_clearance_rate=alpha
  )
  return Located(
    trace=trace,
    counts=np.stack(counts, axis=1).round().astype(int),
    **one,
    verdict=evidence.Verdict(int(decision.verdict)),
    log_e=jax.device_get(largest),
    place=_place(one['posterior'], level),
    scatter=tuple(scatter),
    averaged=_place(averaged, level),
    many=many,
    drops=drops,
  )


def _observe(
  key: PRNGKey, prior: changepoint.Prior, trace: traces.Trace, values: Values
) -> tuple[changepoint.State, evidence.Evidence]:
  """Returns the state after all recorded rollouts, or after a replay."""
  options = {
    'null': Beta(*map(jnp.asarray, NULL)),
    'smallest_drop': values['smallest_drop'],
  }
  recorded = Beta(
    jnp.asarray(trace.num_correct, float), jnp.asarray(trace.num_wrong, float)
  )
  if not values['num_rollouts']:
    state = changepoint.condition(prior, recorded)
    judge = functools.partial(evidence.evidence, **options)
    return state, jax.jit(judge)(state)
  rates = recorded.mean()
  replay = functools.partial(
    changepoint.run,
    prior=prior,
    roll_out=lambda key, place: jax.random.bernoulli(key, rates[place]),
    num_rollouts=values['num_rollouts'],
    policy=rivals.STEPWISE[values['policy']],
  )
  state, rollouts = jax.jit(replay)(key)
  judge = functools.partial(evidence.evidence_so_far, prior, **options)
  return state, jax.tree.map(lambda path: path[-1], jax.jit(judge)(rollouts))


def _band(state: changepoint.State, level: float) -> intervals.Band:
  """Returns the band in float32: for a figure, and ten times faster."""
  likely = state.log_joint - jnp.max(state.log_joint)
  single = jax.tree.map(
    lambda values: values.astype(jnp.float32),
    state._replace(log_joint=likely),
  )
  return intervals.trajectory_band(single, level=level)


def _place(probs: Array | np.ndarray, level: float) -> Place:
  """Returns the place of probabilities [T] with sum 1."""
  found = intervals.central_interval(jnp.asarray(probs), level=level)
  return Place(
    int(np.argmax(probs)),
    int(found.lower),
    int(found.upper),
    float(found.probability),
  )


def _condition(
  counts: Beta, num_nodes: int, **prior: Any
) -> tuple[segments.State, segments_posterior.Posterior]:
  """Returns the state of a model of segments, and what it says."""
  state = segments.condition(
    segments.make_prior(
      num_positions=len(counts.successes), num_nodes=num_nodes, **prior
    ),
    counts,
  )
  return state, segments_posterior.posterior(state)


def _num_nodes(counts: Beta) -> int:
  """Returns the nodes that `rate_grid` asks for, 3 √N, for N rollouts."""
  return math.ceil(3.0 * math.sqrt(float(sum(map(jnp.sum, counts)))) + 2.0)


def _scatter(
  counts: Beta,
  shapes: tuple[rivals.Shapes, rivals.Shapes],
  concentration: float,
  level: float,
) -> Scatter:
  """The single-change model with scatter: two segments, the first maybe empty.

  With no scatter this is the single-change model itself.
  """
  num_nodes = _num_nodes(counts)

  @jax.jit
  def infer(counts: Beta) -> segments_posterior.Posterior:
    return _condition(
      counts,
      num_nodes,
      shapes=shapes,
      num_segments_weights=jnp.asarray([0.0, 1.0]),
      change_weights=jnp.ones_like(counts.successes),
      concentration=concentration,
    )[1]

  found = infer(counts)
  probs = found.change_probs / jnp.sum(found.change_probs)
  return Scatter(
    concentration,
    float(found.log_evidence_nats),
    _place(probs, level),
    np.asarray(probs),
  )


def _several_changes(
  key: PRNGKey, counts: Beta, concentration: float, values: Values
) -> tuple[segments_posterior.Posterior, tuple[Drop, ...]]:
  """Returns what is believed of segments, and the three drops."""
  size = len(counts.successes)
  num_nodes = _num_nodes(counts)

  @jax.jit
  def infer(
    key: PRNGKey, counts: Beta
  ) -> tuple[segments_posterior.Posterior, segments_drops.Drops]:
    state, found = _condition(
      counts,
      num_nodes,
      shapes=[NULL],
      num_segments_weights=jnp.ones(min(values['max_segments'], size)),
      change_weights=segments.uniform_change_weights(
        size, size, counts.successes.dtype
      ),
      concentration=concentration,
    )
    drops = segments_drops.sample_drops(
      key,
      state,
      values['num_draws'],
      smallest_fall=values['smallest_drop'],
      recovery=values['recovery'],
    )
    return found, drops

  found, sampled = jax.device_get(infer(key, counts))
  drops = []
  for name in ('first', 'largest', 'last_unrecovered'):
    shares = getattr(sampled, name)
    total = float(jnp.sum(shares.probs[:-1]))
    place = (
      _place(shares.probs[:-1] / total, values['level'])
      if total > 0.0
      else None
    )
    drops.append(Drop(name.replace('_', ' '), shares, place))
  return found, tuple(drops)

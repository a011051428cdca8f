"""Where one trace goes wrong: everything a report says, as numbers."""

from collections.abc import Sequence
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import changepoint_choices
from scripts.shared.located import Drop, Interval, Located, Scatter
from toyjax.data import traces
from toyjax.inference import changepoint
from toyjax.inference.changepoint import (
  Beta,
  checks,
  evidence,
  intervals,
  segments,
  segments_drops,
  segments_posterior,
)

NULL = (1.0, 1.0)  # Beta shapes of a constant rate: uniform.


def locate(trace: traces.Trace, settings: dict[str, Any]) -> Located:
  """Returns what is known of a trace.

  Args:
    trace: from `prepare`.
    settings: the scientific flags of `scripts.locate_error`.
  """
  size = len(trace.chunk_indices)
  before, after = changepoint_choices.PRIORS[settings['prior']]
  prior = changepoint.make_prior(
    before=before, after=after, weights=jnp.ones(size)
  )
  key = jax.random.key(settings['seed'])
  alpha, level = settings['alpha'], settings['level']
  state, largest = _observe(key, prior, trace, settings)
  num_rollouts = round(float(sum(state.total)))

  @jax.jit
  def describe(state: changepoint.State) -> dict[str, Any]:
    uniform = Beta(*map(jnp.asarray, NULL))
    probs = changepoint.posterior(state)
    log_e = evidence.log_e_by_change_nats(state, smallest_drop=0.0)
    return {
      'counts': changepoint.counts_by_position(state),
      'posterior': probs,
      'mean': changepoint.mean_trajectory(state),
      'band': _band(state, level),
      'interval': intervals.central_interval(probs, level=level),
      'confidence': evidence.confidence_set(log_e, error_rate=alpha),
      'tails': checks.prior_tails(state, max_rollouts=num_rollouts),
      'log_e_prior': checks.log_e_prior_nats(state, alternative=uniform),
    }

  one = jax.device_get(describe(state))
  counts = Beta(*map(jnp.asarray, one['counts']))
  scatter = sorted(
    (
      _scatter(counts, before, after, rho, level)
      for rho in settings['concentration']
    ),
    key=lambda found: -found.log_evidence_nats,
  )
  evidences = np.asarray([found.log_evidence_nats for found in scatter])
  weights = np.exp(evidences - evidences.max())
  averaged = (weights / weights.sum()) @ [found.probs for found in scatter]
  drops, numbers, many_mean = _several_changes(
    jax.random.fold_in(key, 1), counts, scatter[0].concentration, settings
  )
  decision = evidence.decide(
    state, largest, false_alarm_rate=alpha, false_clearance_rate=alpha
  )
  return Located(
    trace=trace,
    counts=np.stack(counts, axis=1).round().astype(int),
    posterior=one['posterior'],
    mean=one['mean'],
    lower=one['band'].lower,
    upper=one['band'].upper,
    verdict=evidence.Verdict(int(decision.verdict)),
    log_e_drop=float(largest.drop),
    log_e_no_drop=float(largest.no_drop),
    place=int(np.argmax(one['posterior'])),
    interval=_plain(one['interval']),
    confidence=one['confidence'],
    scatter=tuple(scatter),
    averaged=_central(jnp.asarray(averaged), level),
    averaged_place=int(np.argmax(averaged)),
    drops=drops,
    num_segments=numbers,
    many_mean=many_mean,
    tails=one['tails'],
    log_e_prior=float(one['log_e_prior']),
  )


def _observe(
  key: jax.Array,
  prior: changepoint.Prior,
  trace: traces.Trace,
  settings: dict[str, Any],
) -> tuple[changepoint.State, evidence.Evidence]:
  """Returns the state after all recorded rollouts, or after a replay."""
  options = {
    'null': Beta(*map(jnp.asarray, NULL)),
    'smallest_drop': settings['smallest_drop'],
  }
  recorded = Beta(
    jnp.asarray(trace.num_correct, float), jnp.asarray(trace.num_wrong, float)
  )
  if not settings['num_rollouts']:
    state = changepoint.condition(prior, recorded)
    return state, jax.jit(lambda state: evidence.evidence(state, **options))(
      state
    )
  rates = recorded.mean()
  policy = changepoint_choices.STEPWISE[settings['policy']]

  @jax.jit
  def replay(key: jax.Array):
    return changepoint.run(
      key,
      prior,
      lambda key, position: jax.random.bernoulli(key, rates[position]),
      settings['num_rollouts'],
      policy,
    )

  state, rollouts = replay(key)
  path = jax.jit(
    lambda rollouts: evidence.evidence_so_far(prior, rollouts, **options)
  )(rollouts)
  return state, jax.tree.map(lambda values: values[-1], path)


def _band(state: changepoint.State, level: float) -> intervals.Band:
  """Returns the band in float32: for a figure, and ten times faster."""
  likely = state.log_joint - jnp.max(state.log_joint)
  single = jax.tree.map(
    lambda values: values.astype(jnp.float32),
    state._replace(log_joint=likely),
  )
  return intervals.trajectory_band(single, level=level)


def _central(probs: jax.Array, level: float) -> Interval:
  return _plain(intervals.central_interval(probs, level=level))


def _plain(found: intervals.PositionInterval) -> Interval:
  return Interval(int(found.lower), int(found.upper), float(found.probability))


def _num_nodes(counts: Beta) -> int:
  """Returns the nodes that `rate_grid` asks for, 3 √N, for N rollouts."""
  return math.ceil(3.0 * math.sqrt(float(sum(map(jnp.sum, counts)))) + 2.0)


def _scatter(
  counts: Beta,
  before: tuple[float, float],
  after: tuple[float, float],
  concentration: float,
  level: float,
) -> Scatter:
  """The single-change model with scatter: two segments, the first maybe empty.

  With no scatter this is the single-change model itself.
  """
  size = len(counts.successes)
  num_nodes = _num_nodes(counts)

  @jax.jit
  def infer(counts: Beta) -> segments_posterior.Posterior:
    prior = segments.make_prior(
      shapes=(before, after),
      num_segments_weights=jnp.asarray([0.0, 1.0]),
      change_weights=jnp.ones(size),
      num_positions=size,
      concentration=concentration,
      num_nodes=num_nodes,
    )
    return segments_posterior.posterior(segments.condition(prior, counts))

  found = infer(counts)
  probs = found.change_probs / jnp.sum(found.change_probs)
  return Scatter(
    concentration,
    float(found.log_evidence_nats),
    int(jnp.argmax(found.change_probs)),
    _central(probs, level),
    np.asarray(probs),
  )


def _several_changes(
  key: jax.Array,
  counts: Beta,
  concentration: float,
  settings: dict[str, Any],
) -> tuple[tuple[Drop, ...], np.ndarray, np.ndarray]:
  """Returns the three drops, the number of segments and the mean rates."""
  size = len(counts.successes)
  most = min(settings['max_segments'], size)
  num_nodes = _num_nodes(counts)

  @jax.jit
  def infer(
    key: jax.Array, counts: Beta
  ) -> tuple[segments_posterior.Posterior, segments_drops.Drops]:
    prior = segments.make_prior(
      shapes=[NULL],
      num_segments_weights=jnp.ones(most),
      change_weights=segments.uniform_change_weights(
        size, size, counts.successes.dtype
      ),
      num_positions=size,
      concentration=concentration,
      num_nodes=num_nodes,
    )
    state = segments.condition(prior, counts)
    drops = segments_drops.sample_drops(
      key,
      state,
      settings['num_draws'],
      smallest_fall=settings['smallest_drop'],
      recovery=settings['recovery'],
    )
    return segments_posterior.posterior(state), drops

  found, sampled = infer(key, counts)
  named: Sequence[tuple[str, segments_drops.Shares]] = (
    ('first', sampled.first),
    ('largest', sampled.largest),
    ('last unrecovered', sampled.last_unrecovered),
  )
  drops = tuple(
    _drop(name, shares, settings['level']) for name, shares in named
  )
  return (
    drops,
    np.asarray(found.num_segments_probs),
    np.asarray(found.mean_rates),
  )


def _drop(name: str, shares: segments_drops.Shares, level: float) -> Drop:
  probs = shares.probs[:-1]
  total = float(jnp.sum(probs))
  place = int(jnp.argmax(probs))
  return Drop(
    name,
    float(shares.probs[-1]),
    place,
    float(probs[place]),
    float(shares.standard_errors[place]),
    _central(probs / total, level) if total > 0.0 else None,
  )

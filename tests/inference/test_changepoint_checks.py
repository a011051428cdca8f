"""Warnings that p₂'s prior is wrong: SciPy's beta-binomial and simulation."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

from tests import references_changepoint_evidence as references
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta, checks, evidence

BEFORE, AFTER = (2.0, 2.0), (1.0, 19.0)

condition = jax.jit(changepoint.condition)
prior_tails = jax.jit(checks.prior_tails, static_argnames='max_rollouts')


def conditioned(successes, failures, dtype):
  prior = changepoint.make_prior(
    before=BEFORE, after=AFTER, weights=jnp.ones(len(successes), dtype)
  )
  counts = Beta(jnp.asarray(successes, dtype), jnp.asarray(failures, dtype))
  return condition(prior, counts)


@pytest.mark.parametrize(
  ('dtype', 'tolerance'),
  [
    ('float32', 1e-4),
    ('float64', 1e-11),
  ],
)
def test_tails_are_those_of_the_beta_binomial(dtype, tolerance):
  rng = np.random.default_rng(1)
  for _ in range(5):
    successes, failures = rng.integers(0, 5, (2, 4))
    with jax.enable_x64(dtype == 'float64'):
      found = checks.prior_tails(
        conditioned(successes, failures, dtype), max_rollouts=40
      )
      assert found.lower.dtype == found.upper.dtype == dtype
    logs = references.log_joint(successes, failures, BEFORE, AFTER, np.ones(4))
    lower = upper = 0.0
    for change, log in enumerate(logs):
      weight = math.exp(log - references.log_sum(logs))
      _, (seen, failed) = references.sides(successes, failures, change)
      predictive = scipy.stats.betabinom(int(seen + failed), *AFTER)
      lower += weight * predictive.cdf(seen)
      upper += weight * predictive.sf(seen - 1)
    np.testing.assert_allclose(found, [lower, upper], rtol=tolerance)


def test_no_rollouts_no_warning_and_too_many_are_no_number():
  none = conditioned(np.zeros(3), np.zeros(3), 'float32')
  np.testing.assert_allclose(
    prior_tails(none, max_rollouts=0), [1.0, 1.0], rtol=1e-6
  )
  some = conditioned([2, 0, 0], [0, 0, 2], 'float32')
  assert np.all(np.isfinite(prior_tails(some, max_rollouts=4)))
  assert np.all(np.isnan(prior_tails(some, max_rollouts=3)))
  with pytest.raises(ValueError, match=r'max_rollouts.*-1'):
    checks.prior_tails(some, max_rollouts=-1)


def test_the_e_value_is_a_ratio_of_evidences():
  successes, failures = np.asarray([4, 1, 2]), np.asarray([0, 3, 2])
  other = (3.0, 7.0)
  with jax.enable_x64(True):
    found = jax.jit(checks.log_e_prior_nats)(
      conditioned(successes, failures, 'float64'), alternative=Beta(*other)
    )
  truth = [
    references.log_sum(
      references.log_joint(successes, failures, BEFORE, after, np.ones(3))
    )
    for after in (other, AFTER)
  ]
  assert float(found) == pytest.approx(truth[0] - truth[1], abs=1e-11)


def simulate(draw_after, num_repeats, size=8, num_rollouts=60):
  """Returns an error, the largest e-value ever, the last tails, [repeats]."""
  prior = changepoint.make_prior(
    before=BEFORE, after=AFTER, weights=jnp.ones(size)
  )
  alternative = Beta(jnp.ones(()), jnp.ones(()))

  def one(key):
    keys = jax.random.split(key, 4)
    change = jax.random.randint(keys[0], (), 0, size)
    rates = jnp.where(
      jnp.arange(size) < change,
      jax.random.beta(keys[1], *BEFORE),
      draw_after(keys[2]),
    )
    state, rollouts = changepoint.run(
      keys[3],
      prior,
      lambda key, t: jax.random.uniform(key) < rates[t],
      num_rollouts,
    )
    # Both evidences step by step: the e-value without a gamma function.
    other, own = (
      evidence.replay(model, rollouts, changepoint.log_evidence_nats)
      for model in (prior._replace(after=alternative), prior)
    )
    path = other - own
    error = jnp.abs(
      path[-1] - checks.log_e_prior_nats(state, alternative=alternative)
    )
    return (
      error,
      jnp.max(path),
      checks.prior_tails(state, max_rollouts=num_rollouts),
    )

  keys = jax.random.split(jax.random.key(3), num_repeats)
  return jax.tree.map(np.asarray, jax.jit(jax.vmap(one))(keys))


def test_warnings_are_rare_under_the_prior_and_come_where_it_is_wrong():
  num_repeats, error_rate = 300, 0.1
  bar = error_rate + 5.0 * math.sqrt(
    error_rate * (1.0 - error_rate) / num_repeats
  )
  error, log_e, _ = simulate(
    lambda key: jax.random.beta(key, *AFTER), num_repeats
  )
  assert np.all(error <= 1e-3)
  assert np.mean(log_e >= -math.log(error_rate)) <= bar
  _, log_e, tails = simulate(lambda key: 0.5, num_repeats)
  assert np.mean(log_e >= -math.log(error_rate)) > 0.5
  assert np.mean(tails.upper < 0.01) > 0.2
  # Too many successes are no sign of too few.
  assert np.mean(tails.lower < 0.01) < 0.01

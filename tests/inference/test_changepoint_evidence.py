"""Evidence after every rollout, against enumeration."""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_evidence as references
from tests.inference.evidence_prior import AFTER, BEFORE, NULL, make_prior
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta, evidence
from toyjax.inference.changepoint.evidence import Verdict

TOLERANCES = {'float32': 2e-5, 'float64': 1e-11}


def random_rollouts(num_positions, num_rollouts, seed):
  rng = np.random.default_rng(seed)
  positions = rng.integers(0, num_positions, num_rollouts)
  return positions, rng.random(num_rollouts) < rng.random()


def counts_of(positions, successes, num_positions):
  """Returns successes and failures at each position."""
  return (
    np.bincount(positions[successes], minlength=num_positions),
    np.bincount(positions[~successes], minlength=num_positions),
  )


def reference_values(successes, failures, weights, smallest_drop):
  """Returns the Bayes factor and all e-values, in nats, from definitions."""
  size = len(successes)
  logs = references.log_joint(successes, failures, BEFORE, AFTER, weights)
  change = references.log_sum(logs)
  total = [float(successes.sum())], [float(failures.sum())]
  null = references.log_marginal(NULL, total[0][0], total[1][0])
  share = total[0][0] / max(total[0][0] + total[1][0], 1.0)
  constant = references.log_likelihood(*total, [share])
  rising = references.log_likelihood(
    successes,
    failures,
    references.pool_adjacent_violators(successes, failures),
  )
  best = [
    references.best_with_drop(
      *references.sides(successes, failures, tau), smallest_drop
    )
    for tau in range(size)
  ]
  drops = [b for tau, b in enumerate(best) if tau > 0 and weights[tau] > 0]
  by_change = [
    change - b if weight > 0 else math.inf for b, weight in zip(best, weights)
  ]
  return {
    'bayes_factor': change - null,
    'change': change - constant,
    'drop': change - rising,
    'no_drop': null - max(drops),
    'by_change': by_change,
  }


def measured_values(state, smallest_drop):
  return {
    'bayes_factor': evidence.log_bayes_factor_nats(state, null=NULL),
    'change': evidence.log_e_change_nats(state),
    'drop': evidence.log_e_drop_nats(state),
    'no_drop': evidence.log_e_no_drop_nats(
      state, null=NULL, smallest_drop=smallest_drop
    ),
    'by_change': evidence.log_e_by_change_nats(
      state, smallest_drop=smallest_drop
    ),
  }


@jax.jit
def replay_values(prior, rollouts, smallest_drop):
  return evidence.replay(
    prior,
    rollouts,
    functools.partial(measured_values, smallest_drop=smallest_drop),
  )


@pytest.mark.parametrize('dtype', TOLERANCES)
def test_every_value_after_every_rollout_is_its_definition(dtype):
  weights = np.asarray([1.0, 3.0, 0.0, 2.0, 1.0])
  for seed, smallest_drop in enumerate((0.0, 0.0, 0.3, 0.3)):
    positions, successes = random_rollouts(5, 12, seed)
    with jax.enable_x64(dtype == 'float64'):
      path = replay_values(
        make_prior(weights, dtype),
        changepoint.Rollout(jnp.asarray(positions), jnp.asarray(successes)),
        smallest_drop,
      )
    for n in range(1, 13):
      counts = counts_of(positions[:n], successes[:n], 5)
      truth = reference_values(*counts, weights, smallest_drop)
      for name, value in truth.items():
        assert path[name].dtype == dtype
        bar = TOLERANCES[dtype] * 100
        np.testing.assert_allclose(
          path[name][n - 1],
          value,
          rtol=TOLERANCES[dtype],
          atol=bar,
          err_msg=name,
        )


def test_the_null_takes_its_share_of_the_belief():
  condition = jax.jit(changepoint.condition)
  state = condition(
    make_prior(np.ones(4), 'float32'),
    Beta(jnp.asarray([5.0, 0.0, 1.0, 0.0]), jnp.asarray([0.0, 0.0, 4.0, 3.0])),
  )
  factor = math.exp(evidence.log_bayes_factor_nats(state, null=NULL))
  for prior in (0.2, 0.5, 0.9):
    found = evidence.null_probability(state, null=NULL, prior_probability=prior)
    assert float(found) == pytest.approx(
      prior / (prior + (1.0 - prior) * factor), rel=1e-4
    )
  # 5 of 5 before, 0 of 7 after: a change, and a thousand to one or more.
  clear = condition(
    state.prior,
    Beta(jnp.asarray([9.0, 0.0, 0.0, 0.0]), jnp.asarray([0.0, 0.0, 9.0, 9.0])),
  )
  assert (
    evidence.null_probability(clear, null=NULL, prior_probability=0.5) < 1e-3
  )
  assert evidence.null_probability(
    changepoint.init(state.prior), null=NULL, prior_probability=0.3
  ) == pytest.approx(0.3, rel=1e-6)


def test_running_values_are_the_largest_so_far():
  prior = make_prior(np.ones(6), 'float32')
  rollouts = changepoint.Rollout(*map(jnp.asarray, random_rollouts(6, 20, 5)))
  settings = {'null': NULL, 'smallest_drop': 0.3}
  path = jax.jit(functools.partial(evidence.evidence_so_far, **settings))(
    prior, rollouts
  )

  @jax.jit
  def tell(state, largest, rollout):
    state = changepoint.update(state, *rollout)
    now = evidence.evidence(state, **settings)
    return state, jax.tree.map(jnp.maximum, largest, now)

  state = changepoint.init(prior)
  largest = evidence.Evidence(jnp.asarray(-jnp.inf), jnp.asarray(-jnp.inf))
  for n in range(20):
    rollout = jax.tree.map(lambda field, n=n: field[n], rollouts)
    state, largest = tell(state, largest, rollout)
    np.testing.assert_allclose(
      largest, [path.drop[n], path.no_drop[n]], rtol=1e-5, atol=1e-5
    )


def test_before_any_rollout_every_value_is_one():
  state = changepoint.init(make_prior(np.ones(6), 'float32'))
  found = jax.jit(functools.partial(measured_values, smallest_drop=0.3))(state)
  for value in found.values():
    np.testing.assert_allclose(value, np.zeros(value.shape), atol=1e-6)


def test_padding_changes_nothing():
  positions, successes = random_rollouts(5, 15, seed=6)
  rollouts = changepoint.Rollout(jnp.asarray(positions), jnp.asarray(successes))
  alone, padded = (
    replay_values(make_prior(weights, 'float32'), rollouts, 0.2)
    for weights in (np.ones(5), [1, 1, 1, 1, 1, 0, 0])
  )
  assert np.all(np.isposinf(padded['by_change'][:, 5:]))
  padded['by_change'] = padded['by_change'][:, :5]
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-5),
    alone,
    padded,
  )


def test_vmap_is_a_loop():
  prior = make_prior(np.ones(5), 'float32')
  several = [random_rollouts(5, 10, seed) for seed in range(4)]
  rollouts = changepoint.Rollout(
    *map(jnp.asarray, map(np.stack, zip(*several)))
  )
  find = jax.jit(
    functools.partial(
      evidence.evidence_so_far, prior, null=NULL, smallest_drop=0.2
    )
  )
  together = jax.vmap(find)(rollouts)
  for i in range(4):
    alone = find(jax.tree.map(lambda x, i=i: x[i], rollouts))
    for a, b in zip(alone, together):
      np.testing.assert_allclose(a, b[i], rtol=1e-5, atol=1e-5)


def decide(log_joint, drop, no_drop):
  prior = make_prior(np.ones(len(log_joint)), 'float32')
  state = changepoint.init(prior)._replace(log_joint=jnp.asarray(log_joint))
  decision = evidence.decide(
    state,
    evidence.Evidence(jnp.asarray(drop), jnp.asarray(no_drop)),
    false_alarm_rate=0.1,
    false_clearance_rate=0.01,
  )
  return Verdict(int(decision.verdict)), *map(int, decision[1:])


def test_verdicts():
  log_joint = [-1.0, -3.0, -2.0, -9.0]
  # The thresholds are ln 10 = 2.303 and ln 100 = 4.605.
  assert decide(log_joint, 2.2, 4.6) == (Verdict.UNDECIDED, 0, -1, -1)
  assert decide(log_joint, 2.2, 4.7) == (Verdict.NO_DROP, 0, -1, -1)
  assert decide(log_joint, 2.4, 4.6) == (Verdict.DROP, 1, 2, 1)
  assert decide(log_joint, 2.4, 4.7) == (Verdict.DROP, 1, 2, 1)
  # The first sentence is guilty where the second position is the first low one.
  assert decide([-1.0, -1.0], 2.4, 0.0) == (Verdict.DROP, 1, 1, 0)


def test_a_single_position_cannot_fall():
  prior = make_prior(np.ones(1), 'float32')
  state = jax.jit(changepoint.condition)(
    prior, Beta(jnp.ones(1), jnp.ones(1) * 9)
  )
  now = jax.jit(
    functools.partial(evidence.evidence, null=NULL, smallest_drop=0.2)
  )(state)
  assert now.drop < 0.0
  assert now.no_drop == jnp.inf


@pytest.mark.parametrize('rate', [0.0, 1.0, -0.5])
def test_impossible_rates_are_refused(rate):
  state = changepoint.init(make_prior(np.ones(3), 'float32'))
  zero = evidence.Evidence(jnp.zeros(()), jnp.zeros(()))
  with pytest.raises(ValueError, match=f'prior_probability.*{rate}'):
    evidence.null_probability(state, null=NULL, prior_probability=rate)
  with pytest.raises(ValueError, match=f'error_rate.*{rate}'):
    evidence.confidence_set(jnp.zeros(3), error_rate=rate)
  with pytest.raises(ValueError, match=f'false_alarm_rate.*{rate}'):
    evidence.decide(
      state, zero, false_alarm_rate=rate, false_clearance_rate=0.1
    )

"""Policies: what they draw, how they break ties, masks and maps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_policies as references
from toyjax.inference import changepoint
from toyjax.inference.changepoint import policies, rivals
from toyjax.lanes import lanes

OUTCOMES = [(2, 1), (7, 0), (5, 1), (6, 0), (4, 1), (2, 0)]
SIGMAS = 5.0


def _prior(weights, before=(2.0, 2.0), after=(1.0, 19.0)):
  return changepoint.make_prior(
    before=before, after=after, weights=jnp.asarray(weights)
  )


def _state(prior, outcomes=OUTCOMES):
  state = changepoint.init(prior)
  for position, success in outcomes:
    state = changepoint.update(state, position, success)
  return state


def _roll_out(rates):
  return lambda key, position: jax.random.uniform(key) < rates[position]


def _draws(policy, state, num=4000):
  keys = jax.random.split(jax.random.key(1), num)
  return np.asarray(jax.jit(jax.vmap(policy, (0, None)))(keys, state))


def _assert_shares(draws, probs):
  """Counts within 5 standard errors of what the probabilities say."""
  num = len(draws)
  shares = np.bincount(draws, minlength=len(probs)) / num
  errors = np.sqrt(probs * (1 - probs) / num)
  assert (np.abs(shares - probs) <= SIGMAS * errors + 1e-9).all(), shares


def test_uniform_draws_every_included_position_alike():
  weights = np.array([0.0, 1, 2, 0, 1, 1, 0, 0], np.float32)
  draws = _draws(policies.by_uniform, _state(_prior(weights), []))
  _assert_shares(draws, (weights > 0) / 4)


def test_thompson_draws_the_posterior_and_the_position_before():
  weights = [1.0, 1, 0, 1, 1, 2, 1, 1, 1, 0]
  prior = _prior(np.array(weights, np.float32))
  posterior = references.posterior(((2, 2), (1, 19), weights), OUTCOMES)
  before = {0: 0, 1: 0, 3: 1, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7}
  probs = 0.5 * posterior
  for change, position in before.items():
    probs[position] += 0.5 * posterior[change]
  _assert_shares(_draws(policies.by_thompson, _state(prior)), probs)


def test_median_is_the_first_position_with_half_of_the_mass_up_to_it():
  for num_outcomes in range(len(OUTCOMES) + 1):
    outcomes = OUTCOMES[:num_outcomes]
    posterior = references.posterior(((2, 2), (1, 19), [1] * 9), outcomes)
    state = _state(_prior(np.ones(9, np.float32)), outcomes)
    median = policies.by_median(jax.random.key(0), state)
    assert median == np.argmax(np.cumsum(posterior) >= 0.5)


def test_split_median_halves_the_posterior_on_average():
  state = _state(_prior(np.ones(9, np.float32)))
  reached = np.cumsum(
    references.posterior(((2, 2), (1, 19), [1] * 9), OUTCOMES)
  )
  median = int(np.argmax(reached >= 0.5))
  before = (reached[median] - 0.5) / (reached[median] - reached[median - 1])
  probs = np.zeros(9)
  probs[[median - 1, median]] = before, 1 - before
  assert 0.05 < before < 0.95
  draws = _draws(policies.by_split_median, state)
  _assert_shares(draws, probs)
  error = np.std(reached[draws]) / np.sqrt(len(draws))
  assert abs(reached[draws].mean() - 0.5) <= SIGMAS * error


def test_expected_entropy_is_the_information_gain_where_nothing_ties():
  state = _state(_prior(np.ones(9, np.float32)))
  gains = [
    references.joint_information(
      ((2, 2), (1, 19), [1] * 9), OUTCOMES, [position]
    )
    for position in range(9)
  ]
  position = policies.by_expected_entropy(jax.random.key(0), state)
  assert position == np.argmax(gains) == changepoint.select(state)


@pytest.mark.parametrize('size', [1, 2, 7, 8])
@pytest.mark.parametrize('padding', [0, 3])
def test_expected_entropy_ties_go_to_the_middle(size, padding):
  """Equal priors: no first rollout tells anything, whatever the position."""
  weights = np.zeros(16)
  weights[padding : padding + size] = 1.0
  prior = _prior(weights.astype(np.float32), (0.5, 0.5), (0.5, 0.5))
  state = changepoint.init(prior)
  np.testing.assert_allclose(
    changepoint.information_gains_nats(state)[padding : padding + size],
    0.0,
    atol=1e-6,
  )
  position = policies.by_expected_entropy(jax.random.key(0), state)
  assert position == padding + size - 1 - size // 2


@pytest.mark.parametrize('name', rivals.STEPWISE)
def test_rivals_of_policies_spend_their_budget_whatever_the_padding(name):
  """Eight positions by `lanes` are eight of twelve by `jax.vmap`.

  In float64, and with weights of no pattern: no two positions are then within
  rounding of each other, so that no pick is decided by last bits.
  """
  rival = rivals.RIVALS[name].rival

  def trial(key, weights):
    change_key, find_key = jax.random.split(key)
    change = jax.random.randint(change_key, (), 1, 8)
    rates = jnp.where(jnp.arange(12) < change, 0.9, 0.05)
    found = rival.find(find_key, _prior(weights), _roll_out(rates), 40)
    counts = changepoint.counts_by_position(found.state)
    posterior = changepoint.posterior(found.state)
    return change, found._replace(state=(posterior, counts))

  weights = np.random.default_rng(4).uniform(0.8, 1.2, (8, 8))
  with jax.enable_x64(True):
    keys = jax.random.split(jax.random.key(3), 8)
    run, run_padded = (jax.jit(mapper(trial)) for mapper in (lanes, jax.vmap))
    changes, found = run(keys, weights)
    _, padded = run_padded(keys, np.pad(weights, ((0, 0), (0, 4))))
  posterior, counts = padded.state
  assert posterior.dtype == np.float64
  assert (posterior[:, 8:] == 0).all()
  cut = posterior[:, :8], changepoint.Beta(*(c[:, :8] for c in counts))
  jax.tree.map(
    lambda one, other: np.testing.assert_allclose(one, other, atol=1e-9),
    found,
    padded._replace(state=cut),
  )
  np.testing.assert_array_equal(sum(found.state[1]).sum(1), 40)
  assert (found.num_rollouts == 40).all()
  is_adaptive = rival.design == policies.Design.ADAPTIVE
  assert (found.num_rounds == (40 if is_adaptive else 1)).all()
  assert np.mean(np.abs(found.location - changes) <= 1) >= 0.7


def test_ranks_and_positions():
  included = jnp.array([False, True, False, True, True, False])
  found = [int(policies.position_of_rank(included, rank)) for rank in range(5)]
  assert found == [1, 3, 4, 5, 5]

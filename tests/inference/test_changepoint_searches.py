"""Searches and fixed designs against plain loops over the same draws."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_policies as references
from toyjax.inference import changepoint
from toyjax.inference.changepoint import designs, pivotal, searches
from toyjax.inference.changepoint.policies import Design
from toyjax.lanes import lanes

EPIC = (4, 20, 4, 4, 0.15, 0.45)
SEARCHES = {
  'omega': (
    searches.omega_bisection(num_per_node=8, low_share=0.0),
    lambda budget, num: references.omega(budget, num, 8, 0.0),
  ),
  'omega_fair': (
    searches.omega_bisection(num_per_node=8, low_share=0.25),
    lambda budget, num: references.omega(budget, num, 8, 0.25),
  ),
  'adaptive': (
    searches.adaptive_bisection(
      num_successes=4,
      most_at_first=20,
      least_per_node=4,
      multiple=4,
      hard_share=0.15,
      easy_share=0.45,
    ),
    lambda budget, num: references.adaptive(budget, num, EPIC),
  ),
  'pivotal': (
    pivotal.pivotal_search(num_per_node=8, least_gap=0.2),
    lambda budget, num: references.pivotal(budget, num, 8, 0.2),
  ),
}


def _prior(weights):
  return changepoint.make_prior(
    before=(2.0, 2.0),
    after=(1.0, 19.0),
    weights=jnp.asarray(weights, jnp.float32),
  )


def _uniforms(key, num):
  """Returns the draw of each rollout, as a search with `_roll_out` makes it."""

  def draw(index):
    _, rollout_key = jax.random.split(jax.random.fold_in(key, index))
    return jax.random.uniform(rollout_key)

  return jax.vmap(draw)(jnp.arange(num))


def _roll_out(rates):
  return lambda key, position: jax.random.uniform(key) < rates[position]


SIZE = 13
NUM_TRACES = 60


@functools.cache
def _find_all(name, budget, mapper):
  """Returns (keys, weights, rates) -> Found with counts for a state."""
  rival = searches.rival_of_search(SEARCHES[name][0])

  def trial(key, weights, rates):
    found = rival.find(key, _prior(weights), _roll_out(rates), budget)
    counts = changepoint.counts_by_position(found.state)
    return found._replace(state=counts)

  return jax.jit(mapper(trial))


def _keys(seed):
  return jax.random.split(jax.random.key(seed), NUM_TRACES)


def _traces():
  """Returns the number of positions, weights and rates of all traces."""
  rng = np.random.default_rng(0)
  num_positions = rng.choice([1, 2, 5, SIZE], NUM_TRACES)
  changes = rng.integers(0, num_positions + 1, NUM_TRACES)
  rates = np.where(
    np.arange(SIZE) < changes[:, None],
    rng.choice([0.5, 0.9, 1.0], (NUM_TRACES, 1)),
    rng.choice([0.0, 0.1], (NUM_TRACES, 1)),
  )
  weights = np.arange(SIZE) < num_positions[:, None]
  return num_positions, weights, rates.astype(np.float32)


@pytest.mark.parametrize('name', SEARCHES)
@pytest.mark.parametrize('budget', [20, 300])
def test_searches_follow_their_rules(name, budget):
  num_positions, weights, rates = _traces()
  keys = _keys(4)
  found = _find_all(name, budget, jax.vmap)(keys, weights, rates)
  uniforms = jax.vmap(_uniforms, (0, None))(keys, budget)
  num_complete = 0
  for index in range(NUM_TRACES):
    one = references.Budget(rates[index], np.asarray(uniforms[index]))
    location, is_complete = SEARCHES[name][1](one, num_positions[index])
    assert found.location[index] == location, index
    assert found.is_complete[index] == is_complete
    assert found.num_rollouts[index] == one.used <= budget
    assert found.num_rounds[index] == one.nodes
    num_complete += is_complete
  assert (num_complete == NUM_TRACES) == (budget == 300)


@pytest.mark.parametrize('name', SEARCHES)
def test_searches_are_right_where_rollouts_never_err(name):
  """Rates 1 and 0: any change is found; none low gives one past the last."""
  changes = np.arange(NUM_TRACES) % (SIZE + 1)
  rates = (np.arange(SIZE) < changes[:, None]).astype(np.float32)
  weights = np.ones((NUM_TRACES, SIZE), bool)
  found = _find_all(name, 300, jax.vmap)(_keys(5), weights, rates)
  if name == 'pivotal':
    changes[changes == 0] = SIZE  # Nothing falls where all is low.
  np.testing.assert_array_equal(found.location, changes)
  assert found.is_complete.all()


@pytest.mark.parametrize('name', SEARCHES)
def test_searches_skip_excluded_positions(name):
  rng = np.random.default_rng(1)
  weights = rng.uniform(size=(NUM_TRACES, SIZE)) < 0.6
  weights[:, 2] = True
  changes = rng.integers(3, SIZE + 1, NUM_TRACES)
  rates = (np.arange(SIZE) < changes[:, None]).astype(np.float32)
  found = _find_all(name, 300, jax.vmap)(_keys(6), weights, rates)
  assert not np.asarray(sum(found.state))[~weights].any()
  expected = [
    next((t for t in range(SIZE) if row[t] and t >= change), None)
    or np.flatnonzero(row)[-1] + 1
    for row, change in zip(weights, changes, strict=True)
  ]
  np.testing.assert_array_equal(found.location, expected)


@pytest.mark.parametrize('name', SEARCHES)
def test_searches_under_lanes(name):
  _, weights, rates = _traces()
  one, other = (
    _find_all(name, 20, mapper)(_keys(7), weights, rates)
    for mapper in (lanes, jax.vmap)
  )
  jax.tree.map(np.testing.assert_array_equal, one, other)


def test_searches_reject_impossible_settings():
  with pytest.raises(ValueError, match='num_per_node 0'):
    searches.omega_bisection(num_per_node=0, low_share=0.0)
  with pytest.raises(ValueError, match='5 successes of 4'):
    searches.adaptive_bisection(
      num_successes=5,
      most_at_first=4,
      least_per_node=1,
      multiple=1,
      hard_share=0.1,
      easy_share=0.2,
    )
  with pytest.raises(ValueError, match='least_gap 0'):
    pivotal.pivotal_search(num_per_node=1, least_gap=0)
  with pytest.raises(ValueError, match='least_drop -1'):
    designs.cliff_test(least_drop=-1, num_errors=1.0)


# ----- Fixed designs -----


def test_exhaustive_spreads_its_budget_and_takes_the_most_probable():
  rates = jnp.where(jnp.arange(10) < 6, 0.8, 0.05)
  weights = np.r_[np.zeros(1), np.ones(7), np.zeros(2)]
  find = jax.jit(
    lambda key: designs.exhaustive().find(
      key, _prior(weights), _roll_out(rates), 72
    ),
  )
  found = find(jax.random.key(8))
  counts = changepoint.counts_by_position(found.state)
  np.testing.assert_array_equal(
    sum(counts), [0, 11, 11, 10, 10, 10, 10, 10, 0, 0]
  )
  outcomes = [
    (t, y)
    for t in range(10)
    for y, count in ((1, counts.successes[t]), (0, counts.failures[t]))
    for _ in range(int(count))
  ]
  posterior = references.posterior(((2, 2), (1, 19), list(weights)), outcomes)
  np.testing.assert_allclose(
    changepoint.posterior(found.state), posterior, atol=1e-5
  )
  assert found.location == np.argmax(posterior) == 6
  assert found.num_rollouts == 72
  assert found.num_rounds == 1


def test_rollouts_everywhere_have_the_rates_and_fresh_keys():
  rates = jnp.array([0.0, 0.3, 0.3, 1.0])
  counts = designs.roll_out_everywhere(
    jax.random.key(9), jnp.ones(4, bool), _roll_out(rates), jnp.full(4, 2000)
  )
  errors = np.sqrt(2000 * rates * (1 - rates))
  assert (np.abs(counts.successes - 2000 * rates) <= 5 * errors).all()
  assert counts.successes[1] != counts.successes[2]


@pytest.mark.parametrize('num_each', [16, 64])
def test_cliffs_are_those_of_the_published_rule(num_each):
  rng = np.random.default_rng(num_each)
  right = rng.binomial(num_each, rng.uniform(size=(200, 9)))
  counts = changepoint.Beta(
    jnp.asarray(right, float), jnp.asarray(num_each - right, float)
  )
  found = jax.vmap(
    lambda counts: designs.first_cliff(
      counts, jnp.ones(9, bool), least_drop=0.1, num_errors=1.645
    )
  )(counts)
  expected = [
    references.first_cliff(row, num_each, 0.1, 1.645) for row in right
  ]
  assert len(set(expected)) > 3
  np.testing.assert_array_equal(found, expected)


def test_cliff_test_uses_what_divides_the_budget():
  rates = jnp.where(jnp.arange(8) < 3, 0.9, 0.2)
  rival = designs.cliff_test(least_drop=0.1, num_errors=1.645)
  weights = np.r_[np.ones(6), np.zeros(2)]
  find = jax.jit(
    lambda rates: rival.find(
      jax.random.key(10), _prior(weights), _roll_out(rates), 64 * 6 + 5
    ),
  )
  found = find(rates)
  assert found.location == 3
  assert found.num_rollouts == 64 * 6
  flat = find(jnp.zeros(8))
  assert flat.location == 6
  assert rival.design == Design.FIXED

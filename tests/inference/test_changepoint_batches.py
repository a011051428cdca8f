"""Batches: joint information by its definition, greedy picks, pending ones."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_policies as references
from toyjax.inference import changepoint
from toyjax.inference.changepoint import batches

OUTCOMES = [(1, 1), (5, 0), (3, 1), (4, 0), (3, 0)]
WEIGHTS = [1.0, 1.0, 2.0, 1.0, 1.0, 0.0, 1.0]
PRIOR = ((2.0, 2.0), (1.0, 19.0), WEIGHTS)


def _state(dtype, outcomes=OUTCOMES):
  counts = np.zeros((2, len(WEIGHTS)))
  for position, success in outcomes:
    counts[1 - success, position] += 1
  prior = changepoint.make_prior(
    before=PRIOR[0], after=PRIOR[1], weights=jnp.asarray(WEIGHTS, dtype)
  )
  return changepoint.condition(
    prior, changepoint.Beta(*jnp.asarray(counts, dtype))
  )


def _pending(positions, is_used=None):
  is_used = [True] * len(positions) if is_used is None else is_used
  return batches.Pending(
    jnp.asarray(positions, jnp.int32), jnp.asarray(is_used, bool)
  )


@pytest.mark.parametrize(
  'picks', [[3], [2, 3], [3, 3], [2, 2, 4, 1], [0, 3, 3, 3, 6]]
)
def test_joint_information_is_its_definition(picks):
  with jax.enable_x64(True):
    gain = jax.jit(batches.joint_information_nats)(
      _state('float64'), jnp.asarray(picks)
    )
    expected = references.joint_information(PRIOR, OUTCOMES, picks)
    np.testing.assert_allclose(gain, expected, atol=1e-12)


def test_outcomes_given_the_change_are_exchangeable_not_independent():
  """Order does not matter; a repeat tells less than a first, but not nothing.

  Products of single predictives would give another number.
  """
  with jax.enable_x64(True):
    state = _state('float64')
    joint = jax.jit(batches.joint_information_nats)
    orders = [[2, 3, 3], [3, 2, 3], [3, 3, 2]]
    values = [joint(state, jnp.asarray(order)) for order in orders]
    np.testing.assert_allclose(values, values[0], rtol=1e-10)
    one, two = (joint(state, jnp.asarray([3] * num)) for num in (1, 2))
    assert one < two < 2 * one


@pytest.mark.parametrize(
  ('batch_size', 'pending'), [(1, [3]), (2, [3, 3]), (4, [])]
)
def test_greedy_picks_are_those_of_the_definition(batch_size, pending):
  with jax.enable_x64(True):
    select = jax.jit(
      lambda state: batches.select_jointly(state, batch_size, _pending(pending))
    )
    picks = select(_state('float64'))
    expected = references.greedy_picks(PRIOR, OUTCOMES, batch_size, pending)
    assert picks.tolist() == expected


def test_costs_change_the_picks():
  costs = [9.0, 4.0, 4.0, 4.0, 2.0, 1.0, 1.0]
  with jax.enable_x64(True):
    state = _state('float64')
    select = functools.partial(
      batches.select_jointly, batch_size=3, pending=batches.none_pending()
    )
    picks = jax.jit(select)(state, costs=jnp.asarray(costs))
    expected = references.greedy_picks(PRIOR, OUTCOMES, 3, costs=costs)
    assert picks.tolist() == expected
    assert picks.tolist() != jax.jit(select)(state).tolist()


def test_one_pick_is_select():
  select = jax.jit(
    lambda state: batches.select_jointly(state, 1, batches.none_pending())
  )
  for num_outcomes in range(len(OUTCOMES) + 1):
    state = _state('float32', OUTCOMES[:num_outcomes])
    picks = select(state)
    assert picks.tolist() == [changepoint.select(state)]


def test_greedy_beats_the_best_singles():
  state = _state('float32')
  picks = jax.jit(
    lambda state: batches.select_jointly(state, 4, batches.none_pending())
  )(state)
  gains = changepoint.information_gains_nats(state)
  singles = jnp.argsort(-gains)[:4]
  joint = jax.jit(batches.joint_information_nats)
  assert len(picks) == 4
  assert joint(state, picks) > joint(state, jnp.resize(singles, 4)) + 1e-4
  assert 5 not in picks.tolist()  # The excluded position.


def test_pending_gains_marginalise_unknown_outcomes():
  with jax.enable_x64(True):
    state = _state('float64')
    pending = _pending([3, 0, 2], [True, False, True])
    gains = jax.jit(batches.pending_gains_nats)(state, pending)
    base = references.joint_information(PRIOR, OUTCOMES, [3, 2])
    for position in range(len(WEIGHTS)):
      expected = references.joint_information(PRIOR, OUTCOMES, [3, 2, position])
      if position == 5:
        assert gains[position] == -np.inf
      else:
        np.testing.assert_allclose(gains[position], expected - base, atol=1e-12)


def test_spread_picks_lie_at_the_quantiles():
  state = _state('float32')
  reached = np.cumsum(references.posterior(PRIOR, OUTCOMES))
  reached[5] = np.inf  # Excluded.
  picks = batches.select_spread(state, 16, batches.none_pending())
  levels = (np.arange(16) + 0.5) / 16
  expected = np.argmin(np.abs(reached[None] - levels[:, None]), axis=1)
  assert picks.tolist() == expected.tolist()
  assert len(set(picks.tolist())) >= 3


def test_spread_leaves_out_what_is_pending():
  """All but one pick of a spread under way: the other one is left."""
  prior = changepoint.make_prior(
    before=(2.0, 2.0), after=(1.0, 19.0), weights=jnp.ones(16)
  )
  state = changepoint.init(prior)
  picks = batches.select_spread(state, 8, batches.none_pending()).tolist()
  assert picks == list(range(0, 16, 2))
  select = jax.jit(lambda *args: batches.select_spread(args[0], 1, args[1]))
  for index in range(8):
    under_way = picks[:index] + picks[index + 1 :]
    pending = _pending(
      [*under_way, 0, 1], [True] * len(under_way) + [False, False]
    )
    rest = select(state, pending)
    assert rest.tolist() == [picks[index]]


@pytest.mark.parametrize('kind', ['jointly', 'spread'])
def test_rounds_of_batches_find_the_change(kind):
  select = getattr(batches, f'select_{kind}')
  batch_size = 3

  def trial(key):
    change_key, run_key = jax.random.split(key)
    change = jax.random.randint(change_key, (), 1, 12)
    prior = changepoint.make_prior(
      before=(2.0, 2.0), after=(1.0, 19.0), weights=jnp.ones(12)
    )
    state, rollouts = batches.run_batches(
      run_key,
      prior,
      lambda key, position: (
        jax.random.uniform(key) < jnp.where(position < change, 0.9, 0.05)
      ),
      12,
      lambda state: select(state, batch_size, batches.none_pending()),
    )
    found = changepoint.most_probable_position(state)
    return change, found, rollouts, state.total

  keys = jax.random.split(jax.random.key(0), 50)
  changes, found, rollouts, total = jax.jit(jax.vmap(trial))(keys)
  assert rollouts.position.shape == (50, 12, batch_size)
  np.testing.assert_array_equal(total.successes, rollouts.success.sum((1, 2)))
  np.testing.assert_array_equal(sum(total), 36)
  assert np.mean(np.abs(found - changes) <= 1) > 0.8


def test_an_empty_batch_is_refused():
  with pytest.raises(ValueError, match='batch_size must be >= 1: 0'):
    batches.select_spread(_state('float32'), 0, batches.none_pending())

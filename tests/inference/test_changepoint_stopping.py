"""Stopping rules, budgets, costs, and one budget for many traces."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.inference import changepoint
from toyjax.inference.changepoint import budgets, stopping
from toyjax.lanes import lanes

SIZE = 9
BUDGET = 40


def _prior(weights=None):
  weights = jnp.ones(SIZE) if weights is None else weights
  return changepoint.make_prior(
    before=(2.0, 2.0), after=(1.0, 19.0), weights=weights
  )


def _roll_out(change):
  def roll_out(key, position):
    rate = jnp.where(position < change, 0.8, 0.05)
    return jax.random.uniform(key) < rate

  return roll_out


def _run(key, change, stop=stopping.never, max_rollouts=BUDGET, **kwargs):
  return stopping.run_until(
    key,
    _prior(),
    _roll_out(change),
    stop,
    max_rollouts=max_rollouts,
    policy=changepoint.by_information,
    **kwargs,
  )


def test_without_a_rule_it_is_the_plain_run():
  key = jax.random.key(0)
  stopped = jax.jit(_run)(key, 4)
  state, _ = jax.jit(
    lambda key: changepoint.run(key, _prior(), _roll_out(4), BUDGET)
  )(key)
  jax.tree.map(
    lambda one, other: np.testing.assert_allclose(one, other, rtol=1e-5),
    stopped.state,
    state,
  )
  assert stopped.num_rollouts == BUDGET == stopped.cost
  assert not stopped.has_met_rule


RULES = {
  'mass': stopping.mass_at_least(0.9),
  'interval': stopping.interval_at_most(2, 0.9),
  'any': stopping.any_of(
    stopping.mass_at_least(0.9), stopping.interval_at_most(2, 0.9)
  ),
  'all': stopping.all_of(
    stopping.mass_at_least(0.9), stopping.interval_at_most(2, 0.95)
  ),
}


def test_it_stops_at_the_first_rollout_where_the_rule_holds():
  """Against the posterior after each rollout of the plain run."""
  keys = jax.random.split(jax.random.key(1), 6)

  def run_all(key):
    return {name: _run(key, 4, rule) for name, rule in RULES.items()}

  def steps(key):
    _, rollouts = changepoint.run(key, _prior(), _roll_out(4), BUDGET)

    def step(state, rollout):
      state = changepoint.update(state, *rollout)
      return state, changepoint.posterior(state)

    return jax.lax.scan(step, changepoint.init(_prior()), rollouts)[1]

  all_stopped, posteriors = jax.jit(
    jax.vmap(lambda key: (run_all(key), steps(key)))
  )(keys)
  posteriors = np.asarray(posteriors, np.float64)
  single = posteriors.max(-1)
  pair = (posteriors[..., 1:] + posteriors[..., :-1]).max(-1)
  rules = {
    'mass': single >= 0.9,
    'interval': pair >= 0.9,
    'any': (single >= 0.9) | (pair >= 0.9),
    'all': (single >= 0.9) & (pair >= 0.95),
  }
  for name, holds in rules.items():
    stopped = all_stopped[name]
    expected = np.where(holds.any(1), holds.argmax(1) + 1, BUDGET)
    np.testing.assert_array_equal(stopped.num_rollouts, expected)
    np.testing.assert_array_equal(stopped.has_met_rule, holds.any(1))
    assert (expected < BUDGET).any()


def test_rules_read_states():
  state = jax.jit(lambda key: _run(key, 4, max_rollouts=9))(
    jax.random.key(2)
  ).state
  probs = np.asarray(changepoint.posterior(state))
  for width in range(1, SIZE + 1):
    best = max(probs[i : i + width].sum() for i in range(SIZE))
    for mass in (best - 1e-3, min(best + 1e-3, 0.9999)):
      if 0 < mass < 0.999:
        rule = stopping.interval_at_most(width, float(mass))
        assert rule(state) == (best >= mass)
  top = probs.max()
  assert stopping.mass_at_least(float(top) - 1e-3)(state)
  assert not stopping.mass_at_least(float(top) + 1e-3)(state)
  log_e = lambda state: state.total.successes * 0 + jnp.log(20.0) + 1e-4
  assert stopping.evidence_at_least(log_e, 0.05)(state)
  assert not stopping.evidence_at_least(log_e, 0.049)(state)
  yes, no = (lambda s: jnp.asarray(True)), stopping.never
  assert stopping.any_of(no, yes)(state)
  assert not stopping.all_of(no, yes)(state)


def test_run_until_under_lanes_is_that_under_vmap():
  keys = jax.random.split(jax.random.key(3), 4)
  trial = lambda key: _run(key, 4, RULES['mass'])
  one, other = (jax.jit(mapper(trial))(keys) for mapper in (lanes, jax.vmap))
  assert len(set(np.asarray(one.num_rollouts).tolist())) > 1
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
    one,
    other,
  )


def test_costs_end_the_run_before_the_limit_and_move_it_to_cheap_positions():
  lengths = jnp.asarray([5.0, 1, 1, 1, 1, 1, 1, 1, 1])
  costs = stopping.costs_of_lengths(lengths)
  assert costs.tolist() == [13, 8, 7, 6, 5, 4, 3, 2, 1]

  def run(key, policy):
    return stopping.run_until(
      key,
      _prior(),
      _roll_out(4),
      stopping.never,
      max_rollouts=1000,
      policy=policy,
      costs=costs,
      max_cost=200.0,
    )

  plain, cheap = (
    jax.jit(lambda key, policy=policy: run(key, policy))(jax.random.key(4))
    for policy in (
      changepoint.by_information,
      stopping.by_information_per_cost(costs),
    )
  )
  for stopped in (plain, cheap):
    counts = sum(changepoint.counts_by_position(stopped.state))
    np.testing.assert_allclose(jnp.sum(counts * costs), stopped.cost)
    assert 200 - 13 < stopped.cost <= 200
    assert stopped.num_rollouts == jnp.sum(counts)
  assert plain.cost / plain.num_rollouts > cheap.cost / cheap.num_rollouts


# ----- One budget for many traces -----


def _shared_by_loop(key, priors, roll_out, stop, num_rollouts, costs, limit):
  """Recomputes all gains before each rollout."""
  num_traces = len(costs)
  update = jax.jit(changepoint.update)
  gains = jax.jit(changepoint.information_gains_nats)
  states = [
    changepoint.init(jax.tree.map(lambda leaf: leaf[index], priors))  # noqa: B023
    for index in range(num_traces)
  ]
  spent, history = 0.0, []
  for index in range(num_rollouts):
    values = np.stack(
      [
        np.full(SIZE, -np.inf) if stop(s) else gains(s) / c
        for s, c in zip(states, costs, strict=True)
      ]
    )
    trace, position = np.unravel_index(np.argmax(values), values.shape)
    price = float(costs[trace][position])
    if values.max() == -np.inf or spent + price > limit:
      break
    spent += price
    success = roll_out(jax.random.fold_in(key, index), trace, position)
    states[trace] = update(states[trace], position, success)
    history.append((int(trace), int(position), bool(success)))
  return history


@pytest.mark.parametrize('limit', [60.0, 1e9])
def test_a_shared_budget_goes_to_the_largest_gain(limit):
  num_traces, num_rollouts = 4, 60
  weights = jnp.asarray(
    [[1.0] * 9, [1.0] * 3 + [0.0] * 6, [0.0, 1.0] + [0.0] * 7, [1.0] * 9]
  )
  priors = jax.vmap(_prior)(weights)
  changes = jnp.asarray([4, 2, 1, 7])
  costs = jnp.ones((num_traces, SIZE)).at[3].set(2.5)
  stop = stopping.mass_at_least(0.9)

  def roll_out(key, trace, position):
    return _roll_out(changes[trace])(key, position)

  key = jax.random.key(5)
  states, rollouts = jax.jit(
    lambda key: budgets.run_shared(
      key,
      priors,
      roll_out,
      stop,
      num_rollouts=num_rollouts,
      costs=costs,
      max_cost=limit,
    )
  )(key)
  used = np.asarray(rollouts.is_used)
  history = list(
    zip(
      *(
        np.asarray(leaf)[used].tolist()
        for leaf in (rollouts.trace, rollouts.position, rollouts.success)
      ),
      strict=True,
    )
  )
  expected = _shared_by_loop(
    key, priors, roll_out, stop, num_rollouts, costs, limit
  )
  assert history == expected
  assert not used[len(history) :].any()
  assert 2 not in {trace for trace, _, _ in history}  # It has one position.
  assert {trace for trace, _, _ in history} == {0, 1, 3}
  counts = jax.vmap(changepoint.counts_by_position)(states)
  spent = jnp.sum(sum(counts) * costs)
  assert spent <= limit
  assert jnp.sum(sum(counts)) == len(history)


def test_rules_refuse_impossible_levels():
  with pytest.raises(ValueError, match='between 0 and 1: 1'):
    stopping.mass_at_least(1)
  with pytest.raises(ValueError, match='width must be >= 1: 0'):
    stopping.interval_at_most(0, 0.5)

"""Largest likelihoods against PAVA, grids and direct search, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_evidence as references
from toyjax.inference import changepoint
from toyjax.inference.changepoint import likelihoods

condition = jax.jit(changepoint.condition)
log_max_constant = jax.jit(likelihoods.log_max_constant_nats)
log_max_non_falling = jax.jit(likelihoods.log_max_non_falling_nats)
non_falling_rates = jax.jit(likelihoods.non_falling_rates)
log_max_by_change = jax.jit(likelihoods.log_max_by_change_nats)
TOLERANCES = {'float32': 2e-5, 'float64': 1e-12}


def random_counts(size, seed):
  """Returns counts of 0 to 6 rollouts; a third of the positions have none."""
  rng = np.random.default_rng(seed)
  trials = rng.integers(1, 7, size) * (rng.random(size) < 0.7)
  successes = rng.binomial(trials, rng.choice([0.0, 0.3, 0.7, 1.0], size))
  return successes, trials - successes


def conditioned(successes, failures, dtype='float64'):
  size = len(successes)
  prior = changepoint.make_prior(
    before=(2.0, 2.0), after=(1.0, 19.0), weights=jnp.ones(size, dtype)
  )
  counts = changepoint.Beta(
    jnp.asarray(successes, dtype), jnp.asarray(failures, dtype)
  )
  return condition(prior, counts)


@pytest.mark.parametrize(
  ('size', 'dtype'), [(1, 'float32'), (6, 'float32'), (30, 'float64')]
)
def test_rates_that_never_fall_are_those_of_pava(size, dtype):
  with jax.enable_x64(dtype == 'float64'):
    for seed in range(15):
      successes, failures = random_counts(size, seed)
      counts = changepoint.Beta(
        jnp.asarray(successes, dtype), jnp.asarray(failures, dtype)
      )
      rates = np.asarray(non_falling_rates(counts))
      truth = references.pool_adjacent_violators(successes, failures)
      seen = successes + failures > 0
      assert rates.dtype == dtype
      np.testing.assert_allclose(
        rates[seen], truth[seen], atol=TOLERANCES[dtype], rtol=0
      )
      assert np.all(np.diff(rates) >= 0.0)
      np.testing.assert_allclose(
        log_max_non_falling(conditioned(successes, failures, dtype)),
        references.log_likelihood(successes[seen], failures[seen], truth[seen]),
        rtol=TOLERANCES[dtype],
        atol=TOLERANCES[dtype],
      )


def test_pava_beats_every_rising_trace_on_a_grid_and_only_just():
  with jax.enable_x64(True):
    for seed in range(6):
      successes, failures = random_counts(6, seed)
      found = log_max_non_falling(conditioned(successes, failures))
      grid = references.best_rising_on_grid(successes, failures, 1001)
      assert grid - 1e-9 <= found <= grid + 1e-3


@pytest.mark.parametrize('dtype', TOLERANCES)
@pytest.mark.parametrize('smallest_drop', [None, 0.0, 0.2, 0.7])
def test_one_change_with_a_smallest_drop(smallest_drop, dtype):
  with jax.enable_x64(dtype == 'float64'):
    for seed in range(10):
      successes, failures = random_counts(6, seed)
      found = log_max_by_change(
        conditioned(successes, failures, dtype), smallest_drop=smallest_drop
      )
      assert found.dtype == dtype
      for change in range(6):
        sides = references.sides(successes, failures, change)
        # Drops of at least -1 are all changes.
        drop = -1.0 if smallest_drop is None else smallest_drop
        np.testing.assert_allclose(
          found[change],
          references.best_with_drop(*sides, drop),
          rtol=TOLERANCES[dtype] * 10,
          atol=TOLERANCES[dtype] * 1e3,
        )


def test_the_closed_edge_is_the_best_of_all_pairs():
  for sides in (
    ((3, 1), (2, 2)),
    ((0, 0), (4, 1)),
    ((1, 5), (4, 0)),
    ((2, 0), (0, 0)),
    ((0, 3), (3, 0)),
  ):
    with jax.enable_x64(True):
      counts = np.asarray(sides, float).T
      found = log_max_by_change(conditioned(*counts), smallest_drop=0.25)[
        1
      ].item()
    grid = references.best_with_drop_on_grid(*sides, 0.25, 401)
    assert grid - 1e-9 <= found <= grid + 1e-3


def test_families_are_nested_and_constant_has_a_closed_form():
  with jax.enable_x64(True):
    for seed in range(10):
      successes, failures = random_counts(6, seed)
      state = conditioned(successes, failures)
      constant = log_max_constant(state)
      total = successes.sum(), failures.sum()
      share = total[0] / max(sum(total), 1)
      np.testing.assert_allclose(
        constant,
        references.log_likelihood([total[0]], [total[1]], [share]),
        rtol=1e-12,
      )
      rising = log_max_non_falling(state)
      free, none, some, more = (
        log_max_by_change(state, smallest_drop=drop)
        for drop in (None, 0.0, 0.3, 0.6)
      )
      slack = 1e-12
      assert constant <= rising + slack
      assert np.all(constant <= none + slack)
      assert np.all(none <= free + slack)
      assert np.all(some <= none + slack)
      assert np.all(more <= some + slack)
      # One change either rises or falls.
      assert np.all(free <= np.maximum(none, rising) + slack)


def test_positions_without_rollouts_have_no_say():
  successes, failures = random_counts(6, seed=3)
  wide = np.zeros((2, 12), int)
  wide[:, ::2] = successes, failures
  with jax.enable_x64(True):
    narrow_state = conditioned(successes, failures)
    wide_state = conditioned(*wide)
    np.testing.assert_allclose(
      log_max_non_falling(narrow_state),
      log_max_non_falling(wide_state),
      rtol=1e-12,
    )
    rates = non_falling_rates(changepoint.counts_by_position(wide_state))
  narrow = references.pool_adjacent_violators(successes, failures)
  seen = successes + failures > 0
  np.testing.assert_allclose(rates[::2][seen], narrow[seen], rtol=1e-12)
  assert np.all(np.diff(rates) >= 0.0)


def test_rollouts_that_have_not_happened_have_likelihood_one():
  state = conditioned(np.zeros(6), np.zeros(6), 'float32')
  assert log_max_constant(state) == 0.0
  assert log_max_non_falling(state) == 0.0
  for drop in (None, 0.0, 0.3):
    found = log_max_by_change(state, smallest_drop=drop)
    np.testing.assert_array_equal(found, np.zeros(6))


@pytest.mark.parametrize('drop', [1.0, -0.1])
def test_impossible_drops_are_refused(drop):
  with pytest.raises(ValueError, match=f'smallest_drop.*{drop}'):
    likelihoods.log_max_by_change_nats(
      conditioned([1, 2], [0, 1], 'float32'), smallest_drop=drop
    )

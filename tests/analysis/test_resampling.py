"""Remedies on one net: closed forms, float64 truth, and what they leave."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import resampling
from toyjax.analysis.autoencoder.resampling import Method, Numbers
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Params

N = 6
NUMBERS = Numbers(
  power=2.0, norm=0.2, delta=0.1, factor=0.05, scale=1.1, length=0.3, noise=0.01
)


def symmetric(dead=0):
  """A regular pentagon behind one dead row with b = 1/6, slightly off 0."""
  norm = 1.0 / np.sqrt(1.0 - np.cos(2.0 * np.pi / (N - 1)))
  angles = 2.0 * np.pi * np.arange(N - 1) / (N - 1)
  rows = norm * np.stack([np.cos(angles), np.sin(angles)])
  weights = np.insert(rows, dead, [1e-3, 2e-3], axis=1)
  bias = np.insert(np.full(N - 1, 1.0 - norm**2), dead, 1.0 / N)
  return Params(
    jnp.asarray(weights, jnp.float32), jnp.asarray(bias, jnp.float32)
  )


@functools.partial(jax.jit, static_argnums=1)
def treat(key, method, params, numbers=NUMBERS):
  return resampling.apply(
    key,
    params,
    method=jnp.int32(method),
    numbers=jax.tree.map(jnp.float32, numbers),
    given=jax.tree.map(lambda leaf: leaf + 1.0, params),
  )


def many(method, params, numbers=NUMBERS, num=2000):
  keys = jax.random.split(jax.random.key(5), num)
  return jax.vmap(lambda key: treat(key, method, params, numbers)[0])(keys)


@pytest.mark.parametrize('dead', [0, 3])
def test_a_dead_feature_is_the_only_one_that_failed(dead):
  failed, learned = resampling.failed_features(symmetric(dead))
  np.testing.assert_array_equal(failed, np.arange(N) == dead)
  np.testing.assert_array_equal(learned, np.arange(N) != dead)


def test_the_first_of_merged_features_stays():
  params = symmetric()
  rows = params.weights.at[:, 0].set(params.weights[:, 3])
  merged = Params(rows, params.bias.at[0].set(params.bias[3]))
  failed, learned = resampling.failed_features(merged)
  np.testing.assert_array_equal(failed, np.arange(N) == 3)
  np.testing.assert_array_equal(learned, ~np.isin(np.arange(N), [0, 3]))


@pytest.mark.parametrize('method', list(Method))
def test_what_each_method_leaves_as_it_was(method):
  params = symmetric()
  new, is_set = treat(jax.random.key(1), method, params)
  changed = np.any(np.asarray(new.weights != params.weights), axis=0)
  live = np.arange(N) > 0
  of_failed = {Method.RANDOM, Method.RESAMPLED, Method.REPULSED, Method.COPIED}
  whole = {Method.EQUALIZED, Method.STEPPED, Method.GIVEN}
  if method in of_failed:
    np.testing.assert_array_equal(changed, ~live)
    np.testing.assert_array_equal(is_set, ~live)
  else:
    assert is_set.all() == (method in whole)
    assert is_set.any() == is_set.all()
    assert changed.all() == (method is not Method.NOTHING)
  if method not in {*whole, Method.REPULSED}:
    np.testing.assert_array_equal(new.bias[1:], params.bias[1:])


def test_resampled_rows_point_to_inputs_by_their_loss():
  params = symmetric()
  norm = float(np.linalg.norm(params.weights[:, 1]))
  units = np.asarray(params.weights)
  units = units / np.linalg.norm(units, axis=0)
  for power, length in ((2.0, 0.2 * norm), (1.0, 0.2 * norm), (1.0, 1.0)):
    numbers = NUMBERS._replace(power=power, norm=0.0 if length == 1.0 else 0.2)
    rows = np.asarray(many(Method.RESAMPLED, params, numbers).weights)[:, :, 0]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), length, rtol=1e-5)
    drawn = np.argmax(rows @ units, axis=1)
    # The dead input's loss is (1 - 1/n)², that of each other one 1/n².
    losses = np.r_[(1 - 1 / N) ** 2, np.full(N - 1, 1 / N**2)] ** power
    probs = losses / losses.sum()
    bars = 5.0 * np.sqrt(probs * (1 - probs) / len(rows)) + 1e-3
    counts = np.bincount(drawn, minlength=N) / len(rows)
    assert (np.abs(counts - probs) < bars).all()


def test_the_repulsor_points_away_from_the_sum_of_the_others():
  params = symmetric()
  weights = params.weights.at[:, 2].mul(1.03)  # So that there is a sum.
  params = params._replace(weights=weights)
  live = np.asarray(weights, float)[:, 1:]
  unit = live.sum(1) / np.linalg.norm(live.sum(1))
  radius = np.linalg.norm(live, axis=0).mean()
  new, _ = treat(
    jax.random.key(2), Method.REPULSED, params, NUMBERS._replace(noise=0.0)
  )
  np.testing.assert_allclose(
    new.weights[:, 0], -0.05 * radius * unit, rtol=1e-4
  )
  raised = np.asarray(new.bias - params.bias)
  expected = np.r_[0.0, np.where(live.T @ -unit > 0, 0.1, 0.0)]
  np.testing.assert_allclose(raised, expected, atol=1e-6)
  noisy = np.asarray(many(Method.REPULSED, params).weights)[:, :, 0]
  spread = noisy.std(axis=0) / (0.01 * radius)
  np.testing.assert_allclose(spread, 1.0, atol=5.0 / np.sqrt(2 * len(noisy)))


def test_a_copy_has_the_loss_of_a_merged_pair_of_twice_one():
  params = symmetric()
  quiet = NUMBERS._replace(noise=0.0)
  new = many(Method.COPIED, params, quiet, 200)
  # Two outputs answer 1 for both of two inputs: two errors of 1.
  sse = jax.vmap(relu_autoencoder.one_hot_sse)(new)
  np.testing.assert_allclose(sse, 2.0, atol=1e-4)
  rows, column = np.asarray(new.weights[:, :, 0]), np.asarray(params.weights)
  drawn = np.argmin(((rows[:, :, None] - column) ** 2).sum(1), axis=1)
  assert set(drawn) == set(range(1, N))


def test_equal_norms_solve_where_directions_are_even():
  angles = 2.0 * np.pi * np.arange(N) / N
  params = Params(
    jnp.asarray(0.1 * np.stack([np.cos(angles), np.sin(angles)]), jnp.float32),
    jnp.zeros(N, jnp.float32),
  )
  new, _ = treat(
    jax.random.key(3), Method.EQUALIZED, params, NUMBERS._replace(noise=0.0)
  )
  assert float(relu_autoencoder.one_hot_sse(new)) < 1e-9
  loud = many(Method.EQUALIZED, params, NUMBERS._replace(noise=1e3), 500)
  found = np.arctan2(loud.weights[:, 1], loud.weights[:, 0])
  # Directions are even: the mean of exp(iφ) is 0 within 5 standard errors.
  assert np.abs(np.exp(1j * found).mean(0)).max() < 5.0 / np.sqrt(500)


def test_a_plain_step_has_its_length_and_goes_down():
  params = symmetric()
  params = params._replace(weights=params.weights * 1.3)
  new, _ = treat(
    jax.random.key(4), Method.STEPPED, params, NUMBERS._replace(length=1e-3)
  )
  moves = [np.asarray(a - b, float) for a, b in zip(new, params)]
  length = np.sqrt(sum((move**2).sum() for move in moves))
  np.testing.assert_allclose(length, 1e-3, rtol=1e-2)
  grads = jax.grad(relu_autoencoder.one_hot_sse)(params)
  slope = sum((g * m).sum() for g, m in zip(grads, moves))
  size = np.sqrt(sum((np.asarray(g) ** 2).sum() for g in grads))
  np.testing.assert_allclose(slope, -size * 1e-3, rtol=1e-2)


def test_nothing_is_not_finite_where_no_feature_is_live():
  zero = Params(jnp.zeros((2, N)), jnp.zeros(N))
  for method in Method:
    new, _ = treat(jax.random.key(6), method, zero)
    assert all(np.isfinite(leaf).all() for leaf in new), method

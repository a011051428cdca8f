"""Descents by L-BFGS against the dense update, and gradient flow's rate."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import gradient_flow, lbfgs, pieces, valleys
from toyjax.analysis.autoencoder.lbfgs import End

pytestmark = pytest.mark.usefixtures('float64')

N = 4
TOLERANCES = lbfgs.Tolerances(solved_sse=1e-20, gradient=1e-12)


def _starts(num_starts, num_features=N):
  rng = np.random.default_rng(0)
  weights = rng.normal(size=(num_starts, 2 * num_features)) * 0.5
  return np.concatenate([weights, np.zeros((num_starts, num_features))], axis=1)


@functools.cache
def _step():
  step = functools.partial(lbfgs.step, num_features=N, tolerances=TOLERANCES)
  return jax.jit(step)


@functools.cache
def _start():
  start = functools.partial(
    lbfgs.start, num_features=N, num_pairs=5, tolerances=TOLERANCES
  )
  return jax.jit(start)


@functools.cache
def _walk(number, num_evaluations=40):
  """Returns the state after each evaluation from the start of a number."""
  states = [_start()(_starts(4)[number])]
  for _ in range(num_evaluations):
    states.append(_step()(states[-1]))
  return states


def _dense_direction(state):
  """Returns -H ∇F, H from the remembered pairs by the dense BFGS update."""
  pairs = [
    (np.asarray(s), np.asarray(y))
    for s, y, inverse in zip(state.moves, state.turns, state.inverse)
    if inverse > 0
  ]
  s, y = pairs[0]
  identity = np.eye(len(s))
  dense = identity * (s @ y) / (y @ y)
  for s, y in reversed(pairs):  # The oldest first.
    rho = 1 / (s @ y)
    left = identity - rho * np.outer(s, y)
    dense = left @ dense @ left.T + rho * np.outer(s, s)
  return -dense @ np.asarray(state.gradient)


def test_a_direction_is_that_of_the_dense_update():
  num_checked = 0
  for before, state in itertools.pairwise(_walk(0)):
    if state.num_steps == before.num_steps or state.end != End.UNFINISHED:
      continue
    want = _dense_direction(state)
    scale = np.abs(want).max()
    np.testing.assert_allclose(state.direction, want, atol=1e-8 * scale)
    assert state.size == 1.0
    num_checked += 1
  assert num_checked >= 10


def test_every_step_lowers_the_error_enough_and_turns_its_slope():
  for number in range(4):
    for before, after in itertools.pairwise(_walk(number)):
      assert after.sse <= before.sse
      if after.num_steps == before.num_steps:
        np.testing.assert_array_equal(after.v, before.v)
        continue
      move = np.asarray(after.v - before.v)
      along = float(before.gradient @ move)
      assert along < 0
      rounding = 1e-14
      assert after.sse <= before.sse + 1e-4 * along + rounding
      assert float(after.gradient @ move) >= 0.9 * along - rounding
      # Sums in another order differ in their last bits.
      norm = np.linalg.norm(after.v[:-N])
      assert np.all(after.largest_norm >= (1 - rounding) * norm)


def test_the_state_holds_the_error_and_its_gradient():
  for state in _walk(0)[::8]:
    error, gradient = jax.value_and_grad(pieces.sse)(state.v, N)
    np.testing.assert_allclose(state.sse, error, rtol=1e-12)
    np.testing.assert_allclose(state.gradient, gradient, rtol=1e-9, atol=1e-12)


def test_descents_of_four_features_solve():
  descend = jax.jit(
    jax.vmap(
      functools.partial(
        lbfgs.descend,
        num_features=N,
        num_pairs=10,
        tolerances=TOLERANCES,
        max_evaluations=2000,
      )
    )
  )
  found = descend(_starts(32))
  solved = np.asarray(found.end) == End.SOLVED
  errors = jax.vmap(functools.partial(pieces.sse, num_features=N))(found.v)
  # Whatever their end is called, it is what F and ∇F say.
  np.testing.assert_array_equal(solved, np.asarray(errors) < 1e-20)
  # F has no other minimum than 0 at n = 4, but flats where an output is off
  # for all samples hold what falls on them.
  assert solved.sum() >= 16
  assert np.all(found.num_evaluations <= 2000)


def test_ends_that_need_no_step():
  start = _start()
  # All outputs off: F = n, ∇F = 0.
  off = jnp.concatenate([jnp.zeros(2 * N), -jnp.ones(N)])
  state = start(off)
  assert state.end == End.CRITICAL
  assert state.sse == N
  again = _step()(state)
  assert again.num_evaluations == state.num_evaluations
  assert start(off.at[0].set(jnp.nan)).end == End.DIVERGED
  assert start(off.at[0].set(1e200)).end == End.DIVERGED


def test_gradient_flow_falls_towards_the_infimum_as_the_rate_says():
  num_features = 8
  v = np.asarray(
    pieces.vector(
      valleys.fan(num_features=num_features, num_weak=1, radius=4.0)
    )
  )
  times = (1e2, 1e3, 1e4, 1e5)
  states = gradient_flow.follow(
    v, num_features=num_features, times=times, relative_tolerance=1e-8
  )
  errors = np.asarray([pieces.sse(state, num_features) for state in states])
  norms = np.linalg.norm(states[:, :-num_features], axis=1)
  assert np.all(np.diff(errors) < 0)
  assert np.all(np.diff(norms) > 0)
  assert np.all(errors > valleys.infimum(num_weak=1))
  # On the floor F = infimum + c / R², and the k long rows and their biases
  # 1 - R² move: |dv|² = k (1 + 4 R²) dR². So dR/dt = 2c / (4 k R⁵) to leading
  # order, and R⁶ grows as 3 c t / k. The next terms are O(1/R²): with R = 4.6
  # and 6.4 the ratio is .936.
  num_fan = num_features - 3
  rate = valleys.rate(num_features=num_features, num_weak=1)
  radius = np.linalg.norm(
    states[:, :-num_features].reshape(-1, 2, num_features), axis=1
  )[:, 3:].mean(axis=1)
  grown = radius[-1] ** 6 - radius[-2] ** 6
  expected = 3 * rate * (times[-1] - times[-2]) / num_fan
  assert grown == pytest.approx(expected, rel=0.15)


def test_gradient_flow_follows_the_gradient():
  v = _starts(1)[0]
  short = 1e-4
  (state,) = gradient_flow.follow(
    v, num_features=N, times=(short,), relative_tolerance=1e-10
  )
  gradient = np.asarray(jax.grad(pieces.sse)(jnp.asarray(v), N))
  np.testing.assert_allclose(
    state - v, -short * gradient, atol=1e-2 * short * np.abs(gradient).max()
  )


def test_another_function_may_be_descended():
  """A quadratic of known minimum, from far away."""
  target = jnp.arange(1.0, 3.0 * N + 1.0)
  scale = jnp.linspace(1.0, 30.0, 3 * N)

  def evaluate(v):
    return jax.value_and_grad(
      lambda v: 1.0 + jnp.sum(scale * (v - target) ** 2)
    )(v)

  end = jax.jit(
    functools.partial(
      lbfgs.descend,
      num_features=N,
      num_pairs=5,
      tolerances=lbfgs.Tolerances(solved_sse=0.0, gradient=1e-8),
      max_evaluations=500,
      evaluate=evaluate,
    )
  )(jnp.zeros(3 * N))
  assert end.end == End.CRITICAL
  np.testing.assert_allclose(end.v, target, rtol=1e-8)

"""Exponents of maps whose exponent is known, and of training itself."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import loops
from toyjax.analysis.chaos import dynamics as chaos
from toyjax.analysis.chaos import lyapunov
from toyjax.base import Dynamics


def _exponent(step, start, num_steps, skip=0):
  dynamics = Dynamics(
    lambda key: jnp.asarray(start), lambda key, state: (step(state), ())
  )
  followed = lyapunov.follow(dynamics, jnp.ones_like)
  at = [skip, num_steps] if skip else [num_steps]
  _, growth = loops.unroll(
    jax.random.key(0),
    followed,
    num_steps,
    observe=lambda state, info: state.log_growth,
    observe_at=at,
  )
  before = growth[0] if skip else 0.0
  return float((growth[-1] - before) / (num_steps - skip))


def test_the_logistic_map():
  with jax.enable_x64(True):
    found = _exponent(lambda x: 4.0 * x * (1.0 - x), 0.3, 40_000)
  assert found == pytest.approx(math.log(2.0), abs=0.005)


def test_the_henon_map():
  def step(state):
    x, y = state
    return jnp.stack([1.0 - 1.4 * x * x + y, 0.3 * x])

  with jax.enable_x64(True):
    found = _exponent(step, [0.1, 0.1], 60_000, skip=1000)
  assert found == pytest.approx(0.4192, abs=0.005)


def test_a_linear_map_has_its_largest_eigenvalue():
  matrix = jnp.asarray([[1.5, 0.7], [0.0, 0.9]], jnp.float32)
  found = _exponent(lambda x: matrix @ x * 1.0, [0.1, -0.2], 100, skip=60)
  assert found == pytest.approx(math.log(1.5), rel=1e-5)


def test_what_contracts_to_a_point_has_a_finite_exponent():
  found = _exponent(lambda x: 0.0 * x, [1.0], 10)
  assert np.isfinite(found)
  assert found < -50.0


def test_integers_cannot_be_followed():
  dynamics = Dynamics(lambda key: jnp.int32(3), lambda key, state: (state, ()))
  with pytest.raises(ValueError, match='int32'):
    lyapunov.follow(dynamics, lambda state: state).init(jax.random.key(0))


def test_growth_along_training_is_that_of_two_neighbouring_runs():
  num_steps, distance = 400, 1e-7
  rng = np.random.default_rng(3)
  with jax.enable_x64(True):
    dynamics = chaos.training_map(
      num_features=7,
      separation=1,
      norm_factor=1.05,
      loss_reduction='mean',
      learning_rate=2.2,
      delta=0.15,
      nudge=0.0,
      keep_mirror=False,
      dtype='float64',
    )
    start = dynamics.init(jax.random.key(0))
    tangent = jax.tree.map(
      lambda leaf: jnp.asarray(rng.standard_normal(leaf.shape)), start
    )
    length = math.sqrt(
      sum(float(jnp.sum(leaf**2)) for leaf in jax.tree.leaves(tangent))
    )
    followed, _ = loops.unroll(
      jax.random.key(0),
      lyapunov.follow(dynamics, lambda state: tangent),
      num_steps,
    )
    moved = jax.tree.map(
      lambda leaf, change: leaf + distance * change / length, start, tangent
    )
    pair = jax.tree.map(lambda *leaves: jnp.stack(leaves), start, moved)
    ends = jax.vmap(
      lambda state: loops.unroll(
        jax.random.key(0),
        dynamics._replace(init=lambda key: state),
        num_steps,
      )[0]
    )(pair)
  apart = math.sqrt(
    sum(
      float(np.sum((np.asarray(leaf)[0] - np.asarray(leaf)[1]) ** 2))
      for leaf in jax.tree.leaves(ends)
    )
  )
  assert float(followed.log_growth) == pytest.approx(
    math.log(apart / distance), abs=1e-3
  )
  # Following changes nothing.
  for a, b in zip(jax.tree.leaves(followed.inner), jax.tree.leaves(ends)):
    np.testing.assert_allclose(a, np.asarray(b)[0], atol=1e-12)

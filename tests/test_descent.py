"""Gradient descent on a quadratic, whose every step is known."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from toyjax import descent, loops
from toyjax.base import Toy

QUADRATIC = Toy(
  init=lambda key: jnp.float32(4.0),
  sample=lambda key: jnp.float32(1.0),
  loss=lambda w, target: 0.5 * (w - target) ** 2,
)


def test_sgd_on_a_quadratic_is_a_geometric_series():
  state, losses = loops.unroll(
    jax.random.key(0),
    descent.descend(QUADRATIC, optax.sgd(0.25)),
    10,
    observe=lambda state, info: info.loss,
  )
  np.testing.assert_allclose(state.params, 1.0 + 3.0 * 0.75**10, rtol=1e-6)
  # The loss of step k is that of the weights before its update.
  before = 3.0 * 0.75 ** np.arange(10)
  np.testing.assert_allclose(losses, 0.5 * before**2, rtol=1e-5)


def test_info_holds_the_gradient_before_the_update():
  dynamics = descent.descend(QUADRATIC, optax.sgd(0.1))
  _, info = dynamics.step(jax.random.key(0), dynamics.init(jax.random.key(1)))
  assert float(info.grads) == 3.0
  assert float(info.loss) == 4.5


def test_every_step_draws_its_own_batch():
  noisy = QUADRATIC._replace(sample=lambda key: jax.random.normal(key))
  _, grads = loops.unroll(
    jax.random.key(0),
    descent.descend(noisy, optax.sgd(0.0)),
    50,
    observe=lambda state, info: info.grads,
  )
  assert len(np.unique(grads)) == 50


def _noisy(size):
  return QUADRATIC._replace(
    sample=lambda key: jax.random.normal(key, (size,)),
    loss=lambda w, targets: jnp.mean(0.5 * (w - targets) ** 2),
  )


def test_parts_of_a_step_are_one_batch_of_all_their_draws():
  dynamics = descent.descend(_noisy(8), optax.sgd(0.1), num_parts=3)
  key = jax.random.key(5)
  state, info = dynamics.step(key, dynamics.init(jax.random.key(1)))
  draws = np.concatenate(
    [_noisy(8).sample(jax.random.fold_in(key, k)) for k in range(3)]
  )
  assert len(np.unique(draws)) == 24
  np.testing.assert_allclose(info.grads, 4.0 - draws.mean(), rtol=1e-6)
  np.testing.assert_allclose(
    info.loss, np.mean(0.5 * (4.0 - draws) ** 2), rtol=1e-6
  )
  np.testing.assert_allclose(state.params, 4.0 - 0.1 * info.grads, rtol=1e-6)


def test_parts_are_as_few_as_fit():
  sizes = (1, 32, 33, 64, 96, 100, 1024, 37, 2 * 37)
  found = [descent.count_parts(size) for size in sizes]
  assert found == [1, 1, 3, 2, 3, 4, 32, 37, 37]


def test_a_step_has_a_part_at_least():
  with pytest.raises(ValueError, match='num_parts'):
    descent.descend(QUADRATIC, optax.sgd(0.1), num_parts=0)

"""A training goes on from its stored state as if it had not been stopped."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.toys import autoencoder
from toyjax import adam_states, descend


@pytest.mark.parametrize('make', [optax.adam, optax.adamw])
def test_a_state_comes_back_whole(make):
  toy = autoencoder.make()
  training = descend(toy, make(1e-2))
  step = jax.jit(training.step)
  key = jax.random.key(0)
  state = training.init(key)
  for _ in range(5):
    state, _ = step(key, state)
  arrays = {
    name: np.asarray(array)
    for name, array in adam_states.arrays_of(state).items()
  }
  assert tuple(arrays) == adam_states.names(('weights', 'bias'))
  again = adam_states.state_of(training.init(jax.random.key(1)), arrays)
  assert jax.tree.structure(again) == jax.tree.structure(state)
  going, other = step(key, state)[0], step(key, again)[0]
  for a, b in zip(jax.tree.leaves(going), jax.tree.leaves(other)):
    np.testing.assert_array_equal(a, b)
  assert jnp.any(going.params.weights != state.params.weights)

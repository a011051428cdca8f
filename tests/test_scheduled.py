"""Descent by the usual settings, losses on shared samples, a shared key."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import autoencoder
from toyjax import descent, loops, scheduled, sweeps
from toyjax.optimizers import make, make_schedule

_VALUES = {
  'optimizer': 'sgd',
  'num_steps': 7,
  'observe_steps': [3, 7],
  'dtype': 'float32',
}


@pytest.mark.parametrize('schedule', ['constant', 'warmup_cosine'])
def test_it_is_the_plain_descent_with_the_schedule(schedule):
  toy = autoencoder.make(4, 2, autoencoder.sparse(4, 8))
  x = {'key': jax.random.key(0), 'learning_rate': jnp.float32(0.1)}
  last, observed = scheduled.descend(toy, {**_VALUES, 'schedule': schedule}, x)
  optimizer = make(
    'sgd',
    learning_rate=0.1,
    schedule=make_schedule(schedule, warmup_steps=0, num_steps=7),
  )
  state, _ = loops.unroll(x['key'], descent.descend(toy, optimizer), 7)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6),
    last,
    state.params,
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_array_equal(a, b[-1]), last, observed
  )


def test_the_step_nearest_to_the_middle_is_halfway():
  assert scheduled.halfway([100, 450, 600, 1000]) == 1
  assert scheduled.halfway([1000]) == 0


def test_the_mean_loss_is_that_of_all_batches():
  toy = autoencoder.make(4, 2, autoencoder.sparse(4, 8))
  params = toy.init(jax.random.key(1))
  key = jax.random.key(2)
  batches = [toy.sample(jax.random.fold_in(key, i)) for i in range(5)]
  expected = np.mean([toy.loss(params, batch) for batch in batches])
  found = descent.mean_loss(toy, params, key, num_batches=5)
  np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_common_key_is_of_no_run():
  common = np.asarray(jax.random.key_data(sweeps.common_key(3)))
  keys = np.asarray(jax.random.key_data(sweeps.seed_keys(3, np.arange(1000))))
  assert not (keys == common).all(axis=1).any()
  other = jax.random.key_data(sweeps.common_key(4))
  assert (other != common).any()

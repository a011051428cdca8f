"""No two seeds of a sweep, steps, parts or examples share what they draw."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from toyjax import descent, loops, sweeps
from toyjax.base import Toy
from toyjax.data import sparse_features

SHAPE = (64, 3)
NUM_SEEDS, NUM_STEPS = 4, 3


@pytest.fixture(scope='module', params=['lanes', 'vmap'])
def batches(request):
  """Every batch that a sweep trains on, [S * T, B, N]."""
  sample = sparse_features.sparse_uniform(
    num_features=SHAPE[1],
    batch_size=SHAPE[0],
    sparsity=0.5,
    normalize=False,
    dtype='float32',
  )
  # The gradient of Σ θx by θ is the batch x itself.
  toy = Toy(
    lambda key: jnp.zeros(SHAPE), sample, lambda w, batch: jnp.sum(w * batch)
  )

  def trial(x):
    return loops.unroll(
      x['key'],
      descent.descend(toy, optax.sgd(0.1)),
      NUM_STEPS,
      observe=lambda state, info: info.grads,
    )[1]

  xs = {'key': sweeps.seed_keys(0, np.arange(NUM_SEEDS))}
  found = sweeps.sweep(trial, xs, map_name=request.param)
  return found.reshape(-1, *SHAPE)


def test_seeds_and_steps_draw_batches_of_their_own(batches):
  values = batches[batches > 0.0]
  # Of 31 bits: a pair in a thousand numbers agrees about once in 4,000 times.
  assert len(np.unique(values)) >= len(values) - 2
  for one, other in itertools.combinations(batches > 0.0, 2):
    agree = (one == other).mean()
    assert abs(agree - 0.5) < 5.0 * 0.5 / np.sqrt(one.size)


def test_examples_have_masks_of_their_own(batches):
  """A public version has one mask for all examples of a batch."""
  for batch in batches > 0.0:
    masks, counts = np.unique(batch, axis=0, return_counts=True)
    assert len(masks) > 4  # Of 8.
    assert counts.max() < SHAPE[0] / 2


def test_parts_of_a_step_draw_examples_of_their_own():
  sample = sparse_features.sparse_uniform(
    num_features=3,
    batch_size=8,
    sparsity=0.0,
    normalize=False,
    dtype='float32',
  )
  toy = Toy(lambda key: jnp.zeros((8, 3)), sample, lambda w, x: jnp.sum(w * x))
  dynamics = descent.descend(toy, optax.sgd(0.1), num_parts=4)
  key = jax.random.key(3)
  _, info = dynamics.step(key, dynamics.init(key))
  # The mean of four uniform numbers has a quarter of the variance of one.
  assert abs(np.var(info.grads) - 1.0 / 48.0) < 5.0 * 1.0 / 48.0 * 0.3

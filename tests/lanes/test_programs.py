"""Whole programs under `lanes`, under `jax.vmap` and one seed after another."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.lanes.agreement import assert_agree
from tests.lanes.programs import (
  NUM_SEEDS,
  PROGRAMS,
  autoencoder,
  train,
)
from toyjax import sweeps
from toyjax.descent import descend
from toyjax.lanes import lanes

# A step rounds in another order and hands its error to the next one, which may
# enlarge it: 20 steps of sums of up to 60 terms, each a few ulps off.
TRAINED_ULPS = 2000


@pytest.mark.parametrize('name', PROGRAMS)
def test_lanes_vmap_and_a_loop_agree(name):
  trial = PROGRAMS[name]
  keys = sweeps.seed_keys(5, np.arange(NUM_SEEDS))
  # One program of both: it compiles faster than two.
  found, mapped = jax.jit(
    lambda keys: (lanes(trial)(keys), jax.vmap(trial)(keys))
  )(keys)
  for leaf in jax.tree.leaves(found):
    assert leaf.shape[0] == NUM_SEEDS
  assert_agree(found, mapped, ulps=TRAINED_ULPS)
  compiled = jax.jit(trial)
  looped = [compiled(key) for key in keys]
  stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *looped)
  assert_agree(found, stacked, ulps=TRAINED_ULPS)


def test_swept_hyperparameters_are_mapped_too():
  def trial(x):
    optimizer = optax.adamw(x['rate'], weight_decay=x['decay'], eps=1e-3)
    return train(descend(autoencoder(), optimizer), x['key'])[1]

  xs = {
    'key': sweeps.seed_keys(5, np.arange(NUM_SEEDS)),
    'rate': np.asarray([1e-3, 1e-2, 1e-1, 0.0], np.float32),
    'decay': np.float32(0.1),
  }
  axes = ({'key': 0, 'rate': 0, 'decay': None},)
  found = jax.jit(lanes(trial, axes))(xs)
  assert_agree(found, jax.jit(jax.vmap(trial, axes))(xs), ulps=TRAINED_ULPS)
  # Without steps the first loss is the last.
  assert_agree(found[3], jnp.broadcast_to(found[3, 0], 4), ulps=8)

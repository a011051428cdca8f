"""Sweeps of what has no numbers, and of keys that are drawn for together."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.lanes import has_shared_draws
from toyjax.sweeps import sweep

MAPS = ['lanes', 'vmap', 'kernel']


@pytest.mark.parametrize('map_name', MAPS)
def test_a_sweep_of_results_without_numbers(map_name):
  xs = {'x': np.ones((5, 3), np.float32), 'none': np.ones((5, 0, 2))}

  def trial(x):
    last, seen = jax.lax.scan(lambda c, _: (c / 2, c[:0]), x['x'], length=2)
    return {'last': last, 'seen': seen, 'sum': jnp.sum(x['none']), 'no': None}

  found = sweep(trial, xs, map_name=map_name)
  np.testing.assert_array_equal(found['last'], np.full((5, 3), 0.25))
  assert found['seen'].shape == (5, 2, 0)
  np.testing.assert_array_equal(found['sum'], np.zeros(5))
  assert found['no'] is None


def _keys(impl):
  return jax.random.split(jax.random.key(0, impl=impl), 3)


TRIALS = {
  'normal': (jax.random.normal, _keys),
  'fold_in': (lambda key: jax.random.fold_in(key, 1), _keys),
  'in_a_loop': (
    lambda key: jax.lax.scan(
      lambda c, _: (jax.random.split(c)[0], jax.random.bits(c)), key, length=2
    )[1],
    _keys,
  ),
  'raw': (
    lambda key: jax.random.normal(jax.random.wrap_key_data(key, impl='rbg')),
    lambda impl: jax.random.key_data(_keys(impl)),
  ),
}


@pytest.mark.parametrize('map_name', MAPS)
@pytest.mark.parametrize('impl', ['rbg', 'unsafe_rbg'])
@pytest.mark.parametrize('name', TRIALS)
def test_keys_whose_draws_depend_on_the_chunk(name, impl, map_name):
  trial, make = TRIALS[name]
  with pytest.raises(ValueError, match=r'rbg .* depend on the chunk size'):
    sweep(trial, make(impl), map_name=map_name)


def test_keys_made_in_the_trial():
  def trial(seed):
    return jax.random.normal(jax.random.key(seed, impl='rbg'))

  with pytest.raises(ValueError, match='threefry2x32'):
    sweep(trial, np.arange(3))


def test_other_keys_are_welcome():
  jaxpr = jax.make_jaxpr(jax.random.normal)(jax.random.key(0)).jaxpr
  assert not has_shared_draws(jaxpr)

"""A sweep gives what a loop gives, however it is cut and spread."""

import jax
import numpy as np
import pytest

from tests.sweep_trials import (
  LAST_BITS,
  make_xs,
  one_device,
  train_one_weight,
)
from toyjax import chunks, sweeps

pytestmark = pytest.mark.usefixtures('compiled_once')


def test_sweep_equals_a_loop():
  xs = make_xs(4)
  results = sweeps.sweep(train_one_weight, xs, chunk_size=5)
  assert results['w'].shape == (12,)
  assert results['loss'].shape == (12, 3)
  run = jax.jit(train_one_weight)
  for i in range(12):
    alone = run(jax.tree.map(lambda leaf, i=i: leaf[i], xs))
    for name in ('w', 'loss'):
      np.testing.assert_allclose(results[name][i], alone[name], **LAST_BITS)
    assert results['index'][i] == i // 3


def test_different_seeds_differ():
  results = sweeps.sweep(train_one_weight, make_xs(50), chunk_size=64)
  assert len(np.unique(results['w'])) == 150
  assert len(np.unique(results['loss'][:, 0])) >= 50


@pytest.mark.parametrize('chunk_size', [1, 7, 12, 64])
@pytest.mark.parametrize('devices', ['one', 'all'])
def test_chunks_and_devices_change_nothing_but_last_bits(chunk_size, devices):
  xs = make_xs(4)
  reference = sweeps.sweep(train_one_weight, xs, chunk_size=1000)
  mesh = one_device() if devices == 'one' else None
  results = sweeps.sweep(train_one_weight, xs, chunk_size=chunk_size, mesh=mesh)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, **LAST_BITS),
    results,
    reference,
  )


def test_order_changes_nothing_but_last_bits():
  xs = make_xs(20)
  order = np.random.default_rng(0).permutation(60)
  mixed = sweeps.sweep(
    train_one_weight, jax.tree.map(lambda leaf: leaf[order], xs), chunk_size=16
  )
  reference = sweeps.sweep(train_one_weight, xs, chunk_size=16)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b[order], **LAST_BITS),
    mixed,
    reference,
  )


def test_seed_alone_equals_seed_in_a_sweep_of_thousands():
  xs = make_xs(1000)
  results = sweeps.sweep(train_one_weight, xs, chunk_size=512)
  for run in (0, 23, 2999):
    alone = sweeps.sweep(
      train_one_weight,
      jax.tree.map(lambda leaf, run=run: leaf[run : run + 1], xs),
      chunk_size=512,
    )
    np.testing.assert_allclose(alone['w'][0], results['w'][run], **LAST_BITS)


def test_a_chunk_computed_again_is_the_same_bit_for_bit():
  xs = make_xs(10)
  first = sweeps.sweep(train_one_weight, xs, chunk_size=8)
  second = sweeps.sweep(train_one_weight, xs, chunk_size=8)
  jax.tree.map(np.testing.assert_array_equal, first, second)


def test_maps_agree_and_an_unknown_one_is_refused():
  xs = make_xs(7)
  lanes = sweeps.sweep(train_one_weight, xs, chunk_size=16, map_name='lanes')
  vmap = sweeps.sweep(train_one_weight, xs, chunk_size=16, map_name='vmap')
  # 30 steps of training, each summing in another order.
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, **LAST_BITS), lanes, vmap
  )
  with pytest.raises(ValueError, match='unknown map'):
    sweeps.sweep(train_one_weight, xs, chunk_size=16, map_name='pmap')


def test_a_chunk_without_a_size_suits_the_devices():
  mesh = chunks.local_mesh()
  assert chunks.default_size(mesh) == mesh.size * chunks.default_size(
    one_device()
  )
  xs = make_xs(20)
  found = sweeps.sweep(train_one_weight, xs)
  jax.tree.map(
    np.testing.assert_array_equal,
    found,
    sweeps.sweep(train_one_weight, xs, chunk_size=7),
  )


@pytest.mark.parametrize('chunk_size', [1, 100, 333, 5000])
def test_with_lanes_a_run_has_the_same_bits_in_any_company(chunk_size):
  xs = make_xs(250)
  order = np.random.default_rng(1).permutation(750)
  reference = sweeps.sweep(train_one_weight, xs, chunk_size=1024)
  some = order[: 3 if chunk_size == 1 else 750]
  mixed = sweeps.sweep(
    train_one_weight,
    jax.tree.map(lambda leaf: leaf[some], xs),
    chunk_size=chunk_size,
    mesh=one_device() if chunk_size == 333 else None,
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_array_equal(a, b[some]), mixed, reference
  )

"""A trial that is not tiny runs in blocks that its own size tells."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.sweep_trials import CLOSE, one_device, train_large_net
from toyjax import chunks, map_runs, run_sizes, sweeps
from toyjax.lanes import blocks


def _keys(num):
  return sweeps.seed_keys(3, np.arange(num))


def _assert_same_bits(found, expected):
  jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_a_run_has_the_same_bits_in_any_chunk():
  swept = sweeps.sweep(train_large_net, _keys(7), chunk_size=64)
  expected = jax.jit(jax.vmap(train_large_net))(_keys(7))
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, **CLOSE), swept, expected
  )
  for chunk_size, mesh in ((1, None), (3, one_device()), (7, one_device())):
    _assert_same_bits(
      sweeps.sweep(train_large_net, _keys(7), chunk_size=chunk_size, mesh=mesh),
      swept,
    )
  _assert_same_bits(map_runs(train_large_net)(_keys(7)), swept)
  alone = map_runs(train_large_net)(_keys(7)[4:5])
  _assert_same_bits(alone, jax.tree.map(lambda leaf: leaf[4:5], swept))


@pytest.mark.parametrize('num_bytes', [10, 10**5, 10**6, 10**8])
def test_a_block_fits_the_cache(num_bytes):
  def trial(x):
    return jnp.outer(jnp.ones(num_bytes // 4), x)

  jaxpr = jax.make_jaxpr(trial)(jnp.ones(1)).jaxpr
  block = chunks.vmap_block(jaxpr)
  assert 1 <= block <= blocks.SMALL_BLOCK
  size = run_sizes.program_bytes(jaxpr)
  assert block == 1 or block * size <= chunks.VMAP_BLOCK_BYTES
  assert block == blocks.SMALL_BLOCK or 2 * block * size > (
    chunks.VMAP_BLOCK_BYTES
  )

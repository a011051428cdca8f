"""A trial is mapped in one call, as a sweep maps it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.sweep_trials import LAST_BITS, make_xs, one_device, train_one_weight
from toyjax import chunks, map_runs, sweeps

pytestmark = pytest.mark.usefixtures('compiled_once')


@pytest.mark.parametrize('map_name', chunks.MAPS)
@pytest.mark.parametrize('num_seeds', [1, 50])
def test_it_is_the_sweep_bit_for_bit_and_vmap_in_meaning(map_name, num_seeds):
  xs = make_xs(num_seeds)
  found = map_runs(train_one_weight, map_name=map_name)(xs)
  swept = sweeps.sweep(train_one_weight, xs, map_name=map_name)
  mapped = jax.jit(jax.vmap(train_one_weight))(xs)
  for name, array in found.items():
    assert isinstance(array, jax.Array)
    assert array.shape == swept[name].shape
    if map_name != 'vmap':  # Whose last bits depend on the size of a chunk.
      np.testing.assert_array_equal(array, swept[name])
    np.testing.assert_allclose(array, mapped[name], **LAST_BITS)


def test_it_is_compiled_once_for_each_shape():
  traces = []

  def counted(x):
    traces.append(x.shape)
    return x.sum()

  mapped = map_runs(counted)
  for _ in range(3):
    assert mapped(jnp.ones((4, 2))).shape == (4,)
  number = len(traces)
  mapped(np.ones((4, 2), np.float32))
  assert len(traces) == number
  np.testing.assert_array_equal(mapped(jnp.ones((300, 3))), 3.0)
  assert set(traces) == {(2,), (3,)}


def test_a_mesh_of_one_s_own_is_taken():
  found = map_runs(jnp.sin, mesh=one_device())(jnp.arange(5.0))
  np.testing.assert_allclose(found, np.sin(np.arange(5.0)), rtol=1e-6)
  assert len(found.devices()) == 1


def test_what_is_no_number_of_runs_is_refused():
  with pytest.raises(ValueError, match='unknown map'):
    map_runs(jnp.sin, map_name='loop')
  mapped = map_runs(lambda x: x['a'])
  for xs, message in (
    ({'a': np.ones(3), 'b': np.ones(4)}, 'share one number of runs'),
    ({'a': np.ones(())}, 'needs a leading axis'),
    ({'a': np.ones((0, 2))}, 'share one number of runs >= 1'),
  ):
    with pytest.raises(ValueError, match=message):
      mapped(xs)


def test_arrays_that_are_bound_to_a_device_are_taken_to_all():
  xs = jax.device_put(make_xs(3), jax.devices()[0])
  assert all(leaf.committed for leaf in jax.tree.leaves(xs))
  found = map_runs(train_one_weight)(xs)
  for name, array in map_runs(train_one_weight)(make_xs(3)).items():
    np.testing.assert_array_equal(found[name], array)


def test_other_types_are_other_programs():
  mapped = map_runs(lambda x: (x / 2, x + 1))
  for dtype in (np.float32, np.int32, np.float32):
    half, following = mapped(np.arange(3, dtype=dtype))
    np.testing.assert_array_equal(half, [0.0, 0.5, 1.0])
    assert following.dtype == dtype

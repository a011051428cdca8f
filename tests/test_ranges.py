"""Seeds, indices and inputs that 32 bits cannot hold are refused, not cut."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import ranges, sweeps

pytestmark = pytest.mark.usefixtures('compiled_once')


@pytest.mark.parametrize('wide', [False, True])
@pytest.mark.parametrize(
  'seed', [-1, 2**32, 2**32 + 7, 2**70, 1.0, True, '3', None, np.int64(-5)]
)
def test_a_seed_beyond_32_bits_is_refused(seed, wide):
  with jax.enable_x64(wide), pytest.raises(ValueError, match='a seed must'):
    sweeps.seed_keys(seed, np.arange(2))


@pytest.mark.parametrize('wide', [False, True])
@pytest.mark.parametrize(
  ('indices', 'shown'),
  [
    (np.array([0, 2**32]), '4294967296'),
    (np.array([5, -1]), '-1'),
    (jnp.array([5, -1], jnp.int8), '-1'),
    ([2**70], '1180591620717411303424'),
    (np.array([2**64 - 1], np.uint64), '18446744073709551615'),
    (np.array([0.0, 1.0]), 'float64'),
    (np.array([True]), 'bool'),
  ],
)
def test_an_index_beyond_32_bits_is_refused(indices, shown, wide):
  with jax.enable_x64(wide), pytest.raises(ValueError, match=shown):
    sweeps.seed_keys(0, indices)


@pytest.mark.parametrize('seed', [0, 2**31 - 1, 2**31, 2**32 - 1])
def test_a_seed_has_one_key_in_either_precision(seed):
  indices = np.array([0, 2**31 - 1, 2**31, 2**32 - 1])
  found = []
  for wide in (False, True):
    with jax.enable_x64(wide):
      keys = sweeps.seed_keys(seed, indices)
      found.append(np.asarray(jax.random.key_data(keys)))
  np.testing.assert_array_equal(*found)
  assert len(np.unique(found[0], axis=0)) == len(indices)


def test_keys_are_made_of_every_kind_of_integer():
  want = jax.random.key_data(sweeps.seed_keys(3, np.arange(4)))
  for seed in (np.uint32(3), np.int64(3), jnp.int32(3)):
    for indices in (range(4), np.arange(4, dtype=np.int8), jnp.arange(4)):
      found = jax.random.key_data(sweeps.seed_keys(seed, indices))
      np.testing.assert_array_equal(found, want)
  traced = jax.jit(lambda i: sweeps.seed_keys(3, i))(jnp.arange(4))
  np.testing.assert_array_equal(jax.random.key_data(traced), want)
  assert sweeps.seed_keys(3, []).shape == (0,)


@pytest.mark.parametrize('num_seeds', [0, -1, 2**31 + 1, 10**30, 2.0, True])
def test_a_number_of_seeds_beyond_its_range_allocates_nothing(num_seeds):
  with pytest.raises(ValueError, match='a number of seeds must'):
    sweeps.seeds_by_grid(seed=0, num_seeds=num_seeds, configurations={})


@pytest.mark.parametrize(
  ('xs', 'shown'),
  [
    (np.array([2**40 + 1, 1]), '1099511627777'),
    (np.array([1, -(2**31) - 1]), '-2147483649'),
    (np.array([1, 2**32], np.uint64), '4294967296'),
    (np.array([1.0, 1e39]), '1e[+]39'),
    (np.array([-1e39]), '-1e[+]39'),
    (np.array([0.0, 1e-50]), '1e-50'),
    (np.array([1e-40]), '1e-40'),
    (np.array([1.0, 1.0 + 1e-60j]), '1e-60j'),
    ({'rate': np.array([0.1]), 'eps': np.array([1e-50])}, "'eps'"),
  ],
)
def test_a_sweep_refuses_inputs_that_a_device_would_change(xs, shown):
  with pytest.raises(ValueError, match=shown):
    sweeps.sweep(lambda x: x, xs)


def test_a_sweep_rounds_what_has_a_value_nearby_and_x64_keeps_all():
  xs = {
    'rate': np.array([0.1, 1.0 + 1e-9, np.inf, np.nan, 0.0, -0.0, 3e38, 2e-38]),
    'index': np.array([0, 1, 2, 3, 4, -5, 2**31 - 1, -(2**31)]),
    'word': np.array([*range(7), 2**32 - 1], np.uint64),
  }
  found = sweeps.sweep(lambda x: x, xs)
  np.testing.assert_array_equal(found['rate'], xs['rate'].astype(np.float32))
  for name in ('index', 'word'):
    np.testing.assert_array_equal(found[name], xs[name])
  wide = {'index': np.array([2**40 + 1, 1]), 'rate': np.array([1e-50, 1e300])}
  with jax.enable_x64(True):
    found = sweeps.sweep(lambda x: x, wide)
  for name, values in wide.items():
    np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize('values', [[2**70, 1], [2**53 + 1, 0.5]])
def test_a_grid_holds_every_integer_it_is_given(values):
  with pytest.raises(ValueError, match=str(values[0])):
    sweeps.grid(a=values)
  np.testing.assert_array_equal(sweeps.grid(a=[1, 0.5])['a'], [1.0, 0.5])


def test_what_is_on_a_device_is_left_alone():
  ranges.require_kept({'key': sweeps.seed_keys(0, range(3)), 'x': jnp.ones(3)})

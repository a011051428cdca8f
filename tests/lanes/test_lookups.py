"""Reading and writing tables under `lanes` and under `jax.vmap`."""

from hypothesis import given, settings
from hypothesis import strategies as st
import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes.looked_up import (
  DTYPES,
  MODES,
  NUM_SEEDS,
  WRITES,
  assert_equal,
  indices_of,
  numbers,
)
from tests.lanes.traced import primitives_of
from toyjax.lanes import lanes, lookups, slices


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('dtype', DTYPES)
def test_reads_every_type_in_every_mode(dtype, mode):
  with jax.enable_x64(dtype == 'float64'):
    assert_equal(
      lambda table, index: table.at[index].get(
        mode=mode, wrap_negative_indices=False
      ),
      numbers(dtype, 5, 2),
      indices_of(-9, 9, 7),
    )


@pytest.mark.parametrize(
  'function',
  [
    lambda x, i: (x[:, i], x[i, 1:, i], x[i, i[::-1]], x[:, i, i]),
    lambda x, i: x[i[:2, None], :, i[None]],
    lambda x, i: jnp.take(x, i[:4].reshape(2, 2), 2),
    lambda x, i: jnp.take(x, i - 4, 0, mode='wrap'),
    lambda x, i: jnp.take(x, i + 2, 0, fill_value=7),
    lambda x, i: jnp.take_along_axis(x, i[None, :3, None], 1),
    lambda x, i: jnp.take_along_axis(x, jnp.stack([i, i, i])[..., None], 1),
    lambda x, i: jnp.take_along_axis(x[0], i[:3, None], 1, mode='clip'),
    lambda x, i: jax.vmap(lambda x, i: x[i])(x, i[:3]),
    lambda x, i: jax.vmap(lambda x, i: x[i], (1, 0), 1)(x, i[:3]),
    lambda x, i: (x[i[:0]], x[:, :, :0][i]),
    lambda x, i: x[i.astype(jnp.uint8)],
  ],
)
def test_reads_along_any_axes(function):
  assert_equal(function, numbers('float32', 3, 3, 3), indices_of(0, 3, 5))


def test_axes_of_a_table_in_another_order():
  """The batch axis comes last in the table and first in the entries."""
  reading = lax.GatherDimensionNumbers(
    offset_dims=(1,),
    collapsed_slice_dims=(0,),
    start_index_map=(0,),
    operand_batching_dims=(2,),
    start_indices_batching_dims=(0,),
  )
  writing = lax.ScatterDimensionNumbers(
    update_window_dims=(1,),
    inserted_window_dims=(0,),
    scatter_dims_to_operand_dims=(0,),
    operand_batching_dims=(2,),
    scatter_indices_batching_dims=(0,),
  )
  assert_equal(
    lambda x, i: (
      entries := lax.gather(x, i, reading, (1, 2, 1)),
      lax.scatter_add(x, i, entries, writing),
    ),
    numbers('float32', 4, 2, 2),
    indices_of(0, 4, 2, 5, 1),
  )


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('write', WRITES)
def test_writes_twice_and_outside(write, mode):
  """Seven writes to five places, some of them the same."""
  assert_equal(
    lambda table, index, update: getattr(table.at[index], write)(
      update, mode=mode, wrap_negative_indices=False
    ),
    numbers('float32', 5, 2),
    indices_of(-9, 9, 7),
    numbers('float32', 7, 2),
  )


@pytest.mark.parametrize('dtype', DTYPES)
def test_writes_every_type(dtype):
  writes = ['set', 'max'] if dtype == 'bool' else ['set', 'max', 'add']
  with jax.enable_x64(dtype == 'float64'):
    assert_equal(
      lambda table, index, update: [
        getattr(table.at[index], write)(update) for write in writes
      ],
      numbers(dtype, 5),
      indices_of(0, 9, 7),
      numbers(dtype, 7),
    )


@pytest.mark.parametrize(
  'function',
  [
    lambda x, i, v: x.at[:, i].add(v.transpose(1, 0, 2)),
    lambda x, i, v: x.at[i, :, i].add(v[:, 0]),
    lambda x, i, v: x.at[i, i[::-1]].set(v[0, 0]),
    lambda x, i, v: x.at[:, i, i].max(v[:, 0].T),
    lambda x, i, v: x.at[i[:2, None], :, i[None]].add(v[0, 0]),
    lambda x, i, v: x.at[i[0]].add(v[0]),
    lambda x, i, v: x.at[i, :2].add(v[:, :2]),
    lambda x, i, v: x.at[i[:0]].add(v[:0]),
    lambda x, i, v: x.at[i].apply(lambda x: x * 2 + 1),
    lambda x, i, v: x.at[i].apply(lambda x: x),
    lambda x, i, v: jax.vmap(lambda x, i, v: x.at[i].add(v))(x, i[:3], v[0]),
    lambda x, i, v: jax.vmap(lambda x, i, v: x.at[i].add(v), (1, 0, 1), 1)(
      x, i[:3], v[0]
    ),
    lambda x, i, v: jax.grad(lambda x: jnp.sum(x[i] * v))(x),
    lambda x, i, v: jax.grad(
      lambda x: jnp.sum(jnp.take_along_axis(x[0], i[:3, None], 1) * v[0, 0, 0])
    )(x),
  ],
)
def test_writes_along_any_axes(function):
  assert_equal(
    function,
    numbers('float32', 3, 3, 3),
    indices_of(0, 3, 5),
    numbers('float32', 5, 3, 3),
  )


def test_what_is_not_read_may_be_nan():
  table = jnp.asarray([[jnp.nan, 1.0, jnp.inf, -jnp.inf, 2.0]] * 2)
  index = jnp.asarray([[1, 4], [4, 1]])

  def read(table, index):
    return jnp.sum(table[index]) + table[index[0]]

  outside = jax.grad(lambda table: jnp.sum(lanes(read)(table, index)))
  found, within, outside = jax.jit(
    lambda t: (
      lanes(read)(t, index),
      lanes(jax.grad(read))(t, index),
      outside(t),
    ),
  )(table)
  np.testing.assert_array_equal(found, [4.0, 5.0])
  np.testing.assert_array_equal(within, [[0, 2, 0, 0, 1], [0, 1, 0, 0, 2]])
  np.testing.assert_array_equal(outside, within)


@pytest.mark.parametrize('write', ['set', 'add', 'multiply'])
def test_what_is_not_written_may_be_nan(write):
  """Derivatives taken outside of lanes see no product with a NaN."""
  table = jnp.asarray([[jnp.nan, 1.0, jnp.inf, 3.0]] * 2)
  index, update = jnp.asarray([[1], [3]]), jnp.asarray([2.0, 5.0])

  def slopes(mapper):
    def change(table, index, update):
      place = table.at[index]
      return getattr(place, write)(update, unique_indices=True)[index]

    loss = lambda table, update: jnp.sum(mapper(change)(table, index, update))
    found = jax.jit(jax.grad(loss, (0, 1)))
    return found(table, update)

  for a, b in zip(slopes(lanes), slopes(jax.vmap)):
    np.testing.assert_array_equal(a, b)
    assert np.isfinite(a).all()


def test_tables_of_keys():
  def pick(keys, index):
    chosen = keys[index], lax.dynamic_index_in_dim(keys, index[0])
    placed = lax.dynamic_update_index_in_dim(keys, keys[0], index[0], 0)
    return jax.tree.map(jax.random.key_data, (*chosen, placed))

  keys = jax.random.split(jax.random.key(3), (NUM_SEEDS, 4))
  assert_equal(pick, keys, indices_of(0, 4, 3))


@settings(max_examples=12, deadline=None)
@given(
  st.integers(1, lookups.MAX_PLACES + 1),
  st.integers(0, 4),
  st.integers(0, 3),
  st.sampled_from(MODES),
  st.integers(0, 99),
)
def test_random_tables(places, lookups, width, mode, seed):
  def read_and_write(table, index):
    read = table.at[index].get(mode=mode)
    return read, table.at[index].add(read, mode=mode)

  assert_equal(
    read_and_write,
    numbers('float32', places, width, seed=seed),
    indices_of(-2 * places, 2 * places, lookups, seed=seed),
  )


READ_AND_WRITE = {
  'gather': lambda x, i: x[i],
  'scatter': lambda x, i: x.at[i].set(0.0),
  'scatter-add': lambda x, i: x.at[i].add(x[0]),
  'dynamic_slice': lambda x, i: lax.dynamic_index_in_dim(x, i[0]),
  'dynamic_update_slice': lambda x, i: lax.dynamic_update_index_in_dim(
    x, x[0] * 2, i[0], 0
  ),
}


@pytest.mark.parametrize('name', READ_AND_WRITE)
def test_small_tables_are_not_looked_up_seed_by_seed(name):
  indices = indices_of(0, 3, 2)
  looked_up = {'gather', 'scatter', 'scatter-add'}

  def found(places):
    table = numbers('float32', places, 2)
    mapped = lanes(READ_AND_WRITE[name])
    program = jax.make_jaxpr(mapped)(table, indices).jaxpr
    return looked_up.intersection(primitives_of(program))

  assert not found(lookups.MAX_PLACES)
  limit = max(lookups.MAX_PLACES, slices.MAX_WRITTEN)
  assert found(limit + 1)

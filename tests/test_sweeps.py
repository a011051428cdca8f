"""The sweep: seeds, grids, padding, stores, what is refused."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.sweep_trials import LAST_BITS, make_xs, train_one_weight
from toyjax import chunks, sweeps
from toyjax.lanes import blocks

pytestmark = pytest.mark.usefixtures('compiled_once')


def test_seed_keys_do_not_depend_on_how_many_there_are():
  data = lambda keys: np.asarray(jax.random.key_data(keys))
  many = data(sweeps.seed_keys(3, np.arange(1000)))
  few = data(sweeps.seed_keys(3, np.asarray([999, 7])))
  np.testing.assert_array_equal(few, many[[999, 7]])
  alone = jax.random.fold_in(jax.random.key(3), 7)
  np.testing.assert_array_equal(data(alone), many[7])
  assert len(np.unique(many, axis=0)) == 1000
  assert not np.array_equal(many, data(sweeps.seed_keys(4, np.arange(1000))))


def test_grid_is_the_product_with_the_last_axis_fastest():
  grid = sweeps.grid(a=[1, 2], b=[10.0, 20.0, 30.0])
  np.testing.assert_array_equal(grid['a'], [1, 1, 1, 2, 2, 2])
  np.testing.assert_array_equal(grid['b'], [10, 20, 30, 10, 20, 30])
  with pytest.raises(ValueError, match='must be a list'):
    sweeps.grid(a=3)


def test_more_seeds_extend_the_runs_and_share_keys_between_configurations():
  few, many = make_xs(4), make_xs(9)
  for name in ('rate', 'seed_index'):
    np.testing.assert_array_equal(few[name], many[name][:12])
  data = np.asarray(jax.random.key_data(many['key'])).reshape(9, 3, -1)
  assert np.all(data == data[:, :1])
  np.testing.assert_array_equal(many['seed_index'], np.repeat(np.arange(9), 3))


@pytest.mark.parametrize('map_name', chunks.MAPS)
def test_one_compilation_serves_all_chunks_and_hyperparameters(map_name):
  def num_traces(num_seeds):
    traces = []

    def counted(x):
      traces.append(1)
      return train_one_weight(x)

    sweeps.sweep(counted, make_xs(num_seeds), chunk_size=16, map_name=map_name)
    return len(traces)

  assert num_traces(30) == num_traces(1) <= 2


@pytest.mark.parametrize(
  ('num_runs', 'chunk_size', 'multiple', 'expected'),
  [
    (10_000, 512, 2, 512),
    (10_000, 333, 2, 334),
    (100, 512, 2, 128),
    (1, 512, 2, 2),
    (1, 512, 1, 1),
    (3, 512, 8, 8),
    (1, 512, 256, 256),
    (9_000, 1024, 256, 1024),
  ],
)
def test_padding(num_runs, chunk_size, multiple, expected):
  size = chunks.padded_size(num_runs, chunk_size, multiple)
  assert size == expected


class _MemoryStore:
  """A store that remembers what it was asked to write."""

  def __init__(self, finished=()):
    self.chunks = dict(finished)
    self.written = []

  def is_finished(self, start, stop):
    chunk = self.chunks.get(start)
    return chunk is not None and len(chunk['w']) >= stop - start

  def write(self, start, chunk):
    self.written.append(start)
    self.chunks[start] = chunk

  def read(self, start, stop):
    return jax.tree.map(lambda leaf: leaf[: stop - start], self.chunks[start])


def test_finished_chunks_are_not_run_again(capsys):
  xs = make_xs(10)
  full = _MemoryStore()
  assert sweeps.sweep(train_one_weight, xs, chunk_size=8, store=full) == ()
  assert full.written == [0, 8, 16, 24]

  resumed = _MemoryStore({8: full.chunks[8], 16: full.chunks[16]})
  counts = lambda chunk: {'runs': len(chunk['w'])}
  sweeps.sweep(
    train_one_weight,
    xs,
    chunk_size=8,
    store=resumed,
    summarize=counts,
    progress='name',
  )
  assert resumed.written == [0, 24]
  for start, chunk in full.chunks.items():
    jax.tree.map(np.testing.assert_array_equal, chunk, resumed.chunks[start])
  shown = capsys.readouterr().err
  assert 'name: 100%' in shown
  assert 'runs=30' in shown  # Resumed runs are counted, too.
  assert 'steps/s' in shown


def test_without_a_name_nothing_is_shown(capsys):
  sweeps.sweep(train_one_weight, make_xs(2), chunk_size=8)
  assert capsys.readouterr() == ('', '')


def test_what_was_finished_before_an_interruption_is_stored():
  class Interrupted(_MemoryStore):
    def write(self, start, chunk):
      super().write(start, chunk)
      if start == 8:
        raise KeyboardInterrupt

  store = Interrupted()
  with pytest.raises(KeyboardInterrupt):
    sweeps.sweep(train_one_weight, make_xs(10), chunk_size=8, store=store)
  assert store.written == [0, 8]


def test_bad_sweeps_are_refused():
  xs = make_xs(2)
  with pytest.raises(ValueError, match='chunk_size'):
    sweeps.sweep(train_one_weight, xs, chunk_size=0)
  with pytest.raises(ValueError, match='one number of runs'):
    sweeps.sweep(train_one_weight, xs | {'rate': np.zeros(4)}, chunk_size=2)
  with pytest.raises(ValueError, match='one number of runs'):
    sweeps.sweep(lambda x: x, np.zeros(0), chunk_size=2)
  with pytest.raises(ValueError, match='leading axis'):
    sweeps.sweep(lambda x: x, {'a': 3.0}, chunk_size=2)


def test_a_trial_that_is_not_tiny_goes_to_vmap_in_blocks_of_its_size():
  def trial(x):
    return jax.random.normal(x, (40, 40)) @ jnp.ones((40, 40))

  keys = sweeps.seed_keys(0, np.arange(3))
  mesh = chunks.local_mesh()
  large = chunks.compile_chunk(trial, keys, mesh, 'lanes')
  block = chunks.vmap_block(jax.make_jaxpr(trial)(keys[0]).jaxpr)
  assert large.multiple == mesh.size * block
  small = chunks.compile_chunk(jax.random.normal, keys, mesh, 'lanes')
  assert small.multiple == mesh.size * blocks.BLOCK
  middle = chunks.compile_chunk(
    lambda key: jax.random.normal(key, (11, 11)) @ jnp.ones((11, 11)),
    keys,
    mesh,
    'lanes',
  )
  assert middle.multiple == mesh.size * blocks.SMALL_BLOCK
  # Products in blocks of other sizes add up in another order.
  np.testing.assert_allclose(
    sweeps.sweep(trial, keys, chunk_size=2, map_name='lanes'),
    sweeps.sweep(trial, keys, chunk_size=2, map_name='vmap'),
    **LAST_BITS,
  )


def test_chunks_of_other_devices():
  class Device(NamedTuple):
    platform: str
    core_count: int

  class Mesh(NamedTuple):
    devices: np.ndarray
    size: int

  def mesh(*device):
    devices = np.empty(2, object)
    devices[:] = [Device(*device)] * 2
    return Mesh(devices, 2)

  # An H100 has 132 multiprocessors of 2048 threads: 270,336.
  assert chunks.default_size(mesh('gpu', 132)) == 2 * 262_144
  assert chunks.default_size(mesh('tpu', 1)) == 2 * 65_536

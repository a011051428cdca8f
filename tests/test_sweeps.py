"""The sweep: seeds, grids, chunks, devices, resuming."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import chunks, loops, optimizers, sweeps
from toyjax.base import Toy
from toyjax.descent import descend


def _trial(x):
  """Trains one weight on its own random data; every bit of x matters."""
  data_key, run_key = jax.random.split(x['key'])
  targets = jax.random.normal(data_key, (5,))
  toy = Toy(
    init=jax.random.normal,
    sample=lambda key: targets + 0.1 * jax.random.normal(key, (5,)),
    loss=lambda w, batch: jnp.mean((jnp.tanh(w) - batch) ** 2),
  )
  optimizer = optimizers.make(
    'momentum', learning_rate=x['rate'], schedule=None, momentum=0.9
  )
  state, loss = loops.unroll(
    run_key,
    descend(toy, optimizer),
    30,
    observe=lambda state, info: info.loss,
    observe_at=[1, 10, 30],
  )
  return {'w': state.params, 'loss': loss, 'index': x['seed_index']}


def _xs(num_seeds):
  return sweeps.seeds_by_grid(
    seed=7,
    num_seeds=num_seeds,
    configurations=sweeps.grid(rate=np.float32([0.01, 0.1, 0.3])),
  )


def _one_device():
  return jax.make_mesh(
    (1,),
    (chunks.RUNS,),
    axis_types=(jax.sharding.AxisType.Auto,),
    devices=jax.local_devices()[:1],
  )


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
  few, many = _xs(4), _xs(9)
  for name in ('rate', 'seed_index'):
    np.testing.assert_array_equal(few[name], many[name][:12])
  data = np.asarray(jax.random.key_data(many['key'])).reshape(9, 3, -1)
  assert np.all(data == data[:, :1])
  np.testing.assert_array_equal(many['seed_index'], np.repeat(np.arange(9), 3))


def test_sweep_equals_a_loop():
  xs = _xs(4)
  results = sweeps.sweep(_trial, xs, chunk_size=5)
  assert results['w'].shape == (12,)
  assert results['loss'].shape == (12, 3)
  run = jax.jit(_trial)
  for i in range(12):
    alone = run(jax.tree.map(lambda leaf, i=i: leaf[i], xs))
    for name in ('w', 'loss'):
      np.testing.assert_allclose(results[name][i], alone[name], rtol=2e-5)
    assert results['index'][i] == i // 3


def test_different_seeds_differ():
  results = sweeps.sweep(_trial, _xs(50), chunk_size=64)
  assert len(np.unique(results['w'])) == 150
  assert len(np.unique(results['loss'][:, 0])) >= 50


@pytest.mark.parametrize('chunk_size', [1, 7, 12, 64])
@pytest.mark.parametrize('devices', [1, 2])
def test_chunks_and_devices_change_nothing_but_last_bits(chunk_size, devices):
  assert jax.local_device_count() == 2
  xs = _xs(4)
  reference = sweeps.sweep(_trial, xs, chunk_size=1000)
  mesh = _one_device() if devices == 1 else None
  results = sweeps.sweep(_trial, xs, chunk_size=chunk_size, mesh=mesh)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5), results, reference
  )


def test_order_changes_nothing_but_last_bits():
  xs = _xs(20)
  order = np.random.default_rng(0).permutation(60)
  mixed = sweeps.sweep(
    _trial, jax.tree.map(lambda leaf: leaf[order], xs), chunk_size=16
  )
  reference = sweeps.sweep(_trial, xs, chunk_size=16)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b[order], rtol=2e-5),
    mixed,
    reference,
  )


def test_seed_alone_equals_seed_in_a_sweep_of_thousands():
  xs = _xs(1000)
  results = sweeps.sweep(_trial, xs, chunk_size=512)
  for run in (0, 23, 2999):
    alone = sweeps.sweep(
      _trial,
      jax.tree.map(lambda leaf, run=run: leaf[run : run + 1], xs),
      chunk_size=512,
    )
    np.testing.assert_allclose(alone['w'][0], results['w'][run], rtol=2e-5)


def test_a_chunk_computed_again_is_the_same_bit_for_bit():
  xs = _xs(10)
  first = sweeps.sweep(_trial, xs, chunk_size=8)
  second = sweeps.sweep(_trial, xs, chunk_size=8)
  jax.tree.map(np.testing.assert_array_equal, first, second)


@pytest.mark.parametrize('map_name', chunks.MAPS)
def test_one_compilation_serves_all_chunks_and_hyperparameters(map_name):
  def num_traces(num_seeds):
    traces = []

    def counted(x):
      traces.append(1)
      return _trial(x)

    sweeps.sweep(counted, _xs(num_seeds), chunk_size=16, map_name=map_name)
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
  xs = _xs(10)
  full = _MemoryStore()
  assert sweeps.sweep(_trial, xs, chunk_size=8, store=full) == ()
  assert full.written == [0, 8, 16, 24]

  resumed = _MemoryStore({8: full.chunks[8], 16: full.chunks[16]})
  counts = lambda chunk: {'runs': len(chunk['w'])}
  sweeps.sweep(
    _trial, xs, chunk_size=8, store=resumed, summarize=counts, progress='name'
  )
  assert resumed.written == [0, 24]
  for start, chunk in full.chunks.items():
    jax.tree.map(np.testing.assert_array_equal, chunk, resumed.chunks[start])
  shown = capsys.readouterr().err
  assert 'name: 100%' in shown
  assert 'runs=30' in shown  # Resumed runs are counted, too.
  assert 'steps/s' in shown


def test_without_a_name_nothing_is_shown(capsys):
  sweeps.sweep(_trial, _xs(2), chunk_size=8)
  assert capsys.readouterr() == ('', '')


def test_what_was_finished_before_an_interruption_is_stored():
  class Interrupted(_MemoryStore):
    def write(self, start, chunk):
      super().write(start, chunk)
      if start == 8:
        raise KeyboardInterrupt

  store = Interrupted()
  with pytest.raises(KeyboardInterrupt):
    sweeps.sweep(_trial, _xs(10), chunk_size=8, store=store)
  assert store.written == [0, 8]


def test_bad_sweeps_are_refused():
  xs = _xs(2)
  with pytest.raises(ValueError, match='chunk_size'):
    sweeps.sweep(_trial, xs, chunk_size=0)
  with pytest.raises(ValueError, match='one number of runs'):
    sweeps.sweep(_trial, xs | {'rate': np.zeros(4)}, chunk_size=2)
  with pytest.raises(ValueError, match='one number of runs'):
    sweeps.sweep(lambda x: x, np.zeros(0), chunk_size=2)
  with pytest.raises(ValueError, match='leading axis'):
    sweeps.sweep(lambda x: x, {'a': 3.0}, chunk_size=2)


def test_maps_agree_and_an_unknown_one_is_refused():
  xs = _xs(7)
  lanes = sweeps.sweep(_trial, xs, chunk_size=16, map_name='lanes')
  vmap = sweeps.sweep(_trial, xs, chunk_size=16, map_name='vmap')
  # 30 steps of training, each summing in another order.
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=2e-5), lanes, vmap
  )
  with pytest.raises(ValueError, match='unknown map'):
    sweeps.sweep(_trial, xs, chunk_size=16, map_name='pmap')


def test_a_trial_that_is_not_tiny_goes_to_vmap_whole():
  def trial(x):
    return jax.random.normal(x, (40, 40)) @ jnp.ones((40, 40))

  keys = sweeps.seed_keys(0, np.arange(3))
  mesh = chunks.local_mesh()
  large = chunks.compile_chunk(trial, keys, mesh, 'lanes')
  assert large.multiple == 2
  small = chunks.compile_chunk(jax.random.normal, keys, mesh, 'lanes')
  assert small.multiple == 2 * chunks.BLOCK
  middle = chunks.compile_chunk(
    lambda key: jax.random.normal(key, (11, 11)) @ jnp.ones((11, 11)),
    keys,
    mesh,
    'lanes',
  )
  assert middle.multiple == 2 * chunks.SMALL_BLOCK
  np.testing.assert_array_equal(
    sweeps.sweep(trial, keys, chunk_size=2, map_name='lanes'),
    sweeps.sweep(trial, keys, chunk_size=2, map_name='vmap'),
  )


def test_a_chunk_without_a_size_suits_the_devices():
  mesh = chunks.local_mesh()
  assert chunks.default_size(mesh) == 2 * chunks.default_size(_one_device())
  xs = _xs(20)
  found = sweeps.sweep(_trial, xs)
  jax.tree.map(
    np.testing.assert_array_equal, found, sweeps.sweep(_trial, xs, chunk_size=7)
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


@pytest.mark.parametrize('chunk_size', [1, 100, 333, 5000])
def test_with_lanes_a_run_has_the_same_bits_in_any_company(chunk_size):
  xs = _xs(250)
  order = np.random.default_rng(1).permutation(750)
  reference = sweeps.sweep(_trial, xs, chunk_size=1024)
  some = order[: 3 if chunk_size == 1 else 750]
  mixed = sweeps.sweep(
    _trial,
    jax.tree.map(lambda leaf: leaf[some], xs),
    chunk_size=chunk_size,
    mesh=_one_device() if chunk_size == 333 else None,
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_array_equal(a, b[some]), mixed, reference
  )

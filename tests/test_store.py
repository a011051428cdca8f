"""The Zarr store: layout, resuming, extension, damage."""

import enum

import jax
import numpy as np
import pytest
import xarray

from toyjax import store, sweeps


class Code(enum.IntEnum):
  BAD = 0
  GOOD = 1


RESULTS = {
  'outcome': jax.ShapeDtypeStruct((3,), np.int32),
  'weights': jax.ShapeDtypeStruct((3, 2, 4), np.float32),
  'kind': jax.ShapeDtypeStruct((), np.int8),
}
VARIABLES = {
  'outcome': store.Variable(('step',), store.flag_attrs(Code)),
  'weights': store.Variable(('step', 'hidden', 'feature')),
  'kind': store.Variable(),
}


def _open(path, num_runs=10, chunk_size=4, **changes):
  arguments = {
    'num_runs': num_runs,
    'chunk_size': chunk_size,
    'results': RESULTS,
    'variables': VARIABLES,
    'coordinates': {
      'seed_index': store.Coordinate('run', np.arange(num_runs)),
      'rate': store.Coordinate('run', np.linspace(0, 1, num_runs), {'u': 1}),
      'step': store.Coordinate('step', np.asarray([1, 10, 100])),
    },
    'attrs': {'threshold': np.float32(0.5), 'optimizer': 'adam'},
  }
  return store.RunStore(path, 'n4_m2', **(arguments | changes))


def _chunk(start, num_runs):
  rng = np.random.default_rng(start)
  return {
    'outcome': rng.integers(0, 2, (num_runs, 3)).astype(np.int32),
    'weights': rng.normal(size=(num_runs, 3, 2, 4)).astype(np.float32),
    'kind': np.ones(num_runs, np.int8),
  }


def test_xarray_opens_it_with_names_codes_and_thresholds(tmp_path):
  runs = _open(tmp_path)
  for start in (0, 4, 8):
    runs.write(start, _chunk(start, min(4, 10 - start)))
  data = xarray.open_zarr(tmp_path, group='n4_m2')
  assert data['weights'].dims == ('run', 'step', 'hidden', 'feature')
  assert dict(data.sizes) == {
    'run': 10,
    'step': 3,
    'hidden': 2,
    'feature': 4,
    'chunk': 3,
  }
  assert data['outcome'].attrs['flag_meanings'] == 'bad good'
  assert list(data['outcome'].attrs['flag_values']) == [0, 1]
  assert data.attrs['threshold'] == 0.5
  assert data['rate'].attrs == {'u': 1}
  np.testing.assert_array_equal(data['step'], [1, 10, 100])
  np.testing.assert_array_equal(data['seed_index'], np.arange(10))
  np.testing.assert_array_equal(data['weights'][4:8], _chunk(4, 4)['weights'])
  np.testing.assert_array_equal(data['completed_runs'], [4, 4, 2])


def test_dtypes_survive(tmp_path):
  runs = _open(tmp_path)
  chunk = _chunk(0, 4)
  runs.write(0, chunk)
  for name, values in runs.read(0, 4).items():
    assert values.dtype == chunk[name].dtype
    np.testing.assert_array_equal(values, chunk[name])


def test_one_file_per_sweep_chunk_and_variable_and_no_pickle(tmp_path):
  runs = _open(tmp_path)
  runs.write(4, _chunk(4, 4))
  files = [
    p for p in (tmp_path / 'n4_m2' / 'weights').rglob('*') if p.is_file()
  ]
  assert sorted(p.name for p in files) == ['0', 'zarr.json']
  text = (tmp_path / 'n4_m2' / 'weights' / 'zarr.json').read_text()
  assert 'crc32c' in text
  assert 'pickle' not in text


def test_a_chunk_is_finished_only_after_its_mark(tmp_path):
  runs = _open(tmp_path)
  assert not runs.is_finished(0, 4)
  runs.write(0, _chunk(0, 4))
  assert runs.is_finished(0, 4)
  assert not runs.is_finished(4, 8)
  assert runs.num_finished == 4

  class KilledError(Exception):
    pass

  class DiesBeforeTheMark(store.RunStore):
    def __init__(self, *args, **kwargs):
      super().__init__(*args, **kwargs)

      class Mark:
        def __setitem__(self, index, value):
          raise KilledError

      self._completed = Mark()

  dying = DiesBeforeTheMark(
    tmp_path,
    'n4_m2',
    num_runs=10,
    chunk_size=4,
    results=RESULTS,
    variables=VARIABLES,
    coordinates={},
    attrs={},
  )
  with pytest.raises(KilledError):
    dying.write(4, _chunk(4, 4))
  assert not _open(tmp_path).is_finished(4, 8)


def test_unfinished_runs_hold_fill_values(tmp_path):
  _open(tmp_path)
  data = xarray.open_zarr(tmp_path, group='n4_m2')
  assert np.all(np.isnan(data['weights']))
  assert np.all(data['outcome'] == -1)
  assert np.all(data['completed_runs'] == 0)


def test_extension_keeps_what_is_there_and_reopens_the_partial_chunk(tmp_path):
  runs = _open(tmp_path, num_runs=10)
  for start in (0, 4, 8):
    runs.write(start, _chunk(start, min(4, 10 - start)))
  longer = _open(tmp_path, num_runs=17)
  assert [longer.is_finished(s, min(s + 4, 17)) for s in range(0, 17, 4)] == [
    True,
    True,
    False,
    False,
    False,
  ]
  np.testing.assert_array_equal(
    longer.read(0, 10)['weights'][8:], _chunk(8, 2)['weights']
  )
  data = xarray.open_zarr(tmp_path, group='n4_m2')
  np.testing.assert_array_equal(data['seed_index'], np.arange(17))


def test_a_store_of_other_form_is_refused_and_unharmed(tmp_path):
  runs = _open(tmp_path)
  runs.write(0, _chunk(0, 4))
  other = RESULTS | {'weights': jax.ShapeDtypeStruct((3, 2, 5), np.float32)}
  for wrong in ({'num_runs': 9}, {'chunk_size': 5}, {'results': other}):
    with pytest.raises(ValueError, match='holds shape'):
      _open(tmp_path, **wrong)
  np.testing.assert_array_equal(
    _open(tmp_path).read(0, 4)['weights'], _chunk(0, 4)['weights']
  )


def test_results_need_a_description_of_their_rank(tmp_path):
  with pytest.raises(ValueError, match='differ'):
    _open(tmp_path, variables={'outcome': store.Variable(('step',))})
  wrong = VARIABLES | {'kind': store.Variable(('step',))}
  with pytest.raises(ValueError, match='kind has shape'):
    _open(tmp_path, variables=wrong)


def test_a_damaged_chunk_is_noticed(tmp_path):
  runs = _open(tmp_path)
  runs.write(0, _chunk(0, 4))
  file = tmp_path / 'n4_m2' / 'weights' / 'c' / '0' / '0' / '0' / '0'
  data = bytearray(file.read_bytes())
  data[len(data) // 2] ^= 1
  file.write_bytes(bytes(data))
  with pytest.raises(Exception, match='checksum'):
    runs.read(0, 4)


def test_a_sweep_streams_into_it_and_resumes(tmp_path):
  def trial(x):
    value = jax.random.normal(x['key'])
    return {
      'outcome': (value * np.arange(3) > 0).astype(np.int32),
      'weights': value * np.ones((3, 2, 4), np.float32),
      'kind': np.int8(1) * (value > 0).astype(np.int8),
    }

  xs = sweeps.seeds_by_grid(seed=0, num_seeds=10, configurations={})
  sweeps.sweep(trial, xs, chunk_size=4, store=_open(tmp_path / 'whole'))
  partial = _open(tmp_path / 'resumed')
  few = jax.tree.map(lambda leaf: leaf[:8], xs)
  sweeps.sweep(trial, few, chunk_size=4, store=partial)
  sweeps.sweep(trial, xs, chunk_size=4, store=_open(tmp_path / 'resumed'))
  whole = _open(tmp_path / 'whole').read()
  resumed = _open(tmp_path / 'resumed').read()
  jax.tree.map(np.testing.assert_array_equal, whole, resumed)
  assert whole['weights'].shape == (10, 3, 2, 4)

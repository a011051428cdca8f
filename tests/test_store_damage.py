"""Stores with files that are gone, changed, or others: never other numbers."""

import itertools
import json
import logging
import pathlib
import shutil

import jax
import numpy as np
import pytest
import xarray
import zarr

from tests.mutations import mutations
from toyjax import checks, store, stored_runs
from toyjax.checks import StoreError

GROUPS = ('adam', 'sgd')
NAMES = ('outcome', 'weights', 'never', 'rate', 'seed_index')
NUM_RUNS, CHUNK = 10, 4
STRIDE = 7  # 1 tries every file in the place of every other.
CHUNKS = ((0, 4), (4, 8), (8, 10))
RESULTS = {
  'outcome': jax.ShapeDtypeStruct((2,), np.int32),
  'weights': jax.ShapeDtypeStruct((2, 3), np.float32),
  'never': jax.ShapeDtypeStruct((), np.int32),
}
VARIABLES = {
  'outcome': store.Variable(('step',), {'flag_values': [0, 1]}),
  'weights': store.Variable(('step', 'feature')),
  'never': store.Variable(),
}


def opened(path, group='adam', num_runs=NUM_RUNS, rate=0.1, **changes):
  arguments = {
    'num_runs': num_runs,
    'chunk_size': CHUNK,
    'results': RESULTS,
    'variables': VARIABLES,
    'coordinates': {
      'seed_index': store.Coordinate('run', np.arange(num_runs)),
      'rate': store.Coordinate('run', np.full(num_runs, rate)),
      'step': store.Coordinate('step', np.asarray([5, 50])),
    },
    'attrs': {'threshold': 0.5},
    'identity': {'science': {'rate': rate, 'seed': 0}, 'script': 'study'},
  }
  return store.RunStore(path, group, **(arguments | changes))


def results(group, start, stop):
  rng = np.random.default_rng([len(group), start])
  size = stop - start
  return {
    'outcome': rng.integers(0, 2, (size, 2)).astype(np.int32),
    'weights': rng.normal(size=(size, 2, 3)).astype(np.float32),
    'never': np.full(size, -1, np.int32),  # An array that has no file.
  }


def fill(run_store, group='adam', spans=CHUNKS):
  for start, stop in spans:
    if not run_store.is_finished(start, stop):
      run_store.write(start, results(group, start, stop))


def read(path, group='adam'):
  runs = stored_runs.StoredRuns(path, group)
  assert runs.attrs == {'threshold': 0.5}
  assert runs.attrs_of('outcome') == {'flag_values': [0, 1]}
  found = {name: runs.read(name) for name in NAMES}
  return runs.runs, found | {'step': runs.read_labels('step')}


@pytest.fixture
def path(tmp_path):
  """A store of two groups of ten runs in chunks of four."""
  for group in GROUPS:
    fill(opened(tmp_path / 'store', group), group)
  return tmp_path / 'store'


def chunk_files(path, group):
  return sorted(p for p in (path / group).rglob('*') if p.is_file())


def test_no_damage_is_read_as_results(path, tmp_path, monkeypatch):
  numbers_then, found_then = read(path)
  # Of each array its metadata and two chunks; all of it takes a minute.
  files = [f for f in chunk_files(path, 'adam') if f.parts[-1] != '2.json']
  files = [f for f in files if 'c' not in f.parts or '2' not in f.parts[-3:]]
  num, refused = 0, []
  monkeypatch.setattr(stored_runs.StoredRuns, '_log', lambda self: None)
  for file, _, change in itertools.islice(mutations(files), 0, None, STRIDE):
    before, num = file.read_bytes(), num + 1
    change(file)
    try:
      numbers, found = read(path)
    except StoreError as error:
      refused.append(str(error))
    else:
      kept = np.isin(numbers_then, numbers)
      assert kept.sum() == len(numbers)
      for name in NAMES:
        np.testing.assert_array_equal(found[name], found_then[name][kept])
    if file.is_dir():
      file.rmdir()
    file.write_bytes(before)
  assert num >= 40
  assert len(refused) > num * 0.8
  for line in refused:
    assert str(path / 'adam') in line
    assert '\n' not in line


@pytest.mark.parametrize('kind', ['gone', 'cut', 'flipped', 'empty', 'folder'])
def test_a_sweep_makes_what_is_damaged_again(path, kind, caplog):
  expected = read(path)[1]
  files = [f for f in chunk_files(path, 'adam') if f.name != '2.json']
  rounds = (
    [f for f in files if 'c' in f.parts and '1' in f.parts[-3:]],
    [f for f in files if f.name == 'zarr.json'],
    [f for f in files if f.name in ('0.json', 'group.json')],
  )
  for files in rounds:
    for file, name, change in mutations(files):
      if name == kind:
        change(file)
    caplog.clear()
    fill(opened(path))
    jax.tree.map(np.testing.assert_array_equal, read(path)[1], expected)
    # Without any digests, chunks are taken for those of an earlier version;
    # one without its mark is one that has not been run.
    said = 'made again' in caplog.text or 'as they are' in caplog.text
    assert said or (files == rounds[0] and kind in ('gone', 'folder'))


def test_a_chunk_of_another_place_or_time_is_not_this_chunk(path, tmp_path):
  weights = path / 'adam' / 'weights' / 'c'
  older = tmp_path / 'older'
  fill(opened(older, num_runs=6), spans=((0, 4), (4, 6)))
  shutil.copytree(older, tmp_path / 'grown')
  longer = opened(tmp_path / 'grown')
  fill(longer)
  for source, target in (
    (weights / '0', weights / '1'),
    (path / 'sgd' / 'weights' / 'c' / '0', weights / '0'),
    (
      older / 'adam' / 'weights' / 'c' / '1',
      tmp_path / 'grown' / 'adam' / 'weights' / 'c' / '1',
    ),
  ):
    kept = shutil.copytree(target, tmp_path / 'kept')
    shutil.rmtree(target)
    shutil.copytree(source, target)
    root = target.parents[3]
    chunk = target.name
    with pytest.raises(StoreError, match=f'weights, chunk {chunk} .*checksum'):
      read(root)
    shutil.rmtree(target)
    shutil.move(kept, target)
    read(root)
  # Whole groups that change places.
  (path / 'adam').rename(tmp_path / 'away')
  (path / 'sgd').rename(path / 'adam')
  with pytest.raises(StoreError, match='checksum'):
    read(path)


def test_a_kill_at_any_write_leaves_finished_runs_as_they_were(
  tmp_path, monkeypatch
):
  class KilledError(BaseException):
    pass

  path = tmp_path / 'store'
  fill(opened(path, num_runs=6), spans=((0, 4), (4, 6)))
  before = read(path)[1]
  writes = [(zarr.Array, '__setitem__'), (checks, 'write_json')]
  for allowed in range(0, 8, 2):
    copy = shutil.copytree(path, tmp_path / f'killed{allowed}')
    longer, left = opened(copy), [allowed]
    with monkeypatch.context() as patch:
      for holder, name in writes:
        original = getattr(holder, name)

        def limited(*arguments, original=original, left=left):
          if not left[0]:
            raise KilledError
          left[0] -= 1
          return original(*arguments)

        patch.setattr(holder, name, limited)
      try:
        # Results of another processor: their last bits differ.
        other = results('other', 4, 8)
        longer.write(
          4,
          {
            n: v if n != 'weights' else other[n]
            for n, v in results('adam', 4, 8).items()
          },
        )
      except KilledError:
        pass
    numbers, found = read(copy)
    for name in NAMES:
      own = np.isin(numbers, np.arange(6))
      np.testing.assert_array_equal(found[name][own], before[name])
    fill(opened(copy))
    assert read(copy)[0].tolist() == list(range(NUM_RUNS))


def test_runs_of_another_identity_are_refused_by_name(path):
  with pytest.raises(StoreError, match=r'--rate=0.1, not 0.2'):
    opened(path, rate=0.2)
  jax.tree.map(
    np.testing.assert_array_equal, read(path)[1], read(path, 'adam')[1]
  )


def forget_checks(path):
  """Makes of a store one of a time before there were checksums."""
  for folder in path.glob(f'*/{checks.FOLDER}'):
    shutil.rmtree(folder)


def test_stores_from_before_are_read_with_a_word_and_get_checks(path, caplog):
  expected = read(path)[1]
  forget_checks(path)
  jax.tree.map(np.testing.assert_array_equal, read(path)[1], expected)
  assert 'before there were checksums' in caplog.text
  with pytest.raises(StoreError, match=r'--rate=0\.1, not 0\.2'):
    opened(path, rate=0.2)
  fill(opened(path))
  caplog.clear()
  read(path)
  assert not caplog.text
  (path / 'adam' / 'weights' / 'c' / '1' / '0' / '0').unlink()
  with pytest.raises(StoreError, match='checksum'):
    read(path)


@pytest.mark.parametrize('name', ['weights', 'outcome'])
def test_lost_files_of_stores_from_before_are_noticed(path, name):
  forget_checks(path)
  shutil.rmtree(path / 'adam' / name / 'c' / '1')
  with pytest.raises(StoreError, match=f'{name}, chunk 1 .*holds nothing'):
    read(path)
  run_store = opened(path)
  assert [run_store.is_finished(*span) for span in CHUNKS] == [
    True,
    False,
    True,
  ]


def test_a_deleted_mark_is_said(path, caplog):
  (path / 'adam' / 'completed_runs' / 'c' / '1').unlink()
  numbers, _ = read(path)
  assert numbers.tolist() == [0, 1, 2, 3, 8, 9]
  assert 'finished runs 6 of 10' in caplog.text


def test_nan_of_any_sign_and_zeros_pass_their_checks(tmp_path):
  run_store = opened(tmp_path)
  chunk = results('adam', 0, 4)
  chunk['weights'][...] = -np.float32(np.nan)
  run_store.write(0, chunk)
  chunk = results('adam', 4, 8)
  chunk['weights'][...] = -0.0
  run_store.write(4, chunk)
  weights = read(tmp_path)[1]['weights']
  assert np.isnan(weights[:4]).all()
  assert np.signbit(weights[4:]).all()


def test_xarray_reads_what_it_read_before(path):
  data = xarray.open_zarr(path, group='adam')
  assert set(data.variables) == {*NAMES, 'step', 'completed_runs'}
  np.testing.assert_array_equal(data['weights'], read(path)[1]['weights'])
  record = json.loads(
    pathlib.Path(path / 'adam' / checks.FOLDER / '2.json').read_text()
  )
  assert record['num_runs'] == 2
  assert logging.getLogger('toyjax').handlers == []

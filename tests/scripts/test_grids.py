"""Groups of a store as reports read them, whole runs alone."""

import numpy as np
import pytest

from scripts.shared import grids
from toyjax import manifest, store
from toyjax.checks import StoreError

GROUP = grids.Group('g', {}, {'rate': np.asarray([0.1, 0.2])})


@pytest.fixture
def path(tmp_path):
  """A store of ten runs in chunks of four."""
  return tmp_path / 'results.zarr'


def opened(path, num_runs=10):
  return store.RunStore(
    path,
    'g',
    num_runs=num_runs,
    chunk_size=4,
    results={'outcome': np.zeros((), np.int32), 'weights': np.zeros(3)},
    variables={'outcome': store.Variable(), 'weights': store.Variable(('w',))},
    coordinates={},
    attrs={},
  )


def write(run_store, start, number):
  run_store.write(
    start,
    {'outcome': np.ones(number, np.int32), 'weights': np.ones((number, 3))},
  )


def finished(path):
  return grids.open_runs(path, GROUP).runs.tolist()


def test_a_chunk_cut_short_has_no_finished_runs(path):
  run_store = opened(path)
  write(run_store, 0, 4)
  write(run_store, 8, 2)
  # The sweep was killed after the outcomes of the second chunk.
  run_store._arrays['outcome'][4:8] = 1
  assert finished(path) == [0, 1, 2, 3, 8, 9]


def test_runs_added_to_a_begun_chunk_are_not_finished(path):
  write(opened(path, num_runs=2), 0, 2)
  opened(path)
  assert finished(path) == [0, 1]


def test_every_configuration_needs_a_finished_run(path):
  run_store = opened(path)
  with pytest.raises(manifest.WorkdirError, match='not every configuration'):
    grids.open_finished(path, GROUP)
  write(run_store, 0, 4)
  assert grids.open_finished(path, GROUP).runs.tolist() == [0, 1, 2, 3]


def test_a_group_that_was_never_begun_has_no_finished_run(path):
  write(opened(path), 0, 4)
  with pytest.raises(manifest.WorkdirError, match='not every configuration'):
    grids.open_finished(path, GROUP._replace(name='h'))


def test_a_manifest_that_says_other_rates_or_sizes_is_not_believed(path):
  run_store = store.RunStore(
    path,
    'g',
    num_runs=4,
    chunk_size=4,
    results={'outcome': np.zeros((), np.int32)},
    variables={'outcome': store.Variable()},
    coordinates={
      'rate': store.Coordinate('run', np.float32([0.1, 0.2, 0.1, 0.2]))
    },
    attrs={},
  )
  run_store.write(0, {'outcome': np.arange(4, dtype=np.int32)})
  assert finished(path) == [0, 1, 2, 3]
  grids.open_finished(path, GROUP, 2)
  other = GROUP._replace(axes={'rate': np.asarray([0.1, 0.3])})
  with pytest.raises(StoreError, match=r'--rate=0.2.*, not 0.3.*was changed'):
    grids.open_finished(path, other)
  with pytest.raises(StoreError, match='holds 4 runs, its manifest says 2'):
    grids.open_finished(path, GROUP, 1)


def test_what_a_manifest_promises_and_a_store_lacks_is_said(path, caplog):
  run_store = opened(path)
  write(run_store, 0, 4)
  grids.open_finished(path, GROUP)
  assert 'finished runs 4 of 10' in caplog.text
  grids.open_finished(path, GROUP, 8)
  assert 'finished runs 4 of 16' in caplog.text

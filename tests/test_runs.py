"""Finished runs, configuration by configuration; whole runs alone."""

import enum

import numpy as np
import pytest

from toyjax import common_settings, manifest, runs, settings, stages, store
from toyjax.checks import StoreError
from toyjax.parsers import Choice, Number
from toyjax.runs import Runs
from toyjax.settings import SHAPE, STATIC, TRACED, Setting

ROWS = (
  Setting('width', [5], Number(int, 1), SHAPE, '', letter='n', label='n'),
  Setting('method', ['sgd'], Choice(('sgd', 'adam')), STATIC, '', label=''),
  Setting('rate', [0.1], Number(float), TRACED, '', label='lr'),
  Setting(
    'eps', [1e-8], Number(float), TRACED, '', needs=('method', ('adam',))
  ),
  *common_settings.steps(9, [3], about='', least=1),
  common_settings.SEED,
  common_settings.DTYPE,
)


class Code(enum.IntEnum):
  BAD = 0
  GOOD = 1


def _stages(**given):
  values = settings.resolve(ROWS, given)
  variables = {'outcome': store.Variable(('step',))}
  found = stages.grid(
    ROWS,
    values,
    make_trial=lambda values: lambda x: {},
    variables=variables,
    outcome=Code,
    attrs=lambda values: {},
  )
  return list(found), values


GROUP = _stages(rate=[0.1, 0.2])[0][0]._replace(name='g')


def _labels(**given):
  found, values = _stages(**given)
  return [
    label
    for stage in found
    for _, label in runs.configurations(ROWS, stage, values, ['width'])
  ]


def test_labels_name_what_is_swept():
  assert _labels() == ['n=5']
  assert _labels(rate=[0.1, 0.25]) == ['lr=0.1', 'lr=0.25']
  assert _labels(width=[5, 6], rate=[0.1, 0.1000001]) == [
    *('n=5 lr=0.1', 'n=5 lr=0.1000001', 'n=6 lr=0.1', 'n=6 lr=0.1000001'),
  ]
  # What a method does not use is not in its label.
  assert _labels(method=['sgd', 'adam'], eps=[1e-8, 1]) == [
    *('sgd', 'adam eps=1e-08', 'adam eps=1'),
  ]


def test_configurations_say_what_they_do_not_use():
  (sgd, adam), values = _stages(method=['sgd', 'adam'], rate=[0.1, 0.2])
  for stage, eps in ((sgd, None), (adam, 1e-8)):
    points = list(runs.configurations(ROWS, stage, values, []))
    assert [point for point, _ in points] == [
      {'width': 5, 'method': stage.static['method'], 'rate': rate, 'eps': eps}
      for rate in (0.1, 0.2)
    ]


def test_runs_are_split_by_configuration_and_read_when_asked_for():
  (stage,), values = _stages(rate=[0.1, 0.2])
  read = []

  def make(name):
    read.append(name)
    return {'seed_index': np.arange(6) // 2, 'outcome': np.eye(6)}[name]

  found = list(
    runs.split(
      stage,
      runs.Lazy(('seed_index', 'outcome'), make),
      np.arange(6) % 2,
      rows=ROWS,
      values=values,
      always=[],
      attrs={'level': 1},
    )
  )
  assert not read
  assert [each.label for each in found] == ['lr=0.1', 'lr=0.2']
  assert [each.num_runs for each in found] == [3, 3]
  second = found[1]
  np.testing.assert_array_equal(second.data['seed_index'], [0, 1, 2])
  np.testing.assert_array_equal(second.data['outcome'], np.eye(6)[1::2])
  np.testing.assert_array_equal(second.last('outcome'), [0.0, 0.0, 1.0])
  assert read == ['seed_index', 'outcome']  # Each once, for all of them.
  assert dict(second.data).keys() == {'seed_index', 'outcome'}
  assert (second.stage, second.attrs) == ('n5', {'level': 1})
  assert second.values['width'] == 5
  assert second.configuration['rate'] == 0.2


def test_pairs_are_runs_of_the_same_seed():
  def of(*seeds):
    return Runs('', {}, {}, 'g', {'seed_index': np.asarray(seeds)})

  here, there = runs.common(of(4, 7, 9), of(2, 9, 4))
  np.testing.assert_array_equal(here, [0, 2])
  np.testing.assert_array_equal(there, [2, 1])


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
  return runs.open_runs(path, GROUP).runs.tolist()


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
    runs.open_finished(path, GROUP)
  write(run_store, 0, 4)
  assert runs.open_finished(path, GROUP).runs.tolist() == [0, 1, 2, 3]


def test_a_run_of_one_configuration_is_none_of_the_other(path):
  write(opened(path, num_runs=1), 0, 1)
  with pytest.raises(manifest.WorkdirError, match='not every configuration'):
    runs.open_finished(path, GROUP)


def test_a_group_that_was_never_begun_has_no_finished_run(path):
  write(opened(path), 0, 4)
  other = GROUP._replace(name='h')
  with pytest.raises(manifest.WorkdirError, match='not every configuration'):
    runs.open_finished(path, other)


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
  runs.open_finished(path, GROUP, 2)
  other = GROUP._replace(axes={'rate': np.asarray([0.1, 0.3])})
  with pytest.raises(StoreError, match=r'--rate=0.2.*, not 0.3.*was changed'):
    runs.open_finished(path, other)
  with pytest.raises(StoreError, match='holds 4 runs, its manifest says 2'):
    runs.open_finished(path, GROUP, 1)
  # A stage of its own number of seeds has those, whatever the sweep has.
  runs.open_finished(path, GROUP._replace(num_seeds=2), 1)


def test_what_a_manifest_promises_and_a_store_lacks_is_said(path, caplog):
  run_store = opened(path)
  write(run_store, 0, 4)
  runs.open_finished(path, GROUP)
  assert 'finished runs 4 of 10' in caplog.text
  runs.open_finished(path, GROUP, 8)
  assert 'finished runs 4 of 16' in caplog.text

"""Runs that are stopped in symmetric failure, and go on in several ways."""

import jax
import numpy as np
import pytest

from tests.scripts import processes
from toyjax import studies, sweeps
from toyjax.manifest import WorkdirError
from toyjax.parsers import SettingError
from toyjax.studies import symmetric_escape

STUDY = symmetric_escape.STUDY
VALUES = STUDY.resolve(
  num_features=5,
  search_steps=300,
  num_steps=150,
  learning_rate=5e-3,
  place='symmetric',
  adam_b2=[0.999, 0.9],
  adam_eps=1e-8,
  weight_decay=1e-2,
)
WAYS = ['kept', 'frozen', 'reset', 'adam_b2=0.9']


@pytest.fixture(scope='module')
def found():
  return studies.run(STUDY, VALUES, num_seeds=64, map_name='vmap')


def test_ways_are_compared_on_the_same_runs(found):
  entry, *going = found
  assert [runs.label for runs in going] == WAYS
  report = STUDY.report(found, VALUES)
  rows = {row['variant']: row for row in report.table('escape').records()}
  assert list(rows) == WAYS
  assert rows['kept']['later_than_kept'] == 0
  assert rows['kept']['sooner_than_kept'] == 0
  entered = entry.data['seed_index'][entry.data['entry_step'] >= 0]
  assert {row['num_runs'] for row in rows.values()} == {len(entered)}
  assert f'{len(entered)} of 64 runs' in report.table('escape').text()
  for runs in going:
    np.testing.assert_array_equal(runs.data['seed_index'], entered)
  # Frozen, the corrected second moment stays within one update of its start.
  root_nu = going[1].data['dead_root_nu']
  assert np.nanmax(np.abs(root_nu / root_nu[:, :1] - 1.0)) < 1e-3
  titles = [axes.get_title() for axes in report.sheet('escape').figure().axes]
  assert titles[:2] == ['second moment from entry on', 'Adam b2']
  assert len(titles) == 4


def test_as_a_script_runs_go_on_from_where_its_own_entered(tmp_path):
  done = processes.run(
    *('symmetric_escape', f'--workdir={tmp_path}', '--num_seeds=64'),
    *('--num_features=6', '--search_steps=600', '--num_steps=20'),
    *('--learning_rate=5e-3', '--adam_b2=0.999', '--adam_eps=1e-8'),
  )
  assert done.returncode == 0, done.stderr
  entry, *going = studies.read(tmp_path, STUDY)
  entered = entry.data['entry_step'] >= 0
  assert 10 < entered.sum() < 50  # About 30, on any processor.
  for runs in going:
    np.testing.assert_array_equal(
      runs.data['seed_index'], entry.data['seed_index'][entered]
    )


def test_runs_that_lack_a_way_are_left_out(found):
  entry, kept, *others = found
  few = {name: kept.data[name][1:] for name in kept.data}
  report = STUDY.report([entry, kept._replace(data=few), *others], VALUES)
  num = len(few['seed_index'])
  for row in report.table('escape').records():
    assert row['num_runs'] == num
  none = {name: values[:0] for name, values in few.items()}
  with pytest.raises(WorkdirError, match='gone on in every way'):
    STUDY.report([entry, kept._replace(data=none), *others], VALUES)


def test_a_run_that_goes_on_has_the_key_of_the_seed_it_is(found):
  _, escape = STUDY.stages({**VALUES, 'seed': 7})
  entry = found[0]
  steps = np.full(64, -1)
  steps[[2, 5]] = 9
  data = {**entry.data, 'entry_step': steps}
  xs = escape.xs(64, [entry._replace(data=data)])
  np.testing.assert_array_equal(xs['seed_index'], [2] * 4 + [5] * 4)
  np.testing.assert_array_equal(
    jax.random.key_data(xs['key']),
    jax.random.key_data(sweeps.seed_keys(7, xs['seed_index'])),
  )
  np.testing.assert_allclose(xs['adam_b2'][4:], [0.999, 0.999, 0.999, 0.9])
  assert xs['bias'].shape == (8, 5)
  few = escape.few_xs(3)  # For an estimate, before any run has entered.
  assert set(few) == set(xs)
  for name, values in few.items():
    assert values.dtype == xs[name].dtype, name
    assert values.shape == (12, *xs[name].shape[1:]), name
  data['entry_step'] = np.full(64, -1)
  with pytest.raises(SettingError, match='none of 64 runs entered symmetric'):
    escape.xs(64, [entry._replace(data=data)])


def test_adam_has_no_decay_to_vary():
  entry, escape = STUDY.stages(STUDY.resolve(optimizer='adam'))
  assert 'weight_decay' not in escape.axes
  assert entry.labels == ['entry']
  assert escape.labels == [
    *WAYS,
    *('adam_b2=0.99', 'adam_b2=0.9999', 'adam_eps=1e-12', 'adam_eps=1e-06'),
    *('adam_eps=0.0001', 'adam_eps=0.001'),
  ]

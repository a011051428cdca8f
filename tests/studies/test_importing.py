"""Studies without their scripts: run in memory, read from a folder, one run."""

import importlib

import numpy as np
import pytest

from tests.scripts import processes
from toyjax import manifest, studies
from toyjax.parsers import SettingError
from toyjax.studies import optimization_failure, sqrt_failure

GIVEN = {'hidden_dim': [2, 3], 'learning_rate': [0.01, 0.03], 'num_steps': 40}
GIVEN |= {'num_points': 9, 'num_counted': 4, 'num_checked': 5}


@pytest.fixture(scope='module')
def values():
  return sqrt_failure.STUDY.resolve(**GIVEN)


@pytest.fixture(scope='module')
def found(values):
  return studies.run(sqrt_failure.STUDY, values, num_seeds=12, chunk_size=16)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """What the script wrote, given the same."""
  path = tmp_path_factory.mktemp('runs') / 'sqrt'
  typed = [
    f'--{name}={",".join(map(str, np.ravel(value)))}'
    for name, value in GIVEN.items()
  ]
  done = processes.run(
    *('sqrt_failure', f'--workdir={path}', *typed),
    *('--num_seeds=12', '--chunk_size=16'),
  )
  assert done.returncode == 0, done.stderr
  return path


def _same(a, b):
  """Whether two configurations are the same runs, to the last bit."""
  assert (a.label, a.configuration, a.stage) == (
    b.label,
    b.configuration,
    b.stage,
  )
  assert a.values == b.values
  for name in a.data:
    np.testing.assert_array_equal(a.data[name], b.data[name], err_msg=name)


def test_a_folder_holds_what_the_same_settings_give(
  values, found, folder, tmp_path
):
  stored = studies.read(folder, sqrt_failure.STUDY)
  assert [each.label for each in stored] == [
    *('hidden_dim=2 lr=0.01', 'hidden_dim=2 lr=0.03'),
    *('hidden_dim=3 lr=0.01', 'hidden_dim=3 lr=0.03'),
  ]
  for here, there in zip(found, stored, strict=True):
    _same(here, there)
  for table in sqrt_failure.STUDY.report(found, values).tables:
    table.write(tmp_path)
  files = [
    {path.name: path.read_bytes() for path in place.glob('*.csv')}
    for place in (tmp_path, folder)
  ]
  assert files[0] == files[1]
  assert 'summary.csv' in files[0]


def test_reports_are_tables_and_sheets_by_name(values, found):
  report = sqrt_failure.STUDY.report(found, values)
  summary = report.table('summary')
  assert sum(row[''].count for row in summary.rows) == 2 * 2 * 12
  assert list(summary.frame.columns)[:3] == [
    'hidden_dim',
    'target',
    'optimizer',
  ]
  assert len(summary.frame) == len(summary.rows)
  report.sheet('outcomes').figure().draw_without_rendering()
  with pytest.raises(KeyError, match='none of summary, transitions, regions'):
    report.table('sumary')
  with pytest.raises(KeyError, match='none of outcomes, errors, regions'):
    report.sheet('units')


def test_one_seed_is_that_of_the_sweep(values, found):
  one = sqrt_failure.STUDY.resolve(
    **{**GIVEN, 'hidden_dim': 3, 'learning_rate': 0.03}
  )
  run = studies.run_one(sqrt_failure.STUDY, one, seed_index=7)
  swept = found[3]
  assert run.num_runs == 1
  np.testing.assert_array_equal(run.data['seed_index'], [7])
  for name, array in run.data.items():
    np.testing.assert_array_equal(array[0], swept.data[name][7], err_msg=name)
  for given, number in (({'hidden_dim': 3}, 2), ({}, 4)):
    many = sqrt_failure.STUDY.resolve(**{**GIVEN, **given})
    with pytest.raises(ValueError, match=f'{number} configurations, not one'):
      studies.run_one(sqrt_failure.STUDY, many, seed_index=7)


def test_more_seeds_leave_the_first_as_they_are(values, found):
  more = studies.run(sqrt_failure.STUDY, values, num_seeds=20, chunk_size=16)
  for few, many in zip(found, more, strict=True):
    assert many.num_runs == 20
    np.testing.assert_array_equal(
      few.data['weights'], many.data['weights'][:12]
    )


def test_a_folder_of_another_study_is_refused(folder, tmp_path):
  with pytest.raises(manifest.WorkdirError, match="belongs to 'sqrt_failure'"):
    studies.read(folder, optimization_failure.STUDY)
  with pytest.raises(manifest.WorkdirError, match='holds no results'):
    studies.read(tmp_path, sqrt_failure.STUDY)


def test_float64_is_that_of_the_study_alone():
  values = sqrt_failure.STUDY.resolve(
    **{'dtype': 'float64', 'num_steps': 5, 'num_points': 5}
  )
  (found,) = studies.run(sqrt_failure.STUDY, values, num_seeds=2)
  assert found.data['weights'].dtype == np.float64
  (found,) = studies.run(
    sqrt_failure.STUDY, {**values, 'dtype': 'float32'}, num_seeds=2
  )
  assert found.data['weights'].dtype == np.float32


@pytest.mark.parametrize('name', studies.names())
def test_every_study_can_be_imported_and_resolved(name):
  study = importlib.import_module(f'toyjax.studies.{name}').STUDY
  assert study.name == name
  with pytest.raises(SettingError, match='--no_such_setting is unknown'):
    study.resolve(no_such_setting=1)

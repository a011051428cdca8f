"""failure_survival, symmetric_escape and failure_sizes, end to end."""

import csv
import shutil

from absl import flags
import numpy as np
import pytest
import xarray

from scripts.shared import survival_levels
from tests.scripts import processes
from toyjax import statistics
from toyjax.analysis.events import Place

SURVIVAL = (
  '--num_features=4',
  '--num_steps=150',
  '--report_steps=60',
  '--num_seeds=12',
  '--optimizer=adamw',
  '--learning_rate=3e-2,1e30',
  '--adam_eps=1e-8',
  '--adam_b2=0.999',
  '--weight_decay=1e-2',
  '--init_scale=1',
  '--loss_reduction=mean',
  '--dtype=float32,float64',
  '--map=vmap',
)


def _run(script, *flags):
  return processes.run(script, *map(str, flags))


def _finish(script, *flags):
  done = _run(script, *flags)
  assert done.returncode == 0, done.stderr
  return done


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def survived(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'survival'
  done = _finish('failure_survival', *SURVIVAL, f'--workdir={workdir}')
  return workdir, done


def test_survival_has_one_row_a_level(survived):
  workdir, done = survived
  rows = _rows(workdir / 'summary.csv')
  assert [(row['factor'], row['level']) for row in rows] == [
    ('default', 'default'),
    ('learning_rate', '1e+30'),
    ('dtype', 'float64'),
  ]
  assert 'Leaving symmetric failure' in done.stdout
  for name in ('survival.png', 'escape.png', 'hazards.png'):
    assert (workdir / name).read_bytes().startswith(b'\x89PNG')
  default, wild, wide = rows
  assert default['difference'] == ''
  # The same draws and, so early, the same runs in either precision.
  assert wide['num_solved'] == default['num_solved']
  data = xarray.open_zarr(
    workdir / 'results.zarr', group='n4_m2_adamw_mean_float64', chunks=None
  )
  assert data['weights'].dtype == np.float64
  for row in rows:
    # Of the same seeds, so that only those solved in one of the two differ.
    gain = int(row['num_solved']) - int(default['num_solved'])
    own, others = row['solved_here_only'], row['solved_in_default_only']
    assert int(own) - int(others) == gain
  assert wild['solved_in_default_only'] == default['num_solved'] != '0'
  # Diverged runs are counted, and stay unsolved to the last step.
  assert wild['num_diverged'] == '12'
  assert (wild['num_solved'], wild['num_at_risk_solve']) == ('0', '12')


def test_survival_counts_what_the_store_holds(survived):
  workdir, _ = survived
  data = xarray.open_zarr(
    workdir / 'results.zarr', group='n4_m2_adamw_mean_float32', chunks=None
  )
  first = data['first_step'].values[::2]  # Two levels share this program.
  solved = first[:, Place.SOLVED]
  rows = {
    (row['factor'], int(row['step']), row['quantity']): row
    for row in _rows(workdir / 'events.csv')
  }
  for step in (60, 150):
    row = rows['default', step, 'solved']
    by_then = (solved >= 0) & (solved <= step)
    assert int(row['count']) == by_then.sum()
    np.testing.assert_allclose(
      [float(row[name]) for name in ('fraction', 'lower', 'upper')],
      statistics.wilson(int(by_then.sum()), 12),
      atol=1e-5,
    )
    passed = first[:, Place.ON_FOR_ALL]
    unsolved = rows['default', step, 'unsolved_that_passed_on_for_all']
    assert int(unsolved['total']) == np.sum(~by_then)
    assert int(unsolved['count']) == np.sum(
      ~by_then & (passed >= 0) & (passed <= step)
    )
  hazards = [
    row
    for row in _rows(workdir / 'hazards.csv')
    if (row['factor'], row['event']) == ('default', 'solve')
  ]
  assert sum(int(row['num_events']) for row in hazards) == np.sum(solved >= 0)
  at_risk = np.where(solved < 0, 150, solved).sum()
  assert sum(float(row['steps_at_risk']) for row in hazards) == at_risk
  learned = data['first_learned'].values[::2]
  for row in _rows(workdir / 'learning.csv')[:4]:
    reached = np.sum(learned >= 0, axis=1) >= int(row['kth_feature'])
    assert int(row['num_reached']) == reached.sum()


def test_an_optimizer_may_bring_its_own_rate():
  settings = {name: [1.0] for name in survival_levels.FACTORS} | {
    'optimizer': ['adamw', 'sgd@2'],
    'loss_reduction': ['mean'],
    'dtype': ['float32'],
    **{'num_features': 4, 'num_hidden': 2, 'init': 'normal', 'adam_b1': 0.9},
  }
  default, sgd = survival_levels.make_levels(settings)
  assert (default.flags['learning_rate'], default.label) == (1.0, 'default')
  assert (sgd.flags['optimizer'], sgd.flags['learning_rate']) == ('sgd', 2.0)
  groups = survival_levels.make_groups([default, sgd])
  assert [list(group.axes['learning_rate']) for group in groups] == [[1], [2]]
  for text in ('sdg', 'sgd@', 'sgd@-1'):
    with pytest.raises(ValueError, match=r'after @|unknown'):
      survival_levels.parse_optimizer(text)
  with pytest.raises(flags.Error, match='adam_eps'):
    survival_levels.make_levels(
      settings | {'optimizer': ['sgd'], 'adam_eps': [1e-8, 1e-6]}
    )


def test_survival_reports_again_and_refuses_other_flags(survived):
  workdir, _ = survived
  before = (workdir / 'events.csv').read_text()
  done = _run(
    'failure_survival', *SURVIVAL, '--num_steps=99', f'--workdir={workdir}'
  )
  assert done.returncode == 1
  assert 'num_steps' in done.stderr.strip().splitlines()[-1]
  assert (workdir / 'events.csv').read_text() == before


def test_escape_compares_the_same_runs(tmp_path):
  workdir = tmp_path / 'escape'
  done = _finish(
    'symmetric_escape',
    '--num_features=5',
    '--num_seeds=64',
    '--search_steps=300',
    '--num_steps=150',
    '--learning_rate=5e-3',
    '--place=symmetric',
    '--adam_b2=0.999,0.9',
    '--adam_eps=1e-8',
    '--weight_decay=1e-2',
    '--map=vmap',
    f'--workdir={workdir}',
  )
  rows = {row['variant']: row for row in _rows(workdir / 'escape.csv')}
  assert list(rows) == ['kept', 'frozen', 'reset', 'adam_b2=0.9']
  assert rows['kept']['later_than_kept'] == '0'
  assert rows['kept']['sooner_than_kept'] == '0'
  entry = xarray.open_zarr(workdir / 'results.zarr', group='entry', chunks=None)
  entered = np.sum(entry['entry_step'].values >= 0)
  assert {int(row['num_runs']) for row in rows.values()} == {entered}
  assert f'{entered} of 64 runs' in done.stdout
  going = xarray.open_zarr(
    workdir / 'results.zarr', group='escape', chunks=None
  )
  # Frozen, the corrected second moment stays within one update of its start.
  root_nu = going['dead_root_nu'].values[1::4]
  assert np.nanmax(np.abs(root_nu / root_nu[:, :1] - 1.0)) < 1e-3
  assert (workdir / 'escape.png').read_bytes().startswith(b'\x89PNG')


def test_sizes_compare_hidden_dimensions(tmp_path):
  workdir = tmp_path / 'sizes'
  _finish(
    'optimization_failure',
    '--num_features=4',
    '--num_hidden=2,3',
    '--observe_steps=40',
    '--num_seeds=8',
    '--num_steps=40',
    '--learning_rate=0.05',
    '--map=vmap',
    f'--workdir={workdir}',
  )
  done = _finish('failure_sizes', '--show_steps=40', f'--workdir={workdir}')
  output = workdir / 'sizes'
  rows, ratios = _rows(output / 'sizes.csv'), _rows(output / 'ratios.csv')
  last = {
    (int(row['num_features']), int(row['num_hidden'])): int(row['failed'])
    for row in rows
    if row['step'] == '40'
  }
  assert len(last) == 2
  for row in ratios:
    if row['step'] == '40':
      n = int(row['num_features'])
      counts = last[n, 2], 8, last[n, 3], 8
      np.testing.assert_allclose(
        [float(row[name]) for name in ('ratio', 'lower', 'upper')],
        statistics.ratio(*counts),
        rtol=1e-4,
      )
  assert 'sizes.png' in done.stdout
  wrong = _run('failure_sizes', f'--workdir={tmp_path}')
  assert wrong.returncode == 1
  assert len(wrong.stderr.strip().splitlines()) == 1
  # A size whose runs are lost is left out, and said to be.
  shutil.rmtree(workdir / 'results.zarr' / 'n4_m3')
  fewer = _finish('failure_sizes', '--show_steps=40', f'--workdir={workdir}')
  assert 'no run of n4_m3 is there' in fewer.stderr
  assert {row['num_hidden'] for row in _rows(output / 'sizes.csv')} == {'2'}

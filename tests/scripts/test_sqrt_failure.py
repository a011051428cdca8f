"""The sweep of the nets of one variable end to end, against its store."""

import csv
import json
import shutil

import numpy as np
import pytest
import xarray

from tests.scripts import processes
from toyjax.analysis import linear_regions
from toyjax.toys.sqrt_mlp import Outcome

NUM_SEEDS, NUM_COUNTED, NUM_POINTS = 24, 10, 9
RATES = ('0.01', '0.03')
SMALL = (
  '--learning_rate=0.01,0.03',
  f'--num_seeds={NUM_SEEDS}',
  '--num_steps=120',
  '--observe_steps=40,120',
  f'--num_points={NUM_POINTS}',
  f'--num_counted={NUM_COUNTED}',
  '--num_checked=20',
  '--newton_iterations=3',
  '--solved_rmse=0.2',
  '--chunk_size=16',
)
# Half of its runs diverge.
OTHER = (
  '--target=polynomial',
  '--coefficients=0,1,1,1',
  '--low=-1',
  '--high=1',
  '--optimizer=sgd',
  '--learning_rate=0.01,1e9',
  '--spacing=uniform',
  '--num_hidden_layers=1',
  '--num_seeds=4',
  '--num_steps=30',
  '--num_points=5',
  '--num_checked=5',
)


def _run(workdir, *flags):
  return processes.run('sqrt_failure', f'--workdir={workdir}', *flags)


def _finish(workdir, *flags):
  done = _run(workdir, *flags)
  assert done.returncode == 0, done.stderr
  return done


def _rows(workdir, name):
  with (workdir / f'{name}.csv').open() as file:
    return list(csv.DictReader(file))


def _layers(row):
  """Returns pairs (W, b) of one stored net 1-2-2-1, in float64."""
  layers, place, row = [], 0, row.astype(float)
  for inputs, outputs in ((1, 2), (2, 2), (2, 1)):
    size = inputs * outputs
    weight = row[place : place + size].reshape(outputs, inputs)
    layers.append((weight, row[place + size : place + size + outputs]))
    place += size + outputs
  assert place == len(row)
  return layers


def _answers(layers, x):
  a = x[:, None]
  for weight, bias in layers[:-1]:
    a = np.maximum(a @ weight.T + bias, 0)
  weight, bias = layers[-1]
  return (a @ weight.T + bias)[:, 0]


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'small'
  done = _finish(workdir, *SMALL)
  data = xarray.open_zarr(workdir / 'results.zarr', group='h2', chunks=None)
  stored = {
    rate: data.isel(run=np.isclose(data['learning_rate'], float(rate))).load()
    for rate in RATES
  }
  return workdir, done, stored


def test_it_writes_everything_it_promises(finished):
  workdir, done, _ = finished
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  tables = (
    *('summary', 'units', 'transitions'),
    *('regions', 'errors', 'agreement'),
  )
  figures = ('outcomes.png', 'errors.png', 'regions.png')
  assert names == {
    *(f'{name}.csv' for name in tables),
    *figures,
    'manifest.json',
    'results.zarr',
  }
  for name in figures:
    assert (workdir / name).read_bytes().startswith(b'\x89PNG')
    assert (workdir / name).stat().st_size > 10_000
  assert 'After 120 steps' in done.stdout
  science = json.loads((workdir / 'manifest.json').read_text())['science']
  assert science['low'] == 0.0
  assert science['optimizer'] == ['adam']


def test_errors_and_labels_are_those_of_the_stored_weights(finished):
  _, _, stored = finished
  x = np.linspace(0, 4, NUM_POINTS)
  for data in stored.values():
    for run in range(NUM_SEEDS):
      own = data.isel(run=run, step=-1)
      layers = _layers(own['weights'].values)
      errors = _answers(layers, x) - np.sqrt(x)
      rmse = np.sqrt(np.mean(errors**2))
      np.testing.assert_allclose(own['rmse'], rmse, rtol=1e-4)
      np.testing.assert_allclose(
        own['max_error'], np.abs(errors).max(), rtol=1e-4
      )
      assert (int(own['outcome']) == Outcome.REACHED) == (rmse < 0.2)
    units = data[['num_dead', 'num_linear', 'num_switching']].to_array()
    assert (units.sum('variable') == 4).all()


def test_the_summary_counts_what_the_store_says(finished):
  workdir, _, stored = finished
  rows = _rows(workdir, 'summary')
  assert len(rows) == 2 * 2 * len(Outcome)
  for row in rows:
    data = stored[row['learning_rate']].sel(step=int(row['step']))
    code = Outcome[row['outcome']]
    assert int(row['count']) == int((data['outcome'] == code).sum())
    assert row['total'] == str(NUM_SEEDS)
  for row in _rows(workdir, 'units'):
    data = stored[row['learning_rate']].isel(step=-1)
    number = int((data['num_dead'] == int(row['num_dead'])).sum())
    assert int(row['count']) == number


def test_transitions_are_those_of_the_store(finished):
  workdir, _, stored = finished
  rows = _rows(workdir, 'transitions')
  for rate, data in stored.items():
    before, after = data['outcome'].values.T
    own = [row for row in rows if row['learning_rate'] == rate]
    assert sum(int(row['count']) for row in own) == NUM_SEEDS
    for row in own:
      at_first = before == Outcome[row['outcome']]
      both = at_first & (after == Outcome[row['last_outcome']])
      assert (row['step'], row['last_step']) == ('40', '120')
      assert int(row['count']) == both.sum() > 0
      assert int(row['total']) == at_first.sum()


def test_pieces_are_counted_on_the_interval_and_on_the_line(finished):
  workdir, _, stored = finished
  rows = _rows(workdir, 'regions')
  x = np.linspace(0, 4, 4001)
  for rate, data in stored.items():
    expected = {'interval': [], 'whole line': []}
    for run in range(NUM_COUNTED):
      layers = _layers(data['weights'].values[run])
      everywhere = linear_regions.linear_regions_1d(layers)
      inside = linear_regions.linear_regions_1d(layers, low=0, high=4)
      expected['whole line'].append(len(everywhere))
      expected['interval'].append(len(inside))
      # Bends of the sampled net lie no closer than pieces allow.
      bends = np.abs(np.diff(_answers(layers, x), 2)) > 1e-7
      runs_of_bends = np.sum(np.diff(np.append(0, bends.astype(int))) == 1)
      assert runs_of_bends <= len(inside) - 1
    for where, found in expected.items():
      own = [
        row
        for row in rows
        if row['learning_rate'] == rate
        and (row['where'], row['among']) == (where, 'all')
      ]
      counted = {int(r['num_regions']): int(r['count']) for r in own}
      assert sum(counted.values()) == NUM_COUNTED
      assert 7 in counted
      for number, count in counted.items():
        assert count == found.count(number)
      assert {r['max_num_regions'] for r in own} == {'7'}


def test_errors_are_quantiles_and_newton_is_newton(finished):
  workdir, _, stored = finished
  rows = _rows(workdir, 'errors')
  assert [row['method'] for row in rows] == ['net'] * 2 + ['newton'] * 4
  places = {'min': 0, 'median': NUM_SEEDS // 2 - 1, 'max': -1}
  for row, rate in zip(rows, RATES):
    rmse = np.sort(stored[rate]['rmse'].values[:, -1])
    assert row['num_operations'] == '20'
    for name, place in places.items():
      np.testing.assert_allclose(
        float(row[f'rmse_{name}']), rmse[place], rtol=1e-5
      )
  x = np.linspace(0, 4, NUM_POINTS)
  y = np.ones_like(x)
  for k, row in enumerate(rows[2:]):
    error = np.sqrt(np.mean((y - np.sqrt(x)) ** 2))
    assert row['num_operations'] == str(3 * k)
    np.testing.assert_allclose(float(row['rmse_median']), error, rtol=1e-5)
    y = (y + x / y) / 2


def test_formulas_agree_with_their_nets(finished):
  workdir, _, _ = finished
  rows = _rows(workdir, 'agreement')
  assert len(rows) == 2 * 2 * 2
  for row in rows:
    assert row['tolerance'] == '1e-06'
    assert row['dtype'] == 'float32'
    if row['relative_to'] == 'largest answer' and row['among'] == 'all':
      assert row['count'] == row['total'] == str(NUM_COUNTED)
      # Rounding of float32 shows, and no more.
      assert 1e-9 < float(row['largest_difference']) < 1e-6


def test_other_levels_are_read_from_the_store_alone(finished, tmp_path):
  workdir, _, stored = finished
  copied = tmp_path / 'copied'
  shutil.copytree(workdir, copied)
  _finish(copied, '--from_store', '--solved_rmse=0.4', '--num_counted=3')
  for row, old in zip(_rows(copied, 'summary'), _rows(workdir, 'summary')):
    data = stored[row['learning_rate']].sel(step=int(row['step']))
    if row['outcome'] == 'REACHED':
      assert int(row['count']) == int((data['rmse'] < 0.4).sum())
    else:
      assert int(row['count']) <= int(old['count'])
  assert {
    row['total'] for row in _rows(copied, 'agreement') if row['among'] == 'all'
  } == {'3'}
  other = _run(copied, '--from_store', '--high=5')
  assert other.returncode != 0
  assert '--high=4.0' in other.stderr


def test_runs_that_diverge_are_counted_everywhere(tmp_path):
  workdir = tmp_path / 'other'
  _finish(workdir, *OTHER)
  last = {
    (row['learning_rate'], row['outcome']): row['count']
    for row in _rows(workdir, 'summary')
    if row['step'] == '30'
  }
  assert last['1e+09', 'DIVERGED'] == '4'
  assert last['0.01', 'DIVERGED'] == '0'
  good, bad = _rows(workdir, 'errors')  # No Newton: it knows √x alone.
  assert np.isfinite(float(good['rmse_max']))
  assert bad['rmse_min'] == 'inf'
  counts = {
    (row['learning_rate'], row['num_regions']): row['count']
    for row in _rows(workdir, 'regions')
    if (row['where'], row['among']) == ('interval', 'all')
  }
  assert counts['1e+09', '0'] == '4'
  assert ('0.01', '0') not in counts
  for row in _rows(workdir, 'agreement'):
    if row['learning_rate'] == '1e+09':
      assert row['count'] == '0'


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--target=log'], 'log is not defined on all of [0.0, 4.0]'),
    (['--low=-1'], 'sqrt is not defined on all of [-1.0, 4.0]'),
    (['--low=4'], 'low must lie below high'),
    (['--solved_rmse=nan'], 'must be finite'),
    (['--newton_start=nan'], 'must be finite'),
    (['--target=cube'], "'cube' is unknown"),
    (['--coefficients=1,2,3'], 'belong to --target=polynomial'),
    (['--target=polynomial'], 'power of 2 or more'),
    (['--target=polynomial', '--coefficients=1,2'], 'power of 2 or more'),
    (['--hidden_dim=0'], '0 must be >= 1'),
    (['--num_steps=50', '--observe_steps=60'], 'past the end'),
    (['--optimizer=sgd', '--adam_eps=1e-8,1e-4'], '--adam_eps'),
    (['extra'], 'extra'),
  ],
)
def test_bad_flags_end_in_a_line_that_names_them(tmp_path, flags, message):
  done = _run(tmp_path / 'never', *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not (tmp_path / 'never').exists()

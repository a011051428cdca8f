"""The sweep of the nets of one variable, against its own weights."""

import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.nets import linear_regions
from toyjax.parsers import SettingError
from toyjax.studies import sqrt_failure
from toyjax.toys.sqrt_mlp import Outcome

STUDY = sqrt_failure.STUDY
NUM_SEEDS, NUM_COUNTED, NUM_POINTS = 24, 10, 9
RATES = [0.01, 0.03]


@pytest.fixture(scope='module')
def finished():
  values = STUDY.resolve(
    learning_rate=RATES,
    num_steps=120,
    observe_steps=[40, 120],
    num_points=NUM_POINTS,
    num_counted=NUM_COUNTED,
    num_checked=20,
    newton_iterations=3,
    solved_rmse=0.2,
  )
  found = studies.run(STUDY, values, num_seeds=NUM_SEEDS)
  return found, STUDY.report(found, values), values


@pytest.fixture(scope='module')
def diverging():
  """A sweep half of whose runs diverge."""
  values = STUDY.resolve(
    target='polynomial',
    coefficients=[0, 1, 1, 1],
    low=-1,
    high=1,
    optimizer='sgd',
    learning_rate=[0.01, 1e9],
    spacing='uniform',
    num_hidden_layers=1,
    num_steps=30,
    num_points=5,
    num_checked=5,
  )
  found = studies.run(STUDY, values, num_seeds=4)
  return found, STUDY.report(found, values)


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
    a = np.maximum(a @ weight.T + bias[None], 0)
  weight, bias = layers[-1]
  return (a @ weight.T + bias[None])[:, 0]


def _rows(report, name, **cells):
  """Returns the rows of a table that have these cells."""
  return [
    row
    for row in report.table(name).rows
    if all(row[key] == value for key, value in cells.items())
  ]


def test_errors_and_labels_are_those_of_the_weights(finished):
  x = np.linspace(0, 4, NUM_POINTS)
  for each in finished[0]:
    for run, weights in enumerate(each.data['weights']):
      errors = _answers(_layers(weights), x) - np.sqrt(x)
      rmse = np.sqrt(np.mean(errors**2))
      np.testing.assert_allclose(each.last('rmse')[run], rmse, rtol=1e-4)
      np.testing.assert_allclose(
        each.last('max_error')[run], np.abs(errors).max(), rtol=1e-4
      )
      is_reached = each.last('outcome')[run] == Outcome.REACHED
      assert is_reached == (rmse < 0.2)
    kinds = ('num_dead', 'num_linear', 'num_switching')
    assert (sum(each.data[name] for name in kinds) == 4).all()


def test_the_summary_counts_what_the_runs_say(finished):
  found, report, _ = finished
  assert len(_rows(report, 'summary')) == 2 * 2 * len(Outcome)
  for each, rate in zip(found, RATES, strict=True):
    for row in _rows(report, 'summary', learning_rate=rate):
      codes = each.data['outcome'][:, [40, 120].index(row['step'])]
      assert row[''].count == np.sum(codes == Outcome[row['outcome']])
      assert row[''].total == NUM_SEEDS
    for row in _rows(report, 'units', learning_rate=rate):
      number = np.sum(each.last('num_dead') == row['num_dead'])
      assert row[''].count == number


def test_transitions_are_those_of_the_runs(finished):
  found, report, _ = finished
  for each, rate in zip(found, RATES, strict=True):
    before, after = each.data['outcome'].T
    own = _rows(report, 'transitions', learning_rate=rate)
    assert sum(row[''].count for row in own) == NUM_SEEDS
    for row in own:
      at_first = before == Outcome[row['outcome']]
      both = at_first & (after == Outcome[row['last_outcome']])
      assert (row['step'], row['last_step']) == (40, 120)
      assert row[''].count == both.sum() > 0
      assert row[''].total == at_first.sum()


def test_pieces_are_counted_on_the_interval_and_on_the_line(finished):
  found, report, _ = finished
  x = np.linspace(0, 4, 4001)
  for each, rate in zip(found, RATES, strict=True):
    expected = {'interval': [], 'whole line': []}
    for weights in each.data['weights'][:NUM_COUNTED]:
      layers = _layers(weights)
      everywhere = linear_regions.linear_regions_1d(layers)
      inside = linear_regions.linear_regions_1d(layers, low=0, high=4)
      expected['whole line'].append(len(everywhere))
      expected['interval'].append(len(inside))
      # Bends of the sampled net lie no closer than pieces allow.
      bends = np.abs(np.diff(_answers(layers, x), 2)) > 1e-7
      runs_of_bends = np.sum(np.diff(np.append(0, bends.astype(int))) == 1)
      assert runs_of_bends <= len(inside) - 1
    for where, numbers in expected.items():
      own = _rows(
        report, 'regions', learning_rate=rate, where=where, among='all'
      )
      counted = {row['num_regions']: row[''].count for row in own}
      assert sum(counted.values()) == NUM_COUNTED
      assert 7 in counted
      for number, count in counted.items():
        assert count == numbers.count(number)
      assert {row['max_num_regions'] for row in own} == {7}


def test_errors_are_quantiles_and_newton_is_newton(finished):
  found, report, _ = finished
  rows = report.table('errors').rows
  assert [row['method'] for row in rows] == ['net'] * 2 + ['newton'] * 4
  places = {'min': 0, 'median': NUM_SEEDS // 2 - 1, 'max': -1}
  for row, each in zip(rows, found):
    rmse = np.sort(each.last('rmse'))
    assert row['num_operations'] == 20
    for name, place in places.items():
      np.testing.assert_allclose(row[f'rmse_{name}'], rmse[place], rtol=1e-5)
  x = np.linspace(0, 4, NUM_POINTS)
  y = np.ones_like(x)
  for k, row in enumerate(rows[2:]):
    error = np.sqrt(np.mean((y - np.sqrt(x)) ** 2))
    assert row['num_operations'] == 3 * k
    np.testing.assert_allclose(row['rmse_median'], error, rtol=1e-5)
    y = (y + x / y) / 2


def test_formulas_agree_with_their_nets(finished):
  rows = _rows(finished[1], 'agreement', tolerance=1e-6, dtype='float32')
  assert len(rows) == 2 * 2 * 2
  for row in rows:
    if row['relative_to'] == 'largest answer' and row['among'] == 'all':
      assert row[''].count == row[''].total == NUM_COUNTED
      # Rounding of float32 shows, and no more.
      assert 1e-9 < row['largest_difference'] < 1e-6


def test_other_levels_are_read_from_what_is_stored(finished):
  found, report, values = finished
  values = {**values, 'solved_rmse': 0.4, 'num_counted': 3}
  (stage,) = STUDY.stages(values)
  again = [
    each._replace(
      values=stage.values,
      data={**each.data, **STUDY.relabel(stage.values, each.data)},
    )
    for each in found
  ]
  other = STUDY.report(again, values)
  for row, old in zip(_rows(other, 'summary'), _rows(report, 'summary')):
    each = found[RATES.index(row['learning_rate'])]
    rmse = each.data['rmse'][:, [40, 120].index(row['step'])]
    if row['outcome'] == 'REACHED':
      assert row[''].count == np.sum(rmse < 0.4)
    else:
      assert row[''].count <= old[''].count
  totals = {row[''].total for row in _rows(other, 'agreement', among='all')}
  assert totals == {3}


def test_runs_that_diverge_are_counted_everywhere(diverging):
  _, report = diverging
  last = {
    (row['learning_rate'], row['outcome']): row[''].count
    for row in _rows(report, 'summary', step=30)
  }
  assert last[1e9, 'DIVERGED'] == 4
  assert last[0.01, 'DIVERGED'] == 0
  good, bad = _rows(report, 'errors')  # No Newton: it knows √x alone.
  assert np.isfinite(good['rmse_max'])
  assert bad['rmse_min'] == np.inf
  counts = {
    (row['learning_rate'], row['num_regions']): row[''].count
    for row in _rows(report, 'regions', where='interval', among='all')
  }
  assert counts[1e9, 0] == 4
  assert (0.01, 0) not in counts
  for row in _rows(report, 'agreement', learning_rate=1e9):
    assert row[''].count == 0


@pytest.mark.parametrize('name', ['outcomes', 'errors', 'regions'])
def test_all_sheets_are_drawn(finished, diverging, name):
  for report in (finished[1], diverging[1]):
    report.sheet(name).figure().draw_without_rendering()


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'target': 'log'}, r'log is not defined on all of \[0.0, 4.0\]'),
    ({'low': -1}, r'sqrt is not defined on all of \[-1.0, 4.0\]'),
    ({'low': 4}, 'low must lie below high'),
    ({'low': 1, 'high': 1 + 1e-11}, 'one number in float32'),
    ({'solved_rmse': 'nan'}, 'must be finite'),
    ({'newton_start': 'nan'}, 'must be finite'),
    ({'target': 'cube'}, "'cube' is unknown"),
    ({'coefficients': [1, 2, 3]}, 'belong to --target=polynomial'),
    ({'target': 'polynomial'}, 'power of 2 or more'),
    ({'target': 'polynomial', 'coefficients': [1, 2]}, 'power of 2 or more'),
    ({'hidden_dim': 0}, '0 must be >= 1'),
    ({'num_steps': 50, 'observe_steps': [60]}, 'past the end'),
    ({'optimizer': 'sgd', 'adam_eps': [1e-8, 1e-4]}, '--adam_eps'),
  ],
)
def test_what_does_not_fit_is_named(given, message):
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**given)

"""The walk of one net of one variable: what is said of it is so."""

import math
import re

import numpy as np
import pytest

from toyjax import studies
from toyjax.parsers import SettingError
from toyjax.studies import sqrt_failure, walk_sqrt
from toyjax.studies.walk_sqrt import net

STUDY = walk_sqrt.STUDY
SEED_INDEX = 37
SHARED = {'num_steps': 300, 'seed': 3, 'num_points': 9}


@pytest.fixture(scope='module')
def walked():
  """Returns a report and its text."""
  values = STUDY.resolve(
    **SHARED,
    seed_index=SEED_INDEX,
    x=[0, 1.5, 4],
    digits=17,
    num_checked=50,
  )
  report = walk_sqrt.report(net.train(values))
  (text,) = report.parts
  return report, text


def _section(text, title):
  """Returns the lines below a title."""
  return text.split(f'{title}\n{"-" * len(title)}\n')[1].split('\n\n\n')[0]


def _layers(text):
  """Returns pairs (W, b) as they are printed."""
  layers = []
  for k in (1, 2, 3):
    found = re.findall(rf'W{k}\[\d\] = \[(.*)\]  b{k}\[\d\] = (.*)', text)
    weight = [[float(w) for w in row.split(',')] for row, _ in found]
    layers.append(
      (np.asarray(weight), np.asarray([float(b) for _, b in found]))
    )
  return layers


def _answer(layers, x):
  a = np.asarray([x])
  for weight, bias in layers[:-1]:
    a = np.maximum(weight @ a + bias, 0)
  return float((layers[-1][0] @ a + layers[-1][1])[0])


def test_its_files_are_what_it_says(walked, tmp_path):
  report, text = walked
  for name, write in report.files.items():
    write(tmp_path / name)
    assert (tmp_path / name).read_text('utf-8').strip() in text
  assert (tmp_path / 'formula.txt').read_text('utf-8') == f'{text}\n'
  upper, lower = report.sheet('net').figure().axes
  assert f'seed 3, index {SEED_INDEX}: ' in upper.get_title()
  assert lower.get_xlabel() == 'x'


def test_the_net_is_the_sweeps_bit_for_bit(walked):
  _, text = walked
  # With the compiler's options of tests, but not by default, last bits hang on
  # the number of observed steps and of blocks of runs: they are the same here.
  values = sqrt_failure.STUDY.resolve(**SHARED, observe_steps=[300])
  (swept,) = studies.run(sqrt_failure.STUDY, values, num_seeds=40)
  printed = np.concatenate(
    [array.ravel() for layer in _layers(text) for array in layer]
  )
  np.testing.assert_array_equal(
    printed.astype(np.float32), swept.data['weights'][SEED_INDEX]
  )
  outcome = sqrt_failure.sqrt_mlp.Outcome(swept.last('outcome')[SEED_INDEX])
  assert f'\n{outcome.name}: ' in text
  assert f'at the end {swept.last("rmse")[SEED_INDEX]:.6g}\n' in text


def test_the_printed_formula_is_the_net(walked):
  _, text = walked
  layers = _layers(text)
  body = _section(text, 'The formula on [0, 4]').split('With fractions')[0]
  rows = re.findall(r'y = (.*?) +for (\S+) <= x <= (\S+)', body)
  assert float(rows[0][1]) == 0.0
  assert float(rows[-1][2]) == 4.0
  assert f'Straight pieces: {len(rows)} here' in body
  for line, left, right in rows:
    for x in np.linspace(float(left), float(right), 5):
      value = eval(line.replace(' x', ' * x'), {'x': x})
      assert abs(value - _answer(layers, x)) < 2e-5


def test_its_errors_are_those_of_brute_force(walked):
  _, text = walked
  layers = _layers(text)
  u = (np.arange(20_000) + 0.5) / 10_000  # x = u², so that √x is smooth.
  errors = np.asarray([_answer(layers, x) for x in u**2]) - u
  total = np.sum(errors**2 * 2 * u) / 10_000
  printed = re.search(r'exactly: (\S+); root mean squared (\S+)\n', text)
  np.testing.assert_allclose(float(printed[1]), total, rtol=1e-4)
  np.testing.assert_allclose(float(printed[2]), math.sqrt(total / 4), rtol=1e-4)
  grid = np.linspace(0, 4, 9)
  on_grid = [(_answer(layers, x) - math.sqrt(x)) ** 2 for x in grid]
  found = re.search(r'at the end (\S+)\n', text)
  np.testing.assert_allclose(
    float(found[1]), math.sqrt(np.mean(on_grid)), rtol=1e-4
  )
  assert 'over the largest |answer|:' in text
  assert 'largest |answer|:   NOT' not in text


def test_walks_and_newton_are_those_of_the_inputs(walked):
  _, text = walked
  layers = _layers(text)
  answers = [float(y) for y in re.findall(r'\nprediction +(\S+)', text)]
  expected = [_answer(layers, x) for x in (0.0, 1.5, 4.0)]
  np.testing.assert_allclose(answers, expected, rtol=1e-5, atol=1e-6)
  rows = {
    line.split()[0]: line.split()[1:]
    for line in _section(text, "Newton's iteration from 1").splitlines()
    if line.strip()
  }
  assert rows['4'][2:5] == ['1.000000', '2.500000', '2.050000']
  assert rows['operations'][:3] == ['20', '0', '3']


def test_a_net_that_is_not_finite_is_said_to_be():
  values = STUDY.resolve(
    **{'optimizer': 'sgd', 'learning_rate': 1e9, 'num_steps': 30, 'low': 1},
    **{'target': 'log', 'num_hidden_layers': 1, 'num_points': 3},
  )
  report = walk_sqrt.report(net.train(values))
  assert 'DIVERGED' in report.parts[0]
  assert 'not finite' in report.parts[0]
  assert list(report.files) == ['formula.txt']
  assert not report.sheets


def test_inputs_left_alone_lie_in_the_interval():
  assert STUDY.resolve()['x'] == [0.25, 1.0, 2.0]
  assert STUDY.resolve(low=0.5)['x'] == [1.0, 2.0]
  assert STUDY.resolve(low=3)['x'] == [3.5]


def test_each_set_of_settings_has_a_folder_of_its_own():
  def name_of(**given):
    return str(STUDY.prepare(STUDY.resolve(**given)).folder)

  assert name_of() == 'runs/walk_sqrt/default'
  assert name_of(x=[1, 2], seed_index=5, map='vmap', num_devices=1) == (
    'runs/walk_sqrt/seed_index=5_x=1.0,2.0_map=vmap'
  )
  # The default of x follows from the interval.
  assert name_of(high=1.5) == 'runs/walk_sqrt/high=1.5'
  assert name_of(seed_index=5, workdir='here') == 'here'


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    (
      {'hidden_dim': [2, 3]},
      '--hidden_dim=2,3 holds 2 values; one net has one',
    ),
    ({'x': [1, 5]}, r'--x=5 lies outside \[0, 4\]'),
    ({'x': 'one'}, "'one' is not a float"),
    ({'x': [1, 1.0]}, 'twice'),
    ({'target': 'log'}, 'log is not defined'),
    ({'coefficients': [1]}, 'belong to --target=polynomial'),
    ({'learning_rate': 1e-50}, 'is 0 in float32'),
    ({'observe_steps': [1]}, '--observe_steps is unknown'),
  ],
)
def test_what_does_not_fit_is_named(given, message):
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**given)

"""The walk of one net of one variable end to end."""

import math
import re

import numpy as np
import pytest
import xarray

from tests.scripts import processes

SEED_INDEX = 37
SHARED = ('--num_steps=300', '--seed=3', '--num_points=9')


def _run(script, workdir, *flags):
  return processes.run(script, f'--workdir={workdir}', *flags)


@pytest.fixture(scope='module')
def walked(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'walked'
  done = _run(
    'walk_sqrt',
    workdir,
    *SHARED,
    f'--seed_index={SEED_INDEX}',
    '--x=0,1.5,4',
    '--digits=17',
    '--num_checked=50',
  )
  assert done.returncode == 0, done.stderr
  return workdir, done.stdout


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


def test_it_writes_what_it_prints(walked):
  workdir, text = walked
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  assert names == {'formula.txt', 'formula.tex', 'net.png', 'manifest.json'}
  assert (workdir / 'formula.txt').read_text().strip() in text
  assert (workdir / 'formula.tex').read_text() in text
  assert (workdir / 'net.png').read_bytes().startswith(b'\x89PNG')
  assert (workdir / 'net.png').stat().st_size > 10_000


def test_the_net_is_the_sweeps_bit_for_bit(walked, tmp_path):
  _, text = walked
  # With the compiler's options of tests, but not by default, last bits hang on
  # the number of observed steps and of blocks of runs: they are the same here.
  done = _run(
    'sqrt_failure',
    tmp_path / 'sweep',
    *SHARED,
    *('--num_seeds=40', '--observe_steps=300', '--num_counted=1'),
    '--num_checked=2',
  )
  assert done.returncode == 0, done.stderr
  data = xarray.open_zarr(
    tmp_path / 'sweep' / 'results.zarr', group='h2', chunks=None
  )
  own = data.isel(run=SEED_INDEX)
  printed = np.concatenate(
    [array.ravel() for layer in _layers(text) for array in layer]
  )
  np.testing.assert_array_equal(
    printed.astype(np.float32), own['weights'].values
  )
  outcome = (
    own['outcome'].attrs['flag_meanings'].split()[int(own['outcome'][-1])]
  )
  assert f'\n{outcome.upper()}: ' in text
  assert f'at the end {float(own["rmse"][-1]):.6g}\n' in text


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


def test_a_net_that_is_not_finite_is_said_to_be(tmp_path):
  workdir = tmp_path / 'wild'
  done = _run(
    'walk_sqrt',
    workdir,
    *('--optimizer=sgd', '--learning_rate=1e9', '--num_steps=30'),
    *('--low=1', '--target=log', '--num_hidden_layers=1', '--num_points=3'),
  )
  assert done.returncode == 0, done.stderr
  assert 'DIVERGED' in done.stdout
  assert 'not finite' in done.stdout
  assert not (workdir / 'net.png').exists()


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--hidden_dim=2,3'], '--hidden_dim=2,3 holds 2 values; one net has one'),
    (['--x=1,5'], '--x=5 lies outside [0, 4]'),
    (['--x=one'], "'one' is not a float"),
    (['--target=log'], 'log is not defined'),
    (['--coefficients=1'], 'belong to --target=polynomial'),
  ],
)
def test_bad_flags_end_in_a_line_that_names_them(tmp_path, flags, message):
  done = _run('walk_sqrt', tmp_path / 'never', *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not (tmp_path / 'never').exists()

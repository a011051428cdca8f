"""The atlas of a store whose classes are known."""

import csv
import json
import shutil

from absl import flags
import numpy as np
import pytest

from scripts.shared import (
  atlas_classes,
  failure_grid,
  radius_report,
  stored_folder,
)
from tests.scripts import processes
from toyjax import statistics, store
from toyjax.analysis import circles, critical_points
from toyjax.toys.relu_autoencoder import Outcome

N, SEEDS = 6, 20
VERDICTS = 'global_minimum local_minimum saddle flat'


def _settings():
  lists = {
    'num_features': [N],
    'num_hidden': [2],
    'optimizer': ['adamw'],
    'init': ['glorot_normal'],
    'loss_reduction': ['mean'],
    'learning_rate': [1e-3, 1e-2],
    'init_scale': [1.0],
    'weight_decay': [1e-2],
    'adam_eps': [1e-8],
    'adam_b1': [0.9],
    'adam_b2': [0.999],
    'momentum': [0.9],
    'rmsprop_decay': [0.99],
  }
  return {
    **lists,
    'num_steps': 100,
    'observe_steps': [50, 100],
    'solved_sse': 0.01,
    'seed': 0,
    'dtype': 'float32',
  }


def _polygon(radii):
  angles = 2.0 * np.pi * np.arange(N) / N
  return np.asarray(radii) * np.stack([np.cos(angles), np.sin(angles)])


def _write(path, group, name, results, dims, attrs):
  num_runs = len(next(iter(results.values())))
  shapes = {key: values[0] for key, values in results.items()}
  opened = store.RunStore(
    path / name,
    group,
    num_runs=num_runs,
    chunk_size=64,
    results=shapes,
    variables={
      key: store.Variable(dims[key], attrs.get(key, {})) for key in results
    },
    coordinates={'step': store.Coordinate('step', np.asarray([50, 100]))},
    attrs={'solved_sse': 0.01, 'step': 100},
  )
  opened.write(0, results)


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  """Two configurations of 20 runs: at the end 5 regular, 10 on two circles, 5
  that failed, of which two diverged."""
  path = tmp_path_factory.mktemp('runs') / 'known'
  settings, num_runs = _settings(), 2 * SEEDS
  (group,) = failure_grid.make_groups(settings)
  seeds = np.arange(num_runs) // 2
  radius = critical_points.minimum_radius(N)
  weights = np.zeros((num_runs, 2, 2, N), np.float32)
  outcome = np.full((num_runs, 2), Outcome.UNRESOLVED, np.int32)
  for run, seed in enumerate(seeds):
    if seed < 5:
      radii, code = [radius] * N, Outcome.SOLVED_REGULAR
    elif seed < 15:
      radii, code = [2.0] * 4 + [1.0] * 2, Outcome.SOLVED_IRREGULAR
    elif seed < 18:
      radii, code = [1.5] * 5 + [0.0], Outcome.SYMMETRIC_FAILURE
    else:
      radii, code = [np.nan] * N, Outcome.DIVERGED
    weights[run] = _polygon(radii)
    outcome[run, 1] = code
  solved = outcome[:, 1] == Outcome.SOLVED_REGULAR
  sse = np.where(solved, 0.0, 0.5 + 0.01 * seeds).astype(np.float32)
  sse[seeds >= 18] = np.nan
  results = {
    'outcome': outcome,
    'sse': np.stack([sse + 1, sse], axis=1),
    'weights': weights,
    'bias': np.full((num_runs, 2, N), -0.1, np.float32),
    'first_solved_step': np.full(num_runs, -1, np.int32),
    **{
      name: np.zeros((num_runs, 2), np.int32)
      for name in ('num_shared', 'num_merged', 'num_off', 'shared_over')
    },
  }
  step = ('step',)
  dims = dict.fromkeys(results, step)
  dims |= {'first_solved_step': (), 'bias': (*step, 'feature')}
  dims |= {'weights': (*step, 'hidden', 'feature')}
  codes = {'outcome': store.flag_attrs(Outcome)}
  _write(path, group.name, 'results.zarr', results, dims, codes)
  (path / 'manifest.json').write_text(
    json.dumps(
      {
        'script': 'optimization_failure',
        'science': settings,
        'extent': {'num_seeds': SEEDS},
        'layout': {'chunk_size': 64, 'map': 'lanes'},
        'invocations': [],
      }
    )
  )
  return path


def _certify(path):
  """Writes the certificates of a folder: two verdicts, three classes."""
  seeds = np.arange(2 * SEEDS) // 2
  results = {
    'verdict': np.where(seeds < 15, 0, 2).astype(np.int8),
    'entry': np.where(seeds < 5, 0, np.where(seeds < 15, 1, -1)).astype(
      np.int16
    ),
    'sse': np.where(seeds < 15, 0.0, 0.8333),
    'weights': np.broadcast_to(_polygon([1.5] * N), (2 * SEEDS, 2, N)).copy(),
    'bias': np.full((2 * SEEDS, N), -1.0),
  }
  dims = dict.fromkeys(results, ())
  dims |= {'weights': ('hidden', 'feature'), 'bias': ('feature',)}
  attrs = {
    'verdict': {'flag_values': [0, 1, 2, 3], 'flag_meanings': VERDICTS},
    'entry': {'flag_values': [0, 1], 'flag_meanings': 'polygon irregular'},
  }
  _write(path, 'n6_m2', atlas_classes.CERTIFICATES, results, dims, attrs)


def _read(workdir, **changes):
  _, groups = stored_folder.read(str(workdir))
  asked = {'configuration': 1, 'step': 100, 'by': 'outcome', **changes}
  return atlas_classes.read(str(workdir), groups[0], **asked)


@pytest.fixture(scope='module')
def drawn(workdir):
  """The atlas by labels, then the same folder by certificates."""

  def draw(*arguments):
    done = processes.run('latent_atlas', f'--workdir={workdir}', *arguments)
    assert done.returncode == 0, done.stderr
    return done

  return draw('--num_members=2', '--max_panels=5')


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


def test_the_atlas_counts_every_run_once(workdir, drawn):
  rows = _rows(workdir / 'atlas' / 'atlas.csv')
  assert {row['class']: int(row['count']) for row in rows} == {
    'solved irregular': 10,
    'solved regular': 5,
    'symmetric failure': 3,
    'diverged': 2,
  }
  for row in rows:
    interval = statistics.wilson(int(row['count']), SEEDS)
    np.testing.assert_allclose(
      [float(row[name]) for name in ('fraction', 'lower', 'upper')],
      interval,
      atol=1e-5,
    )
  assert 'symmetric failure' in drawn.stdout
  assert 'n6_m2' in drawn.stdout


def test_it_draws_what_it_promises(workdir, drawn):
  names = {file.name for file in (workdir / 'atlas').iterdir()} - {'.lock'}
  pictures = {'atlas_n6_m2.png', 'radii_n6_m2.png', 'phase.png'}
  tables = {'atlas.csv', 'radii.csv', 'circles.csv', 'phase.csv'}
  assert names == pictures | tables | {'manifest.json'}
  cells = _rows(workdir / 'atlas' / 'phase.csv')
  assert len(cells) == 2 * len(Outcome)
  assert sum(int(cell['count']) for cell in cells) == 2 * SEEDS
  for name in pictures:
    assert (workdir / 'atlas' / name).read_bytes().startswith(b'\x89PNG')
  text = (workdir / 'atlas' / 'manifest.json').read_text()
  assert json.loads(text)['drawn']['by'] == 'outcome'
  assert str(workdir) not in text


def test_circles_of_solved_runs_are_counted(workdir, drawn):
  rows = _rows(workdir / 'atlas' / 'radii.csv')
  own = {r['kind']: r for r in rows if r['tolerance'] == '0.05'}
  counts = {kind: int(row['count']) for kind, row in own.items()}
  assert counts == {'one_circle': 5, 'two_circles': 10, 'more_radii': 0}
  assert {row['num_solved'] for row in rows} == {'15'}
  (split,) = _rows(workdir / 'atlas' / 'circles.csv')
  assert (split['num_outer'], split['num_inner']) == ('4', '2')
  assert split['outer_adjacent'] == '10'
  assert float(split['outer_radius_median']) == pytest.approx(2.0)


def test_norms_of_any_run_may_fit_two_circles_by_chance():
  near = np.asarray([[1.0, 1.02, 1.04, 1.06]])
  assert radius_report.by_chance(near, tolerance=0.05) > 0.9
  far = np.asarray([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
  assert radius_report.by_chance(far, tolerance=0.01) < 0.05


def test_a_typical_run_is_nearest_to_the_medians(workdir):
  population = _read(workdir)
  classes = {
    found.name: found for found in atlas_classes.classify(population, 3)
  }
  failed = classes['symmetric failure']
  # Its members differ in SSE alone: .65, .66 and .67.
  assert population.sse[failed.members[0]] == pytest.approx(0.66)
  assert len(failed.members) == 3
  assert failed.sse[1] == pytest.approx(0.66)
  diverged = classes['diverged']
  assert (diverged.num_runs, len(diverged.members)) == (2, 2)
  assert np.isnan(diverged.sse).all()
  assert {found.total for found in classes.values()} == {SEEDS}


def test_order_is_kept_under_rotation_and_permutation():
  rng = np.random.default_rng(0)
  weights, sse = rng.normal(size=(30, 2, 5)), rng.uniform(size=30)
  turn = np.asarray([[0.6, -0.8], [0.8, 0.6]])
  moved = (turn @ weights)[:, :, rng.permutation(5)]
  np.testing.assert_array_equal(
    atlas_classes.typical_order(moved, sse),
    atlas_classes.typical_order(weights, sse),
  )


def test_splits_are_found_in_any_order_of_features():
  around = _polygon([2.0, 2.0, 2.0, 1.0, 1.0, 1.0])
  between = _polygon([2.0, 1.0, 2.0, 1.0, 2.0, 1.0])
  order = np.random.default_rng(0).permutation(N)
  split = circles.split_in_two(np.stack([around, between])[:, :, order])
  np.testing.assert_array_equal(split.num_outer, [3, 3])
  np.testing.assert_array_equal(split.adjacent, [True, False])
  np.testing.assert_allclose(split.inner, 1.0)
  np.testing.assert_allclose(split.outer, 2.0)


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'step': 70}, r'--step=70 was not observed: choose one of \[50, 100\]'),
    ({'configuration': 2}, r'--configuration=2 must lie in 0\.\.1'),
    ({'by': 'certificate'}, 'certificates.zarr holds no group n6_m2'),
  ],
)
def test_what_is_not_there_is_named(workdir, changes, message):
  with pytest.raises(flags.Error, match=message):
    _read(workdir, **changes)


def test_certified_classes_are_verdict_and_entry(workdir, tmp_path):
  workdir = shutil.copytree(workdir, tmp_path / 'certified')
  _certify(workdir)
  population = _read(workdir, by='certificate')
  counts = {
    found.name: found.num_runs
    for found in atlas_classes.classify(population, 1)
  }
  assert counts == {
    'global minimum: irregular': 10,
    'global minimum: polygon': 5,
    'saddle: in no catalogue': 5,
  }
  np.testing.assert_allclose(np.linalg.norm(population.weights, axis=1), 1.5)
  # Radii are those of training, not of polished weights.
  assert radius_report.solved_norms(population).max() == pytest.approx(2.0)
  with pytest.raises(flags.Error, match='of --step=100 alone'):
    _read(workdir, by='certificate', step=50)

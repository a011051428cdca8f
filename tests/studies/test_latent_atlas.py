"""The atlas of a store whose classes are known."""

import shutil

import numpy as np
import pytest

from tests.studies import tasks
from toyjax import statistics
from toyjax.analysis.autoencoder import circles, critical_points
from toyjax.analysis.autoencoder.catalogue import Entry
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.parsers import SettingError
from toyjax.statistics import Interval
from toyjax.studies import latent_atlas, optimization_failure
from toyjax.studies.base import STORE
from toyjax.studies.certify_failure import certifying
from toyjax.studies.certify_failure.certifying import CERTIFICATES
from toyjax.studies.folders import open_folder
from toyjax.studies.latent_atlas import classes, radii
from toyjax.studies.optimization_failure import trial
from toyjax.toys.relu_autoencoder import Outcome

N, SEEDS = 6, 20
SWEEP = optimization_failure.STUDY


def _polygon(radii):
  angles = 2.0 * np.pi * np.arange(N) / N
  return np.asarray(radii) * np.stack([np.cos(angles), np.sin(angles)])


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  """Two configurations of 20 runs: at the end 5 regular, 10 on two circles, 5
  that failed, of which two diverged."""
  path = tmp_path_factory.mktemp('runs') / 'known'
  norms = (
    [critical_points.minimum_radius(N)] * N,
    [2.0] * 4 + [1.0] * 2,
    [1.5] * 5 + [0.0],
    [np.nan] * N,
  )
  codes = (
    Outcome.SOLVED_REGULAR,
    Outcome.SOLVED_IRREGULAR,
    Outcome.SYMMETRIC_FAILURE,
    Outcome.DIVERGED,
  )
  kind = np.repeat(np.arange(4), [10, 20, 6, 4])
  failed_sse = 0.5 + 0.01 * (np.arange(2 * SEEDS) // 2)
  sse = np.select([kind == 0, kind < 3], [0.0, failed_sse], np.nan)
  weights = np.stack([_polygon(radii) for radii in norms])[kind]
  before = np.full(2 * SEEDS, Outcome.UNRESOLVED)
  results = {
    'outcome': np.stack([before, np.asarray(codes)[kind]], 1).astype(np.int32),
    'sse': np.stack([sse + 1, sse], axis=1).astype(np.float32),
    'weights': np.stack([weights] * 2, axis=1).astype(np.float32),
    'bias': np.full((2 * SEEDS, 2, N), -0.1, np.float32),
  }
  values = SWEEP.resolve(
    num_features=N,
    learning_rate=[1e-3, 1e-2],
    num_steps=100,
    observe_steps=[50, 100],
  )
  with tasks.workdir(path, SWEEP.name, values, SEEDS) as made:
    tasks.write(
      path / STORE,
      'n6_m2',
      results,
      trial.VARIABLES,
      num_configurations=2,
      attrs={},
      identity=made.identity,
    )
  return path


def _certify(path):
  """Writes the certificates of a folder: two verdicts, three classes."""
  seeds = np.arange(2 * SEEDS) // 2
  parts = [seeds < 5, seeds < 15]
  results = {
    'verdict': np.where(parts[1], Verdict.GLOBAL_MINIMUM, Verdict.SADDLE),
    'entry': np.select(parts, [Entry.SOLVED, Entry.SHARED], Entry.NONE),
    'sse': np.where(parts[1], 0.0, 0.8333),
    'weights': np.broadcast_to(_polygon([1.5] * N), (2 * SEEDS, 2, N)).copy(),
    'bias': np.full((2 * SEEDS, N), -1.0),
  }
  variables, attrs = certifying.VARIABLES, {'step': 100}
  tasks.write(path / CERTIFICATES, 'n6_m2', results, variables, attrs=attrs)


def _populate(workdir, **changes):
  folder = open_folder(workdir, SWEEP)
  (stage,) = folder.stages
  asked = {'configuration': 1, 'step': 100, 'by': 'outcome', **changes}
  found = folder.split(stage, folder.open(stage))
  return classes.populate(folder, found, **asked)


@pytest.fixture(scope='module')
def drawn(workdir):
  return tasks.perform(
    latent_atlas.STUDY, workdir=str(workdir), num_members=2, max_panels=5
  )


def test_the_atlas_counts_every_run_once(drawn):
  rows = drawn.table('atlas').records()
  assert {row['class']: row['count'] for row in rows} == {
    'solved irregular': 10,
    'solved regular': 5,
    'symmetric failure': 3,
    'diverged': 2,
  }
  for row in rows:
    interval = Interval(row['fraction'], row['lower'], row['upper'])
    assert interval == statistics.wilson(row['count'], SEEDS)
  assert 'symmetric failure' in drawn.table('atlas').body()
  assert 'n6_m2' in drawn.table('atlas').body()


def test_it_draws_what_it_promises(drawn):
  for sheet in drawn.sheets:
    assert sheet.figure().axes
  cells = drawn.table('phase').records()
  assert len(cells) == 2 * len(Outcome)
  assert sum(cell['count'] for cell in cells) == 2 * SEEDS
  assert drawn.notes['drawn']['by'] == 'outcome'


def test_circles_of_solved_runs_are_counted(drawn):
  rows = drawn.table('radii').rows
  own = {r['kind']: r['count'] for r in rows if r['tolerance'] == 0.05}
  assert own == {'one_circle': 5, 'two_circles': 10, 'more_radii': 0}
  assert {row['num_solved'] for row in rows} == {15}
  (split,) = drawn.table('circles').rows
  assert (split['num_outer'], split['num_inner']) == (4, 2)
  assert split['outer_adjacent'] == 10
  assert split['outer_radius_median'] == pytest.approx(2.0)


def test_circles_may_be_judged_more_widely(workdir, drawn):
  report = tasks.perform(
    latent_atlas.STUDY,
    workdir=str(workdir),
    output=str(workdir / 'wide'),
    circle_tolerance=[1.5],
  )
  rows = report.table('radii').rows
  assert {row['tolerance'] for row in rows} == {1.5}
  # Radii of 2 and 1 lie on one circle then.
  assert {row['kind']: row['count'] for row in rows} == {
    **{'one_circle': 15, 'two_circles': 0, 'more_radii': 0},
  }
  assert {row['tolerance'] for row in drawn.table('radii').rows} == {
    *(0.05, 0.02, 0.1)
  }


def test_norms_of_any_run_may_fit_two_circles_by_chance():
  near = np.asarray([[1.0, 1.02, 1.04, 1.06]])
  assert radii.by_chance(near, tolerance=0.05) > 0.9
  far = np.asarray([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]])
  assert radii.by_chance(far, tolerance=0.01) < 0.05


def test_a_typical_run_is_nearest_to_the_medians(workdir):
  population = _populate(workdir)
  rows = {row['class']: row for row in classes.classify(population, 3)}
  failed = rows['symmetric failure']
  # Its members differ in SSE alone: .65, .66 and .67.
  assert population.sse[failed['_members'][0]] == pytest.approx(0.66)
  assert len(failed['_members']) == 3
  assert failed['sse_median'] == pytest.approx(0.66)
  diverged = rows['diverged']
  assert (diverged[''].count, len(diverged['_members'])) == (2, 2)
  assert np.isnan(diverged['sse_median'])
  assert {row[''].total for row in rows.values()} == {SEEDS}


def test_order_is_kept_under_rotation_and_permutation():
  rng = np.random.default_rng(0)
  weights, sse = rng.normal(size=(30, 2, 5)), rng.uniform(size=30)
  turn = np.asarray([[0.6, -0.8], [0.8, 0.6]])
  moved = (turn @ weights)[:, :, rng.permutation(5)]
  np.testing.assert_array_equal(
    classes.typical_order(moved, sse),
    classes.typical_order(weights, sse),
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
  ('given', 'message'),
  [
    ({'step': 70}, r'--step=70 was not observed: choose one of \[50, 100\]'),
    ({'configuration': 2}, r'--configuration=2 must lie in 0\.\.1'),
    ({'by': 'certificate'}, 'certificates.zarr holds no group n6_m2'),
    ({'group': 'n7_m2'}, '--group=n7_m2: choose one of n6_m2'),
  ],
)
def test_what_is_not_there_is_named(workdir, tmp_path, given, message):
  given = {'workdir': str(workdir), 'output': str(tmp_path / 'out'), **given}
  with pytest.raises(SettingError, match=message):
    tasks.perform(latent_atlas.STUDY, **given)


def test_certified_classes_are_verdict_and_entry(workdir, tmp_path):
  workdir = shutil.copytree(workdir, tmp_path / 'certified')
  _certify(workdir)
  population = _populate(workdir, by='certificate')
  rows = classes.classify(population, 1)
  assert {row['class']: row[''].count for row in rows} == {
    'global minimum: shared': 10,
    'global minimum: solved': 5,
    'saddle: none': 5,
  }
  np.testing.assert_allclose(np.linalg.norm(population.weights, axis=1), 1.5)
  # Radii are those of training, not of polished weights.
  assert radii.solved_norms(population).max() == pytest.approx(2.0)
  with pytest.raises(SettingError, match='of --step=100 alone'):
    _populate(workdir, by='certificate', step=50)

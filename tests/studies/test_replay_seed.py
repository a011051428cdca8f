"""A stored run is run again bit for bit, and drawn."""

import numpy as np
import pytest

from tests.studies import tasks
from toyjax import stages
from toyjax.manifest import WorkdirError
from toyjax.parsers import SettingError
from toyjax.plots import animations
from toyjax.stored_runs import StoredRuns
from toyjax.studies import optimization_failure, replay_seed, replaying
from toyjax.studies.replay_seed.figures import make_trajectory
from toyjax.toys.relu_autoencoder import Outcome

SWEEP, STUDY = optimization_failure.STUDY, replay_seed.STUDY


workdir = tasks.trained(
  6,
  num_features=3,
  num_steps=60,
  observe_steps=[20, 60],
  learning_rate=[0.01, 0.1],
)


@pytest.fixture(scope='module')
def replayed(workdir):
  with pytest.MonkeyPatch.context() as patch:
    # No ffmpeg, whatever this machine has.
    patch.setattr(animations, 'mp4_is_possible', lambda: False)
    return tasks.perform(
      STUDY,
      workdir=str(workdir),
      run=7,
      whole_chunk=True,
      num_observed=4,
      num_frames=2,
      num_stages=2,
    )


def test_it_is_bit_for_bit_the_stored_run(workdir, replayed):
  rows = replayed.table('comparison').rows
  assert [(row['program'], row['step']) for row in rows] == [
    *(('alone', 20), ('alone', 60)),
    *(('whole_chunk', 20), ('whole_chunk', 60)),
  ]
  assert {row['max_ulps'] for row in rows} == {0}
  assert all(r['outcome_stored'] == r['outcome_replayed'] for r in rows)
  said = replayed.parts[0]
  assert said.count('bit for bit the same at all 2 stored steps') == 2
  stored = StoredRuns(workdir / 'results.zarr', 'n3_m2')
  path = workdir / 'replays' / 'n3_m2_run7' / 'results.zarr'
  again = StoredRuns(path, 'n3_m2')
  steps = again.read_labels('step').tolist()
  at = [steps.index(step) for step in (20, 60)]
  for name in ('weights', 'bias', 'sse', 'outcome'):
    np.testing.assert_array_equal(again.read(name)[0, at], stored.read(name)[7])
  assert again.read('learning_rate')[0] == stored.read('learning_rate')[7]


def test_it_draws_all_of_it(replayed, tmp_path):
  for sheet in replayed.sheets:
    assert sheet.figure().axes or sheet.figure().subfigs
  assert list(replayed.files) == ['animation.gif']
  path = tmp_path / 'animation.gif'
  replayed.files[path.name](path)
  assert path.read_bytes().startswith(b'GIF89a')
  assert 'install ffmpeg' in replayed.parts[-1]


def test_other_runs_and_folders_are_refused(workdir, replayed, tmp_path):
  for group, run, message in (
    ('', 12, r'--run=12 must lie in 0\.\.11'),
    ('n6_m2', 0, 'choose one of n3_m2'),
  ):
    with pytest.raises(SettingError, match=message):
      replaying.read_run(workdir, SWEEP, group, run)
  with pytest.raises(WorkdirError, match='no results'):
    replaying.read_run(tmp_path / 'absent', SWEEP, '', 0)
  with pytest.raises(WorkdirError, match="belongs to 'replay_seed'"):
    replaying.read_run(workdir / 'replays' / 'n3_m2_run7', SWEEP, '', 0)


def test_how_many_runs_there_are_is_what_the_store_holds(workdir):
  original = replaying.read_run(workdir, SWEEP, '', 7)
  assert original.num_seeds == 6
  assert original.steps == [20, 60]


def test_a_run_that_has_not_finished_is_not_run_again(tmp_path, monkeypatch):
  given = {'num_features': 3, 'num_steps': 9, 'observe_steps': [9]}
  tasks.train(tmp_path, SWEEP, 2, **given)
  # More seeds are asked for, and the sweep is stopped at once.
  monkeypatch.setattr(stages.sweeps, 'sweep', lambda *given, **named: None)
  tasks.train(tmp_path, SWEEP, 6, **given)
  assert replaying.read_run(tmp_path, SWEEP, '', 1).num_seeds == 6
  with pytest.raises(SettingError, match='--run=2 of n3_m2 has not finished'):
    replaying.read_run(tmp_path, SWEEP, '', 2)


@pytest.mark.parametrize('outputs', [[0, 1, 3], [0, 1], [0, 1, 1]])
def test_the_tilt_view_has_three_outputs(workdir, outputs):
  given = ','.join(map(str, outputs))
  message = f'--tilt_outputs={given} must be three different features of 0..2'
  with pytest.raises(SettingError, match=message):
    tasks.prepare(STUDY, workdir=str(workdir), tilt_outputs=outputs)


# ----- Comparing -----


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_ulps_are_counted(dtype):
  one, zero = np.asarray([1.0], dtype), np.asarray([0.0], dtype)
  later = np.nextafter(np.nextafter(one, dtype(2)), dtype(2))
  least = np.nextafter(zero, dtype(1))
  assert replaying.ulps_apart(one, one) == 0
  assert replaying.ulps_apart(one, later) == 2
  assert replaying.ulps_apart(-one, -later) == 2
  assert replaying.ulps_apart(zero, -zero) == 0
  assert replaying.ulps_apart(least, -least) == 2
  assert replaying.ulps_apart(one * np.nan, one * np.nan) == 0
  assert replaying.ulps_apart(one, one * np.nan) > 2**62
  assert replaying.ulps_apart(-one, one) > 2**30
  with pytest.raises(ValueError, match='against'):
    replaying.ulps_apart(one, np.ones(2, dtype))


def _stored(weights):
  steps = len(weights)
  return {
    'weights': np.asarray(weights, np.float32).reshape(steps, 1, 1),
    'bias': np.zeros((steps, 1), np.float32),
    'sse': np.ones(steps, np.float32),
    'outcome': np.arange(steps, dtype=np.int32) + 3,
  }


def _compare(steps, stored, again):
  return replaying.compare(
    steps,
    stored,
    'alone',
    again,
    states=('weights', 'bias'),
    error='sse',
    outcomes=Outcome,
  )


def test_the_first_step_that_differs_is_named():
  stored, again = _stored([1, 2, 3]), _stored([1, 2.5, 3])
  again['outcome'][2] = 9
  rows = _compare([10, 20, 30], stored, again)
  assert [row['max_ulps'] > 0 for row in rows] == [False, True, False]
  said = replaying.describe(rows)
  assert 'differs from step 20 on' in said
  assert '1 of 3 labels differ' in said
  same = _compare([10, 20, 30], stored, stored)
  assert 'bit for bit' in replaying.describe(same)


def test_runs_that_diverged_alike_are_the_same():
  stored = _stored([np.nan, np.inf])
  rows = _compare([10, 20], stored, stored)
  assert [row['max_abs_difference'] for row in rows] == [0.0, 0.0]


def test_what_differs_between_machines_is_named():
  then = {'device': 'cpu', 'versions': {'jax': '0.9'}, 'started': 'once'}
  now = {'device': 'cpu', 'versions': {'jax': '0.10'}}
  assert replaying.environment_differences(then, now) == [
    'jax: 0.9 then, 0.10 now'
  ]


def test_a_trajectory_is_cut_where_it_is_no_longer_finite():
  results = _stored([1, 2, np.nan])
  run = make_trajectory('Run', [2, 9, 30], results, 0.01)
  assert run.cut_at == 30
  np.testing.assert_array_equal(run.steps, [2, 9])
  whole = make_trajectory('Run', [2, 9], _stored([1, 2]), 0.01)
  assert whole.cut_at is None


def test_all_stored_steps_are_observed(workdir):
  steps = replaying.read_run(workdir, SWEEP, '', 7).more_steps(8)
  assert {20, 60} <= set(steps)
  assert steps == sorted(set(steps))
  assert (steps[0], steps[-1]) == (2, 60)

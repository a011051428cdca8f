"""A stored run is run again bit for bit, and drawn."""

import csv
import json

from absl import flags
import numpy as np
import pytest
import xarray

from scripts.shared import seed_replay, seed_replay_figures
from tests.scripts import processes
from toyjax.manifest import WorkdirError


def _run(script, *arguments):
  # No ffmpeg, whatever this machine has.
  return processes.run(script, *arguments, env={'PATH': '/nowhere'})


@pytest.fixture(scope='module')
def workdir(tmp_path_factory):
  path = tmp_path_factory.mktemp('runs') / 'small'
  done = _run(
    'optimization_failure',
    *(f'--workdir={path}', '--num_features=3', '--num_seeds=6'),
    *('--num_steps=60', '--observe_steps=20,60', '--learning_rate=0.01,0.1'),
  )
  assert done.returncode == 0, done.stderr
  return path


@pytest.fixture(scope='module')
def replayed(workdir):
  done = _run(
    'replay_seed',
    *(f'--workdir={workdir}', '--run=7', '--whole_chunk'),
    *('--num_observed=4', '--num_frames=2', '--num_stages=2'),
  )
  assert done.returncode == 0, done.stderr
  return workdir / 'replays' / 'n3_m2_run7', done


def test_it_is_bit_for_bit_the_stored_run(workdir, replayed):
  path, done = replayed
  with (path / 'comparison.csv').open() as file:
    rows = list(csv.DictReader(file))
  assert [(r['program'], r['step']) for r in rows] == [
    *(('alone', '20'), ('alone', '60')),
    *(('whole_chunk', '20'), ('whole_chunk', '60')),
  ]
  assert {row['max_ulps'] for row in rows} == {'0'}
  assert all(r['outcome_stored'] == r['outcome_replayed'] for r in rows)
  assert done.stdout.count('bit for bit the same at all 2 stored steps') == 2
  stored = xarray.open_zarr(workdir / 'results.zarr', group='n3_m2')
  again = xarray.open_zarr(path / 'results.zarr', group='n3_m2')
  for name in ('weights', 'bias', 'sse', 'outcome'):
    np.testing.assert_array_equal(
      again[name].sel(step=[20, 60]).values[0], stored[name].values[7]
    )
  assert again['learning_rate'].values[0] == stored['learning_rate'].values[7]


def test_it_draws_all_of_it(replayed):
  path, done = replayed
  names = {file.name for file in path.iterdir()} - {'.lock'}
  pictures = {'training.png', 'stages.png', 'gram.png', 'tilt.png'}
  assert names == {
    *pictures,
    *('animation.gif', 'comparison.csv', 'manifest.json', 'results.zarr'),
  }
  for name in pictures:
    assert (path / name).read_bytes().startswith(b'\x89PNG')
  assert (path / 'animation.gif').read_bytes().startswith(b'GIF89a')
  assert 'install ffmpeg' in done.stdout
  text = (path / 'manifest.json').read_text()
  assert json.loads(text)['science']['run'] == 7
  assert str(path.parents[1]) not in text


def test_other_runs_and_folders_are_refused(workdir, tmp_path):
  for group, run, message in (
    ('', 12, r'--run=12 must lie in 0\.\.11'),
    ('n6_m2', 0, 'choose one of n3_m2'),
  ):
    with pytest.raises(flags.Error, match=message):
      seed_replay.read_run(str(workdir), group, run)
  with pytest.raises(WorkdirError, match='no results'):
    seed_replay.read_run(str(tmp_path / 'absent'), '', 0)
  with pytest.raises(WorkdirError, match="belongs to 'replay_seed'"):
    seed_replay.read_run(str(workdir / 'replays' / 'n3_m2_run7'), '', 0)


def test_how_many_runs_there_are_is_what_the_store_holds(workdir):
  original = seed_replay.read_run(str(workdir), '', 7)
  edited = original._replace(manifest=original.manifest | {'extent': {}})
  for xs in (original.xs(), edited.xs()):
    np.testing.assert_array_equal(xs['seed_index'], np.repeat(range(6), 2))


def test_a_wrong_flag_ends_in_one_line(workdir):
  done = _run('replay_seed', f'--workdir={workdir}', '--tilt_outputs=0,1,3')
  assert done.returncode == 1
  assert len(done.stderr.strip().split('\n')) == 1
  assert '--tilt_outputs=0,1,3 must be three different features' in done.stderr
  assert not (workdir / 'replays' / 'n3_m2_run0').exists()


# ----- Comparing -----


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_ulps_are_counted(dtype):
  one, zero = np.asarray([1.0], dtype), np.asarray([0.0], dtype)
  later = np.nextafter(np.nextafter(one, dtype(2)), dtype(2))
  least = np.nextafter(zero, dtype(1))
  assert seed_replay.ulps_apart(one, one) == 0
  assert seed_replay.ulps_apart(one, later) == 2
  assert seed_replay.ulps_apart(-one, -later) == 2
  assert seed_replay.ulps_apart(zero, -zero) == 0
  assert seed_replay.ulps_apart(least, -least) == 2
  assert seed_replay.ulps_apart(one * np.nan, one * np.nan) == 0
  assert seed_replay.ulps_apart(one, one * np.nan) > 2**62
  assert seed_replay.ulps_apart(-one, one) > 2**30
  with pytest.raises(ValueError, match='against'):
    seed_replay.ulps_apart(one, np.ones(2, dtype))


def _stored(weights):
  steps = len(weights)
  return {
    'weights': np.asarray(weights, np.float32).reshape(steps, 1, 1),
    'bias': np.zeros((steps, 1), np.float32),
    'sse': np.ones(steps, np.float32),
    'outcome': np.arange(steps, dtype=np.int32) + 3,
  }


def test_the_first_step_that_differs_is_named():
  stored, again = _stored([1, 2, 3]), _stored([1, 2.5, 3])
  again['outcome'][2] = 9
  rows = seed_replay.compare('alone', [10, 20, 30], stored, again)
  assert [row['max_ulps'] > 0 for row in rows] == [False, True, False]
  said = seed_replay.describe(rows)
  assert 'differs from step 20 on' in said
  assert '1 of 3 labels differ' in said
  same = seed_replay.compare('alone', [10, 20, 30], stored, stored)
  assert 'bit for bit' in seed_replay.describe(same)


def test_runs_that_diverged_alike_are_the_same():
  stored = _stored([np.nan, np.inf])
  rows = seed_replay.compare('alone', [10, 20], stored, stored)
  assert [row['max_abs_difference'] for row in rows] == [0.0, 0.0]


def test_what_differs_between_machines_is_named():
  then = {'device': 'cpu', 'versions': {'jax': '0.9'}, 'started': 'once'}
  now = {'device': 'cpu', 'versions': {'jax': '0.10'}}
  assert seed_replay.environment_differences(then, now) == [
    'jax: 0.9 then, 0.10 now'
  ]


def test_a_trajectory_is_cut_where_it_is_no_longer_finite():
  results = _stored([1, 2, np.nan])
  run = seed_replay_figures.make_trajectory('Run', [2, 9, 30], results, 0.01)
  assert run.cut_at == 30
  np.testing.assert_array_equal(run.steps, [2, 9])
  whole = seed_replay_figures.make_trajectory(
    'Run', [2, 9], _stored([1, 2]), 0.01
  )
  assert whole.cut_at is None


def test_all_stored_steps_are_observed():
  settings = {'num_steps': 1000, 'observe_steps': [7, 333, 1000]}
  steps = seed_replay.trajectory_steps(settings, 40)
  assert {7, 333, 1000} <= set(steps)
  assert steps == sorted(set(steps))
  assert (steps[0], steps[-1]) == (2, 1000)

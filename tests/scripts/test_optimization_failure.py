"""The main job end to end, as a user runs it: outputs and resuming."""

import json
import shutil
import signal
import time

import numpy as np
import pytest
import xarray

from tests.scripts import main_job as job
from tests.scripts import processes


def _weights(workdir, group):
  data = xarray.open_zarr(workdir / 'results.zarr', group=group, chunks=None)
  return data['weights'].values


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'small'
  done = processes.from_scratch(
    *(job.SCRIPT, f'--workdir={workdir}', *job.SMALL)
  )
  assert done.returncode == 0, done.stderr
  return workdir, done


def test_it_says_what_it_does_and_finds(finished):
  _, done = finished
  assert 'After 300 steps' in done.stdout
  assert 'n5_m2: 100%' in done.stderr
  assert 'steps/s' in done.stderr


def test_the_store_says_what_the_summary_says(finished):
  workdir, _ = finished
  for group, num_features in (('n5_m2', 5), ('n6_m2', 6)):
    data = xarray.open_zarr(workdir / 'results.zarr', group=group)
    assert data['weights'].shape == (40, 2, 2, num_features)
    meanings = data['outcome'].attrs['flag_meanings'].split()
    for row in job.rows(workdir):
      if int(row['num_features']) != num_features:
        continue
      own = np.isclose(data['learning_rate'], float(row['learning_rate']))
      at_step = data['outcome'].sel(step=int(row['step'])).values
      code = meanings.index(row['outcome'].lower())
      assert np.sum(own & (at_step == code)) == int(row['count'])
      assert row['total'] == '20'
      assert row['momentum'] == ''  # AdamW has none.
    assert data.attrs['solved_sse'] == 0.01
    assert data.attrs['resolved_decrease'] == 0.1
    np.testing.assert_array_equal(data['seed_index'], np.arange(40) // 2)


def test_the_manifest_says_how_it_was_made(finished):
  workdir, _ = finished
  text = (workdir / 'manifest.json').read_text()
  found = json.loads(text)
  assert found['science']['learning_rate'] == [0.01, 0.1]
  assert found['extent'] == {'num_seeds': 20}
  run = found['invocations'][0]
  assert run['status'] == 'finished'
  assert run['jax_default_matmul_precision'] == 'highest'
  assert run['jax_default_prng_impl'] == 'threefry2x32'
  assert {'xla_flags', 'git_commit', 'device', 'versions', 'ended'} <= set(run)
  assert str(workdir.parent) not in text


def test_without_a_chunk_size_it_takes_that_of_the_folder(finished):
  workdir, first = finished
  # Another would be refused.
  flags = [flag for flag in job.SMALL if not flag.startswith('--chunk_size')]
  assert job.finish(workdir, *flags).stdout == first.stdout


def test_more_seeds_extend_and_equal_the_one_shot_run(finished, tmp_path):
  few = tmp_path / 'few'
  flags = [flag for flag in job.SMALL if not flag.startswith('--num_seeds')]
  job.finish(few, *flags, '--num_seeds=5')
  job.finish(few, *flags, '--num_seeds=20')
  reference = finished[0]
  assert job.rows(few) == job.rows(reference)
  for group in ('n5_m2', 'n6_m2'):
    np.testing.assert_array_equal(
      _weights(few, group), _weights(reference, group)
    )
  fewer = job.run(few, *flags, '--num_seeds=19')
  assert fewer.returncode != 0
  assert '--num_seeds=20' in fewer.stderr


def test_killed_at_several_points_it_resumes_to_the_same_summary(
  finished, tmp_path
):
  reference = finished[0]
  workdir = tmp_path / 'killed'
  marks = [
    'manifest.json',
    'results.zarr/n5_m2/weights/zarr.json',
    'results.zarr/n5_m2/completed_runs/c/0',
    'results.zarr/n6_m2/completed_runs/c/1',
  ]
  for mark in marks:
    process = processes.start(
      *(job.SCRIPT, f'--workdir={workdir}', *job.SMALL),
      folder=tmp_path,
    )
    deadline = time.monotonic() + 120
    while not (workdir / mark).exists():
      assert process.is_alive(), f'ended before {mark}'
      assert time.monotonic() < deadline, mark
      time.sleep(0.002)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (workdir / 'summary.csv').exists()
  job.finish(workdir, *job.SMALL)
  assert job.rows(workdir) == job.rows(reference)
  for group in ('n5_m2', 'n6_m2'):
    np.testing.assert_array_equal(
      _weights(workdir, group), _weights(reference, group)
    )
  invocations = json.loads((workdir / 'manifest.json').read_text())[
    'invocations'
  ]
  assert [run['status'] for run in invocations] == ['killed'] * 4 + ['finished']


def test_another_level_is_reported_from_the_store_alone(finished, tmp_path):
  workdir = tmp_path / 'copy'
  shutil.copytree(finished[0], workdir)
  before = (workdir / 'summary.csv').read_bytes()
  job.finish(workdir, '--from_store', '--solved_sse=1e-30')
  solved = [
    row for row in job.rows(workdir) if row['outcome'].startswith('SOLVED')
  ]
  assert {row['count'] for row in solved} == {'0'}
  summary = json.loads((workdir / 'manifest.json').read_text())['summary']
  assert summary['solved_sse'] == 1e-30

  for given, message in (
    (['--from_store', '--seed=5'], '--seed=0; with --from_store only'),
    ([*job.SMALL, '--solved_sse=1'], 'add --from_store to report its runs'),
  ):
    other = job.run(workdir, *given)
    assert other.returncode != 0
    assert message in other.stderr
    assert 'Traceback' not in other.stderr
  job.finish(workdir, *job.SMALL)  # The labels it was trained with are back.
  assert (workdir / 'summary.csv').read_bytes() == before


def test_a_sweep_that_stopped_early_is_not_reported(finished, tmp_path):
  copy = tmp_path / 'copy'
  shutil.copytree(finished[0], copy)
  shutil.rmtree(copy / 'results.zarr' / 'n6_m2')
  done = job.run(copy, '--from_store')
  assert done.returncode == 1
  assert 'not every configuration of n6_m2' in done.stderr
  assert 'Traceback' not in done.stderr

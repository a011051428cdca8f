"""The main job end to end, as a user runs it: outputs, resuming, bad input."""

import csv
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import xarray

from toyjax import statistics
from toyjax.toys.relu_autoencoder import Outcome

ROOT = pathlib.Path(__file__).parents[2]
SMALL = (
  '--num_features=5,6',
  '--num_seeds=20',
  '--num_steps=300',
  '--observe_steps=100,300',
  '--learning_rate=0.01,0.1',
  '--chunk_size=16',
)


def _command(workdir, *flags):
  return [
    sys.executable,
    '-m',
    'scripts.optimization_failure',
    f'--workdir={workdir}',
    *flags,
  ]


def _run(workdir, *flags):
  return subprocess.run(
    _command(workdir, *flags),
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=300,
  )


def _finish(workdir, *flags):
  done = _run(workdir, *flags)
  assert done.returncode == 0, done.stderr
  return done


def _rows(workdir):
  with (workdir / 'summary.csv').open() as file:
    return list(csv.DictReader(file))


def _weights(workdir, group):
  data = xarray.open_zarr(workdir / 'results.zarr', group=group, chunks=None)
  return data['weights'].values


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('runs') / 'small'
  return workdir, _finish(workdir, *SMALL)


def test_it_writes_everything_it_promises(finished):
  workdir, done = finished
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  assert names == {
    'summary.csv',
    'differences.csv',
    'manifest.json',
    'outcomes.png',
    'survival.png',
    'results.zarr',
  }
  for name in ('outcomes.png', 'survival.png'):
    assert (workdir / name).read_bytes().startswith(b'\x89PNG')
    assert (workdir / name).stat().st_size > 10_000
  assert 'After 300 steps' in done.stdout
  assert 'n5_m2: 100%' in done.stderr
  assert 'steps/s' in done.stderr


def test_the_summary_counts_every_run_once(finished):
  workdir, _ = finished
  rows = _rows(workdir)
  assert len(rows) == 2 * 2 * 2 * len(Outcome)
  for start in range(0, len(rows), len(Outcome)):
    block = rows[start : start + len(Outcome)]
    assert [row['outcome'] for row in block] == [o.name for o in Outcome]
    assert sum(int(row['count']) for row in block) == 20
    assert {row['total'] for row in block} == {'20'}
    for row in block:
      interval = statistics.wilson(int(row['count']), 20)
      np.testing.assert_allclose(
        [float(row[name]) for name in ('fraction', 'lower', 'upper')],
        interval,
        atol=1e-5,
      )
  assert rows[0]['optimizer'] == 'adamw'
  assert rows[0]['momentum'] == ''  # AdamW has none.
  assert {row['learning_rate'] for row in rows} == {'0.01', '0.1'}


def test_the_store_says_what_the_summary_says(finished):
  workdir, _ = finished
  for group, num_features in (('n5_m2', 5), ('n6_m2', 6)):
    data = xarray.open_zarr(workdir / 'results.zarr', group=group)
    assert data['weights'].shape == (40, 2, 2, num_features)
    meanings = data['outcome'].attrs['flag_meanings'].split()
    for row in _rows(workdir):
      if int(row['num_features']) != num_features:
        continue
      own = np.isclose(data['learning_rate'], float(row['learning_rate']))
      at_step = data['outcome'].sel(step=int(row['step'])).values
      code = meanings.index(row['outcome'].lower())
      assert np.sum(own & (at_step == code)) == int(row['count'])
    assert data.attrs['solved_sse'] == 0.01
    assert data.attrs['resolved_decrease'] == 0.1
    np.testing.assert_array_equal(data['seed_index'], np.arange(40) // 2)


def test_first_crossings_fit_the_labels(finished):
  workdir, _ = finished
  solved_somewhere = 0
  for group in ('n5_m2', 'n6_m2'):
    data = xarray.open_zarr(workdir / 'results.zarr', group=group)
    first = data['first_solved_step'].values
    sse = data['sse'].values
    for k, step in enumerate((100, 300)):
      solved = sse[:, k] < 0.01
      solved_somewhere += solved.sum()
      assert np.all((first[solved] >= 0) & (first[solved] <= step))
      # The tracked loss and the SSE may differ in their last bits.
      assert np.all(sse[:, -1][first < 0] > 0.01 * (1 - 1e-4))
  assert solved_somewhere > 0


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


def test_the_same_command_again_trains_nothing(finished, tmp_path):
  workdir, first = finished
  before = (workdir / 'summary.csv').read_bytes()
  stored = {
    path: path.stat().st_mtime_ns
    for path in (workdir / 'results.zarr').rglob('c/*/*')
    if 'weights' in path.parts and path.is_file()
  }
  again = _finish(workdir, *SMALL)
  assert (workdir / 'summary.csv').read_bytes() == before
  assert again.stdout == first.stdout
  assert all(path.stat().st_mtime_ns == t for path, t in stored.items())


def test_without_a_chunk_size_it_takes_the_folders(finished):
  workdir, first = finished
  flags = [flag for flag in SMALL if not flag.startswith('--chunk_size')]
  # Another size would be refused.
  assert _finish(workdir, *flags).stdout == first.stdout


def test_more_seeds_extend_and_equal_the_one_shot_run(finished, tmp_path):
  few = tmp_path / 'few'
  flags = [flag for flag in SMALL if not flag.startswith('--num_seeds')]
  _finish(few, *flags, '--num_seeds=5')
  _finish(few, *flags, '--num_seeds=20')
  reference = finished[0]
  assert _rows(few) == _rows(reference)
  for group in ('n5_m2', 'n6_m2'):
    np.testing.assert_array_equal(
      _weights(few, group), _weights(reference, group)
    )
  fewer = _run(few, *flags, '--num_seeds=19')
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
    process = subprocess.Popen(
      _command(workdir, *SMALL),
      cwd=ROOT,
      stdout=subprocess.DEVNULL,
      stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (workdir / mark).exists():
      assert process.poll() is None, f'ended before {mark}'
      assert time.monotonic() < deadline, mark
      time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (workdir / 'summary.csv').exists()
  _finish(workdir, *SMALL)
  assert _rows(workdir) == _rows(reference)
  for group in ('n5_m2', 'n6_m2'):
    np.testing.assert_array_equal(
      _weights(workdir, group), _weights(reference, group)
    )
  invocations = json.loads((workdir / 'manifest.json').read_text())[
    'invocations'
  ]
  assert [run['status'] for run in invocations] == ['killed'] * 4 + ['finished']


def test_relabelling_reads_the_store_alone(finished, tmp_path):
  workdir, first = finished
  before = (workdir / 'summary.csv').read_bytes()
  again = _finish(workdir, '--from_store')
  assert (workdir / 'summary.csv').read_bytes() == before
  assert again.stdout == first.stdout

  _finish(workdir, '--from_store', '--solved_sse=1e-30')
  solved = [
    row for row in _rows(workdir) if row['outcome'].startswith('SOLVED')
  ]
  assert {row['count'] for row in solved} == {'0'}
  summary = json.loads((workdir / 'manifest.json').read_text())['summary']
  assert summary['solved_sse'] == 1e-30

  other = _run(workdir, '--from_store', '--seed=5')
  assert other.returncode != 0
  assert '--seed=0' in other.stderr
  _finish(workdir, *SMALL)  # The labels it was trained with are back.
  assert (workdir / 'summary.csv').read_bytes() == before


def test_other_flags_on_the_same_folder_are_refused_by_name(finished):
  workdir, _ = finished
  before = {
    path: path.read_bytes()
    for path in workdir.rglob('*')
    if path.is_file() and path.name != '.lock'
  }
  done = _run(workdir, *SMALL, '--weight_decay=0')
  assert done.returncode != 0
  assert '--weight_decay=0.01, not 0.0' in done.stderr
  assert 'Traceback' not in done.stderr
  assert all(path.read_bytes() == data for path, data in before.items())


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--optimizer=lion'], "'lion' is unknown"),
    (['--learning_rate=-1'], '-1 must be > 0'),
    (['--learning_rate=fast'], "'fast' is not a float"),
    (['--num_features=1'], '1 must be >= 2'),
    (['--num_steps=50', '--observe_steps=60'], 'past the end'),
    (['--num_steps=50', '--observe_steps=30,20'], 'must increase'),
    (['--optimizer=sgd', '--adam_eps=1e-8,1e-4'], '--adam_eps'),
    (['--adam_b2=1'], '--adam_b2=1.0 must be < 1'),
    (['--num_features=6,6'], 'twice'),
    (['--schedule=warmup_cosine', '--num_steps=9'], 'warmup_steps'),
    (['extra'], 'extra'),
  ],
)
def test_bad_flags_end_in_a_line_that_names_them(tmp_path, flags, message):
  workdir = tmp_path / 'never'
  done = _run(workdir, *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not workdir.exists()


def test_bad_folders_end_in_one_line(tmp_path):
  (tmp_path / 'thesis.tex').write_text('mine')
  foreign = _run(tmp_path, *SMALL)
  file = _run(tmp_path / 'thesis.tex', *SMALL)
  empty = _run(tmp_path / 'absent', '--from_store')
  for done, message in (
    (foreign, 'holds other files'),
    (file, 'not a folder'),
    (empty, 'no results'),
  ):
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.strip().split('\n')) == 1
  assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


def test_a_full_disk_loses_no_finished_chunk(tmp_path):
  workdir = tmp_path / 'full'
  flags = ('--num_features=5', '--num_steps=60', '--chunk_size=256')
  _finish(workdir, *flags, '--num_seeds=10')
  # A limit on the size of files, 17 blocks, stands for a disk that is full.
  full = subprocess.run(
    [
      *('sh', '-c', 'ulimit -f 17; exec "$@"', 'sh'),
      *_command(workdir, *flags, '--num_seeds=600'),
    ],
    cwd=ROOT,
    capture_output=True,
    text=True,
    timeout=300,
  )
  assert full.returncode == 1
  assert 'Traceback' not in full.stderr
  assert 'optimization_failure: ' in full.stderr.splitlines()[-1]
  _finish(workdir, *flags, '--num_seeds=600')
  _finish(tmp_path / 'whole', *flags, '--num_seeds=600')
  assert _rows(workdir) == _rows(tmp_path / 'whole')


def test_an_interruption_exits_with_a_hint(tmp_path):
  workdir = tmp_path / 'stopped'
  process = subprocess.Popen(
    _command(workdir, '--num_features=6', '--num_seeds=4096'),
    cwd=ROOT,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.PIPE,
    text=True,
  )
  deadline = time.monotonic() + 120
  while not (workdir / 'results.zarr' / 'n6_m2' / 'step').exists():
    assert process.poll() is None
    assert time.monotonic() < deadline
    time.sleep(0.01)
  process.send_signal(signal.SIGINT)
  _, shown = process.communicate(timeout=120)
  assert process.returncode == 130
  assert 'resumes' in shown.splitlines()[-1]
  assert 'Traceback' not in shown


def test_dry_run_writes_nothing(tmp_path):
  done = _finish(tmp_path / 'dry', *SMALL, '--dry_run')
  assert 'minutes' in done.stdout
  assert 'MiB on disk' in done.stdout
  assert not (tmp_path / 'dry').exists()


def test_a_grid_of_optimizers_makes_groups_and_leaves_unused_numbers_empty(
  tmp_path,
):
  workdir = tmp_path / 'grid'
  _finish(
    workdir,
    '--num_features=5',
    '--optimizer=sgd,momentum,adam,rmsprop,adamw',
    '--weight_decay=0,0.1',
    '--loss_reduction=sum',
    '--num_seeds=8',
    '--num_steps=50',
    '--schedule=warmup_cosine',
    '--warmup_steps=10',
    '--dtype=float64',
  )
  rows = _rows(workdir)
  assert len(rows) == 6 * len(Outcome)
  decay = {row['optimizer']: row['weight_decay'] for row in rows}
  assert decay['adamw'] == '0.1'
  assert decay['sgd'] == decay['adam'] == ''
  data = xarray.open_zarr(workdir / 'results.zarr', group='n5_m2_adamw')
  assert data['weights'].dtype == np.float64
  assert data.attrs['optimizer'] == 'adamw'


def test_help_explains_the_science():
  done = _run('unused', '--help')
  assert 'ReLU autoencoder' in done.stdout
  for name in ('--num_seeds', '--observe_steps', 'from_store', 'dry_run'):
    assert name in done.stdout

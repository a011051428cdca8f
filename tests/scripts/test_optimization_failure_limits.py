"""The main job at its limits: bad input, a full disk, an end."""

import os
import signal
import subprocess
import time

import pytest

from tests.scripts import main_job as job
from tests.scripts import processes


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--learning_rate=-1'], '-1 must be > 0'),
    (['--num_steps=50', '--observe_steps=60'], 'past the end'),
    (['--schedule=warmup_cosine', '--num_steps=9'], 'warmup_steps'),
    (['extra'], 'extra'),
  ],
)
def test_bad_flags_end_in_a_line_that_names_them(tmp_path, flags, message):
  workdir = tmp_path / 'never'
  done = job.run(workdir, *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not workdir.exists()


def test_bad_folders_end_in_one_line(tmp_path):
  (tmp_path / 'thesis.tex').write_text('mine')
  foreign = job.run(tmp_path, *job.SMALL)
  file = job.run(tmp_path / 'thesis.tex', *job.SMALL)
  empty = job.run(tmp_path / 'absent', '--from_store')
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
  job.finish(workdir, *flags, '--num_seeds=10')
  # A limit on the size of files, 17 blocks, stands for a disk that is full.
  full = subprocess.run(
    [
      *('sh', '-c', 'ulimit -f 17; exec "$@"', 'sh'),
      *processes.command(job.SCRIPT, f'--workdir={workdir}', *flags),
      '--num_seeds=600',
    ],
    cwd=processes.ROOT,
    capture_output=True,
    text=True,
    timeout=300,
  )
  assert full.returncode == 1
  assert 'Traceback' not in full.stderr
  assert 'optimization_failure: ' in full.stderr.splitlines()[-1]
  job.finish(workdir, *flags, '--num_seeds=600')
  job.finish(tmp_path / 'whole', *flags, '--num_seeds=600')
  assert job.rows(workdir) == job.rows(tmp_path / 'whole')


def test_an_interruption_exits_with_a_hint(tmp_path):
  workdir = tmp_path / 'stopped'
  process = processes.start(
    job.SCRIPT,
    *(f'--workdir={workdir}', '--num_features=6', '--num_seeds=4096'),
    folder=tmp_path,
  )
  deadline = time.monotonic() + 120
  while not (workdir / 'results.zarr' / 'n6_m2' / 'step').exists():
    assert process.is_alive()
    assert time.monotonic() < deadline
    time.sleep(0.01)
  os.kill(process.pid, signal.SIGINT)
  process.join(processes.TIMEOUT)
  assert process.exitcode == 130
  shown = (tmp_path / 'stderr').read_text()
  assert 'resumes' in shown.splitlines()[-1]
  assert 'Traceback' not in shown


def test_help_explains_the_science():
  done = job.run('unused', '--help')
  assert 'ReLU autoencoder' in done.stdout
  for name in ('--num_seeds', '--observe_steps', 'from_store', 'dry_run'):
    assert name in done.stdout

"""`python -m toyjax` lists the studies and runs one, wherever it is called."""

import subprocess
import sys

from tests.scripts import processes
from toyjax.studies import names


def _toyjax(*arguments, cwd):
  return subprocess.run(
    [sys.executable, '-m', 'toyjax', *arguments],
    cwd=cwd,
    capture_output=True,
    text=True,
    timeout=processes.TIMEOUT,
  )


def test_without_arguments_it_lists_the_studies(tmp_path):
  listed = _toyjax(cwd=tmp_path)
  assert listed.returncode == 0, listed.stderr
  words = listed.stdout.split()
  assert set(names()) <= set(words)
  assert 'How often does a net 1-2-2-1 learn √x' in listed.stdout


def test_it_runs_a_study_with_the_flags_of_its_script(tmp_path):
  small = (
    *('--num_features=2', '--density=0.1', '--importance=1'),
    *('--num_steps=5', '--num_seeds=4'),
  )
  done = _toyjax(
    *('run', 'superposition_phase', *small, '--workdir=out'), cwd=tmp_path
  )
  assert done.returncode == 0, done.stderr
  again = processes.run(
    'superposition_phase', *small, f'--workdir={tmp_path / "out"}'
  )
  assert again.returncode == 0, again.stderr
  assert (tmp_path / 'out' / 'phases.png').exists()


def test_help_is_that_of_the_study(tmp_path):
  shown = _toyjax('run', 'superposition_phase', '--help', cwd=tmp_path).stdout
  assert 'Which of n sparse features' in shown
  for flag in ('--density', '--near', '--num_seeds', '--dry_run', '--workdir'):
    assert f'\n  {flag}' in shown or f'\n  --[no]{flag[2:]}' in shown, flag


def test_what_it_does_not_know_is_said(tmp_path):
  for arguments, words in (
    (('run', 'sqrt_failur'), 'did you mean sqrt_failure?'),
    (('run',), 'run what?'),
    (('sweep',), 'sweep is unknown'),
  ):
    said = _toyjax(*arguments, cwd=tmp_path)
    assert said.returncode == 1
    assert words in said.stderr.split('\n')[0], said.stderr
    assert 'Traceback' not in said.stderr

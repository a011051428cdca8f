"""Folders as --from_store and other scripts read them: whose, and of what."""

import json

from absl import flags
import numpy as np
import pytest

from scripts.shared import experiments, stored_folder, sweep_script
from tests.scripts import processes
from toyjax import checks, manifest, store

SCIENCE = {'learning_rate': [0.1], 'num_steps': 40}
OWNERS = ('optimization_failure', 'changepoint_study', 'locate_error')
READERS = (
  'optimization_failure',
  'text_failure',
  'sqrt_failure',
  'failure_survival',
  'symmetric_failure',
  'symmetric_escape',
)


def make_folder(path, script='optimization_failure', science=None):
  """Makes a folder with a finished run of a store."""
  with manifest.Workdir(
    path,
    script=script,
    science=science or SCIENCE,
    extent={'num_seeds': 2},
    layout={'chunk_size': 4, 'map': 'lanes'},
    environment={},
  ) as workdir:
    run_store = store.RunStore(
      path / stored_folder.STORE,
      'n5_m2',
      num_runs=2,
      chunk_size=4,
      results={'outcome': np.zeros((), np.int32)},
      variables={'outcome': store.Variable()},
      coordinates={},
      attrs={},
      identity=workdir.identity,
    )
    run_store.write(0, {'outcome': np.zeros(2, np.int32)})
  return path


@pytest.fixture
def given(monkeypatch):
  """Sets flags of a script of two, as a command line does."""

  def define(*arguments):
    values = flags.FlagValues()
    flags.DEFINE_integer('num_steps', 10, '', flag_values=values)
    flags.DEFINE_integer('num_seeds', 10, '', flag_values=values)
    flags.DEFINE_integer('chunk_size', 0, '', flag_values=values)
    flags.DEFINE_float('solved_sse', 0.1, '', flag_values=values)
    values(['program', *arguments])
    monkeypatch.setattr(flags, 'FLAGS', values)

  return define


def test_settings_come_from_the_folder(tmp_path, given):
  make_folder(tmp_path, science=SCIENCE | {'solved_sse': 0.1})
  given('--num_steps=40', '--num_seeds=2')
  read = stored_folder.stored_settings
  found, settings = read(tmp_path, 'optimization_failure')
  assert settings == SCIENCE | {'solved_sse': 0.1}
  assert found['extent'] == {'num_seeds': 2}
  given('--solved_sse=0.5')
  _, settings = read(tmp_path, 'optimization_failure', ('solved_sse',))
  assert settings['solved_sse'] == 0.5


@pytest.mark.parametrize(
  'flag', ['--num_steps=41', '--num_seeds=3', '--chunk_size=8']
)
def test_other_flags_are_refused_by_name(tmp_path, given, flag):
  make_folder(tmp_path)
  given(flag)
  with pytest.raises(manifest.WorkdirError, match=flag.partition('=')[0]):
    stored_folder.stored_settings(tmp_path, 'optimization_failure')


@pytest.mark.parametrize('owner', OWNERS)
@pytest.mark.parametrize('reader', READERS)
def test_folders_of_other_scripts_are_refused_first(tmp_path, reader, owner):
  make_folder(tmp_path, owner, {'anything': None})
  if reader == owner:
    return
  with pytest.raises(manifest.WorkdirError, match=f'belongs to .{owner}'):
    stored_folder.stored_settings(tmp_path, reader)


def change(path, edit):
  file = path / manifest.FILENAME
  found = json.loads(file.read_text())
  edit(found)
  file.write_text(json.dumps(found))


@pytest.mark.parametrize(
  ('edit', 'message'),
  [
    (lambda m: m['science'].update(learning_rate=[0.2]), '--learning_rate=0.1'),
    (lambda m: m['science'].pop('num_steps'), '--num_steps=40, not None'),
    (lambda m: m['science'].update(num_steps='40'), '--num_steps'),
    (lambda m: m['layout'].update(chunk_size=8), '--chunk_size=4, not 8'),
    (lambda m: m['layout'].update(map='vmap'), '--map=lanes, not vmap'),
  ],
)
def test_a_manifest_is_held_against_its_runs(tmp_path, edit, message):
  make_folder(tmp_path)
  change(tmp_path, edit)
  with pytest.raises(manifest.WorkdirError, match=message):
    stored_folder.read(str(tmp_path))


def test_settings_that_are_no_settings_end_in_one_line(tmp_path):
  make_folder(tmp_path)
  with pytest.raises(manifest.WorkdirError, match="'science' is not that of"):
    stored_folder.read(str(tmp_path))  # It has no num_features.


@pytest.mark.parametrize('reader', ['symmetric_failure', 'failure_survival'])
def test_scripts_of_three_lifecycles_refuse_alike(tmp_path, reader):
  make_folder(tmp_path, 'changepoint_study', {'anything': None})
  done = processes.run(reader, '--from_store', f'--workdir={tmp_path}')
  assert done.returncode == 1
  (line,) = done.stderr.strip().splitlines()
  assert "belongs to 'changepoint_study'" in line


def test_damage_and_remarks_are_lines_of_the_script(tmp_path, capsys):
  with pytest.raises(SystemExit), experiments.one_line_errors('study'):
    raise checks.StoreError('a chunk is gone')
  path = make_folder(tmp_path / 'a') / stored_folder.STORE
  with experiments.one_line_errors('study'):
    (path / 'n5_m2' / 'completed_runs' / 'c' / '0').unlink()
    for _ in range(2):
      stored_folder.grids.StoredRuns(path, 'n5_m2')
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith('study: ')
  assert 'finished runs 0 of 2' in line
  assert sweep_script.stored_folder is stored_folder

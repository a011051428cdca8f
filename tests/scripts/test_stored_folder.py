"""Folders as --from_store and other scripts read them: whose, and of what."""

import json
import shutil

from absl import flags
import numpy as np
import pytest

from scripts.shared import (
  experiments,
  failure_grid,
  grids,
  stored_folder,
  sweep_script,
)
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


def change_extent(path, **extent):
  change(path, lambda m: m['extent'].update(extent))


@pytest.fixture
def whole(tmp_path):
  """A folder with all settings, its groups, and certificates of its runs."""
  science = {key: [1] for key in failure_grid.SCIENCE}
  science |= {'num_features': [5], 'num_hidden': [2], 'optimizer': ['adamw']}
  science |= {'learning_rate': [0.1], 'seed': 0}
  path = make_folder(tmp_path / 'runs', science=science)
  group = grids.Group('n5_m2', {}, {'learning_rate': np.asarray([0.1])})
  return path, science, group


def test_a_folder_without_one_of_the_settings_is_refused(whole):
  path, science, _ = whole
  stored_folder.read(str(path))
  # As in a folder from before its stores repeated them.
  shutil.rmtree(path / stored_folder.STORE)
  grid = (*failure_grid.SHAPES, *failure_grid.CHOICES)
  read = (*grid, *failure_grid.ALWAYS_TRACED, 'observe_steps', 'dtype')
  for name in read:
    change(path, lambda m, name=name: m['science'].pop(name))
    with pytest.raises(manifest.WorkdirError, match=name):
      stored_folder.read(str(path))
    change(
      path, lambda m, name=name: m['science'].update({name: science[name]})
    )


def test_a_manifest_that_says_other_sizes_is_noticed(whole, caplog):
  path, _, group = whole
  stored_folder.open_group(str(path), group)
  assert not caplog.records
  change_extent(path, num_seeds=999)
  stored_folder.open_group(str(path), group)
  assert 'finished runs 2 of 999' in caplog.text
  change_extent(path, num_seeds=1)
  with pytest.raises(checks.StoreError, match='holds 2 runs'):
    stored_folder.open_group(str(path), group)


def test_certificates_of_another_folder_are_refused(whole, tmp_path):
  path, science, group = whole
  for seed in (0, 1):
    made = make_folder(
      tmp_path / f'made{seed}', 'certify_failure', science | {'seed': seed}
    )
    made.rename(path / f'made{seed}')
  of = stored_folder.STORE
  stored_folder.open_group(str(path), group, f'made0/{of}')
  with pytest.raises(flags.Error, match='made of runs of --seed=1, not 0'):
    stored_folder.open_group(str(path), group, f'made1/{of}')


def test_the_devices_of_a_folder_are_those_it_was_begun_with(tmp_path):
  with manifest.Workdir(
    tmp_path / 'a',
    script='changepoint_study',
    science={},
    extent={},
    layout={'num_devices': 3},
    environment={},
  ):
    pass
  find = experiments.find_num_devices
  assert find(0, tmp_path / 'a') == 3
  assert find(2, tmp_path / 'a') == 2
  assert find(0, tmp_path / 'b') >= 1

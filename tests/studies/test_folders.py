"""Folders as --from_store and other studies read them: whose, and of what."""

import json
import shutil

from absl import flags
import numpy as np
import pytest

from tests.studies import tasks
from toyjax import checks, manifest, settings, store
from toyjax.command import errors
from toyjax.command.folders import stored_values
from toyjax.parsers import SettingError
from toyjax.stored_runs import StoredRuns
from toyjax.studies import optimization_failure
from toyjax.studies.base import STORE
from toyjax.studies.folders import (
  TRAINED,
  find,
  find_num_devices,
  open_folder,
)

STUDY = optimization_failure.STUDY
SCIENCE = {'learning_rate': [0.1], 'num_steps': 40}
OWNERS = ('optimization_failure', 'changepoint_study', 'locate_error')


def make_folder(path, script=STUDY.name, science=None):
  """Makes a folder with finished runs of a store."""
  with tasks.workdir(path, script, science or SCIENCE, 2) as made:
    tasks.write(
      path / STORE,
      'n5_m2',
      {'outcome': np.zeros(2, np.int32)},
      {'outcome': store.Variable()},
      attrs={},
      identity=made.identity,
    )
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
  found, values = stored_values(tmp_path, STUDY)
  assert values == SCIENCE | {'solved_sse': 0.1}
  assert found['extent'] == {'num_seeds': 2}
  given('--solved_sse=0.5')
  _, values = stored_values(tmp_path, STUDY)
  assert values['solved_sse'] == 0.5


@pytest.mark.parametrize(
  'flag', ['--num_steps=41', '--num_seeds=3', '--chunk_size=8']
)
def test_other_flags_are_refused_by_name(tmp_path, given, flag):
  make_folder(tmp_path)
  given(flag)
  with pytest.raises(manifest.WorkdirError, match=flag.partition('=')[0]):
    stored_values(tmp_path, STUDY)


@pytest.mark.parametrize('owner', OWNERS)
def test_folders_of_other_scripts_are_refused_first(tmp_path, owner):
  make_folder(tmp_path, owner, {'anything': None})
  for reader in {*OWNERS, 'text_failure'} - {owner}:
    with pytest.raises(manifest.WorkdirError, match=f'belongs to .{owner}'):
      find(tmp_path, reader)


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
    (lambda m: m['layout'].update(chunk_size=8), '--chunk_size=64, not 8'),
    (lambda m: m['layout'].update(map='vmap'), '--map=lanes, not vmap'),
  ],
)
def test_a_manifest_is_held_against_its_runs(tmp_path, edit, message):
  make_folder(tmp_path)
  change(tmp_path, edit)
  with pytest.raises(manifest.WorkdirError, match=message):
    open_folder(tmp_path, STUDY)


def test_damage_and_remarks_are_lines_of_the_script(tmp_path, capsys):
  with pytest.raises(SystemExit), errors.one_line_errors('study'):
    raise checks.StoreError('a chunk is gone')
  path = make_folder(tmp_path / 'a') / STORE
  with errors.one_line_errors('study'):
    (path / 'n5_m2' / 'completed_runs' / 'c' / '0').unlink()
    for _ in range(2):
      StoredRuns(path, 'n5_m2')
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith('study: ')
  assert 'finished runs 0 of 2' in line


@pytest.fixture
def whole(tmp_path):
  """A folder with all settings of its study."""
  return make_folder(tmp_path / 'runs', science=STUDY.resolve(num_features=5))


def test_a_folder_without_one_of_the_settings_is_refused(whole):
  science = open_folder(whole, STUDY).values
  # As in a folder from before its stores repeated them.
  shutil.rmtree(whole / STORE)
  swept = [row.name for row in settings.swept(STUDY.settings)]
  needed = [name for name in swept if name not in ('momentum', 'rmsprop_decay')]
  for name in (*needed, 'observe_steps', 'dtype'):
    change(whole, lambda m, name=name: m['science'].pop(name))
    with pytest.raises(manifest.WorkdirError, match=f"not that of.*'{name}'"):
      open_folder(whole, STUDY, TRAINED)
    change(
      whole, lambda m, name=name: m['science'].update({name: science[name]})
    )


def test_a_manifest_that_says_other_sizes_is_noticed(whole, caplog):
  def open_group(**extent):
    change(whole, lambda m: m['extent'].update(extent))
    folder = open_folder(whole, STUDY)
    return folder, folder.open(folder.choose('n5_m2'))

  folder, stored = open_group()
  assert not caplog.records
  (runs,) = folder.split(folder.choose(''), stored, {'also': np.ones(2)})
  assert runs.data['run'].tolist() == runs.data['seed_index'].tolist() == [0, 1]
  assert runs.data['also'].sum() == 2
  open_group(num_seeds=999)
  assert 'finished runs 2 of 999' in caplog.text
  with pytest.raises(checks.StoreError, match='holds 2 runs'):
    open_group(num_seeds=1)


def test_certificates_of_another_folder_are_refused(whole, tmp_path):
  folder = open_folder(whole, STUDY)
  for seed in (0, 1):
    made = make_folder(
      tmp_path / f'made{seed}',
      'certify_failure',
      folder.values | {'seed': seed},
    )
    made.rename(whole / made.name)
  (stage,) = folder.stages
  folder.open(stage, f'made0/{STORE}')
  with pytest.raises(SettingError, match='made of runs of --seed=1, not 0'):
    folder.open(stage, f'made1/{STORE}')


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
  assert find_num_devices(0, tmp_path / 'a') == 3
  assert find_num_devices(2, tmp_path / 'a') == 2
  assert find_num_devices(0, tmp_path / 'b') >= 1

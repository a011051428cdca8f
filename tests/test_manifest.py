"""The manifest: who owns a folder, and what may be continued in it."""

import json

import jax
import pytest

from toyjax import manifest, store

ASKED = {
  'script': 'study',
  'science': {'rate': [0.1, 0.2], 'seed': 0},
  'extent': {'num_seeds': 100},
  'layout': {'chunk_size': 10},
  'environment': {'x64': False},
}


def _open(path, **changes):
  return manifest.Workdir(path, **(ASKED | changes))


def _make(path):
  with _open(path):
    pass


def test_it_records_every_invocation(tmp_path):
  path = tmp_path / 'new' / 'folder'
  _make(path)
  with _open(path) as workdir:
    workdir.note(summary={'solved_sse': 0.1})
    during = manifest.read(path)
    assert during['invocations'][-1]['status'] == 'running'
  found = manifest.read(path)
  assert [i['status'] for i in found['invocations']] == ['finished'] * 2
  assert found['invocations'][0]['started'] <= found['invocations'][1]['ended']
  assert found['invocations'][1]['x64'] is False
  assert found['science'] == ASKED['science']
  assert found['summary'] == {'solved_sse': 0.1}


def test_an_interruption_and_a_kill_are_told_apart(tmp_path):
  with pytest.raises(KeyboardInterrupt), _open(tmp_path):
    raise KeyboardInterrupt
  assert manifest.read(tmp_path)['invocations'][0]['status'] == 'stopped'
  file = tmp_path / manifest.FILENAME
  file.write_text(file.read_text().replace('"stopped"', '"running"'))
  _make(tmp_path)
  statuses = [i['status'] for i in manifest.read(tmp_path)['invocations']]
  assert statuses == ['killed', 'finished']


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'science': {'rate': [0.1], 'seed': 0}}, '--rate=0.1,0.2, not 0.1'),
    ({'science': {'rate': [0.1, 0.2]}}, '--seed=0, not None'),
    ({'layout': {'chunk_size': 11}}, '--chunk_size=10, not 11'),
    ({'extent': {'num_seeds': 99}}, '--num_seeds=100, more than 99'),
    ({'script': 'other'}, "belongs to 'study'"),
  ],
)
def test_another_study_is_refused_by_name(tmp_path, changes, message):
  _make(tmp_path)
  before = (tmp_path / manifest.FILENAME).read_bytes()
  with pytest.raises(manifest.WorkdirError, match=message):
    _open(tmp_path, **changes).__enter__()
  assert (tmp_path / manifest.FILENAME).read_bytes() == before


def test_more_seeds_extend(tmp_path):
  _make(tmp_path)
  with _open(tmp_path, extent={'num_seeds': 200}):
    pass
  assert manifest.read(tmp_path)['extent'] == {'num_seeds': 200}


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
  (tmp_path / 'thesis.tex').write_text('mine')
  with pytest.raises(manifest.WorkdirError, match='other files'):
    _open(tmp_path).__enter__()
  assert [p.name for p in tmp_path.iterdir()] == ['thesis.tex']


def test_a_file_a_locked_and_a_broken_folder(tmp_path):
  (tmp_path / 'file').write_text('')
  with pytest.raises(manifest.WorkdirError, match='not a folder'):
    _open(tmp_path / 'file').__enter__()
  with pytest.raises(manifest.WorkdirError, match='Not a directory'):
    _open(tmp_path / 'file' / 'below').__enter__()
  with (
    _open(tmp_path / 'busy'),
    pytest.raises(manifest.WorkdirError, match='in use'),
  ):
    _open(tmp_path / 'busy').__enter__()
  (tmp_path / 'busy' / manifest.FILENAME).write_text('{')
  with pytest.raises(manifest.WorkdirError, match='cannot read'):
    _open(tmp_path / 'busy').__enter__()


def test_the_environment_is_plain_json_without_absolute_paths():
  environment = manifest.environment()
  text = json.dumps(environment)
  assert {'jax', 'zarr', 'python'} <= environment['versions'].keys()
  assert environment['platform'] == 'cpu'
  assert environment['num_devices'] == jax.local_device_count()
  assert '"/' not in text


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('', 'cannot read'),
    ('[]', 'no object'),
    ('null', 'no object'),
    ('{"script": 1}', "'script' is missing, or not a name"),
    ('{"script": "a", "script": "b"}', "'script' stands twice"),
    ('{"script": NaN}', 'NaN is no number'),
    (b'\xff\xfe', 'cannot read'),
    ('[' * 100_000, 'cannot read'),
  ],
)
def test_what_is_no_manifest_is_one_line(tmp_path, text, message):
  content = text.encode() if isinstance(text, str) else text
  (tmp_path / manifest.FILENAME).write_bytes(content)
  with pytest.raises(manifest.WorkdirError, match=message) as raised:
    manifest.read(tmp_path)
  assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
  ('changes', 'message'),
  [
    ({'science': None}, "'science' is missing"),
    ({'layout': []}, "'layout' is missing"),
    ({'invocations': {}}, "'invocations' is missing"),
    ({'invocations': [1]}, 'has no status'),
    ({'extent': {'num_seeds': '100'}}, "'num_seeds' in 'extent' is no count"),
    ({'layout': {'chunk_size': 1.5}}, "'chunk_size' in 'layout' is no count"),
    ({'format': 99}, 'it has format 99'),
  ],
)
def test_missing_and_wrong_entries_are_named(tmp_path, changes, message):
  _make(tmp_path)
  file = tmp_path / manifest.FILENAME
  file.write_text(json.dumps(json.loads(file.read_text()) | changes))
  for use in (manifest.read, lambda path: _open(path).__enter__()):
    with pytest.raises(manifest.WorkdirError, match=message):
      use(tmp_path)


def test_code_for_another_processor_is_said_and_goes_on(tmp_path, caplog):
  with _open(tmp_path, environment={'instruction_set': 'AVX2'}):
    pass
  with _open(tmp_path, environment={'instruction_set': 'AVX2'}):
    assert not caplog.text
  with _open(tmp_path, environment={'instruction_set': 'SSE4_2'}):
    assert 'code for AVX2, goes on with SSE4_2' in caplog.text


@pytest.mark.parametrize('path', ['s3://bucket/x', 'file:///tmp/x', 'gs://b'])
def test_an_address_is_no_folder(path):
  with pytest.raises(ValueError, match='is an address'):
    manifest.Workdir(
      path, script='s', science={}, extent={}, layout={}, environment={}
    )
  with pytest.raises(ValueError, match='is an address'):
    store.RunStore(
      path,
      'group',
      num_runs=1,
      chunk_size=1,
      results={},
      variables={},
      coordinates={},
      attrs={},
    )

"""Folders of a trace, above it and beside it, and what their texts may hold."""

import json
import shutil

import pytest

from tests.data.shared_data import OWN
from tests.scripts import processes
from toyjax.data import math_rollouts
from toyjax.parsers import SettingError
from toyjax.studies import locate_error, sentence_dendrogram, traces

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))
STUDIES = (
  (locate_error.STUDY, {}),
  (sentence_dendrogram.STUDY, {'position': 2}),
)


def _values(folder, **given):
  return locate_error.STUDY.resolve(trace=str(folder), **given)


@pytest.fixture
def parent(tmp_path):
  """A folder above a trace of hostile sentences, and other rollouts."""
  folder = tmp_path / 'data' / 'problem_7'
  shutil.copytree(FOLDER, folder)
  file = folder / 'chunk_2' / 'solutions.json'
  rows = json.loads(file.read_bytes())
  texts = ('costs $5_1_2 and $6', '\ud800\x1b[2J\u202e 你好', '_x ^ \\frac')
  drawn = [row for row in rows if 'chunk_resampled' in row]
  for row, text in zip(drawn, texts):
    row['chunk_resampled'] = text
  file.write_bytes(json.dumps(rows).encode())
  other = folder.parent / 'yes_base_solution' / 'scenario_0' / 'chunk_0'
  other.mkdir(parents=True)
  (other / 'solutions.json').write_bytes(b'[]')
  return folder.parent


def test_hostile_sentences_of_a_folder_above_and_what_is_left_out(
  parent, tmp_path
):
  done = processes.run(
    'sentence_dendrogram',
    f'--trace={parent}',
    f'--workdir={tmp_path / "out"}',
    '--position=2',
  )
  assert done.returncode == 0, done.stderr
  assert '\x1b' not in done.stdout + done.stderr
  assert '\u202e' not in done.stdout
  assert 'Warning' not in done.stderr
  assert '\\ud800\\x1b[2J\\u202e' in done.stdout
  assert '1 folder with other rollouts left out' in done.stdout
  assert 'scenario_0' in done.stdout
  text = (tmp_path / 'out' / 'sentences.csv').read_text(encoding='utf-8')
  assert 'costs $5_1_2 and $6' in text
  assert '你好' in text
  manifest = json.loads((tmp_path / 'out' / 'manifest.json').read_bytes())
  assert manifest['invocations'][-1]['status'] == 'finished'


@pytest.mark.parametrize(
  ('script', 'flags', 'message'),
  [
    ('locate_error', ['--trace=absent'], 'absent: missing, or not a folder'),
    (
      'sentence_dendrogram',
      [f'--trace={FOLDER}', '--position=4'],
      'no sentences resampled at 4',
    ),
  ],
)
def test_bad_input_ends_in_a_line(tmp_path, script, flags, message):
  done = processes.run(script, f'--workdir={tmp_path / "never"}', *flags)
  assert done.returncode == 1
  assert not done.stdout
  assert message in done.stderr
  assert done.stderr.strip().count('\n') == 0
  assert not (tmp_path / 'never').exists()


@pytest.mark.parametrize(
  ('study', 'given', 'message'),
  [
    (locate_error.STUDY, {}, '--trace must be given'),
    (locate_error.STUDY, {'level': 2}, '--level: 2 must be <='),
    (locate_error.STUDY, {'concentration': 0}, '--concentration: 0 must be >'),
    (sentence_dendrogram.STUDY, {'trace': '.'}, '--position must be given'),
    (sentence_dendrogram.STUDY, {'position': -1}, '--position: -1 must be >='),
  ],
)
def test_bad_settings_are_named(study, given, message):
  with pytest.raises(SettingError, match=message):
    study.resolve(**given)


def test_the_one_trace_at_or_below_a_folder_is_found(parent):
  folder = parent / 'problem_7'
  above, at = (traces.read(_values(path)) for path in (parent, folder))
  assert above.folder == at.folder == folder.resolve()
  (left_out,) = above.left_out
  assert left_out.as_posix() == 'data/yes_base_solution/scenario_0'
  assert not at.left_out
  with pytest.raises(math_rollouts.TraceError, match='1 of another kind left'):
    traces.read(_values(parent / 'yes_base_solution'))


def test_several_traces_are_refused(parent):
  shutil.copytree(parent / 'problem_7', parent / 'problem_8')
  for study, given in STUDIES:
    values = study.resolve(trace=str(parent), **given)
    with pytest.raises(SettingError, match='holds 2 traces, not one'):
      study.prepare(values)


def test_more_rollouts_from_a_position_are_a_setting(parent):
  folder = parent / 'problem_7'
  for chunk in folder.glob('chunk_*'):
    shutil.rmtree(chunk)
  labels = json.loads((folder / 'chunks_labeled.json').read_bytes())
  labels[1]['accuracy'] = 127 / 200
  (folder / 'chunks_labeled.json').write_bytes(json.dumps(labels).encode())
  with pytest.raises(SettingError, match='--max_rollouts'):
    locate_error.prepare(_values(folder))
  trace = traces.read(_values(folder, max_rollouts=200)).trace
  index = labels[1]['chunk_idx']
  assert (trace.num_correct[index], trace.num_answered[index]) == (127, 200)


def test_shares_and_their_lack_are_said():
  assert traces.share(0, 0) == 'no data'
  assert traces.share(1, 4) == '1/4 = 0.250 [0.046, 0.699]'

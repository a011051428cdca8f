"""Folders of a trace, above it and beside it, and what their texts may hold."""

import json
import shutil

from absl import flags
import pytest

from scripts.shared import reports
from tests.data.shared_data import OWN
from tests.scripts import processes
from toyjax.data import math_rollouts

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))


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


def test_both_scripts_find_the_one_trace_at_or_below_a_folder(parent):
  folder = parent / 'problem_7'
  assert reports.find_problem(str(parent)) == folder.resolve()
  assert reports.find_problem(str(folder)) == folder.resolve()
  above = reports.read_one_trace(str(parent), skip_bad=False)
  (left_out,) = above.left_out
  assert left_out.as_posix() == 'data/yes_base_solution/scenario_0'
  assert not reports.read_one_trace(str(folder), skip_bad=False).left_out
  with pytest.raises(math_rollouts.TraceError, match='1 of another kind left'):
    reports.read_one_trace(str(parent / 'yes_base_solution'), skip_bad=False)


def test_more_rollouts_from_a_position_are_a_flag(parent):
  folder = parent / 'problem_7'
  for chunk in folder.glob('chunk_*'):
    shutil.rmtree(chunk)
  labels = json.loads((folder / 'chunks_labeled.json').read_bytes())
  labels[1]['accuracy'] = 127 / 200
  (folder / 'chunks_labeled.json').write_bytes(json.dumps(labels).encode())
  with (
    pytest.raises(flags.Error, match='--max_rollouts'),
    reports.flag_errors(),
  ):
    reports.read_one_trace(str(folder), skip_bad=False)
  trace = reports.read_one_trace(
    str(folder), skip_bad=False, max_rollouts=200
  ).trace
  index = labels[1]['chunk_idx']
  assert (trace.num_correct[index], trace.num_answered[index]) == (127, 200)

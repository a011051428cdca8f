"""Sentences drawn at one position, as they are read."""

import json
import shutil

import pytest

from tests.data.shared_data import OWN
from toyjax.data import math_rollouts
from toyjax.data.math_rollouts import Ending

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))


def test_rollouts_give_sentences_and_endings():
  found = math_rollouts.read_resampled(FOLDER, position=2, skip_bad=False)
  assert found.source == 'solutions.json'
  assert found.sentences == (
    '17 times 6 is 102.',
    '17 times 6 is 92.',
    '17 times 6 is 102.',
  )
  assert found.endings == (Ending.CORRECT, Ending.WRONG, Ending.CORRECT)
  assert found.num_errors == 1


def test_lists_have_no_endings_and_bad_rows_are_named(tmp_path):
  folder = tmp_path / 'problem_7'
  folder.mkdir()
  file = folder / 'chunks_resampled_subset.json'
  file.write_text(json.dumps({'3': ['a', 5, 'b'], '8': []}))
  with pytest.raises(math_rollouts.TraceError, match=r'3\[1\]: str expected'):
    math_rollouts.read_resampled(folder, position=3, skip_bad=False)
  found = math_rollouts.read_resampled(folder, position=3, skip_bad=True)
  assert found.sentences == ('a', 'b')
  assert set(found.endings) == {Ending.UNKNOWN}
  assert len(found.problems) == 1
  with pytest.raises(math_rollouts.TraceError, match='there are some at 3, 8'):
    math_rollouts.read_resampled(folder, position=4, skip_bad=False)


def test_a_rollout_without_its_sentence_is_a_problem(tmp_path):
  folder = tmp_path / 'problem_7'
  shutil.copytree(FOLDER, folder)
  file = folder / 'chunk_2' / 'solutions.json'
  rows = json.loads(file.read_text())
  del rows[0]['chunk_resampled']
  file.write_text(json.dumps(rows))
  with pytest.raises(math_rollouts.TraceError, match='chunk_resampled'):
    math_rollouts.read_resampled(folder, position=2, skip_bad=False)
  found = math_rollouts.read_resampled(folder, position=2, skip_bad=True)
  assert len(found.sentences) == 2
  assert len(found.problems) == 1

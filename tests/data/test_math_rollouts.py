"""Folders and rows of math-rollouts: what they give, and their sources."""

import json
import math
import pathlib
import shutil
import sys
import types

import numpy as np
import pytest

from tests.data.rollout_folders import FOLDER, read, read_rows, rows_of
from tests.data.shared_data import OWN, SHARED, assert_same, needs_shared
from toyjax.data import math_rollouts


def test_folder_with_rollouts_counts_three_outcomes_and_the_errors_apart():
  (trace,), problems = read(FOLDER)
  assert not problems
  assert trace.model == 'deepseek-r1-distill-qwen-14b'
  assert trace.sampling == 'temperature_0.6_top_p_0.95'
  assert (trace.base, trace.problem) == ('incorrect', '7')
  assert (trace.right_answer, trace.given_answer) == ('106', '96')
  assert trace.sentences[3] == 'Let me check.'
  # Written by hand from the letters CCWC CCCN CWCE WWWN (none) WWCEE.
  np.testing.assert_array_equal(trace.num_correct, [3, 3, 2, 0, 0, 1])
  np.testing.assert_array_equal(trace.num_wrong, [1, 0, 1, 3, 0, 2])
  np.testing.assert_array_equal(trace.num_none, [0, 1, 0, 1, 0, 0])
  np.testing.assert_array_equal(trace.num_errors, [0, 0, 1, 0, 0, 2])
  assert trace.tags[2] == 'active_computation'


def test_blank_answers_are_what_the_recorded_accuracy_leaves_out():
  (trace,), _ = read(FOLDER)
  known = trace.has_data
  rates = trace.num_correct[known] / trace.num_answered[known]
  np.testing.assert_array_equal(rates, trace.accuracies[known])
  all_rates = trace.num_correct / (trace.num_answered + trace.num_none)[0]
  assert all_rates[1] == 0.75
  assert trace.accuracies[1] == 1.0


def test_gap_is_a_position_without_data():
  (trace,), _ = read(FOLDER)
  np.testing.assert_array_equal(trace.chunk_indices, range(6))
  np.testing.assert_array_equal(trace.has_data, [1, 1, 1, 1, 0, 1])
  assert math.isnan(trace.accuracies[4])
  assert trace.tags[4] == ''
  assert trace.sentences[4] == 'Yes.'


def test_folders_above_and_rows_give_the_same_trace():
  expected = read(FOLDER).traces[0]
  for above in (FOLDER.parent, OWN / 'math_rollouts'):
    (trace,), _ = read(above)
    assert_same(trace, expected)
  rows = rows_of(FOLDER)
  for order in (rows, rows[::-1], rows[5:] + rows[:5]):
    (trace,), _ = read_rows(iter(order))
    assert_same(trace, expected)


def test_without_chunk_folders_the_recorded_accuracies_count(copy):
  for chunk in copy.glob('chunk_*'):
    shutil.rmtree(chunk)
  (trace,), problems = read(copy)
  assert not problems
  assert trace.num_none is None
  assert trace.num_errors is None
  np.testing.assert_array_equal(trace.num_correct, [75, 100, 66, 0, 0, 33])
  np.testing.assert_array_equal(trace.num_answered, [100, 100, 99, 100, 0, 99])
  np.testing.assert_array_equal(trace.min_answered, [4, 1, 3, 1, 0, 3])
  assert not trace.is_number_known.any()


def test_without_chunks_json_the_labels_give_the_sentences(copy):
  (copy / 'chunks.json').unlink()
  (trace,), _ = read(copy)
  assert trace.sentences[5] == 'So 92 plus 4 is 96.'
  assert trace.sentences[4] is None
  np.testing.assert_array_equal(trace.num_correct, [3, 3, 2, 0, 0, 1])


def test_base_comes_from_the_solution_where_the_path_is_silent(copy):
  folder = copy.parent.parent / 'correct_problem_7'
  copy.rename(folder)
  (trace,), _ = read(folder)
  assert (trace.base, trace.problem, trace.model) == ('incorrect', '7', '')


def test_forced_answers_are_another_experiment():
  rows = rows_of(FOLDER)
  forced = [
    row
    | {'path': row['path'].replace('base_solution/', 'base_solution_forced/')}
    for row in rows
  ]
  (trace,), problems = read_rows(forced + rows)
  assert not problems
  assert_same(trace, read(FOLDER).traces[0])
  assert read_rows(forced) == ((), ())


def test_different_samplings_and_models_are_different_traces():
  rows = rows_of(FOLDER)
  other = [row | {'path': row['path'].replace('0.6', '1.0')} for row in rows]
  third = [row | {'path': row['path'].replace('qwen', 'ab')} for row in rows]
  traces, _ = read_rows(rows + other + third)
  names = {(trace.model, trace.sampling) for trace in traces}
  assert len(traces) == len(names) == 3


# ----- Hugging Face -----


def test_hub_reads_only_kept_paths_as_a_stream(monkeypatch):
  calls = []

  def load_dataset(*args, **kwargs):
    calls.append((args, kwargs))
    return iter(
      [
        {'path': 'm/correct_base_solution/problem_1/chunks.json'},
        *rows_of(FOLDER),
      ]
    )

  fake = types.SimpleNamespace(load_dataset=load_dataset)
  monkeypatch.setitem(sys.modules, 'datasets', fake)
  (trace,), _ = math_rollouts.read_hub(
    keep=lambda path: '/problem_7/' in path, max_rollouts=100, skip_bad=False
  )
  assert_same(trace, read(FOLDER).traces[0])
  ((args, kwargs),) = calls
  assert args == ('uzaymacar/math-rollouts',)
  assert kwargs == {'split': 'default', 'streaming': True, 'revision': None}


def test_hub_without_the_library_names_the_extra(monkeypatch):
  monkeypatch.setitem(sys.modules, 'datasets', None)
  with pytest.raises(ImportError, match=r"extra 'data'.*toyjax\[data\]"):
    math_rollouts.read_hub(
      keep=lambda path: True, max_rollouts=100, skip_bad=False
    )


# ----- Prefixes -----


def test_rollouts_continue_what_the_published_deletion_leaves():
  (trace,), _ = read(FOLDER)
  np.testing.assert_array_equal(
    math_rollouts.num_lost_copies(trace.sentences), [0, 0, 0, 1, 0, 0]
  )
  for path in FOLDER.glob('chunk_*/solutions.json'):
    index = int(path.parent.name.removeprefix('chunk_'))
    for row in json.loads(path.read_text()):
      assert row['chunk_removed'] == trace.sentences[index]
      text = math_rollouts.continued_prefix(trace.sentences, index)
      assert row['prefix_without_chunk'] == text
      same = text == math_rollouts.prefix(trace.sentences, index)
      assert same == (index != 3)


def test_a_sentence_inside_a_longer_one_is_lost_too():
  sentences = ['Yes we can.', 'No.', 'Yes']
  np.testing.assert_array_equal(
    math_rollouts.num_lost_copies(sentences), [0, 0, 1]
  )
  assert math_rollouts.continued_prefix(sentences, 2) == 'we can. No.'
  assert math_rollouts.prefix(sentences, 2) == 'Yes we can. No.'
  assert math_rollouts.prefix(sentences, 0) == ''


# ----- The published files -----

RAW = SHARED / 'math_rollouts' / 'raw'


@needs_shared
def test_published_folders_give_the_published_counts():
  traces, problems = read(RAW)
  assert not problems
  assert len(traces) == 5
  shipped = {
    (trace.base, trace.problem): trace
    for trace in math_rollouts.example_traces()
  }
  for trace in traces:
    counts = shipped[trace.base, trace.problem]
    assert trace.tags == counts.tags
    np.testing.assert_array_equal(trace.min_answered, counts.min_answered)
    np.testing.assert_allclose(
      trace.num_correct / trace.num_answered,
      counts.num_correct / counts.num_answered,
      rtol=1e-15,
    )
    assert (trace.num_answered >= counts.num_answered).all()


@needs_shared
@pytest.mark.parametrize(
  ('problem', 'num_positions'),
  [('2236', 1), ('330', 24), ('4682', 10), ('6998', 18)],
)
def test_positions_of_published_traces_that_lost_a_copy(problem, num_positions):
  (trace,), _ = read(RAW / f'problem_{problem}')
  lost = math_rollouts.num_lost_copies(trace.sentences)
  assert (lost > 0).sum() == num_positions


def test_no_absolute_path_in_the_data_files():
  for path in pathlib.Path(OWN).rglob('*'):
    if path.is_file():
      assert str(pathlib.Path(OWN).resolve()) not in path.read_text()

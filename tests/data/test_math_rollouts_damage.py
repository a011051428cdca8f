"""Damaged folders of math-rollouts: the damage is named, the rest is read."""

import json
import shutil

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from tests.data.rollout_folders import FOLDER, read, read_rows, rewrite, rows_of
from toyjax.data.math_rollouts import TraceError


def break_json(copy):
  (copy / 'chunk_2' / 'solutions.json').write_text('[{"answer": "10')


def break_bytes(copy):
  (copy / 'chunk_2' / 'solutions.json').write_bytes(b'[{"answer": "\xff"}]')


def no_solutions(copy):
  (copy / 'chunk_2' / 'solutions.json').unlink()


def not_a_list(copy):
  (copy / 'chunk_2' / 'solutions.json').write_text('{}')


def no_problem(copy):
  (copy / 'problem.json').unlink()


def no_base(copy):
  (copy / 'base_solution.json').unlink()


def no_verdict(copy):
  rewrite(copy / 'chunk_2/solutions.json', lambda rows: rows[1].pop('answer'))
  rewrite(
    copy / 'chunk_2/solutions.json', lambda rows: rows[1].pop('is_correct')
  )


def blank_but_correct(copy):
  def change(rows):
    rows[0]['answer'] = ''

  rewrite(copy / 'chunk_2/solutions.json', change)


def accuracy_of_two(copy):
  def change(labels):
    labels[2]['accuracy'] = 2.0

  rewrite(copy / 'chunks_labeled.json', change)


def index_twice(copy):
  def change(labels):
    labels[2]['chunk_idx'] = 1

  rewrite(copy / 'chunks_labeled.json', change)


def index_missing(copy):
  rewrite(copy / 'chunks_labeled.json', lambda rows: rows[2].pop('chunk_idx'))


def index_true(copy):
  def change(labels):
    labels[2]['chunk_idx'] = True

  rewrite(copy / 'chunks_labeled.json', change)


def shifted_labels(copy):
  def change(labels):
    labels[2]['chunk'] = labels[1]['chunk']

  rewrite(copy / 'chunks_labeled.json', change)


def too_many_folders(copy):
  (copy / 'chunk_5').rename(copy / 'chunk_6')


def chunk_is_null(copy):
  def change(chunks):
    chunks['chunks'][2] = None

  rewrite(copy / 'chunks.json', change)


@pytest.mark.parametrize(
  ('damage', 'file', 'field', 'num_correct'),
  [
    (break_json, 'chunk_2/solutions.json', '', [3, 3, 0, 0, 0, 1]),
    (break_bytes, 'chunk_2/solutions.json', '', [3, 3, 0, 0, 0, 1]),
    (no_solutions, 'chunk_2/solutions.json', '', [3, 3, 0, 0, 0, 1]),
    (not_a_list, 'chunk_2/solutions.json', '', [3, 3, 0, 0, 0, 1]),
    (no_problem, 'problem.json', '', [3, 3, 2, 0, 0, 1]),
    (no_base, 'base_solution.json', '', [3, 3, 2, 0, 0, 1]),
    (
      no_verdict,
      'chunk_2/solutions.json',
      '[1].is_correct',
      [3, 3, 2, 0, 0, 1],
    ),
    (
      blank_but_correct,
      'chunk_2/solutions.json',
      '[0].is_correct',
      [3, 3, 1, 0, 0, 1],
    ),
    (
      accuracy_of_two,
      'chunks_labeled.json',
      '[2].accuracy',
      [3, 3, 2, 0, 0, 1],
    ),
    (index_twice, 'chunks_labeled.json', '[2].chunk_idx', [3, 3, 2, 0, 0, 1]),
    (index_missing, 'chunks_labeled.json', '[2].chunk_idx', [3, 3, 2, 0, 0, 1]),
    (index_true, 'chunks_labeled.json', '[2].chunk_idx', [3, 3, 2, 0, 0, 1]),
    (shifted_labels, 'chunks_labeled.json', 'chunk_idx 2', [3, 3, 2, 0, 0, 1]),
    (too_many_folders, 'chunk_6/solutions.json', '', [3, 3, 2, 0, 0, 0]),
    (chunk_is_null, 'chunks.json', 'chunks[2]', [3, 3, 2, 0, 0, 1]),
  ],
)
def test_damage_is_named_and_the_rest_read(
  copy, damage, file, field, num_correct
):
  damage(copy)
  with pytest.raises(TraceError) as raised:
    read(copy)
  assert raised.value.file == (copy.resolve() / file).as_posix()
  assert raised.value.field == field
  assert file in str(raised.value)
  assert field in str(raised.value)
  (trace,), problems = read(copy, skip_bad=True)
  assert [(p.file, p.field, p.reason) for p in problems] == [
    (raised.value.file, raised.value.field, raised.value.reason)
  ]
  np.testing.assert_array_equal(trace.num_correct, num_correct)


def test_a_damaged_file_of_rollouts_leaves_a_gap_not_its_accuracy(copy):
  break_json(copy)
  (trace,), _ = read(copy, skip_bad=True)
  assert not trace.has_data[2]
  assert trace.accuracies[2] == 2 / 3
  for chunk in copy.glob('chunk_[0135]'):
    shutil.rmtree(chunk)
  (trace,), _ = read(copy, skip_bad=True)
  assert not trace.has_data.any()


def test_only_errors_is_no_data(copy):
  path = copy / 'chunk_2' / 'solutions.json'
  path.write_text(json.dumps([{'error': 'timed out'}] * 5))
  (trace,), problems = read(copy)
  assert not problems
  assert not trace.has_data[2]
  assert trace.num_errors[2] == 5


def test_a_bad_folder_costs_only_itself(copy):
  other = copy.parent / 'problem_8'
  shutil.copytree(copy, other)
  for name in ('chunks.json', 'chunks_labeled.json'):
    (other / name).unlink()
  for chunk in other.glob('chunk_*'):
    shutil.rmtree(chunk)
  (trace,), problems = read(copy.parent, skip_bad=True)
  assert trace.problem == '7'
  assert 'problem_8' in problems[0].file


def test_missing_folder_and_folder_without_problems(tmp_path):
  for path in (tmp_path / 'nowhere', tmp_path):
    with pytest.raises(TraceError, match=str(path)):
      read(path)
    traces, problems = read(path, skip_bad=True)
    assert not traces
    assert len(problems) == 1


@pytest.mark.parametrize(
  ('change', 'where'),
  [
    ({'content': None}, 'content'),
    ({'content': 7}, 'content'),
    ({'path': None}, 'row 3'),
  ],
)
def test_bad_rows_are_named_and_counted(change, where):
  rows = rows_of(FOLDER)
  rows[3] = rows[3] | change
  with pytest.raises(TraceError, match=where):
    read_rows(rows)
  traces, problems = read_rows(rows, skip_bad=True)
  assert len(traces) == len(problems) == 1


JSON = st.recursive(
  st.none()
  | st.booleans()
  | st.integers(-3, 10**12)
  | st.floats()
  | st.text(max_size=5),
  lambda inner: (
    st.lists(inner, max_size=3)
    | st.dictionaries(
      st.sampled_from(
        'chunks chunk chunk_idx accuracy function_tags answer is_correct error '
        'problem'.split()
      ),
      inner,
      max_size=4,
    )
  ),
  max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
  contents=st.dictionaries(
    st.sampled_from(
      [
        'problem.json',
        'base_solution.json',
        'chunks.json',
        'chunks_labeled.json',
        'chunk_0/solutions.json',
        'chunk_3/solutions.json',
      ]
    ),
    JSON.map(json.dumps) | st.text(max_size=20),
    min_size=1,
  )
)
def test_whatever_the_files_hold_only_a_trace_error_is_raised(contents):
  rows = [
    {'path': f'problem_1/{name}', 'content': text}
    for name, text in contents.items()
  ]
  traces, problems = read_rows(rows, skip_bad=True)
  for trace in traces:
    assert (trace.num_correct >= 0).all()
    assert len(trace.tags) == len(trace.chunk_indices)
  if problems:
    with pytest.raises(TraceError):
      read_rows(rows)

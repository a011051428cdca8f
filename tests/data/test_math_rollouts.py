import json
import math
import pathlib
import shutil
import sys
import types

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from tests.data.shared_data import OWN, SHARED, assert_same, needs_shared
from toyjax.data import math_rollouts
from toyjax.data.math_rollouts import TraceError

FOLDER = (
  OWN
  / 'math_rollouts'
  / 'deepseek-r1-distill-qwen-14b'
  / 'temperature_0.6_top_p_0.95'
  / 'incorrect_base_solution'
  / 'problem_7'
)


def read(path, skip_bad=False):
  return math_rollouts.read_folder(path, max_rollouts=100, skip_bad=skip_bad)


def rows_of(folder, above=OWN / 'math_rollouts'):
  """Returns a folder's files as the rows of Hugging Face."""
  return [
    {
      'path': path.relative_to(above).as_posix(),
      'filename': path.name,
      'extension': path.suffix,
      'size_bytes': path.stat().st_size,
      'content': path.read_text(),
    }
    for path in sorted(folder.rglob('*'))
    if path.is_file()
  ]


def read_rows(rows, skip_bad=False):
  return math_rollouts.read_rows(rows, max_rollouts=100, skip_bad=skip_bad)


@pytest.fixture
def copy(tmp_path):
  folder = tmp_path / 'incorrect_base_solution' / 'problem_7'
  shutil.copytree(FOLDER, folder)
  return folder


def rewrite(path, change):
  value = json.loads(path.read_text())
  change(value)
  path.write_text(json.dumps(value))


# ----- Folders -----


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


# ----- What can be wrong -----


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

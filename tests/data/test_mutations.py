"""Whatever a file holds, its reader names the file, or reads it right."""

import json

import pytest

from tests.data.mutations import as_json, broken_bytes, mutations, refusal
from tests.data.shared_data import OWN
from toyjax.data import cliff_tokens, first_errors, math_rollouts, word_pairs
from toyjax.data.traces import TraceError

FILES = OWN / 'first_errors'
LABELLED = {
  'process_bench.jsonl': first_errors.process_bench,
  'big_bench_mistake.jsonl': first_errors.big_bench_mistake,
  'prm_bench.jsonl': first_errors.prm_bench,
  'prm800k.jsonl': first_errors.prm800k,
  'who_and_when.json': first_errors.who_and_when,
}
BOM = b'\xef\xbb\xbf'


@pytest.mark.parametrize('name', LABELLED)
def test_every_field_of_a_labelled_record_is_checked(name):
  content = (FILES / name).read_bytes()
  record = json.loads(
    content if name.endswith('.json') else content.split(b'\n')[0]
  )
  num_refused = 0
  for changed in mutations(record):
    if not isinstance(changed, dict):
      continue
    error = refusal(LABELLED[name], changed, 'some.jsonl:1')
    if error:
      num_refused += 1
      assert str(error).startswith('some.jsonl:1: ')
      assert len(str(error)) < 300
    else:
      read = LABELLED[name](changed, 'some.jsonl:1')
      assert all(isinstance(step, str) for step in read.steps)
      assert isinstance(read.kind, str)
      assert read.kind not in ('None', 'True', '7')
  assert num_refused > 20


@pytest.mark.parametrize('name', LABELLED)
def test_broken_files_of_records_are_named(tmp_path, name):
  content = (FILES / name).read_bytes()
  path = tmp_path / name
  for broken in broken_bytes(content):
    path.write_bytes(broken)
    error = refusal(
      lambda: first_errors.read_labelled(path, LABELLED[name], skip_bad=False)
    )
    assert not error or str(path) in str(error)
    first_errors.read_labelled(path, LABELLED[name], skip_bad=True)
  path.write_bytes(BOM + content.replace(b'\n', b'\r\n'))
  items = first_errors.read_labelled(path, LABELLED[name], skip_bad=True).items
  path.write_bytes(content)
  assert (
    items
    == first_errors.read_labelled(path, LABELLED[name], skip_bad=True).items
  )
  for empty in (b'', b'\n\r\n', BOM, b'[]'):
    path.write_bytes(empty)
    with pytest.raises(TraceError, match=name):
      first_errors.read_labelled(path, LABELLED[name], skip_bad=False)


@pytest.mark.parametrize(
  'name',
  ['problem.json', 'base_solution.json', 'chunks.json', 'chunks_labeled.json'],
)
def test_every_field_of_a_trace_is_checked(name):
  folder = next(OWN.glob('math_rollouts/*/*/*/problem_7'))
  value = json.loads((folder / name).read_bytes())
  if isinstance(value, list):
    value = value[:1]
  for changed in mutations(value):
    rows = [{'path': f'problem_7/{name}', 'content': as_json(changed).decode()}]
    traces, _ = math_rollouts.read_rows(rows, max_rollouts=100, skip_bad=True)
    for trace in traces:
      for text in (trace.question, trace.right_answer, trace.given_answer):
        assert text is None or isinstance(text, str)
      assert all(isinstance(tag, str) for tag in trace.tags)


@pytest.mark.parametrize(
  'cell', ['', 'x', '-1', 'nan', 'inf', '1e400', '1_0', '٣', '"', 'a,b', '\x00']
)
def test_cells_of_tables(tmp_path, cell):
  path = tmp_path / 'some.csv'
  for source, read in (
    (
      OWN / 'counts.csv',
      lambda: math_rollouts.read_counts(path, skip_bad=False),
    ),
    (
      FILES / 'cliff__per_token.csv',
      lambda: cliff_tokens.read_cliff_tokens(path, num_rollouts=4),
    ),
  ):
    lines = source.read_text('utf-8').split('\n')
    for column in range(len(lines[2].split(','))):
      cells = lines[2].split(',')
      cells[column] = cell
      changed = [*lines[:2], ','.join(cells), *lines[3:]]
      path.write_text('\n'.join(changed), 'utf-8')
      error = refusal(read)
      assert not error or str(path) in str(error)


def test_marks_of_byte_order_are_no_part_of_a_table(tmp_path):
  path = tmp_path / 'cliff__per_token.csv'
  content = (FILES / path.name).read_bytes()
  path.write_bytes(BOM + content)
  marked = cliff_tokens.read_cliff_tokens(path, num_rollouts=4)
  path.write_bytes(content)
  plain = cliff_tokens.read_cliff_tokens(path, num_rollouts=4)
  assert marked.first_error == plain.first_error
  assert marked.trace.sentences == plain.trace.sentences
  rows = [
    {'path': 'problem_1/problem.json', 'content': '\ufeff{"problem": "q"}'}
  ]
  _, problems = math_rollouts.read_rows(rows, max_rollouts=100, skip_bad=True)
  assert not any('JSON' in problem.reason for problem in problems)


def test_null_is_no_name_and_a_number_no_text():
  turn = {'content': 'a'}
  record = {
    'question': 'q',
    'history': [turn],
    'mistake_step': '0',
    'mistake_agent': None,
  }
  assert first_errors.who_and_when(record, 'f').kind == ''
  with pytest.raises(TraceError, match='mistake_agent'):
    first_errors.who_and_when(record | {'mistake_agent': 5}, 'f')
  step = {'human_completion': 5, 'completions': []}
  rated = {
    'question': {'problem': 'q'},
    'label': {'steps': [step], 'finish_reason': 'solution'},
  }
  with pytest.raises(TraceError) as raised:
    first_errors.prm800k(rated, 'f')
  assert raised.value.field == 'label.steps[0].human_completion'
  step |= {'human_completion': None}
  rated['label']['finish_reason'] = 'found_error'
  step['completions'] = [{'text': 'a', 'rating': -1}]
  rated['question']['pre_generated_steps'] = 7
  with pytest.raises(TraceError) as raised:
    first_errors.prm800k(rated, 'f')
  assert raised.value.field == 'question.pre_generated_steps'


@pytest.mark.parametrize(
  ('answer', 'is_read'),
  [('88', True), (' 88.', True), ('12', False), (None, False)],
)
def test_a_wrong_answer_without_a_marked_step_is_no_verdict(answer, is_read):
  record = {
    'input': 'q',
    'steps': ['a'],
    'answer': answer,
    'target': '88',
    'mistake_index': None,
  }
  if is_read:
    item = first_errors.big_bench_mistake(record, 'f')
    assert item.first_error.index is None
  else:
    with pytest.raises(TraceError, match='mistake_index'):
      first_errors.big_bench_mistake(record, 'f')


def test_an_accuracy_in_powers_of_ten_has_all_its_digits(tmp_path):
  path = tmp_path / 'counts.csv'
  header = 'model,base,problem,chunk_idx,k,n,accuracy\n'
  path.write_text(f'{header}m,,1,0,1,2,5e-1\n', 'utf-8')
  (trace,), _ = math_rollouts.read_counts(path, skip_bad=False)
  assert trace.accuracies[0] == 0.5
  for wrong in ('1e-9', '5e-2'):
    path.write_text(f'{header}m,,1,0,1,2,{wrong}\n', 'utf-8')
    with pytest.raises(TraceError, match='accuracy'):
      math_rollouts.read_counts(path, skip_bad=False)


def test_words_are_read_or_the_file_is_named(tmp_path):
  path = tmp_path / 'words.txt'
  content = b'vocabulary: hello world $x_1_2$ !\nhello -> world\nworld !\n'
  for broken in broken_bytes(content):
    path.write_bytes(broken)
    error = refusal(word_pairs.load, path)
    assert not error or str(path) in str(error)


def test_a_file_that_stands_twice_is_damaged():
  row = {'path': 'problem_1/problem.json', 'content': '{"problem": "q"}'}
  with pytest.raises(TraceError, match='stands twice'):
    math_rollouts.read_rows([row, row], max_rollouts=100, skip_bad=False)
  rollouts = [
    {'path': f'problem_1/chunk_{name}/solutions.json', 'content': '[]'}
    for name in ('1', '01')
  ]
  with pytest.raises(TraceError, match='chunk 1 stands twice'):
    math_rollouts.read_rows(rollouts, max_rollouts=100, skip_bad=False)
  doubled = row | {'content': '{"problem": "q", "problem": "p"}'}
  with pytest.raises(TraceError, match="'problem' stands twice"):
    math_rollouts.read_rows([doubled], max_rollouts=100, skip_bad=False)

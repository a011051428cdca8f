import json

import pytest

from tests.data.shared_data import OWN, SHARED, needs_shared
from toyjax.data import cliff_tokens, first_errors, traces
from toyjax.data.first_errors import FirstError
from toyjax.data.traces import TraceError

FILES = OWN / 'first_errors'


def read(name, convert, skip_bad=False):
  return first_errors.read_labelled(FILES / name, convert, skip_bad=skip_bad)


@pytest.mark.parametrize(
  ('name', 'convert'),
  [
    ('process_bench.jsonl', first_errors.process_bench),
    ('big_bench_mistake.jsonl', first_errors.big_bench_mistake),
    ('prm_bench.jsonl', first_errors.prm_bench),
  ],
)
def test_every_convention_names_the_same_wrong_step(name, convert):
  items, problems = read(name, convert)
  assert not problems
  assert [item.first_error for item in items] == [
    FirstError(0),
    FirstError(None),
    FirstError(1),
  ]
  # The files hold the same three solutions: the index must point at the slip.
  assert items[0].steps[0] == '17 times 6 is 92.'
  assert items[2].steps[1] == '102 plus 4 is 108.'
  assert items[0].question == 'What is 17 times 6 plus 4?'


def test_prm800k_where_nothing_is_chosen_at_the_error():
  items, problems = read('prm800k.jsonl', first_errors.prm800k, True)
  assert [item.first_error.index for item in items] == [1, None, 0]
  # Of the alternatives, the trace's own step is the pre-generated one.
  assert items[0].steps == ('17 times 6 is 102.', '102 plus 4 is 108.')
  assert items[2].steps == ('17 times 6 is 92.', '92 plus 4 is 96.')
  (problem,) = problems
  assert problem.field == 'label.finish_reason'
  assert 'give_up' in str(problem)
  with pytest.raises(TraceError, match='jsonl:4'):
    read('prm800k.jsonl', first_errors.prm800k)


def test_who_and_when_counts_in_strings():
  (item,), _ = read('who_and_when.json', first_errors.who_and_when)
  assert item.first_error == FirstError(1)
  assert item.kind == 'Reckoner'
  assert item.steps[1] == '17 times 6 is 92.'


STEPS = {'problem': 'q', 'input': 'q', 'question': 'q', 'steps': ['a', 'b']}
PRM_BENCH = {'modified_question': 'q', 'modified_process': ['a', 'b']}
WHO = {'question': 'q', 'history': [{'content': 'a'}]}


def prm(step, reason='found_error'):
  return {
    'question': {'problem': 'q'},
    'label': {'steps': [step], 'finish_reason': reason},
  }


@pytest.mark.parametrize(
  ('convert', 'record', 'field'),
  [
    (first_errors.process_bench, STEPS, 'label'),
    (first_errors.process_bench, STEPS | {'label': 2}, 'label'),
    (first_errors.process_bench, STEPS | {'label': -2}, 'label'),
    (first_errors.process_bench, STEPS | {'label': '1'}, 'label'),
    (first_errors.process_bench, STEPS | {'label': None}, 'label'),
    (first_errors.process_bench, {'problem': 'q', 'label': 0}, 'steps'),
    (first_errors.big_bench_mistake, STEPS, 'mistake_index'),
    (
      first_errors.big_bench_mistake,
      STEPS | {'mistake_index': -1},
      'mistake_index',
    ),
    (first_errors.prm_bench, PRM_BENCH | {'error_steps': [0]}, 'error_steps'),
    (first_errors.prm_bench, PRM_BENCH | {'error_steps': [3]}, 'error_steps'),
    (first_errors.prm_bench, PRM_BENCH | {'error_steps': 1}, 'error_steps'),
    (
      first_errors.prm_bench,
      PRM_BENCH | {'error_steps': ['1']},
      'error_steps[0]',
    ),
    (first_errors.who_and_when, WHO | {'mistake_step': 0}, 'mistake_step'),
    (first_errors.who_and_when, WHO | {'mistake_step': '1'}, 'mistake_step'),
    (first_errors.who_and_when, WHO | {'mistake_step': 'two'}, 'mistake_step'),
    (
      first_errors.prm800k,
      prm({'completions': [{'text': 'a', 'rating': 1}]}),
      'label.steps[0]',
    ),
    (
      first_errors.prm800k,
      prm({'completions': [{'text': 'a', 'rating': -1}]}, 'solution'),
      'label.steps[0]',
    ),
    *(
      (
        first_errors.process_bench,
        STEPS | {'label': -1, 'final_answer_correct': wrong},
        'final_answer_correct',
      )
      for wrong in ('false', 0, 1.0)
    ),
    (
      first_errors.prm800k,
      prm({'completions': []}),
      'label.steps[0].completions',
    ),
    (
      first_errors.prm800k,
      prm({'completions': [], 'chosen_completion': 0}),
      'label.steps[0].chosen_completion',
    ),
    (
      first_errors.prm800k,
      prm({'human_completion': 'a'}, 'bad_problem'),
      'label.finish_reason',
    ),
  ],
)
def test_records_that_break_their_convention(convert, record, field):
  with pytest.raises(TraceError) as raised:
    convert(record, 'some.jsonl:3')
  assert raised.value.file == 'some.jsonl:3'
  assert raised.value.field == field


def test_bad_records_are_skipped_and_counted(tmp_path):
  path = tmp_path / 'some.jsonl'
  good = json.dumps(STEPS | {'label': 1})
  path.write_text(f'{good}\n{{"label": 1\n\n[]\n{good}\n')
  items, problems = first_errors.read_labelled(
    path, first_errors.process_bench, skip_bad=True
  )
  assert len(items) == 2
  assert [problem.file for problem in problems] == [f'{path}:2', f'{path}:4']
  with pytest.raises(TraceError, match=r'some\.jsonl:2.*not JSON'):
    first_errors.read_labelled(path, first_errors.process_bench, skip_bad=False)
  missing = tmp_path / 'nowhere.json'
  items, problems = first_errors.read_labelled(
    missing, first_errors.process_bench, skip_bad=True
  )
  assert not items
  assert len(problems) == 1


def test_a_list_of_records_is_read_like_lines(tmp_path):
  lines = (FILES / 'process_bench.jsonl').read_text().splitlines()
  path = tmp_path / 'some.json'
  path.write_text(json.dumps([json.loads(line) for line in lines]))
  assert first_errors.read_labelled(
    path, first_errors.process_bench, skip_bad=False
  ) == read('process_bench.jsonl', first_errors.process_bench)


# ----- Cliff tokens -----


def test_cliff_flag_stands_one_row_below_the_token():
  trace, first_error = cliff_tokens.read_cliff_tokens(
    FILES / 'cliff__per_token.csv', num_rollouts=4
  )
  assert first_error == FirstError(2)
  assert trace.sentences[2] == ' is 92'
  assert trace.sentences[1] == ' times 6\n'
  assert trace.num_correct.tolist() == [0, 3, 4, 1, 1, 0]
  assert trace.num_answered.tolist() == [0, 4, 4, 4, 4, 0]
  # The rate first is low at position 3, which blames token 2.
  assert list(traces.guilty_sentences(trace, 3)) == [first_error.index]


@pytest.mark.parametrize(
  ('row', 'field'),
  [
    ('1,x,0.3,0', 'potential'),
    ('1,x,1.25,0', 'potential'),
    ('1,x,nan,0', 'potential'),
    ('1,x,inf,0', 'potential'),
    ('1,x,high,0', 'potential'),
    ('2,x,0.5,0', 'position'),
    ('1,x,0.5,yes', 'is_cliff'),
    ('1,x', 'is_cliff'),
  ],
)
def test_bad_rows_of_cliff_tokens(tmp_path, row, field):
  path = tmp_path / 'cliff.csv'
  path.write_text(f'position,token,potential,is_cliff\n0,a,0.5,0\n{row}\n')
  with pytest.raises(TraceError) as raised:
    cliff_tokens.read_cliff_tokens(path, num_rollouts=4)
  assert raised.value.field == field
  assert str(path) in raised.value.file


# ----- The published files -----

LABELLED = SHARED / 'labelled'


@needs_shared
@pytest.mark.parametrize(
  ('task', 'num_errors', 'num_unclear'),
  [('multistep_arithmetic', 14, 1), ('word_sorting', 17, 2)],
)
def test_big_bench_mistake_sample(task, num_errors, num_unclear):
  path = LABELLED / f'big_bench_mistake_{task}_first20.jsonl'
  items, problems = first_errors.read_labelled(
    path, first_errors.big_bench_mistake, skip_bad=True
  )
  # No step is marked, and the answer is wrong all the same.
  assert len(problems) == num_unclear
  assert len(items) == 20 - num_unclear
  found = [item for item in items if item.first_error.index is not None]
  assert len(found) == num_errors


@needs_shared
def test_big_bench_mistake_counts_from_zero():
  path = LABELLED / 'big_bench_mistake_multistep_arithmetic_first20.jsonl'
  items, _ = first_errors.read_labelled(
    path, first_errors.big_bench_mistake, skip_bad=True
  )
  # 7 - -7 * 4 = 35; the marked step makes it 7 - 28.
  assert '7 - -7 * 4)) = ((3 * 4 * 5) * (7 - 28))' in items[0].steps[3]
  assert items[0].first_error == FirstError(3)


@needs_shared
def test_who_and_when_sample_counts_from_zero():
  path = LABELLED / 'who_and_when_algorithm_generated_1.json'
  (item,), _ = first_errors.read_labelled(
    path, first_errors.who_and_when, skip_bad=False
  )
  assert item.first_error == FirstError(0)
  speaker = json.loads(path.read_text())['history'][0]['name']
  assert item.kind == speaker  # The agent to blame speaks at that step.


@needs_shared
@pytest.mark.parametrize(
  ('name', 'index', 'token', 'before', 'after'),
  [
    ('cliff_sampled_off_13__GSM1K_65_path_0', 53, ' **', 41, 12),
    (
      'cliff_sampled_off_3__test_number_theory_427_path_0',
      331,
      '7',
      64,
      7,
    ),
  ],
)
def test_cliff_samples_fall_at_the_token_that_the_authors_name(
  name, index, token, before, after
):
  trace, first_error = cliff_tokens.read_cliff_tokens(
    LABELLED / f'{name}__per_token.csv', num_rollouts=64
  )
  assert first_error == FirstError(index)
  assert trace.sentences[index] == token
  assert trace.num_correct[index] == before
  assert trace.num_correct[index + 1] == after
  assert trace.problem == name

"""Traces with a marked first error, from sets that all count differently.

    items, problems = read_labelled(path, big_bench_mistake, skip_bad=True)

| set | field | convention |
|---|---|---|
| ProcessBench | label | index from 0, -1 for none |
| BIG-Bench Mistake | mistake_index | index from 0, null for none |
| PRMBench | error_steps | list of numbers from 1, empty for none |
| PRM800K | label.steps | first chosen step rated -1 |
| Who&When | mistake_step | a string of an index from 0 |
| cliff tokens | is_cliff | number of tokens kept, so the index plus 1 |

A converter turns one record into a `LabelledTrace`; the index is from 0 and
None means no error. Where a record does not say, it raises TraceError.

Checked on files of the sets: BIG-Bench Mistake (40 records of two tasks),
Who&When (all 184: the agent to blame speaks at the index in 178, one step
before it in 34), PRMBench (the 394 of its subset400), cliff tokens (two
traces). Written from what the authors publish about their format, and not run
on their files: ProcessBench (the example of its data card), PRM800K (the
annotated record of its README, which is read as it says).
"""

from collections.abc import Callable
import json
import pathlib
from typing import Any, NamedTuple

from toyjax.data.traces import (
  Problems,
  TraceError,
  check,
  get,
  parse_json,
)


class FirstError(NamedTuple):
  """Where a trace first goes wrong.

  Attributes:
    index: of the first wrong step, from 0; None where no step is wrong.
  """

  # The name hides tuple.index, which means nothing here.
  index: int | None  # type: ignore[assignment]


class LabelledTrace(NamedTuple):
  """The steps of a trace and its first error.

  Attributes:
    question: the problem.
    steps: texts, in order.
    first_error: index into the steps, or None.
    kind: what the set says about the error or its author, or empty.
  """

  question: str
  steps: tuple[str, ...]
  first_error: FirstError
  kind: str


class Labelled(NamedTuple):
  """What a reader found.

  Attributes:
    items: in the order of the file.
    problems: what was skipped and why; empty unless `skip_bad`.
  """

  items: tuple[LabelledTrace, ...]
  problems: tuple[TraceError, ...]


Converter = Callable[[dict[str, Any], str], LabelledTrace]


def read_labelled(
  path: str | pathlib.Path, convert: Converter, *, skip_bad: bool
) -> Labelled:
  """Reads a file of records: one a line (.jsonl), a list, or a single one.

  Args:
    path: of the file.
    convert: one of this module's converters.
    skip_bad: whether to leave out what cannot be read and list it, instead of
      raising.

  Raises:
    TraceError: names the file, the record and the field, unless `skip_bad`.
  """
  path = pathlib.Path(path)
  items: list[LabelledTrace] = []
  problems = Problems(skip_bad)
  with problems.skipped():
    if not path.is_file():
      raise TraceError(str(path), '', 'missing')
    text = path.read_bytes()
    if path.suffix == '.jsonl':
      lines = enumerate(text.split(b'\n'), start=1)
      records = [(f'{path}:{n}', line) for n, line in lines if line.strip()]
    else:
      value = parse_json(text, str(path), object)
      values = value if isinstance(value, list) else [value]
      records = [
        (f'{path}[{n}]', json.dumps(value).encode())
        for n, value in enumerate(values)
      ]
    for where, line in records:
      with problems.skipped():
        items.append(convert(parse_json(line, where, dict), where))
  return Labelled(tuple(items), tuple(problems))


def process_bench(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of ProcessBench: label from 0, -1 where all steps hold.

  References:
    Zheng et al. 2024, ProcessBench.
  """
  label = get(record, 'label', int, file)
  index = None if label == -1 else label
  return _make(record, file, 'problem', 'steps', index, 'label', '')


def big_bench_mistake(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of BIG-Bench Mistake: mistake_index from 0, or null.

  References:
    Tyen et al. 2024, LLMs cannot find reasoning errors, but can correct them.
  """
  index = None
  if record.get('mistake_index', -1) is not None:
    index = get(record, 'mistake_index', int, file)
  return _make(record, file, 'input', 'steps', index, 'mistake_index', '')


def prm_bench(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of PRMBench: error_steps from 1, in any order.

  The kind is its classification; the marked steps of 'redundency' and
  'circular' are superfluous or circular, not false.

  References:
    Song et al. 2025, PRMBench.
  """
  steps = get(record, 'error_steps', list, file)
  for number, step in enumerate(steps):
    check(step, int, file, f'error_steps[{number}]')
  index = min(steps) - 1 if steps else None
  kind = str(record.get('classification', ''))
  names = ('modified_question', 'modified_process')
  return _make(record, file, *names, index, 'error_steps', kind)


def prm800k(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of PRM800K: the first chosen completion rated -1.

  Of the two phases, the second stops at the first error and chooses nothing
  there: with finish_reason 'found_error', the wrong step is the last, and its
  text the pre-generated one. Records that were given up or whose problem is
  broken say nothing unless an error stands before, and raise TraceError.

  References:
    Lightman et al. 2023, Let's verify step by step.
  """
  question = get(record, 'question', dict, file)
  label = get(record, 'label', dict, file)
  steps = get(label, 'steps', list, file, 'label')
  reason = get(label, 'finish_reason', str, file, 'label')
  texts: list[str] = []
  index = None
  for number, step in enumerate(steps):
    field = f'label.steps[{number}]'
    check(step, dict, file, field)
    text, rating = _chosen(step, file, field)
    if text is None and reason == 'found_error' and number == len(steps) - 1:
      text, rating = _original(step, question, number, file, field)
      if rating != -1:
        raise TraceError(file, field, f'found_error, but rated {rating}')
    if text is None:
      break
    texts.append(text)
    if index is None and rating == -1:
      index = number
  if index is None and reason != 'solution':
    raise TraceError(file, 'label.finish_reason', f'no verdict: {reason!r:.40}')
  made = {'problem': question.get('problem'), 'steps': texts}
  return _make(made, file, 'problem', 'steps', index, 'label.steps', reason)


def _chosen(
  step: dict[str, Any], file: str, field: str
) -> tuple[str | None, int | None]:
  """Returns the text and the rating of the chosen step, or None."""
  choice = step.get('chosen_completion')
  if choice is not None:
    check(choice, int, file, f'{field}.chosen_completion')
    completions = get(step, 'completions', list, file, field)
    if not 0 <= choice < len(completions):
      raise TraceError(file, f'{field}.chosen_completion', f'none at {choice}')
    return _completion(completions[choice], file, f'{field}.completions')
  human = step.get('human_completion')
  if isinstance(human, dict):
    human = get(human, 'text', str, file, f'{field}.human_completion')
  return human, None


def _original(
  step: dict[str, Any],
  question: dict[str, Any],
  number: int,
  file: str,
  field: str,
) -> tuple[str, int | None]:
  """Returns the completion of the pre-generated step, or else the first."""
  completions = get(step, 'completions', list, file, field)
  read = [
    _completion(completion, file, f'{field}.completions')
    for completion in completions
  ]
  if not read:
    raise TraceError(file, f'{field}.completions', 'empty')
  originals = question.get('pre_generated_steps') or []
  for text, rating in read:
    if number < len(originals) and text == originals[number]:
      return text, rating
  return read[0]


def _completion(
  completion: Any, file: str, field: str
) -> tuple[str, int | None]:
  check(completion, dict, file, field)
  text = get(completion, 'text', str, file, field)
  rating = completion.get('rating')
  if rating is not None:
    check(rating, int, file, f'{field}.rating')
  return text, rating


def who_and_when(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of Who&When: mistake_step, a string of an index from 0.

  Each of its traces failed, so each has an error. The kind is the agent that
  made it.

  References:
    Zhang et al. 2025, Which agent causes task failures and when?
  """
  step = record.get('mistake_step')
  if not (isinstance(step, str) and step.strip().isdecimal()):
    raise TraceError(file, 'mistake_step', f'no number in a string: {step!r}')
  history = get(record, 'history', list, file)
  steps = []
  for number, turn in enumerate(history):
    check(turn, dict, file, f'history[{number}]')
    steps.append(get(turn, 'content', str, file, f'history[{number}]'))
  made = {'question': record.get('question'), 'steps': steps}
  kind = str(record.get('mistake_agent', ''))
  return _make(made, file, 'question', 'steps', int(step), 'mistake_step', kind)


def _make(
  record: dict[str, Any],
  file: str,
  question_key: str,
  steps_key: str,
  index: int | None,
  field: str,
  kind: str,
) -> LabelledTrace:
  """Returns the record with its index checked against its steps."""
  question = get(record, question_key, str, file)
  steps = get(record, steps_key, list, file)
  for number, step in enumerate(steps):
    check(step, str, file, f'{steps_key}[{number}]')
  if index is not None and not 0 <= index < len(steps):
    raise TraceError(file, field, f'index {index} of {len(steps)} steps')
  return LabelledTrace(question, tuple(steps), FirstError(index), kind)

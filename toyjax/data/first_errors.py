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

import codecs
from collections.abc import Callable, Iterator
import pathlib
import re
from typing import Any, NamedTuple

from toyjax.data.labelled_traces import (
  FirstError,
  LabelledTrace,
  make_labelled,
)
from toyjax.data.rated_steps import prm800k
from toyjax.data.traces import (
  Problems,
  TraceError,
  check,
  describe,
  get,
  get_text,
  parse_json,
)

__all__ = [
  'FirstError',
  'Labelled',
  'LabelledTrace',
  'big_bench_mistake',
  'prm800k',
  'prm_bench',
  'process_bench',
  'read_labelled',
  'who_and_when',
]


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
    num_records = 0
    for where, value in _records(path):
      num_records += 1
      with problems.skipped():
        if isinstance(value, bytes):
          value = parse_json(value, where, dict)
        items.append(convert(check(value, dict, where, ''), where))
    if not num_records:
      raise TraceError(str(path), '', 'no records')
  return Labelled(tuple(items), tuple(problems))


def _records(path: pathlib.Path) -> Iterator[tuple[str, Any]]:
  """Yields where each record stands, and its line or its value."""
  content = path.read_bytes()
  if path.suffix.lower() == '.jsonl':
    for number, line in enumerate(content.split(b'\n'), start=1):
      if line.removeprefix(codecs.BOM_UTF8).strip():
        yield f'{path}:{number}', line
    return
  value = parse_json(content, str(path), object)
  for number, record in enumerate(
    value if isinstance(value, list) else [value]
  ):
    yield f'{path}[{number}]', record


def process_bench(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of ProcessBench: label from 0, -1 where all steps hold.

  References:
    Zheng et al. 2024, ProcessBench.
  """
  label = get(record, 'label', int, file)
  index = None if label == -1 else label
  is_correct = record.get('final_answer_correct')
  if is_correct is not None:
    check(is_correct, bool, file, 'final_answer_correct')
  if index is None and is_correct is False:
    raise TraceError(file, 'label', 'no step is wrong, but the answer is')
  return make_labelled(record, file, 'problem', 'steps', index, 'label', '')


def big_bench_mistake(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of BIG-Bench Mistake: mistake_index from 0, or null.

  Null says that no step has a mistake, in the words of the set. Where the
  answer is not the target all the same, as in 29 of its 2,186 records, the
  record contradicts itself: it is no trace without an error, no step is known
  to be wrong, and it raises TraceError.

  References:
    Tyen et al. 2024, LLMs cannot find reasoning errors, but can correct them.
  """
  index = None
  if record.get('mistake_index', -1) is not None:
    index = get(record, 'mistake_index', int, file)
  elif 'answer' in record and 'target' in record:
    answer, target = (
      (get_text(record, key, file) or '').strip().rstrip('.')
      for key in ('answer', 'target')
    )
    if answer != target:
      raise TraceError(
        file,
        'mistake_index',
        f'null, but the answer {describe(answer)} is not {describe(target)}',
      )
  return make_labelled(
    record, file, 'input', 'steps', index, 'mistake_index', ''
  )


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
  kind = get_text(record, 'classification', file) or ''
  names = ('modified_question', 'modified_process')
  return make_labelled(record, file, *names, index, 'error_steps', kind)


def who_and_when(record: dict[str, Any], file: str) -> LabelledTrace:
  """Reads a record of Who&When: mistake_step, a string of an index from 0.

  Each of its traces failed, so each has an error. The kind is the agent that
  made it.

  References:
    Zhang et al. 2025, Which agent causes task failures and when?
  """
  step = record.get('mistake_step')
  if not (isinstance(step, str) and re.fullmatch(r'\s*[0-9]{1,9}\s*', step)):
    reason = f'no number in a string: {describe(step)}'
    raise TraceError(file, 'mistake_step', reason)
  history = get(record, 'history', list, file)
  steps = []
  for number, turn in enumerate(history):
    check(turn, dict, file, f'history[{number}]')
    steps.append(get(turn, 'content', str, file, f'history[{number}]'))
  made = {'question': record.get('question'), 'steps': steps}
  kind = get_text(record, 'mistake_agent', file) or ''
  return make_labelled(
    made, file, 'question', 'steps', int(step), 'mistake_step', kind
  )

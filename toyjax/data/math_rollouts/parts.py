"""One problem folder of math-rollouts: its files read, its trace assembled."""

import dataclasses
import re
from typing import Any

import numpy as np

from toyjax.data.math_rollouts.counts import recover_counts
from toyjax.data.traces import (
  MAX_POSITIONS,
  Problems,
  Trace,
  TraceError,
  check,
  check_index,
  describe,
  get,
  get_text,
  parse_json,
)

PROBLEM = re.compile(r'(?:.*[_/])?problem_([0-9]+)')
SOLUTIONS = re.compile(r'chunk_[0-9]+/solutions\.json')
# Of other questions than problems of mathematics, yes_base_solution.
_BASE = re.compile(r'[a-z]+_base_solution')
_BASES = ('correct', 'incorrect')


@dataclasses.dataclass
class Parts:
  """What was read of one problem folder; texts of rollouts are not kept."""

  seen: set[str] = dataclasses.field(default_factory=set)
  problem: dict[str, Any] = dataclasses.field(default_factory=dict)
  base: dict[str, Any] = dataclasses.field(default_factory=dict)
  chunks: list[str] | None = None
  labels: dict[int, tuple[str, float, str]] = dataclasses.field(
    default_factory=dict
  )
  outcomes: dict[int, list[int]] = dataclasses.field(default_factory=dict)


def add_file(
  parts: Parts,
  name: str,
  path: str,
  content: str | bytes | None,
  problems: Problems,
) -> None:
  """Reads one file into its parts."""
  if name in parts.seen:
    raise TraceError(path, '', 'stands twice')
  parts.seen.add(name)
  if name == 'problem.json':
    parts.problem = parse_json(content, path, dict)
  elif name == 'base_solution.json':
    parts.base = parse_json(content, path, dict)
  elif name == 'chunks.json':
    chunks = get(parse_json(content, path, dict), 'chunks', list, path)
    for index, chunk in enumerate(chunks):
      check(chunk, str, path, f'chunks[{index}]')
    parts.chunks = chunks
  elif name == 'chunks_labeled.json':
    for number, label in enumerate(parse_json(content, path, list)):
      with problems.skipped():
        index, values = _label(label, path, f'[{number}]')
        if index in parts.labels:
          field = f'[{number}].chunk_idx'
          raise TraceError(path, field, f'{index} stands twice')
        parts.labels[index] = values
  else:
    digits = name.partition('/')[0].removeprefix('chunk_')
    if len(digits) > 9:
      raise TraceError(path, '', f'not an index: {describe(digits)}')
    index = check_index(int(digits), path, '')
    if index in parts.outcomes:
      raise TraceError(path, '', f'chunk {index} stands twice')
    rollouts = parse_json(content, path, list)
    counts = [0, 0, 0, 0]
    for number, rollout in enumerate(rollouts):
      with problems.skipped():
        counts[outcome_code(rollout, path, f'[{number}]')] += 1
    parts.outcomes[index] = counts


def _label(
  label: Any, path: str, field: str
) -> tuple[int, tuple[str, float, str]]:
  """Returns the chunk index, its text, its accuracy (or NaN), its tag."""
  check(label, dict, path, field)
  index = get(label, 'chunk_idx', int, path, field)
  check_index(index, path, f'{field}.chunk_idx')
  text = get(label, 'chunk', str, path, field)
  accuracy = label.get('accuracy')
  if accuracy is None:
    accuracy = np.nan
  elif isinstance(accuracy, bool) or not isinstance(accuracy, int | float):
    reason = f'not a number: {describe(accuracy)}'
    raise TraceError(path, f'{field}.accuracy', reason)
  elif not 0.0 <= accuracy <= 1.0:
    reason = f'not in [0, 1]: {describe(accuracy)}'
    raise TraceError(path, f'{field}.accuracy', reason)
  tags: list[Any] = []
  if label.get('function_tags') is not None:
    tags = get(label, 'function_tags', list, path, field)
  for number, tag in enumerate(tags):
    check(tag, str, path, f'{field}.function_tags[{number}]')
  return index, (text, float(accuracy), tags[0] if tags else '')


def outcome_code(rollout: Any, path: str, field: str) -> int:
  """Returns 0 correct, 1 wrong, 2 no answer, 3 an error and no rollout."""
  check(rollout, dict, path, field)
  if 'error' in rollout:
    return 3
  answer = rollout.get('answer')
  if answer is not None:
    check(answer, str, path, f'{field}.answer')
  is_correct = get(rollout, 'is_correct', bool, path, field)
  if answer is not None and answer.strip():
    return 0 if is_correct else 1
  if is_correct:
    raise TraceError(path, f'{field}.is_correct', 'true with a blank answer')
  return 2


def assemble(
  folder: str,
  parts: Parts,
  max_rollouts: int,
  problems: Problems,
) -> Trace:
  """Returns the trace of a problem folder."""
  size = max((*parts.labels, *parts.outcomes), default=-1) + 1
  if parts.chunks is not None:
    size = len(parts.chunks)
  if not 0 < size <= MAX_POSITIONS:
    raise TraceError(folder, '', 'neither chunks nor rollouts in it')
  counts = np.zeros((4, size), np.int64)
  min_answered = np.zeros(size, np.int64)
  accuracies = np.full(size, np.nan)
  sentences: list[str | None] = [None] * size
  if parts.chunks is not None:
    sentences[:] = parts.chunks
  tags = [''] * size
  for index, (text, accuracy, tag) in parts.labels.items():
    with problems.skipped():
      field = f'chunk_idx {index}'
      file = f'{folder}/chunks_labeled.json'
      if index >= size:
        raise TraceError(file, field, f'chunks.json has {size} chunks')
      if (sentences[index] or text).strip() != text.strip():
        raise TraceError(file, field, 'its text is not that of chunks.json')
      sentences[index], accuracies[index], tags[index] = text, accuracy, tag
      if np.isfinite(accuracy) and not _has_rollouts(parts):
        try:
          correct, answered, least = recover_counts(
            accuracy, max_rollouts=max_rollouts
          )
        except ValueError as error:
          raise TraceError(file, f'{field}.accuracy', str(error)) from error
        counts[:2, index] = correct, answered - correct
        min_answered[index] = least
  for index, outcome in parts.outcomes.items():
    with problems.skipped():
      if index >= size:
        file = f'{folder}/chunk_{index}/solutions.json'
        raise TraceError(file, '', f'chunks.json has {size} chunks')
      counts[:, index] = outcome
      min_answered[index] = outcome[0] + outcome[1]
  counted = _has_rollouts(parts)
  return Trace(
    **_names(folder, parts, problems),
    sentences=tuple(sentences) if any(sentences) else None,
    chunk_indices=np.arange(size),
    num_correct=counts[0],
    num_wrong=counts[1],
    num_none=counts[2] if counted else None,
    num_errors=counts[3] if counted else None,
    min_answered=min_answered,
    accuracies=accuracies,
    tags=tuple(tags),
  )


def _has_rollouts(parts: Parts) -> bool:
  """Whether any solutions.json was there, readable or not."""
  return any(map(SOLUTIONS.fullmatch, parts.seen))


def _names(folder: str, parts: Parts, problems: Problems) -> dict[str, Any]:
  """Returns what the path says, and the texts of the problem."""
  *above, name = folder.split('/')
  model = sampling = base = ''
  for depth, part in enumerate(above):
    if _BASE.fullmatch(part):
      base = part.removesuffix('_base_solution')
      higher = above[:depth]
      if higher and higher[-1].startswith('temperature_'):
        sampling = higher.pop()
      model = higher[-1] if higher else ''
  file = f'{folder}/base_solution.json'
  if base not in _BASES:
    base = ''
    with problems.skipped():
      if parts.base.get('is_correct') is not None:
        is_correct = get(parts.base, 'is_correct', bool, file)
        base = 'correct' if is_correct else 'incorrect'
  number = PROBLEM.fullmatch(name)
  assert number
  texts = {}
  for attribute, record, key, where in (
    ('question', parts.problem, 'problem', f'{folder}/problem.json'),
    ('right_answer', parts.problem, 'gt_answer', f'{folder}/problem.json'),
    ('given_answer', parts.base, 'answer', file),
  ):
    with problems.skipped():
      texts[attribute] = get_text(record, key, where)
  return {
    'model': model,
    'sampling': sampling,
    'base': base,
    'problem': number[1],
    **texts,
  }

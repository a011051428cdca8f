"""Records of PRM800K, whose steps were rated one by one as they were chosen."""

from typing import Any

from toyjax.data.labelled_traces import LabelledTrace, make_labelled
from toyjax.data.traces import TraceError, check, describe, get, get_text


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
      if index is None and reason == 'solution':
        raise TraceError(file, field, 'nothing is chosen, yet it is a solution')
      break
    texts.append(text)
    if index is None and rating == -1:
      index = number
  if index is None and reason != 'solution':
    raise TraceError(file, 'label.finish_reason', f'no verdict: {reason!r:.40}')
  made = {
    'problem': get(question, 'problem', str, file, 'question'),
    'steps': texts,
  }
  return make_labelled(
    made, file, 'problem', 'steps', index, 'label.steps', reason
  )


def _chosen(
  step: dict[str, Any], file: str, field: str
) -> tuple[str | None, int | None]:
  """Returns the text and the rating of the chosen step, or None."""
  choice = step.get('chosen_completion')
  if choice is not None:
    check(choice, int, file, f'{field}.chosen_completion')
    completions = get(step, 'completions', list, file, field)
    if not 0 <= choice < len(completions):
      reason = f'none at {describe(choice)}'
      raise TraceError(file, f'{field}.chosen_completion', reason)
    return _completion(completions[choice], file, f'{field}.completions')
  if isinstance(human := step.get('human_completion'), dict):
    return get(human, 'text', str, file, f'{field}.human_completion'), None
  return get_text(step, 'human_completion', file, field), None


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
  originals = []
  if question.get('pre_generated_steps') is not None:
    originals = get(question, 'pre_generated_steps', list, file, 'question')
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
    if not -1 <= rating <= 1:
      reason = f'not among -1, 0, 1: {describe(rating)}'
      raise TraceError(file, f'{field}.rating', reason)
  return text, rating

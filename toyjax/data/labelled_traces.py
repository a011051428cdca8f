"""A trace and where it first goes wrong, as every set of them is read."""

from typing import Any, NamedTuple

from toyjax.data.traces import TraceError, check, describe, get


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


def make_labelled(
  record: dict[str, Any],
  file: str,
  question_key: str,
  steps_key: str,
  index: int | None,
  field: str,
  kind: str,
) -> LabelledTrace:
  """Returns the record with its index checked against its steps.

  Args:
    record: that holds the question and the steps.
    file: where the record stands, for errors.
    question_key: of the question in the record.
    steps_key: of the list of steps.
    index: of the first wrong step, from 0, or None.
    field: where the index stands, for errors.
    kind: see `LabelledTrace`.

  Raises:
    TraceError: a text is missing or no text, or there is no such step.
  """
  question = get(record, question_key, str, file)
  steps = get(record, steps_key, list, file)
  for number, step in enumerate(steps):
    check(step, str, file, f'{steps_key}[{number}]')
  if index is not None and not 0 <= index < len(steps):
    reason = f'index {describe(index)} of {len(steps)} steps'
    raise TraceError(file, field, reason)
  return LabelledTrace(question, tuple(steps), FirstError(index), kind)

"""Every number between the input and the answer of a small net.

    params, x --walk--> embedding, z1, a1, z2, a2, ..., logits, prediction
    Walk --describe--> the same as text, one line a value

z_l = W_l a_(l-1) + b_l and a_l = ReLU(z_l), in the dtype of the weights.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from toyjax.analysis.nets import dense_layers


class Value(NamedTuple):
  """One intermediate value.

  Attributes:
    name: 'embedding', 'z1', 'a1', ..., then 'logits', or 'output' where there
      is one.
    numbers: [units].
  """

  name: str
  numbers: np.ndarray


class Walk(NamedTuple):
  """All that happens on the way of one input.

  Attributes:
    x: the input as given: a token's index, or [inputs].
    values: in the order they are computed; the last is the answer.
    prediction: the index of the largest logit, the lowest of several; None
      where the net has one output.
    tied: the indices of all logits that equal the largest, in exact comparison;
      one unless there is a tie, none where there is one output.
    dead_layers: numbers of the hidden layers (the first is 1) whose units are
      all off for this input.
  """

  x: np.ndarray
  values: tuple[Value, ...]
  prediction: int | None
  tied: tuple[int, ...]
  dead_layers: tuple[int, ...]


def walk(
  params: Any, x: ArrayLike, *, names: Sequence[str] | None = None
) -> Walk:
  """Follows one input through a stack of dense layers.

  Args:
    params: what `dense_layers.read_stack` reads: pairs (W, b), a toy's
      parameters, a flax.linen tree or a flax.nnx module.
    x: a token's index [] where the stack has an embedding; else [inputs], or
      [] where it has one input.
    names: see `dense_layers.read_stack`.

  Returns:
    The `Walk`.

  Raises:
    ValueError: on parameters that are no stack of dense layers, or an input
      that does not fit them.
  """
  stack = dense_layers.read_stack(params, names=names)
  x = np.asarray(x)
  values: list[Value] = []
  if stack.embedding is not None:
    num_tokens = len(stack.embedding)
    if x.ndim or x.dtype.kind not in 'iu' or not 0 <= x < num_tokens:
      raise ValueError(f'a token must be an integer in [0, {num_tokens}): {x}')
    a = stack.embedding[int(x)]
    values.append(Value('embedding', a))
  else:
    a = np.array(x, stack.layers[0].weight.dtype, ndmin=1)
    num_inputs = stack.layers[0].weight.shape[1]
    if a.shape != (num_inputs,):
      raise ValueError(f'the net takes [{num_inputs}] inputs: {x.shape}')
  dead = []
  for k, (weight, bias) in enumerate(stack.layers[:-1], start=1):
    z = weight @ a + bias
    a = np.maximum(z, 0)
    values += [Value(f'z{k}', z), Value(f'a{k}', a)]
    if not a.any():
      dead.append(k)
  weight, bias = stack.layers[-1]
  answer = weight @ a + bias
  is_number = len(answer) == 1
  values.append(Value('output' if is_number else 'logits', answer))
  tied = [] if is_number else np.flatnonzero(answer == answer.max()).tolist()
  return Walk(
    x=x,
    values=tuple(values),
    prediction=None if is_number else tied[0],
    tied=tuple(tied),
    dead_layers=tuple(dead),
  )


def describe(
  walked: Walk, *, digits: int, words: Sequence[str] | None = None
) -> str:
  """Returns a walk as text, one line a value, in the order of the walk.

  Args:
    walked: from `walk`.
    digits: after the decimal point, >= 0.
    words: the vocabulary [V], to name the input and the prediction by; else
      indices and numbers stand there.

  Raises:
    ValueError: if a word is missing for the input or a logit.
  """

  def name(token: int) -> str:
    return str(token) if words is None else repr(words[token])

  is_token = walked.values[0].name == 'embedding'
  if words is not None:
    num_needed = len(walked.values[-1].numbers)
    if len(words) < num_needed or (is_token and walked.x >= len(words)):
      raise ValueError(f'{len(words)} words do not name all tokens')
  x = name(int(walked.x)) if is_token else _text(walked.x, digits)
  lines = [('input', x)]
  for value in walked.values:
    note = ''
    layer = value.name.removeprefix('a')
    if layer.isdigit() and int(layer) in walked.dead_layers:
      note = '  (all units off)'
    lines.append((value.name, _text(value.numbers, digits) + note))
  if walked.prediction is None:
    prediction = f'{walked.values[-1].numbers[0]:.{digits}f}'
  else:
    prediction = name(walked.prediction)
    if len(walked.tied) > 1:
      tied = ', '.join(name(token) for token in walked.tied)
      prediction += f'  (tie of {tied}: the first is taken)'
  lines.append(('prediction', prediction))
  width = max(len(title) for title, _ in lines)
  return '\n'.join(f'{title:<{width}}  {text}' for title, text in lines)


def _text(numbers: np.ndarray, digits: int) -> str:
  if not np.ndim(numbers):
    return f'{numbers:.{digits}f}'
  return '[' + ', '.join(f'{number:.{digits}f}' for number in numbers) + ']'

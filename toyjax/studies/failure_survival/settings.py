"""Settings of the runs: a list a factor, the default first."""

import functools

from toyjax import optimizers, precision, settings
from toyjax.common_settings import SEED, borrow
from toyjax.parsers import COUNT, FACTOR, POSITIVE, Choice
from toyjax.settings import STATIC, fixed, machine
from toyjax.studies import optimization_failure


def parse_optimizer(text: str) -> str:
  """Accepts a name, or name@rate for an optimizer with a rate of its own.

  Raises:
    ValueError: on an unknown name, or a rate that float32 does not hold.
  """
  name, _, rate = text.partition('@')
  Choice(tuple(optimizers.HYPERPARAMETERS))(name)
  if '@' not in text:
    return text
  try:
    value = POSITIVE(rate)
    precision.require_held('rate', value, 'float32')
  except ValueError:
    raise ValueError(
      f'{text!r}: the rate after @ must be > 0, and finite in float32'
    ) from None
  return f'{name}@{settings.text_of(value)}'


_row = functools.partial(borrow, optimization_failure.SETTINGS)

# Those of lists are the factors.
SETTINGS = (
  _row('num_features', 7),
  _row('num_hidden', 2),
  _row(
    'optimizer',
    ['adamw', 'adam', 'rmsprop', 'momentum', 'sgd', 'momentum@0.1', 'sgd@1'],
    'Names; name@rate has a learning rate of its own, since 1e-3 suits Adam.',
  )._replace(parse=parse_optimizer),
  _row(
    'learning_rate',
    [1e-3, 1e-4, 3e-4, 3e-3, 1e-2, 3e-2],
    'Learning rate; 1e-3 is that of the study and of Elhage et al. 2022.',
  ),
  _row(
    'adam_eps',
    [1e-8, 1e-12, 1e-10, 1e-6, 1e-4, 1e-2],
    "Adam's, AdamW's and RMSprop's epsilon; 1e-8 is Kingma and Ba's.",
  ),
  _row(
    'adam_b2',
    [0.999, 0.9, 0.99, 0.9999],
    "Adam's and AdamW's beta 2, whose memory is 1 / (1 - beta 2) steps.",
  ),
  _row(
    'weight_decay',
    [1e-2, 0.0, 1e-3, 1e-1],
    "AdamW's decoupled decay; 1e-2 is PyTorch's default.",
  ),
  _row('init_scale', [1.0, 0.25, 0.5, 2.0, 4.0]),
  _row('loss_reduction', ['mean', 'sum']),
  _row(
    'dtype',
    ['float32', 'float64'],
    'Precision of the training; draws are the same.',
  )._replace(role=STATIC),
  _row('adam_b1', 0.9),
  _row('momentum', 0.9),
  _row('rmsprop_decay', 0.99, "RMSprop's rho, as in PyTorch."),
  _row('init', 'glorot_normal', 'Drawn for each seed.'),
  _row('num_steps', 25_000),
  _row('solved_sse', 1e-2, 'A run is solved when its SSE first is below.'),
  fixed(
    'near_factor',
    4.0,
    FACTOR,
    'A run has left symmetric failure when it fails the test under tolerances '
    'this many times as wide.',
  ),
  # Runs do not depend on it, nor does what a folder says of itself.
  machine(
    'report_steps',
    [5000, 25_000],
    COUNT,
    'Steps up to which events.csv counts; those past --num_steps are left out.',
  ),
  SEED,
)

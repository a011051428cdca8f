"""Settings of the trial of remedies against dead features."""

import functools

from toyjax.common_settings import DTYPE, SEED, borrow
from toyjax.parsers import (
  COUNT,
  MOST_FEATURES,
  NOT_NEGATIVE,
  POSITIVE,
  SEVERAL,
  Choice,
  Number,
)
from toyjax.roles import Role
from toyjax.settings import Values, fixed
from toyjax.studies import optimization_failure
from toyjax.toys.relu_autoencoder import Outcome

_row = functools.partial(borrow, optimization_failure.SETTINGS)
_KINDS = [o.name.lower() for o in Outcome if o.role == Role.FAILED]


def _increasing(value: list[int], is_given: bool, values: Values) -> list[int]:
  del is_given, values
  return sorted(value)


SETTINGS = (
  _row('num_features', 8, 'n, features; m is 2.')._replace(
    parse=Number(int, 3, MOST_FEATURES)
  ),
  fixed('optimizer', 'adamw', Choice(('adamw', 'adam')), 'Which Adam.'),
  _row(
    'init_scale',
    1.0,
    "Multiplies the start's standard deviation; 3 leaves features off.",
  ),
  _row('learning_rate', 1e-3, 'Learning rate; arms may multiply it.'),
  _row('adam_b1', 0.9),
  _row('adam_b2', 0.999),
  _row('adam_eps', 1e-8),
  _row('weight_decay', 1e-2),
  fixed(
    'state_steps',
    [5000, 25_000],
    SEVERAL,
    'Steps after which runs are stopped; those that have failed are states.',
    follow=_increasing,
  ),
  fixed(
    'kinds',
    _KINDS,
    Choice(tuple(_KINDS)),
    'Outcomes that make a state: those of the role failed.',
  ),
  _row('num_steps', 10_000, 'Steps from a state on: repaired means in these.'),
  _row('solved_sse', 1e-2)._replace(role='fixed'),
  fixed(
    'alive_norm',
    0.2,
    POSITIVE,
    'Of a resampled row, in units of the mean live norm; .2 in the source.',
  ),
  fixed(
    'delta',
    [0.1, 0.0, 0.05, 0.2],
    NOT_NEGATIVE,
    "The repulsor's Δ, added to biases of live features; the first one by "
    'default.',
  ),
  fixed(
    'factor',
    [0.05, 0.2, 1.0],
    POSITIVE,
    "Norm of the repulsor's row, in units of the mean live norm; .05 in the "
    'source.',
  ),
  fixed(
    'rate',
    [3.0],
    POSITIVE,
    'What the learning rate is multiplied by in arms of their own.',
  ),
  fixed('scale', 1.1, POSITIVE, 'What W is multiplied by in the arm scaled.'),
  fixed(
    'noise',
    1e-2,
    NOT_NEGATIVE,
    'Standard deviation of what tells rows apart, in units of the mean live '
    'norm.',
  ),
  fixed('spell_evaluations', 1000, COUNT, 'Of F and its gradient in a spell.'),
  fixed('num_pairs', 5, Number(int, 1, 100), 'Steps that L-BFGS remembers.'),
  SEED,
  DTYPE,
)

"""The settings of the optimizers, each a list that a sweep may span.

rows --> values; one run's traced settings x --make--> optax optimizer
"""

from collections.abc import Mapping
from typing import Any

import jax
import optax

from toyjax import optimizers
from toyjax.base import Array
from toyjax.parsers import NOT_NEGATIVE, POSITIVE, Choice
from toyjax.settings import Setting, fixed, static, traced

# Setting -> name in `optimizers.HYPERPARAMETERS`.
HYPERPARAMETERS = {
  'weight_decay': 'weight_decay',
  'adam_eps': 'eps',
  'adam_b1': 'b1',
  'adam_b2': 'b2',
  'momentum': 'momentum',
  'rmsprop_decay': 'decay',
}
BELOW_ONE = ('adam_b1', 'adam_b2', 'momentum', 'rmsprop_decay')

_NAMES = tuple(optimizers.HYPERPARAMETERS)
_LABELS = {'weight_decay': 'decay', 'adam_eps': 'eps'}


def optimizer(default: str, **fields: Any) -> Setting:
  """Returns the row of the name of the optimizer."""
  text = f'Among {", ".join(_NAMES)}.'
  return static('optimizer', [default], Choice(_NAMES), text, **fields)


def learning_rate(default: float, text: str) -> Setting:
  """Returns the row of the learning rate, with a help of its own."""
  return traced('learning_rate', [default], POSITIVE, text, label='lr')


def _row(name: str, default: float, text: str) -> Setting:
  inner = HYPERPARAMETERS[name]
  users = tuple(n for n in _NAMES if inner in optimizers.HYPERPARAMETERS[n])
  return traced(
    name,
    [default],
    NOT_NEGATIVE,
    text,
    label=_LABELS.get(name),
    is_below_one=name in BELOW_ONE,
    needs=('optimizer', users),
  )


def schedule(default: str, text: str) -> Setting:
  """Returns the row of the schedule of the rate, with a help of its own."""
  return fixed('schedule', default, Choice(optimizers.SCHEDULES), text)


# All of `HYPERPARAMETERS`.
ROWS = (
  _row('weight_decay', 1e-2, "AdamW's decoupled decay."),
  _row('adam_eps', 1e-8, "Adam's, AdamW's and RMSprop's epsilon."),
  _row('adam_b1', 0.9, "Adam's and AdamW's beta 1."),
  _row('adam_b2', 0.999, "Adam's and AdamW's beta 2."),
  _row('momentum', 0.9, "Momentum's mu."),
  _row('rmsprop_decay', 0.99, "RMSprop's rho."),
)


def used(name: str) -> list[str]:
  """Returns the settings among `HYPERPARAMETERS` that an optimizer uses."""
  inner = optimizers.HYPERPARAMETERS[name]
  return [setting for setting, n in HYPERPARAMETERS.items() if n in inner]


def make(
  name: str,
  x: Mapping[str, Array],
  *,
  schedule: optax.Schedule | None,
  dtype: jax.typing.DTypeLike,
) -> optax.GradientTransformation:
  """Builds the optimizer of one run.

  Args:
    name: of the optimizer.
    x: the run's traced settings: learning_rate, and those that `used` names.
    schedule: step -> factor of the learning rate, or None for a constant.
    dtype: that numbers are cast to.
  """
  return optimizers.make(
    name,
    learning_rate=x['learning_rate'].astype(dtype),
    schedule=schedule,
    **{
      HYPERPARAMETERS[setting]: x[setting].astype(dtype)
      for setting in used(name)
    },
  )

"""Flags of the optimizers, each a list that a sweep may span, and their use.

flags --check--> settings; one run's traced flags x --make--> optax optimizer
"""

from collections.abc import Mapping
from typing import Any

from absl import flags
import jax
import optax

from scripts.shared import precision
from scripts.shared.list_flags import choice, define_list, number
from toyjax import optimizers
from toyjax.base import Array

flags.disclaim_key_flags()

# Flag -> name in `optimizers.HYPERPARAMETERS`, where they differ in clarity.
OPTIMIZER_FLAGS = {
  'weight_decay': 'weight_decay',
  'adam_eps': 'eps',
  'adam_b1': 'b1',
  'adam_b2': 'b2',
  'momentum': 'momentum',
  'rmsprop_decay': 'decay',
}

# Flag -> its name in the label of a configuration.
SHORT = {'learning_rate': 'lr', 'weight_decay': 'decay', 'adam_eps': 'eps'}

BELOW_ONE = ('adam_b1', 'adam_b2', 'momentum', 'rmsprop_decay')


def define(*, optimizer: str, learning_rate: float, rate_help: str) -> None:
  """Defines --optimizer, --learning_rate and all of `OPTIMIZER_FLAGS`."""
  not_negative = number(float, 0.0)
  define_list(
    'optimizer',
    [optimizer],
    choice(tuple(optimizers.HYPERPARAMETERS)),
    f'Among {", ".join(optimizers.HYPERPARAMETERS)}.',
  )
  define_list(
    'learning_rate',
    [learning_rate],
    number(float, 0.0, exclusive=True),
    rate_help,
  )
  define_list('weight_decay', [1e-2], not_negative, "AdamW's decoupled decay.")
  define_list(
    'adam_eps', [1e-8], not_negative, "Adam's, AdamW's and RMSprop's epsilon."
  )
  define_list('adam_b1', [0.9], not_negative, "Adam's and AdamW's beta 1.")
  define_list('adam_b2', [0.999], not_negative, "Adam's and AdamW's beta 2.")
  define_list('momentum', [0.9], not_negative, "Momentum's mu.")
  define_list('rmsprop_decay', [0.99], not_negative, "RMSprop's rho.")


def check(settings: Mapping[str, Any]) -> None:
  """Checks the lists against each other, and all numbers against the dtype.

  Raises:
    flags.Error: naming the flag that is out of range or used by no optimizer.
  """
  precision.check(settings, settings['dtype'], below_one=BELOW_ONE)
  for name, hyperparameter in OPTIMIZER_FLAGS.items():
    users = [
      optimizer
      for optimizer in settings['optimizer']
      if hyperparameter in optimizers.HYPERPARAMETERS[optimizer]
    ]
    if len(settings[name]) > 1 and not users:
      raise flags.Error(
        f'--{name} lists {len(settings[name])} values that '
        f'{", ".join(settings["optimizer"])} does not use'
      )


def used(optimizer: str) -> list[str]:
  """Returns the flags of `OPTIMIZER_FLAGS` that an optimizer uses."""
  names = optimizers.HYPERPARAMETERS[optimizer]
  return [flag for flag, name in OPTIMIZER_FLAGS.items() if name in names]


def make(
  optimizer: str,
  x: Mapping[str, Array],
  *,
  schedule: optax.Schedule | None,
  dtype: jax.typing.DTypeLike,
) -> optax.GradientTransformation:
  """Builds the optimizer of one run.

  Args:
    optimizer: its name.
    x: the run's traced flags: learning_rate, and those that `used` names.
    schedule: step -> factor of the learning rate, or None for a constant.
    dtype: that numbers are cast to.
  """
  return optimizers.make(
    optimizer,
    learning_rate=x['learning_rate'].astype(dtype),
    schedule=schedule,
    **{
      OPTIMIZER_FLAGS[flag]: x[flag].astype(dtype) for flag in used(optimizer)
    },
  )

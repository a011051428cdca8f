"""Flags of the net of one variable, for its sweep and for the walk of one net.

flags --read--> settings, checked --make_groups--> groups of the grid
"""

from collections.abc import Mapping
import math
from typing import Any

from absl import flags
import numpy as np

from scripts.shared import grids, optimizer_flags
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import (
  MOST_LAYERS,
  MOST_POINTS,
  MOST_UNITS,
  define_float,
  define_integer,
)
from scripts.shared.optimizer_flags import OPTIMIZER_FLAGS
from toyjax.toys import sqrt_mlp

flags.disclaim_key_flags()

SHAPES = {'hidden_dim': 'h'}
CHOICES = ('target', 'optimizer', 'init')
ALWAYS_TRACED = ('learning_rate', 'init_scale')
LISTS = (*SHAPES, *CHOICES, *ALWAYS_TRACED, *OPTIMIZER_FLAGS)
SCALARS = (
  'coefficients',
  'low',
  'high',
  'num_hidden_layers',
  'num_points',
  'spacing',
  'num_steps',
  'solved_rmse',
  'seed',
  'dtype',
)


def define() -> None:
  """Defines the flags of the target, the net and its training."""
  positive = number(float, 0.0, exclusive=True)
  define_list(
    'target',
    ['sqrt'],
    choice(sqrt_mlp.TARGETS),
    f'Functions to be fitted, among {", ".join(sqrt_mlp.TARGETS)}.',
  )
  define_list(
    'coefficients',
    [],
    number(float, -math.inf),
    'Of the target polynomial, the constant first: 1,0,-2 is 1 - 2 x^2.',
    is_swept=False,
  )
  define_float(
    'low', 0.0, 'Left end of the interval. The source gives none: ours.'
  )
  define_float(
    'high', 4.0, 'Right end of the interval. The source gives none: ours.'
  )
  define_list(
    'hidden_dim',
    [2],
    number(int, 1, MOST_UNITS),
    "Units of each hidden layer; 2 in the source's net 1-2-2-1.",
  )
  define_integer(
    'num_hidden_layers',
    2,
    'Hidden ReLU layers; 2 in the source.',
    1,
    upper=MOST_LAYERS,
  )
  optimizer_flags.define(
    optimizer='adam',
    learning_rate=1e-2,
    rate_help='Of every optimizer. The source gives neither optimizer nor '
    'rate: ours.',
  )
  define_list(
    'init',
    ['torch_linear'],
    choice(tuple(sqrt_mlp.INITS)),
    f'Among {", ".join(sqrt_mlp.INITS)}; always drawn per seed.',
  )
  define_list(
    'init_scale', [1.0], positive, 'Multiplies weights and biases at the start.'
  )
  define_integer(
    'num_points',
    64,
    'Points of a batch, and of the grid of the errors.',
    3,
    upper=MOST_POINTS,
  )
  flags.DEFINE_enum(
    'spacing',
    'even',
    sqrt_mlp.SPACINGS,
    'Of the training points: an even grid with both ends, or fresh uniform '
    'draws each step. Errors are always those on the even grid.',
  )
  define_integer(
    'num_steps', 2000, 'Steps of each run. The source gives none: ours.', 2
  )
  define_float(
    'solved_rmse',
    0.05,
    'A run has reached its level when its root mean squared error, in the '
    "target's units, is below.",
    lower=0.0,
  )


def read() -> dict[str, Any]:
  """Returns the flags defined here, --seed and --dtype, checked.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {
    name: FLAGS[name].value for name in (*LISTS, *SCALARS)
  }
  optimizer_flags.check(settings)
  low, high = settings['low'], settings['high']
  for target in settings['target']:
    try:
      sqrt_mlp.check_interval(target, low, high)
    except ValueError as error:
      raise flags.Error(f'--low={low:g} --high={high:g}: {error}') from None
  ends = np.asarray([low, high], settings['dtype'])
  if ends[0] == ends[1]:
    raise flags.Error(
      f'--low={low} --high={high} are one number in {settings["dtype"]}'
    )
  coefficients = settings['coefficients']
  if 'polynomial' in settings['target']:
    if not any(coefficients[2:]):
      raise flags.Error(
        f'--coefficients={",".join(f"{c:g}" for c in coefficients)} must give '
        'the target polynomial a power of 2 or more'
      )
  elif coefficients:
    raise flags.Error('--coefficients belong to --target=polynomial alone')
  return settings


def make_groups(settings: Mapping[str, Any]) -> list[grids.Group]:
  """Returns the groups of the grid; each traces the flags it really uses."""

  def traced(static: Mapping[str, Any]) -> list[str]:
    return [*ALWAYS_TRACED, *optimizer_flags.used(static['optimizer'])]

  return list(
    grids.make_groups(settings, shapes=SHAPES, choices=CHOICES, traced=traced)
  )

"""Settings of the net of one variable, for its sweep and for one net alone."""

import numpy as np

from toyjax import optimizer_settings, settings
from toyjax.optimizer_settings import POSITIVE
from toyjax.parsers import (
  MOST_LAYERS,
  MOST_POINTS,
  MOST_UNITS,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import (
  FIXED,
  REPORTED,
  SHAPE,
  STATIC,
  TRACED,
  Setting,
  Values,
)
from toyjax.toys import sqrt_mlp

_TARGETS = ', '.join(sqrt_mlp.TARGETS)
_INITS = ', '.join(sqrt_mlp.INITS)

# The target, the net and its training.
NET = (
  Setting(
    'hidden_dim',
    [2],
    Number(int, 1, MOST_UNITS),
    SHAPE,
    "Units of each hidden layer; 2 in the source's net 1-2-2-1.",
    letter='h',
  ),
  Setting(
    'target',
    ['sqrt'],
    Choice(sqrt_mlp.TARGETS),
    STATIC,
    f'Functions to be fitted, among {_TARGETS}.',
  ),
  optimizer_settings.optimizer('adam'),
  Setting(
    'init',
    ['torch_linear'],
    Choice(tuple(sqrt_mlp.INITS)),
    STATIC,
    f'Among {_INITS}; always drawn per seed.',
  ),
  optimizer_settings.learning_rate(
    1e-2,
    'Of every optimizer. The source gives neither optimizer nor rate: ours.',
  ),
  Setting(
    'init_scale',
    [1.0],
    POSITIVE,
    TRACED,
    'Multiplies weights and biases at the start.',
  ),
  *optimizer_settings.ROWS,
  Setting(
    'coefficients',
    [],
    Number(float),
    FIXED,
    'Of the target polynomial, the constant first: 1,0,-2 is 1 - 2 x^2.',
    is_vector=True,
  ),
  Setting(
    'low',
    0.0,
    Number(float),
    FIXED,
    'Left end of the interval. The source gives none: ours.',
  ),
  Setting(
    'high',
    4.0,
    Number(float),
    FIXED,
    'Right end of the interval. The source gives none: ours.',
  ),
  Setting(
    'num_hidden_layers',
    2,
    Number(int, 1, MOST_LAYERS),
    FIXED,
    'Hidden ReLU layers; 2 in the source.',
  ),
  Setting(
    'num_points',
    64,
    Number(int, 3, MOST_POINTS),
    FIXED,
    'Points of a batch, and of the grid of the errors.',
  ),
  Setting(
    'spacing',
    'even',
    Choice(sqrt_mlp.SPACINGS),
    FIXED,
    'Of the training points: an even grid with both ends, or fresh uniform '
    'draws each step. Errors are always those on the even grid.',
  ),
)
STEPS = settings.steps(
  2000,
  [200, 500, 1000, 2000],
  about='Steps of each run. The source gives none: ours.',
  least=2,
)
LEVEL = Setting(
  'solved_rmse',
  0.05,
  Number(float, 0.0),
  REPORTED,
  'A run has reached its level when its root mean squared error, in the '
  "target's units, is below.",
)
SETTINGS = (
  *NET,
  *STEPS,
  LEVEL,
  Setting(
    'num_counted',
    1000,
    Number(int, 1),
    REPORTED,
    'Runs a configuration whose formula is found and compared: the first ones.',
  ),
  Setting(
    'num_checked',
    1000,
    Number(int, 2, MOST_POINTS),
    REPORTED,
    'Even points of the interval at which a formula is compared with its net.',
  ),
  Setting(
    'newton_start',
    1.0,
    Number(float, 1e-6),
    REPORTED,
    "Where Newton's iteration for √x starts, at every x.",
  ),
  Setting(
    'newton_iterations',
    12,
    Number(int, 0, 1000),
    REPORTED,
    "Of Newton's iteration, three operations each.",
  ),
  settings.SEED,
  settings.DTYPE,
)


def complete(values: Values) -> Values:
  """Returns the values, which fit each other.

  Raises:
    SettingError: naming the setting that does not.
  """
  low, high = values['low'], values['high']
  for target in values['target']:
    try:
      sqrt_mlp.check_interval(target, low, high)
    except ValueError as error:
      raise SettingError(f'--low={low:g} --high={high:g}: {error}') from None
  ends = np.asarray([low, high], values['dtype'])
  if ends[0] == ends[1]:
    raise SettingError(
      f'--low={low} --high={high} are one number in {values["dtype"]}'
    )
  coefficients = values['coefficients']
  if 'polynomial' in values['target']:
    if not any(coefficients[2:]):
      raise SettingError(
        f'--coefficients={",".join(f"{c:g}" for c in coefficients)} must give '
        'the target polynomial a power of 2 or more'
      )
  elif coefficients:
    raise SettingError('--coefficients belong to --target=polynomial alone')
  return values

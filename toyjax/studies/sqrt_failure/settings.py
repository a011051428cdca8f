"""Settings of the net of one variable, for its sweep and for one net alone."""

import numpy as np

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, SEED, init, steps
from toyjax.parsers import (
  ANY,
  COUNT,
  LAYERS,
  MOST_POINTS,
  NOT_NEGATIVE,
  POSITIVE,
  UNITS,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import Values, fixed, reported, shape, static, traced
from toyjax.toys import sqrt_mlp

_TARGETS = ', '.join(sqrt_mlp.TARGETS)

# The target, the net and its training.
NET = (
  shape(
    'hidden_dim',
    [2],
    UNITS,
    "Units of each hidden layer; 2 in the source's net 1-2-2-1.",
    letter='h',
  ),
  static(
    'target',
    ['sqrt'],
    Choice(sqrt_mlp.TARGETS),
    f'Functions to be fitted, among {_TARGETS}.',
  ),
  optimizer_settings.optimizer('adam'),
  init(sqrt_mlp.INITS, 'torch_linear'),
  optimizer_settings.learning_rate(
    1e-2,
    'Of every optimizer. The source gives neither optimizer nor rate: ours.',
  ),
  traced(
    'init_scale', [1.0], POSITIVE, 'Multiplies weights and biases at the start.'
  ),
  *optimizer_settings.ROWS,
  fixed(
    'coefficients',
    [],
    ANY,
    'Of the target polynomial, the constant first: 1,0,-2 is 1 - 2 x^2.',
    is_vector=True,
  ),
  fixed(
    'low', 0.0, ANY, 'Left end of the interval. The source gives none: ours.'
  ),
  fixed(
    'high', 4.0, ANY, 'Right end of the interval. The source gives none: ours.'
  ),
  fixed('num_hidden_layers', 2, LAYERS, 'Hidden ReLU layers; 2 in the source.'),
  fixed(
    'num_points',
    64,
    Number(int, 3, MOST_POINTS),
    'Points of a batch, and of the grid of the errors.',
  ),
  fixed(
    'spacing',
    'even',
    Choice(sqrt_mlp.SPACINGS),
    'Of the training points: an even grid with both ends, or fresh uniform '
    'draws each step. Errors are always those on the even grid.',
  ),
)
STEPS = steps(
  2000,
  [200, 500, 1000, 2000],
  about='Steps of each run. The source gives none: ours.',
  least=2,
)
LEVEL = reported(
  'solved_rmse',
  0.05,
  NOT_NEGATIVE,
  'A run has reached its level when its root mean squared error, in the '
  "target's units, is below.",
)
SETTINGS = (
  *NET,
  *STEPS,
  LEVEL,
  reported(
    'num_counted',
    1000,
    COUNT,
    'Runs a configuration whose formula is found and compared: the first ones.',
  ),
  reported(
    'num_checked',
    1000,
    Number(int, 2, MOST_POINTS),
    'Even points of the interval at which a formula is compared with its net.',
  ),
  reported(
    'newton_start',
    1.0,
    Number(float, 1e-6),
    "Where Newton's iteration for √x starts, at every x.",
  ),
  reported(
    'newton_iterations',
    12,
    Number(int, 0, 1000),
    "Of Newton's iteration, three operations each.",
  ),
  SEED,
  DTYPE,
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

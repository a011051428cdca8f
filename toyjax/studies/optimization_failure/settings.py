"""Settings of the ReLU autoencoder's training on one-hot data."""

from toyjax import optimizer_settings, optimizers, settings
from toyjax.optimizer_settings import POSITIVE
from toyjax.parsers import MOST_FEATURES, Choice, Number, SettingError
from toyjax.settings import (
  FIXED,
  REPORTED,
  SHAPE,
  STATIC,
  TRACED,
  Setting,
  Values,
)
from toyjax.toys import relu_autoencoder

_INITS = ', '.join(relu_autoencoder.INITS)

SETTINGS = (
  Setting(
    'num_features',
    [6, 7, 8],
    Number(int, 2, MOST_FEATURES),
    SHAPE,
    'n, features.',
    letter='n',
    label='n',
  ),
  Setting(
    'num_hidden',
    [2],
    Number(int, 1, MOST_FEATURES),
    SHAPE,
    'm, hidden dimensions.',
    letter='m',
    label='m',
  ),
  optimizer_settings.optimizer('adamw'),
  Setting(
    'init',
    ['glorot_normal'],
    Choice(tuple(relu_autoencoder.INITS)),
    STATIC,
    f'Among {_INITS}; always drawn per seed.',
  ),
  Setting(
    'loss_reduction',
    ['mean'],
    Choice(relu_autoencoder.LOSS_REDUCTIONS),
    STATIC,
    'mean (over samples and features) or sum.',
  ),
  optimizer_settings.learning_rate(1e-3, 'Peak learning rate.'),
  Setting(
    'init_scale',
    [1.0],
    POSITIVE,
    TRACED,
    "Multiplies the init's standard deviation.",
  ),
  *optimizer_settings.ROWS,
  Setting(
    'schedule',
    'constant',
    Choice(optimizers.SCHEDULES),
    FIXED,
    'Of the learning rate.',
  ),
  Setting(
    'warmup_steps',
    2500,
    Number(int, 0),
    FIXED,
    'Warm-up of the warmup_cosine schedule.',
  ),
  *settings.steps(
    25_000,
    [1000, 2500, 5000, 10_000, 15_000, 25_000],
    about='Steps of each run.',
    least=2,
  ),
  Setting(
    'solved_sse',
    1e-2,
    Number(float, 0.0),
    REPORTED,
    'A run is solved when its sum of squared errors over the n samples is '
    'below.',
  ),
  settings.SEED,
  settings.DTYPE,
)


def complete(values: Values) -> Values:
  """Returns the values, which fit each other.

  Raises:
    SettingError: where the warm-up does not end within the run.
  """
  num_steps, warmup_steps = values['num_steps'], values['warmup_steps']
  if values['schedule'] != 'constant' and warmup_steps >= num_steps:
    raise SettingError(
      f'--warmup_steps={warmup_steps} must be < --num_steps={num_steps}'
    )
  return values


def shorten(values: Values, num_steps: int) -> Values:
  """Returns values of a shorter run, for estimates."""
  return {
    **values,
    'num_steps': num_steps,
    'observe_steps': [num_steps],
    'warmup_steps': min(values['warmup_steps'], num_steps - 1),
  }

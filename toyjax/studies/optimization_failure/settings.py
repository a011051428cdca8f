"""Settings of the ReLU autoencoder's training on one-hot data."""

from toyjax import optimizer_settings, optimizers
from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, init, steps
from toyjax.parsers import (
  FEATURES,
  MOST_FEATURES,
  NATURAL,
  NOT_NEGATIVE,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import Values, fixed, reported, shape, static
from toyjax.toys import relu_autoencoder

SETTINGS = (
  shape(
    'num_features', [6, 7, 8], FEATURES, 'n, features.', letter='n', label='n'
  ),
  shape(
    'num_hidden',
    [2],
    Number(int, 1, MOST_FEATURES),
    'm, hidden dimensions.',
    letter='m',
    label='m',
  ),
  optimizer_settings.optimizer('adamw'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  static(
    'loss_reduction',
    ['mean'],
    Choice(relu_autoencoder.LOSS_REDUCTIONS),
    'mean (over samples and features) or sum.',
  ),
  optimizer_settings.learning_rate(1e-3, 'Peak learning rate.'),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  fixed(
    'schedule',
    'constant',
    Choice(optimizers.SCHEDULES),
    'Of the learning rate.',
  ),
  fixed(
    'warmup_steps', 2500, NATURAL, 'Warm-up of the warmup_cosine schedule.'
  ),
  *steps(
    25_000,
    [1000, 2500, 5000, 10_000, 15_000, 25_000],
    about='Steps of each run.',
    least=2,
  ),
  reported(
    'solved_sse',
    1e-2,
    NOT_NEGATIVE,
    'A run is solved when its sum of squared errors over the n samples is '
    'below.',
  ),
  SEED,
  DTYPE,
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

"""Settings of the phase diagram of superposition."""

from toyjax import optimizer_settings, settings
from toyjax.optimizer_settings import POSITIVE
from toyjax.parsers import MOST_POINTS, Choice, Number
from toyjax.settings import FIXED, REPORTED, STATIC, TRACED, Setting
from toyjax.toys import relu_autoencoder

_INITS = ', '.join(relu_autoencoder.INITS)

SETTINGS = (
  optimizer_settings.optimizer('adam'),
  Setting(
    'init',
    ['glorot_normal'],
    Choice(tuple(relu_autoencoder.INITS)),
    STATIC,
    f'Among {_INITS}; always drawn per seed.',
  ),
  Setting(
    'density',
    [0.03, 0.06, 0.12, 0.24, 0.48, 0.96],
    Number(float, 0.0, 1.0, exclusive=True),
    TRACED,
    's, the probability that a feature is there; the source plots 1 to .01.',
    label='s',
  ),
  Setting(
    'importance',
    [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
    POSITIVE,
    TRACED,
    'r, of the second feature; the first has 1. The source plots .1 to 10.',
    label='r',
  ),
  optimizer_settings.learning_rate(
    1e-2, "Of every optimizer; the source's 1e-3 takes ten times the steps."
  ),
  Setting(
    'init_scale',
    [1.0],
    POSITIVE,
    TRACED,
    "Multiplies the init's standard deviation.",
  ),
  *optimizer_settings.ROWS,
  Setting(
    'batch_size',
    64,
    Number(int, 1, MOST_POINTS),
    FIXED,
    'Fresh samples a step; 1,024 in the source.',
  ),
  *settings.steps(
    2000,
    [250, 500, 1000, 2000],
    about='Steps of each run; 10,000 in the source.',
    least=1,
  ),
  Setting(
    'near',
    0.05,
    Number(float, 0.0),
    REPORTED,
    'A run has found the optimum when its expected loss is above that of the '
    'optimum by no more than this share of it.',
  ),
  settings.SEED,
  settings.DTYPE,
)

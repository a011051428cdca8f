"""Settings of the phase diagram of superposition."""

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, init, steps
from toyjax.parsers import NOT_NEGATIVE, POINTS, POSITIVE, Number
from toyjax.settings import fixed, reported, traced
from toyjax.toys import relu_autoencoder

SETTINGS = (
  optimizer_settings.optimizer('adam'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  traced(
    'density',
    [0.03, 0.06, 0.12, 0.24, 0.48, 0.96],
    Number(float, 0.0, 1.0, exclusive=True),
    's, the probability that a feature is there; the source plots 1 to .01.',
    label='s',
  ),
  traced(
    'importance',
    [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
    POSITIVE,
    'r, of the second feature; the first has 1. The source plots .1 to 10.',
    label='r',
  ),
  optimizer_settings.learning_rate(
    1e-2, "Of every optimizer; the source's 1e-3 takes ten times the steps."
  ),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  fixed('batch_size', 64, POINTS, 'Fresh samples a step; 1,024 in the source.'),
  *steps(
    2000,
    [250, 500, 1000, 2000],
    about='Steps of each run; 10,000 in the source.',
    least=1,
  ),
  reported(
    'near',
    0.05,
    NOT_NEGATIVE,
    'A run has found the optimum when its expected loss is above that of the '
    'optimum by no more than this share of it.',
  ),
  SEED,
  DTYPE,
)

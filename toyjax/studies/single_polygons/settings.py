"""Settings of the polygons of one feature at a time."""

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, init, steps
from toyjax.parsers import NOT_NEGATIVE, POINTS, Number
from toyjax.settings import fixed, reported, shape
from toyjax.toys import relu_autoencoder

SETTINGS = (
  shape(
    'num_features',
    [6],
    Number(int, 3, 8),
    'n, in two dimensions; 6 in the source.',
    letter='n',
    label='n',
  ),
  optimizer_settings.optimizer('adam'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  optimizer_settings.learning_rate(3e-3, 'Of every optimizer.'),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  fixed('batch_size', 128, POINTS, 'Fresh samples a step.'),
  *steps(
    10_000,
    [500, 1000, 2000, 5000, 10_000],
    about='Steps of each run; 4,500 epochs in the source.',
    least=1,
  ),
  reported(
    'near',
    0.05,
    NOT_NEGATIVE,
    'A run is near a polygon when its expected loss is above that of the '
    'polygon by no more than this share of it.',
  ),
  SEED,
  DTYPE,
)

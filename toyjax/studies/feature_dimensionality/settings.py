"""Settings of the dimensionality of features."""

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, init, steps
from toyjax.parsers import (
  COUNT,
  FEATURES,
  MOST_FEATURES,
  NOT_NEGATIVE,
  POINTS,
  Number,
)
from toyjax.settings import fixed, reported, shape, traced
from toyjax.toys import relu_autoencoder

SETTINGS = (
  shape(
    'num_features',
    [200],
    FEATURES,
    'n, features; 400 in the source.',
    letter='n',
    label='n',
  ),
  shape(
    'num_hidden',
    [20],
    Number(int, 1, MOST_FEATURES),
    'm, hidden dimensions; 30 in the source.',
    letter='m',
    label='m',
  ),
  optimizer_settings.optimizer('adam'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  traced(
    'density',
    [
      *(0.02, 0.05, 0.1, 0.15, 0.175, 0.2, 0.225, 0.25, 0.3, 0.35, 0.4, 0.45),
      *(0.5, 0.55, 0.6, 0.7, 0.8, 1.0),
    ],
    Number(float, 0.0, 1.0, exclusive=True),
    'p = 1 - S, the probability that a feature is there.',
    label='p',
  ),
  optimizer_settings.learning_rate(
    1e-2, "Of every optimizer; the source's 1e-3 takes ten times the steps."
  ),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  optimizer_settings.schedule(
    'warmup_cosine', 'Without a warm-up; the source has a constant rate.'
  ),
  fixed(
    'batch_size', 256, POINTS, 'Fresh samples a step; 1,024 in the source.'
  ),
  *steps(
    2000,
    [1000, 2000],
    about='Steps of each run; 10,000 in the source.',
    least=2,
  ),
  fixed(
    'num_evaluations',
    64,
    COUNT,
    'Batches, the same for all seeds, whose mean loss a net has.',
  ),
  reported(
    'distance',
    0.01,
    NOT_NEGATIVE,
    'A feature is at a line where its D_i is no further from it.',
  ),
  reported(
    'margin',
    0.1,
    NOT_NEGATIVE,
    'A run misses the least loss of all seeds where it is above by more than '
    'this share of what a feature that is left out costs, p/3 - p²/4 of n.',
  ),
  SEED,
  DTYPE,
)

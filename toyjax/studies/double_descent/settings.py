"""Settings of double descent in the number of samples."""

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, init, share
from toyjax.parsers import (
  COUNT,
  FEATURES,
  NATURAL,
  NOT_NEGATIVE,
  POINTS,
  PROBABILITY,
  Choice,
  Number,
)
from toyjax.settings import fixed, reported, shape, static, traced
from toyjax.toys import relu_autoencoder

SETTINGS = (
  shape(
    'num_features',
    [1000],
    FEATURES,
    'n; m is 2. The source has 10,000.',
    letter='n',
    label='n',
  ),
  shape(
    'num_samples',
    [3, 6, 12, 30, 100, 300, 1000, 2000],
    Number(int, 3, 100_000),
    'T, of the fixed samples; the source plots 3 to 100,000.',
    letter='T',
    label='T',
  ),
  optimizer_settings.optimizer('adamw'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  static(
    'row_length',
    ['unit'],
    Choice(('unit', 'raw')),
    "Samples of length 1, the source's, or as they are drawn.",
    label='rows',
  ),
  static(
    'loss_reduction',
    ['mean'],
    Choice(relu_autoencoder.LOSS_REDUCTIONS),
    "Over samples and features; a sum makes Adam's epsilon small beside it.",
    label='loss',
  ),
  traced(
    'sparsity',
    [0.99],
    PROBABILITY,
    'S, the probability that a feature is absent; .999 in the source, which '
    'leaves 10 of n = 10,000.',
    label='S',
  ),
  optimizer_settings.learning_rate(
    1e-2,
    "Peak of warm-up and cosine. The source's 1e-3 takes ten times the steps.",
  ),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  traced(
    'data_seed',
    [0],
    NATURAL,
    'Of the samples, which all seeds share; fewer are the first of more.',
    label='data',
  ),
  fixed('num_steps', 1500, COUNT, 'Full-batch steps; 50,000 in the source.'),
  share('warmup', 0.05, 'Share of the steps in which the rate rises.'),
  fixed('num_test', 8000, POINTS, 'Fresh samples, in blocks of 100.'),
  fixed(
    'row_block',
    4096,
    COUNT,
    'Of more samples than these, a step holds so many at a time.',
  ),
  reported(
    'near',
    0.05,
    NOT_NEGATIVE,
    'A run is near the lowest loss of its samples when it is above it by no '
    'more than this share of what that run gains on a constant answer.',
  ),
  SEED,
  DTYPE,
)

"""Settings of the study of sparse autoencoders on features that are known."""

from toyjax import optimizer_settings
from toyjax.common_settings import DTYPE, SEED, steps
from toyjax.parsers import (
  COUNT,
  NOT_NEGATIVE,
  POINTS,
  PROBABILITY,
  UNITS,
  Choice,
)
from toyjax.settings import fixed, static, traced
from toyjax.studies import banks

SETTINGS = (
  static(
    'sparsity',
    ['l1', 'top_k'],
    Choice(('l1', 'top_k')),
    'What keeps latents at 0: a penalty, or that only the largest stay.',
    label='',
  ),
  static(
    'encoder',
    ['untied', 'tied'],
    Choice(('untied', 'tied')),
    "Whether the encoder is the decoder's transpose throughout.",
    label='',
  ),
  optimizer_settings.optimizer('adam'),
  traced(
    'l1',
    [1.5],
    NOT_NEGATIVE,
    'λ of the penalty; of .2, .5, 1, 1.5 the best on two other seeds, the rate '
    'of 1e-3 or 3e-3 chosen with it.',
    needs=('sparsity', ('l1',)),
  ),
  optimizer_settings.learning_rate(3e-3, 'Of every optimizer.'),
  *optimizer_settings.ROWS,
  *banks.SETTINGS,
  traced(
    'centering',
    [0.0, 1.0],
    PROBABILITY,
    "The decoder's bias at the start, as a share of the mean of the data.",
    label='c',
  ),
  fixed('num_latents', 64, UNITS, 'M, latents.'),
  fixed(
    'top_k',
    2,
    COUNT,
    'Latents that stay, of sparsity top_k; the better of 2, 3 on those seeds.',
  ),
  fixed('batch_size', 256, POINTS, 'Fresh inputs a step.'),
  fixed(
    'num_fresh',
    8000,
    POINTS,
    'Fresh inputs that latents are labelled on; dead is fewer than 1 in 1,000.',
  ),
  *steps(3000, [100, 300, 1000, 3000], about='Steps of each run.', least=1),
  SEED,
  DTYPE,
)

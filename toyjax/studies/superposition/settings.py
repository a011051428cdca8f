"""Settings of superposition in two dimensions, part by part."""

import functools

from toyjax import optimizer_settings
from toyjax.common_settings import (
  DTYPE,
  INIT_SCALE,
  SEED,
  init,
  steps,
  traced_of,
)
from toyjax.parsers import (
  COUNT,
  MOST_FEATURES,
  POINTS,
  POSITIVE,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import Values, fixed, static
from toyjax.toys import relu_autoencoder

# Kinds of pairs: name of the part -> what is drawn.
PAIRS = ('independent', 'correlated', 'anticorrelated')
PARTS = ('importance', 'sparser', *PAIRS)
_DENSITY = Number(float, 0.0, 1.0, exclusive=True)


_of = functools.partial(traced_of, 'part')

SETTINGS = (
  fixed(
    'num_features',
    5,
    Number(int, 3, MOST_FEATURES),
    'n, features of the parts importance and sparser; m is 2.',
  ),
  fixed(
    'num_pairs', 2, COUNT, 'Of features in the other parts; 3 in the source.'
  ),
  static(
    'part',
    list(PARTS),
    Choice(PARTS),
    'importance: of each feature less than of the one before. sparser: one of '
    'equal features is rarer. The others: pairs of features.',
    label='',
  ),
  optimizer_settings.optimizer('adam'),
  init(relu_autoencoder.INITS, 'glorot_normal'),
  _of(
    ['importance'],
    'density',
    [0.02, 0.05, 0.1, 0.2, 0.4, 0.8],
    _DENSITY,
    'p = 1 - S, the probability that a feature is there.',
  )._replace(label='p'),
  _of(
    ['importance'],
    'importance_decay',
    [0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
    POSITIVE,
    'r: feature i has the importance r^i.',
  )._replace(label='r'),
  _of(
    [part for part in PARTS if part != 'importance'],
    'base_density',
    [0.05],
    _DENSITY,
    'p of the parts without importance: of a feature, of a correlated pair; an '
    'anticorrelated one has twice that, so that a feature has p.',
  )._replace(label='p'),
  _of(
    ['sparser'],
    'relative_density',
    [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.7, 1.0],
    Number(float, 0.0, 1.0, exclusive=True),
    'q: the first feature has the density q p. The source sees the pentagon '
    'turn into two digons at about 1 / 2.5.',
  )._replace(label='q'),
  optimizer_settings.learning_rate(
    1e-2, "Of every optimizer; the source's 1e-3 takes ten times the steps."
  ),
  INIT_SCALE,
  *optimizer_settings.ROWS,
  optimizer_settings.schedule(
    'warmup_cosine', 'Without a warm-up; the source has a constant rate.'
  ),
  fixed(
    'batch_size', 128, POINTS, 'Fresh samples a step; 1,024 in the source.'
  ),
  *steps(
    2000,
    [1000, 2000],
    about='Steps of each run; 10,000 in the source.',
    least=2,
  ),
  fixed(
    'num_evaluations',
    128,
    COUNT,
    'Batches, the same for all seeds, whose mean loss a net ends with.',
  ),
  SEED,
  DTYPE,
)


def complete(values: Values) -> Values:
  """Returns the values, which fit each other.

  Raises:
    SettingError: where anticorrelated pairs would be there more than always.
  """
  highest = max(values['base_density'])
  if 'anticorrelated' in values['part'] and highest > 0.5:
    raise SettingError(
      f'--base_density={highest:g} is more than anticorrelated features can '
      'have, .5'
    )
  return values

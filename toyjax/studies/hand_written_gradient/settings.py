"""Settings of the hand-written update beside the gradient."""

from toyjax.common_settings import DTYPE, INIT_SCALE, SEED, steps
from toyjax.parsers import (
  FEATURES,
  NATURAL,
  NOT_NEGATIVE,
  POINTS,
  POSITIVE,
  PROBABILITY,
  SEVERAL,
  Number,
  SettingError,
)
from toyjax.settings import Values, fixed, reported, shape, traced

SETTINGS = (
  shape('num_features', [5, 32], FEATURES, 'n; m is 2.', letter='n', label='n'),
  fixed(
    'importance_decay',
    [0.7, 0.9],
    POSITIVE,
    'r of each --num_features, in their order: feature i has importance r^i.',
    is_vector=True,
  ),
  traced(
    'sparsity',
    [0.9],
    PROBABILITY,
    "S, the probability that a feature is absent; the source's text has .9, "
    'two of its files .99.',
    label='S',
  ),
  traced('learning_rate', [1.0], POSITIVE, "Of SGD; the source's.", label='lr'),
  INIT_SCALE,
  fixed(
    'batch_size',
    1024,
    POINTS,
    'Fresh samples a step. The source draws as many of 100,000 fixed ones, '
    'with replacement.',
  ),
  *steps(
    10_000,
    list(range(250, 10_001, 250)),
    about="Steps of each run; the source's.",
    least=1,
  ),
  fixed(
    'then_steps',
    2000,
    NATURAL,
    'Steps of the true gradient from the end of each run, at the same rate.',
  ),
  fixed(
    'then_noise',
    0.01,
    NOT_NEGATIVE,
    'Standard deviation of what is added to W and b before those.',
  ),
  fixed(
    'average_steps',
    100.0,
    Number(float, 1.0),
    "Memory of the loss's moving average, in steps.",
  ),
  fixed('num_test', 16_384, POINTS, 'Fresh samples that the loss is told of.'),
  reported(
    'num_states', 32, POINTS, 'Random states at which updates are compared.'
  ),
  reported('num_frames', 40, SEVERAL, 'Most frames of the animation.'),
  SEED,
  DTYPE,
)


def complete(values: Values) -> Values:
  """Returns the values; raises SettingError where sizes lack an importance."""
  sizes, decays = values['num_features'], values['importance_decay']
  if len(sizes) != len(decays):
    raise SettingError(
      f'--importance_decay has {len(decays)} values for {len(sizes)} of '
      '--num_features'
    )
  return values

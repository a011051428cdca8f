"""Settings of a bank of sparse features, and the bank of a run.

SETTINGS --> values --make, drawn--> Bank, what `feature_bank.draw` takes
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey
from toyjax.data import feature_bank
from toyjax.data.feature_bank import Bank
from toyjax.parsers import (
  FEATURES,
  NOT_NEGATIVE,
  Choice,
  Number,
  SettingError,
  truth,
)
from toyjax.settings import Values, fixed, traced

SETTINGS = (
  traced(
    'mean_norm',
    [0.0, 16.0],
    NOT_NEGATIVE,
    '|μ|, of the mean that all inputs have beside their features.',
    label='mu',
  ),
  fixed(
    'features',
    'random',
    Choice(('random', 'polygon')),
    'Directions of the features: drawn evenly from the sphere for each seed, '
    'or around a regular polygon in the plane.',
  ),
  fixed('num_features', 64, FEATURES, 'N, true features.'),
  fixed('num_inputs', 16, FEATURES, 'D, dimensions that hold them.'),
  fixed(
    'first_frequency',
    0.25,
    Number(float, 0.0, 1.0, exclusive=True),
    'p_1, how often the first feature is present; by default 2 of 64 features '
    'are, 4 of 512.',
    is_below_one=True,
  ),
  fixed(
    'decay',
    0.75,
    NOT_NEGATIVE,
    'γ of p_i = p_1 i^-γ. The rarest of 512 is still in .23 % of the inputs.',
  ),
  fixed(
    'amplitude',
    'exponential',
    Choice(feature_bank.AMPLITUDES),
    'How strong a feature is that is present.',
  ),
  fixed(
    'nested',
    True,
    truth,
    'Whether a quarter of the features come only with another one, which for '
    'its part comes without them, too.',
  ),
)


def require_fitting(values: Values) -> None:
  """Raises SettingError on a polygon that is not in the plane."""
  if values['features'] == 'polygon' and values['num_inputs'] != 2:
    raise SettingError('--features=polygon needs --num_inputs=2')


def make(key: PRNGKey, values: Values, mean_norm: float | Array) -> Bank:
  """Returns the bank of one run.

  Args:
    key: of the directions, where they are random.
    values: of `SETTINGS` and the dtype.
    mean_norm: |μ|, the run's own.
  """
  size, frequency = values['num_features'], values['first_frequency']
  common: Any = {'mean_norm': mean_norm, 'dtype': jnp.dtype(values['dtype'])}
  if values['features'] == 'polygon':
    return feature_bank.polygon(
      num_features=size, frequency=frequency, **common
    )
  return feature_bank.make(
    key,
    num_features=size,
    num_inputs=values['num_inputs'],
    first_frequency=frequency,
    decay=values['decay'],
    **common,
  )


def drawn(values: Values) -> dict[str, Any]:
  """Returns what `feature_bank.draw` and `moments` take beside the bank."""
  given = {name: values[name] for name in ('amplitude', 'nested')}
  return {**given, 'noise': 0.0, 'log_scale': 0.0}


def moments(
  features: np.ndarray, mean: np.ndarray, values: Values
) -> tuple[np.ndarray, np.ndarray]:
  """Returns mean [D] and covariance [D, D] of the inputs of a stored run.

  Args:
    features: F [N, D].
    mean: μ [D].
    values: of `SETTINGS` and the dtype.
  """
  frequencies = feature_bank.power_law(
    len(features),
    values['first_frequency'],
    0.0 if values['features'] == 'polygon' else values['decay'],
  )
  bank = Bank(*map(jnp.asarray, (features, frequencies, mean)))
  middle, covariance = feature_bank.moments(bank, **drawn(values))
  return np.asarray(middle, float), np.asarray(covariance, float)

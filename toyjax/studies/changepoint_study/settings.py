"""Settings of the study of simulated traces, and the pairs of rates they span.

values --rate_pairs--> (p1, p2), the rates before and after the change
"""

from typing import Any

import numpy as np

from toyjax import settings
from toyjax.inference.changepoint import rivals
from toyjax.parsers import (
  MOST_POINTS,
  MOST_UNITS,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import FIXED, MACHINE, Setting, Values
from toyjax.studies import options

Rate = float | str
DRAWN = 'prior'
_MOST_TRACES = 100 * MOST_POINTS


def _rate(text: str) -> Rate:
  return text if text == DRAWN else Number(float, 0.0, exclusive=True)(text)


def _number(
  name: str, default: int, least: int, most: int, text: str
) -> Setting:
  return Setting(name, default, Number(int, least, most), FIXED, text)


SETTINGS = (
  Setting(
    'policies',
    [
      *('eig', 'expected_entropy', 'git_bayesect', 'thompson', 'median'),
      *('split_median', 'uniform', 'omega', 'omega_fair', 'adaptive_bisection'),
      *('adaptive_bisection_free', 'pivotal', 'pivotal_free', 'exhaustive'),
      *('exhaustive_64', 'cliff'),
    ],
    Choice(tuple(rivals.RIVALS)),
    FIXED,
    f'Among {", ".join(rivals.RIVALS)}. The first is the one of the coverage '
    'table.',
  ),
  Setting(
    'priors',
    list(rivals.PRIORS),
    Choice(tuple(rivals.PRIORS)),
    FIXED,
    'What is believed of p1 and p2: '
    + '; '.join(
      f'{name}, Beta{before} and Beta{after}'
      for name, (before, after) in rivals.PRIORS.items()
    )
    + '. The first is the one of the policy table and of the false alarms.',
  ),
  _number('num_positions', 64, 2, MOST_UNITS, 'T, positions of a trace.'),
  Setting(
    'p1',
    [DRAWN, 0.7],
    _rate,
    FIXED,
    'Rates before the change, or "prior": drawn from the assumed prior.',
    is_below_one=True,
  ),
  Setting(
    'p2',
    [DRAWN, 0.05, 0.1, 0.2, 0.3],
    _rate,
    FIXED,
    'Rates from the change on, or "prior". All pairs of numbers are run, and '
    '"prior" only with "prior": then the assumed prior is the true one.',
    is_below_one=True,
  ),
  _number('num_traces', 1000, 2, _MOST_TRACES, 'Traces per configuration.'),
  _number(
    'num_null_traces',
    400,
    2,
    _MOST_TRACES,
    'Traces per kind for false alarms and power.',
  ),
  _number(
    'num_rollouts',
    100,
    1,
    MOST_POINTS,
    'Budget of rollouts a trace (published: 100).',
  ),
  Setting(
    'batch_sizes',
    [1, 4, 8, 16],
    Number(int, 1),
    FIXED,
    'q, rollouts in parallel.',
  ),
  settings.share('level', 0.8, 'Level of the intervals (published: 80 %).'),
  settings.share('alpha', 0.05, 'Rate of false alarms that is promised.'),
  settings.share(
    'mass', 0.95, 'Posterior mass to stop at (git_bayesect: .95).'
  ),
  # False alarms are counted on traces of the seed after it.
  settings.seed('Seed of the traces and of the rollouts.', beside=1),
  Setting(
    'chunk_size',
    1024,
    Number(int, 1),
    MACHINE,
    'Traces computed at a time. Part of the study: code for another size '
    'rounds otherwise, and a choice between two positions that are nearly as '
    'good may fall the other way. A folder keeps its own.',
  ),
  options.num_devices(
    'Host (CPU) devices the traces are spread over; 0 means one for each core.'
  ),
  options.folder('runs/changepoint_study', 'Folder for study.csv and figures.'),
)


def rate_pairs(values: Values) -> list[tuple[Any, Any]]:
  """Returns all pairs of numbers, and the drawn pair if both lists have it."""
  return [
    (before, after)
    for before in values['p1']
    for after in values['p2']
    if (before == DRAWN) == (after == DRAWN)
  ]


def number_pairs(values: Values) -> list[tuple[float, float]]:
  """Returns the pairs of numbers alone."""
  return [pair for pair in rate_pairs(values) if DRAWN not in pair]


def pairs_to_show(values: Values) -> list[tuple[Any, Any]]:
  """Returns the first pair of numbers and the drawn pair, where they are."""
  drawn = [pair for pair in rate_pairs(values) if DRAWN in pair]
  return [*number_pairs(values)[:1], *drawn]


def complete(values: Values) -> Values:
  """Returns the values, which fit each other.

  Raises:
    SettingError: naming the setting that does not.
  """
  if not rate_pairs(values):
    raise SettingError('--p1 and --p2: "prior" in one needs "prior" in both')
  for before, after in number_pairs(values):
    if np.float32(before) <= np.float32(after):
      raise SettingError(f'--p1={before} must be above --p2={after}')
  largest = max(values['batch_sizes'])
  if largest > values['num_rollouts']:
    raise SettingError(
      f'--batch_sizes={largest} exceeds --num_rollouts={values["num_rollouts"]}'
    )
  return values

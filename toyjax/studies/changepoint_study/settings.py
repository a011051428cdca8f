"""Settings of the study of simulated traces, and the pairs of rates they span.

values --rate_pairs--> (p1, p2), the rates before and after the change
"""

from typing import Any

import numpy as np

from toyjax.common_settings import seed, share
from toyjax.inference.changepoint import rivals
from toyjax.parsers import (
  COUNT,
  MOST_POINTS,
  POINTS,
  POSITIONS,
  POSITIVE,
  Choice,
  Number,
  SettingError,
)
from toyjax.settings import Values, fixed, machine
from toyjax.studies import options

Rate = float | str
DRAWN = 'prior'
_TRACES = Number(int, 2, 100 * MOST_POINTS)


def _rate(text: str) -> Rate:
  return text if text == DRAWN else POSITIVE(text)


SETTINGS = (
  fixed(
    'policies',
    [
      *('eig', 'expected_entropy', 'git_bayesect', 'thompson', 'median'),
      *('split_median', 'uniform', 'omega', 'omega_fair', 'adaptive_bisection'),
      *('adaptive_bisection_free', 'pivotal', 'pivotal_free', 'exhaustive'),
      *('exhaustive_64', 'cliff'),
    ],
    Choice(tuple(rivals.RIVALS)),
    f'Among {", ".join(rivals.RIVALS)}. The first is the one of the coverage '
    'table.',
  ),
  fixed(
    'priors',
    list(rivals.PRIORS),
    Choice(tuple(rivals.PRIORS)),
    'What is believed of p1 and p2: '
    + '; '.join(
      f'{name}, Beta{before} and Beta{after}'
      for name, (before, after) in rivals.PRIORS.items()
    )
    + '. The first is the one of the policy table and of the false alarms.',
  ),
  fixed('num_positions', 64, POSITIONS, 'T, positions of a trace.'),
  fixed(
    'p1',
    [DRAWN, 0.7],
    _rate,
    'Rates before the change, or "prior": drawn from the assumed prior.',
    is_below_one=True,
  ),
  fixed(
    'p2',
    [DRAWN, 0.05, 0.1, 0.2, 0.3],
    _rate,
    'Rates from the change on, or "prior". All pairs of numbers are run, and '
    '"prior" only with "prior": then the assumed prior is the true one.',
    is_below_one=True,
  ),
  fixed('num_traces', 1000, _TRACES, 'Traces per configuration.'),
  fixed(
    'num_null_traces',
    400,
    _TRACES,
    'Traces per kind for false alarms and power.',
  ),
  fixed(
    'num_rollouts', 100, POINTS, 'Budget of rollouts a trace (published: 100).'
  ),
  fixed('batch_sizes', [1, 4, 8, 16], COUNT, 'q, rollouts in parallel.'),
  share('level', 0.8, 'Level of the intervals (published: 80 %).'),
  share('alpha', 0.05, 'Rate of false alarms that is promised.'),
  share('mass', 0.95, 'Posterior mass to stop at (git_bayesect: .95).'),
  # False alarms are counted on traces of the seed after it.
  seed('Seed of the traces and of the rollouts.', beside=1),
  machine(
    'chunk_size',
    1024,
    COUNT,
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

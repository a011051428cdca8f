"""Settings of the chaos map: its runs, its windows, its variants."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toyjax import settings
from toyjax.analysis.chaos import dynamics as chaos
from toyjax.parsers import (
  MOST_FEATURES,
  MOST_POINTS,
  Choice,
  Number,
  SettingError,
  truth,
)
from toyjax.settings import FIXED, MACHINE, Setting, Values
from toyjax.studies import options

# What tells one variant of the map from another.
VARIANT = ('num_features', 'separation', 'norm_factor', 'loss_reduction')
RANGES = ('learning_rate_range', 'delta_range')
SIZES = ('size', 'lyapunov_size', 'scan_size')

_NOT_NEGATIVE = Number(float, 0.0)
_FACTOR = Number(float, 1.0)
_REDUCTION = Choice(chaos.LOSS_REDUCTIONS)
_MOST_PIXELS = 46_340  # Along an axis: their square has 32 bits.


def _row(name: str, default: Any, parse: Any, text: str) -> Setting:
  return Setting(name, default, parse, FIXED, text)


SETTINGS = (
  _row('num_features', 7, Number(int, 4, MOST_FEATURES), 'n, features.'),
  _row(
    'separation',
    1,
    Number(int, 1),
    'Corners of the polygon between the two raised rows: 1 raises next '
    'neighbours, rows 1 and n - 1.',
  ),
  _row(
    'norm_factor',
    1.0,
    _FACTOR,
    '|W_i| at the start over the least that solves.',
  ),
  _row(
    'loss_reduction',
    'mean',
    _REDUCTION,
    'The sum of squared errors over the n samples divided by n^2, n or 1.',
  ),
  _row(
    'keep_mirror',
    False,
    truth,
    'Project every step on mirror-symmetric states, which exact arithmetic '
    'never leaves.',
  ),
  _row('learning_rate_range', [0.5, 3.0], _NOT_NEGATIVE, 'Left, right.'),
  _row('delta_range', [0.0, 0.2], _NOT_NEGATIVE, 'Bottom, top.'),
  # The study gives n, the ranges, 10,000 steps, and a map whose colours span
  # 8.5 to 14.1 with an edge from 1.55 to 2.4. No variant of the scan shows that
  # after 10,000 steps; after 25,000, the length of the study's other runs, one
  # does.
  _row(
    'observe_steps',
    [10_000, 25_000],
    Number(int, 2),
    'Increasing multiples of --window at which the map is drawn; the last ends '
    'the runs.',
  ),
  _row('window', 100, Number(int, 2), 'Steps over which an ending is judged.'),
  _row('solved_sse', 1e-2, _NOT_NEGATIVE, 'A run has recovered below this.'),
  _row(
    'size',
    256,
    Number(int, 8, _MOST_PIXELS),
    'Pixels of the map along each axis.',
  ),
  _row(
    'lyapunov_size',
    64,
    Number(int, 0, _MOST_PIXELS),
    'The same for the Lyapunov map; 0 leaves it out.',
  ),
  # More of them extend a folder, so they are no part of what its runs are.
  Setting(
    'zoom_levels',
    4,
    Number(int, 0, 100),
    MACHINE,
    'Windows into each edge; 0 leaves zooms out.',
  ),
  _row(
    'zoom_size',
    32,
    Number(int, 16, MOST_FEATURES),
    'Pixels of a window along an axis.',
  ),
  _row('zoom_factor', 8.0, Number(float, 2.0), 'Between successive windows.'),
  _row('num_chains', 1, Number(int, 1, 100), 'Chains of windows on each edge.'),
  _row(
    'scan_size',
    48,
    Number(int, 0, MOST_POINTS),
    'Learning rates for each Delta of the scan; 0 leaves the scan out.',
  ),
  _row(
    'scan_loss_reductions',
    list(chaos.LOSS_REDUCTIONS),
    _REDUCTION,
    'Variants of --loss_reduction to scan.',
  ),
  _row(
    'scan_separations', [1, 2, 3], Number(int, 1), 'Variants of --separation.'
  ),
  _row('scan_norm_factors', [1.0, 1.1], _FACTOR, 'Variants of --norm_factor.'),
  _row(
    'scan_deltas',
    [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
    _NOT_NEGATIVE,
    'Values of Delta of the scan.',
  ),
  settings.DTYPE,
  *options.machine_settings('runs/chaos_map'),
  options.FROM_STORE,
)


def dtypes(values: Values) -> Sequence[str]:
  """Returns the coarsest precision: zooms are made in both."""
  return ['float32' if values['zoom_levels'] else values['dtype']]


def complete(values: Values) -> Values:
  """Returns the values, which fit each other.

  Raises:
    SettingError: naming the setting that does not.
  """
  for name in RANGES:
    ends = values[name]
    if len(ends) != 2 or ends[0] >= ends[1]:
      raise SettingError(f'--{name} takes two increasing numbers: {ends}')
    pixels = np.linspace(ends[0], ends[1], values['size']).astype(
      values['dtype']
    )
    if len(np.unique(pixels)) < len(pixels):
      raise SettingError(
        f'--{name}={ends[0]},{ends[1]} is too narrow for --size={len(pixels)}: '
        f'pixels would be one number in {values["dtype"]}'
      )
  steps, window = values['observe_steps'], values['window']
  if steps != sorted(steps) or any(step % window for step in steps):
    raise SettingError(
      f'--observe_steps must be increasing multiples of --window={window}: '
      f'{steps}'
    )
  scanned = values['scan_separations'] if values['scan_size'] else []
  for separation in sorted({values['separation'], *scanned}):
    try:
      chaos.raised_rows(
        num_features=values['num_features'], separation=separation
      )
    except ValueError as error:
      raise SettingError(f'--separation: {error}') from None
  return values

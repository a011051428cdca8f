"""Settings of the chaos map: its runs, its windows, its variants."""

from collections.abc import Sequence

import numpy as np

from toyjax.analysis.chaos import dynamics as chaos
from toyjax.common_settings import DTYPE
from toyjax.parsers import (
  COUNT,
  FACTOR,
  MOST_FEATURES,
  MOST_POINTS,
  NOT_NEGATIVE,
  SEVERAL,
  Choice,
  Number,
  SettingError,
  truth,
)
from toyjax.settings import Values, fixed, machine
from toyjax.studies import options

# What tells one variant of the map from another.
VARIANT = ('num_features', 'separation', 'norm_factor', 'loss_reduction')
RANGES = ('learning_rate_range', 'delta_range')
SIZES = ('size', 'lyapunov_size', 'scan_size')

_REDUCTION = Choice(chaos.LOSS_REDUCTIONS)
_MOST_PIXELS = 46_340  # Along an axis: their square has 32 bits.

SETTINGS = (
  fixed('num_features', 7, Number(int, 4, MOST_FEATURES), 'n, features.'),
  fixed(
    'separation',
    1,
    COUNT,
    'Corners of the polygon between the two raised rows: 1 raises next '
    'neighbours, rows 1 and n - 1.',
  ),
  fixed(
    'norm_factor',
    1.0,
    FACTOR,
    '|W_i| at the start over the least that solves.',
  ),
  fixed(
    'loss_reduction',
    'mean',
    _REDUCTION,
    'The sum of squared errors over the n samples divided by n^2, n or 1.',
  ),
  fixed(
    'keep_mirror',
    False,
    truth,
    'Project every step on mirror-symmetric states, which exact arithmetic '
    'never leaves.',
  ),
  fixed('learning_rate_range', [0.5, 3.0], NOT_NEGATIVE, 'Left, right.'),
  fixed('delta_range', [0.0, 0.2], NOT_NEGATIVE, 'Bottom, top.'),
  # The study gives n, the ranges, 10,000 steps, and a map whose colours span
  # 8.5 to 14.1 with an edge from 1.55 to 2.4. No variant of the scan shows that
  # after 10,000 steps; after 25,000, the length of the study's other runs, one
  # does.
  fixed(
    'observe_steps',
    [10_000, 25_000],
    SEVERAL,
    'Increasing multiples of --window at which the map is drawn; the last ends '
    'the runs.',
  ),
  fixed('window', 100, SEVERAL, 'Steps over which an ending is judged.'),
  fixed('solved_sse', 1e-2, NOT_NEGATIVE, 'A run has recovered below this.'),
  fixed(
    'size',
    256,
    Number(int, 8, _MOST_PIXELS),
    'Pixels of the map along each axis.',
  ),
  fixed(
    'lyapunov_size',
    64,
    Number(int, 0, _MOST_PIXELS),
    'The same for the Lyapunov map; 0 leaves it out.',
  ),
  # More of them extend a folder, so they are no part of what its runs are.
  machine(
    'zoom_levels',
    4,
    Number(int, 0, 100),
    'Windows into each edge; 0 leaves zooms out.',
  ),
  fixed(
    'zoom_size',
    32,
    Number(int, 16, MOST_FEATURES),
    'Pixels of a window along an axis.',
  ),
  fixed('zoom_factor', 8.0, Number(float, 2.0), 'Between successive windows.'),
  fixed(
    'num_chains', 1, Number(int, 1, 100), 'Chains of windows on each edge.'
  ),
  fixed(
    'scan_size',
    48,
    Number(int, 0, MOST_POINTS),
    'Learning rates for each Delta of the scan; 0 leaves the scan out.',
  ),
  fixed(
    'scan_loss_reductions',
    list(chaos.LOSS_REDUCTIONS),
    _REDUCTION,
    'Variants of --loss_reduction to scan.',
  ),
  fixed('scan_separations', [1, 2, 3], COUNT, 'Variants of --separation.'),
  fixed('scan_norm_factors', [1.0, 1.1], FACTOR, 'Variants of --norm_factor.'),
  fixed(
    'scan_deltas',
    [0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001],
    NOT_NEGATIVE,
    'Values of Delta of the scan.',
  ),
  DTYPE,
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

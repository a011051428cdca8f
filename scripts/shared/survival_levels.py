"""Factors varied one at a time: levels, and the programs that run them.

settings (flag -> list, the default first) --make_levels--> Level
levels --make_groups--> grids.Group, all levels that share one program
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from absl import flags
import numpy as np

from scripts.shared import grids, optimizer_flags, precision
from scripts.shared.list_flags import number
from scripts.shared.optimizer_flags import OPTIMIZER_FLAGS
from toyjax import optimizers

# In the order of the figures' panels.
FACTORS = (
  'optimizer',
  'learning_rate',
  'adam_eps',
  'adam_b2',
  'weight_decay',
  'init_scale',
  'loss_reduction',
  'dtype',
)
STATIC = ('optimizer', 'loss_reduction', 'dtype')
DEFAULT = 'default'


class Level(NamedTuple):
  """One factor at one value, all others at their default.

  Attributes:
    factor: a name in `FACTORS`, or `DEFAULT`.
    label: its value.
    flags: value of every flag of a run.
    group: name of its group in the store.
    configuration: number of it within the group.
  """

  factor: str
  label: str
  flags: dict[str, Any]
  group: str
  configuration: int


def parse_optimizer(text: str) -> str:
  """Accepts a name, or name@rate for an optimizer with a rate of its own."""
  name, _, rate = text.partition('@')
  if name not in optimizers.HYPERPARAMETERS:
    raise ValueError(
      f'{name!r} is unknown: choose from '
      f'{", ".join(optimizers.HYPERPARAMETERS)}'
    )
  if '@' not in text:
    return text
  try:
    value = number(float, 0.0, exclusive=True)(rate)
    precision.check({'rate': value}, 'float32')
  except (ValueError, flags.Error):
    raise ValueError(
      f'{text!r}: the rate after @ must be > 0, and finite in float32'
    ) from None
  return f'{name}@{grids.text_of(value)}'


def make_levels(settings: Mapping[str, Any]) -> list[Level]:
  """Returns the default and every other value of every factor.

  Args:
    settings: factor -> list of values, the default first; flags of the
      optimizer that are not varied are scalars.

  Raises:
    flags.Error: where a varied factor is not one of the default optimizer.
  """
  fixed = {n: v for n, v in settings.items() if n not in FACTORS}
  default = {name: settings[name][0] for name in FACTORS}
  points = [(DEFAULT, DEFAULT, default)]
  used = optimizers.HYPERPARAMETERS[default['optimizer'].split('@')[0]]
  for factor in FACTORS:
    values = settings[factor][1:]
    inner = OPTIMIZER_FLAGS.get(factor)
    if values and inner is not None and inner not in used:
      raise flags.Error(
        f'--{factor} lists {len(values) + 1} values that '
        f'{default["optimizer"]} does not use'
      )
    points += [(factor, f'{v}', default | {factor: v}) for v in values]

  _require_distinct(points)
  counts: dict[str, int] = {}
  levels = []
  for factor, label, point in points:
    name, _, rate = point['optimizer'].partition('@')
    run = fixed | point | {'optimizer': name}
    if rate:
      run['learning_rate'] = float(rate)
    group = '_'.join(
      [f'n{run["num_features"]}_m{run["num_hidden"]}']
      + [run[static] for static in STATIC]
    )
    index = counts.get(group, 0)
    counts[group] = index + 1
    levels.append(Level(factor, label, run, group, index))
  return levels


def _require_distinct(
  points: Iterable[tuple[str, str, dict[str, Any]]],
) -> None:
  """Refuses optimizers that are one in the precision of a training."""
  seen: dict[tuple[str, float], str] = {}
  for factor, _, point in points:
    if factor not in (DEFAULT, 'optimizer'):
      continue
    text = point['optimizer']
    name, _, rate = text.partition('@')
    rate = np.dtype(point['dtype']).type(rate or point['learning_rate'])
    other = seen.setdefault((name, float(rate)), text)
    if other != text:
      raise flags.Error(
        f'--optimizer: {other} and {text} are one in {point["dtype"]}'
      )


def make_groups(levels: Sequence[Level]) -> list[grids.Group]:
  """Returns one group for each program, with its levels as configurations."""
  groups = []
  for name in dict.fromkeys(level.group for level in levels):
    own = [level.flags for level in levels if level.group == name]
    static = {
      key: own[0][key]
      for key in ('num_features', 'num_hidden', 'init', *STATIC)
    }
    traced = [
      'learning_rate',
      'init_scale',
      *optimizer_flags.used(static['optimizer']),
    ]
    axes = {flag: np.asarray([run[flag] for run in own]) for flag in traced}
    groups.append(grids.Group(name, static, axes))
  return groups

"""Factors varied one at a time: levels, and the programs that run them.

values (factor -> list, the default first) --make_levels--> name -> values
values --make_stages--> Stage, all levels that share one program
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from toyjax import optimizer_settings, settings, store
from toyjax.analysis.autoencoder import events
from toyjax.parsers import SettingError
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies.failure_survival import trial
from toyjax.studies.failure_survival.settings import SETTINGS
from toyjax.studies.optimization_failure.trial import CONSTANT
from toyjax.toys import relu_autoencoder

FACTORS = tuple(row.name for row in settings.swept(SETTINGS))
DEFAULT = 'default'
_PROGRAM = ('optimizer', 'loss_reduction', 'dtype')


def complete(values: Values) -> Values:
  """Returns the values, with the schedule that all runs have.

  Raises:
    SettingError: where a level cannot be trained, or is another one's.
  """
  for dtype in values['dtype'][1:]:
    settings.require_held(SETTINGS, _default(values), dtype)
  make_levels(values)
  return {**values, **CONSTANT}


def _default(values: Values) -> Values:
  """Returns the values with the default of each factor."""
  return {**values, **{name: values[name][0] for name in FACTORS}}


def make_levels(values: Values) -> dict[str, Values]:
  """Returns the levels by name: the default, then factor=value.

  Returns:
    All values with one of each factor, where all but one are at their default.

  Raises:
    SettingError: where a varied factor is not one of the default optimizer, or
      two optimizers are one.
  """
  default = _default(values)
  levels = {DEFAULT: default}
  used = optimizer_settings.used(default['optimizer'].partition('@')[0])
  for factor in FACTORS:
    number = len(values[factor])
    is_used = factor not in optimizer_settings.HYPERPARAMETERS or factor in used
    if number > 1 and not is_used:
      raise SettingError(
        f'--{factor} lists {number} values that {default["optimizer"]} does '
        'not use'
      )
    for value in values[factor][1:]:
      levels[f'{factor}={value}'] = {**default, factor: value}
  _require_distinct(values)
  return {name: _with_rate(level) for name, level in levels.items()}


def _with_rate(level: Values) -> Values:
  """Returns a level whose optimizer is a name, with the rate it brings."""
  name, _, rate = level['optimizer'].partition('@')
  own = {'learning_rate': float(rate)} if rate else {}
  return {**level, 'optimizer': name, **own}


def _require_distinct(values: Values) -> None:
  """Refuses optimizers that are one in the precision of a training."""
  default = _default(values)
  seen: dict[tuple[str, float], str] = {}
  for text in values['optimizer']:
    own = _with_rate({**default, 'optimizer': text})
    rate = np.dtype(own['dtype']).type(own['learning_rate'])
    other = seen.setdefault((own['optimizer'], float(rate)), text)
    if other != text:
      raise SettingError(
        f'--optimizer: {other} and {text} are one in {own["dtype"]}'
      )


def make_stages(values: Values) -> list[Stage]:
  """Returns a stage for each program, with its levels as configurations."""
  stages: dict[str, dict[str, Values]] = {}
  for name, level in make_levels(values).items():
    sizes = f'n{level["num_features"]}_m{level["num_hidden"]}'
    program = '_'.join([sizes, *(level[part] for part in _PROGRAM)])
    stages.setdefault(program, {})[name] = level
  return [_make_stage(values, name, own) for name, own in stages.items()]


def _make_stage(
  values: Values, name: str, levels: Mapping[str, Mapping[str, Any]]
) -> Stage:
  first = next(iter(levels.values()))
  fixed = ('num_features', 'num_hidden', 'init', *_PROGRAM)
  static = {key: first[key] for key in fixed}
  used = optimizer_settings.used(static['optimizer'])
  places = np.asarray([int(place) for place in events.Place])
  return Stage(
    name=name,
    values={**values, **static},
    static=static,
    axes={
      axis: np.asarray([level[axis] for level in levels.values()])
      for axis in ('learning_rate', 'init_scale', *used)
    },
    make_trial=trial.make_trial,
    variables=trial.VARIABLES,
    coordinates={'place_name': store.Coordinate('place', places)},
    attrs={
      'solved_sse': values['solved_sse'],
      **relu_autoencoder.THRESHOLDS._asdict(),
    },
    summarize=trial.count_outcomes,
    labels=list(levels),
  )

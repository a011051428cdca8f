"""Which states the arms go on from, and the stages that run them.

[search, then for each state step: spells, arms]
"""

from collections.abc import Mapping, Sequence
import functools
from typing import Any

import numpy as np

from toyjax import store
from toyjax.checks import StoreError
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.stages import Stage, counter
from toyjax.studies import arms
from toyjax.studies.optimization_failure.trial import CONSTANT
from toyjax.studies.resampling_trial import trial, ways
from toyjax.toys.relu_autoencoder import Outcome

_SPELL = {'lbfgs': {'memory': 1.0}, 'steepest': {'memory': 0.0}}
_ADAM = (
  'init_scale',
  'learning_rate',
  'adam_b1',
  'adam_b2',
  'adam_eps',
  'weight_decay',
)


def make_stages(values: Values) -> list[Stage]:
  """Returns the search for failed states, then spells and arms from each."""
  steps = values['state_steps']
  search = _stage(
    values,
    'states',
    {'states': {}},
    make_trial=trial.make_search,
    variables=trial.SEARCH_VARIABLES,
    coordinates={'step': store.Coordinate('step', np.asarray(steps))},
    summarize=counter(Outcome),
    steps='last_state',
    shorten=_shorten,
  )
  stages = [search]
  for k, step in enumerate(steps):
    spell = _stage(
      {**values, 'dtype': 'float64'},
      f'spells_{step}',
      _SPELL,
      make_trial=trial.make_spell,
      variables=trial.SPELL_VARIABLES,
      steps='spell_evaluations',
      shorten=lambda values, steps: {**values, 'spell_evaluations': steps},
    )
    going = _stage(
      values,
      f'arms_{step}',
      ways.arms_of(values),
      make_trial=trial.make_go_on,
      variables=trial.VARIABLES,
      summarize=_count_repaired,
      shorten=lambda values, steps: {**values, 'num_steps': steps},
    )
    stages += [
      spell._replace(make_xs=functools.partial(_spell_xs, spell, k)),
      going._replace(make_xs=functools.partial(_going_xs, going, spell, k)),
    ]
  return stages


def _shorten(values: Values, num_steps: int) -> Values:
  return {**values, 'state_steps': [num_steps], 'last_state': num_steps}


def _count_repaired(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  return {'repaired': int(np.sum(chunk['solved_step'] >= 0))}


def _stage(
  values: Values, name: str, rows: Mapping[str, Mapping], **fields: Any
) -> Stage:
  static = {
    'num_features': values['num_features'],
    'num_hidden': 2,
    'optimizer': values['optimizer'],
    'init': 'glorot_normal',
    'loss_reduction': 'mean',
  }
  own = {
    **values,
    **static,
    **CONSTANT,
    'last_state': values['state_steps'][-1],
  }
  adam = {row: values[row] for row in _ADAM}
  points = [adam | dict(row) for row in rows.values()]
  return Stage(
    name=name,
    values=own,
    static=static,
    axes={
      axis: np.asarray([row[axis] for row in points]) for axis in points[0]
    },
    attrs={},
    labels=[f'{name} {row}' for row in rows],
    **{'coordinates': {}, 'summarize': lambda chunk: {}, **fields},
  )


def _states(
  stage: Stage, k: int, finished: Sequence[Runs], num_seeds: int
) -> dict[str, np.ndarray]:
  """Returns the failed states of the k-th state step: arrays [E, ...] by name.

  Raises:
    SettingError: where no run has failed.
  """
  kinds = [Outcome[kind.upper()] for kind in stage.values['kinds']]
  search, names = trial.make_search(stage.values), (*trial.STATE, 'outcome')
  data = arms.states(stage, search, names, finished, num_seeds)
  outcome = data['outcome'][:, k]
  # Without finished runs all stand for failed ones.
  is_state = np.isin(outcome, kinds) if finished else outcome > 0
  if not is_state.any():
    raise SettingError(
      f'none of {num_seeds} runs failed at step '
      f'{stage.values["state_steps"][k]:,}: --state_steps or --kinds ask for '
      'others'
    )
  return {
    **{name: data[name][is_state, k] for name in trial.STATE},
    'seed_index': data['seed_index'][is_state],
    'before': outcome[is_state].astype(np.int32),
  }


def _spell_xs(
  stage: Stage, k: int, finished: Sequence[Runs], num_seeds: int
) -> dict[str, Any]:
  return arms.cross(stage, _states(stage, k, finished, num_seeds))


def _going_xs(
  stage: Stage,
  spell: Stage,
  k: int,
  finished: Sequence[Runs],
  num_seeds: int,
) -> dict[str, Any]:
  """Returns the states in every arm, with the ends of their own spells."""
  states = _states(stage, k, finished, num_seeds)
  xs = arms.cross(stage, states)
  names = [label.split()[-1] for label in stage.labels]
  for name in ('weights', 'bias'):
    xs[f'given_{name}'] = xs[name].copy()
  xs['length'] = np.zeros(len(xs['seed_index']), stage.dtype)
  for runs in (runs for runs in finished if runs.stage == spell.name):
    if not np.array_equal(runs.data['seed_index'], states['seed_index']):
      raise StoreError(f'{spell.name} was run from other states')
    way = runs.label.split()[-1]
    own = slice(names.index(way), None, len(names))
    for name in ('weights', 'bias'):
      xs[f'given_{name}'][own] = runs.data[f'spell_{name}']
    if way == 'lbfgs':
      own = slice(names.index('long_step'), None, len(names))
      xs['length'][own] = runs.data['length']
  return xs

"""Which states the arms go on from, and the stages that run them.

[search, then for each state step: spells, arms]
"""

from collections.abc import Mapping, Sequence
import functools
from typing import Any

import jax
import numpy as np

from toyjax import store, sweeps
from toyjax.checks import StoreError
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.stages import Stage, counter, seeds_by_axes
from toyjax.studies.optimization_failure.trial import CONSTANT
from toyjax.studies.resampling_trial import arms, trial
from toyjax.toys.relu_autoencoder import Outcome

_SPELL = {'lbfgs': {'memory': 1.0}, 'steepest': {'memory': 0.0}}
_ADAM = ('learning_rate', 'adam_b1', 'adam_b2', 'adam_eps', 'weight_decay')


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
      arms.autoencoder_arms(values),
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
  adam = {row: values[row] for row in _ADAM} | {'init_scale': 1.0}
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
  """Returns the failed states at one step: arrays [E, ...] by name.

  Args:
    stage: that goes on from them.
    k: number of the state step.
    finished: all runs of the stages before, the search first; where there are
      none, some of the same shapes are made up.
    num_seeds: of the search.

  Raises:
    SettingError: where no run has failed.
  """
  kinds = [Outcome[kind.upper()] for kind in stage.values['kinds']]
  if not finished:
    few = jax.tree.map(lambda a: a[:num_seeds], seeds_by_axes(stage, num_seeds))
    found = jax.eval_shape(jax.vmap(trial.make_search(stage.values)), few)
    data = {
      name: np.ones(leaf.shape, leaf.dtype) for name, leaf in found.items()
    }
    data['seed_index'] = few['seed_index'][: len(data['outcome'])]
    data['outcome'] = np.full_like(data['outcome'], kinds[0])
  else:
    names = (*trial.STATE, 'outcome', 'seed_index')
    data = {name: finished[0].data[name] for name in names}
  is_state = np.isin(data['outcome'][:, k], kinds)
  if not is_state.any():
    raise SettingError(
      f'none of {num_seeds} runs failed at step '
      f'{stage.values["state_steps"][k]:,}: --state_steps or --kinds ask for '
      'others'
    )
  states = {name: data[name][is_state, k] for name in trial.STATE}
  return states | {
    'seed_index': data['seed_index'][is_state],
    'before': data['outcome'][is_state, k].astype(np.int32),
  }


def _crossed(stage: Stage, states: Mapping[str, np.ndarray]) -> dict[str, Any]:
  """Returns each state under every configuration, with its run's own key."""
  repeat = stage.num_configurations
  xs = seeds_by_axes(stage, len(states['seed_index']))
  for name, array in states.items():
    is_float = np.issubdtype(array.dtype, np.floating)
    array = array.astype(stage.dtype) if is_float else array
    xs[name] = np.repeat(array, repeat, 0)
  return xs | {'key': sweeps.seed_keys(stage.values['seed'], xs['seed_index'])}


def _spell_xs(
  stage: Stage, k: int, finished: Sequence[Runs], num_seeds: int
) -> dict[str, Any]:
  return _crossed(stage, _states(stage, k, finished, num_seeds))


def _going_xs(
  stage: Stage,
  spell: Stage,
  k: int,
  finished: Sequence[Runs],
  num_seeds: int,
) -> dict[str, Any]:
  states = _states(stage, k, finished, num_seeds)
  xs = _crossed(stage, states)
  number = stage.num_configurations
  xs['given_weights'], xs['given_bias'] = xs['weights'], xs['bias']
  xs['length'] = np.zeros(len(xs['seed_index']), stage.dtype)
  names = [label.split()[-1] for label in stage.labels]
  own = [runs for runs in finished if runs.stage == spell.name]
  for runs in own:
    way = runs.label.split()[-1]
    if not np.array_equal(runs.data['seed_index'], states['seed_index']):
      raise StoreError(f'{spell.name} was run from other states')
    at = slice(names.index(way), None, number)
    for name in ('weights', 'bias'):
      ended = runs.data[f'spell_{name}']
      xs[f'given_{name}'][at] = np.where(np.isfinite(ended), ended, np.nan)
    if way == 'lbfgs':
      xs['length'][names.index('long_step') :: number] = runs.data['length']
  return xs

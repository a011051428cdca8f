r"""Does Adam leave symmetric failure because its second moment decays?

The idea: in symmetric failure gradients shrink, so the second moment in Adam's
denominator decays over 1 / (1 - beta 2) steps until steps are long enough to
break the symmetry. The test: train until a run first enters symmetric failure
(dead rows with b = 1/n, the rest a regular polygon), keep weights and moments
of that step, and go on from there in several ways, all from the same states:

  kept        nothing is changed: the control
  frozen      the second moment stays what it was at entry: it cannot decay
  reset       both moments and the count of steps start anew
  adam_b2=..  another memory, adam_eps=.. another floor, weight_decay=..

If the idea holds, frozen and a longer memory must leave later, a shorter memory
sooner. escape.csv has shares and median times with intervals, and how often a
variant left before the control, paired by run; escape.png shows survival curves
and what happens to the dead row.

  python -m scripts.symmetric_escape --workdir=runs/escape_n7
"""

from collections.abc import Mapping, Sequence
import functools
from typing import Any

import numpy as np

from toyjax import optimizer_settings, store
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.settings import Values, swept, text_of
from toyjax.stages import Stage
from toyjax.studies import arms
from toyjax.studies.base import Study
from toyjax.studies.optimization_failure.trial import CONSTANT
from toyjax.studies.symmetric_escape import trial
from toyjax.studies.symmetric_escape.report import report
from toyjax.studies.symmetric_escape.settings import SETTINGS


def make_stages(values: Values) -> list[Stage]:
  """Returns the search and the ways to go on, the control first."""
  ways = _ways(values)
  entry = _stage(
    values,
    'entry',
    {'entry': ways['kept']},
    make_trial=trial.make_search,
    variables=trial.SEARCH_VARIABLES,
    steps='search_steps',
    shorten=lambda values, steps: {**values, 'search_steps': steps},
  )
  escape = _stage(
    values,
    'escape',
    ways,
    make_trial=trial.make_go_on,
    variables=trial.VARIABLES,
    coordinates={
      'step': store.Coordinate('step', np.asarray(trial.observed(values)))
    },
  )
  return [entry, escape._replace(make_xs=functools.partial(going_xs, escape))]


def _ways(values: Values) -> dict[str, dict[str, float]]:
  """Returns the numbers of each way to go on, by name, the control first."""
  used = optimizer_settings.used(values['optimizer'])
  names = [r.name for r in swept(SETTINGS) if r.name in used]
  kept = {
    'learning_rate': values['learning_rate'],
    'init_scale': 1.0,
    'adam_b1': values['adam_b1'],
    **{name: values[name][0] for name in names},
    'reset': 0.0,
    'freeze': 0.0,
  }
  return {
    'kept': kept,
    'frozen': {**kept, 'freeze': 1.0},
    'reset': {**kept, 'reset': 1.0},
    **{
      f'{name}={text_of(value)}': {**kept, name: value}
      for name in names
      for value in values[name][1:]
    },
  }


def _stage(
  values: Values, name: str, ways: Mapping[str, Any], **fields: Any
) -> Stage:
  static = {
    'num_features': values['num_features'],
    'num_hidden': 2,
    'optimizer': values['optimizer'],
    'init': 'glorot_normal',
    'loss_reduction': 'mean',
  }
  counted = f'{name}_step'
  rows = list(ways.values())
  return Stage(
    name=name,
    values={**values, **static, **CONSTANT},
    static=static,
    axes={axis: np.asarray([row[axis] for row in rows]) for axis in rows[0]},
    attrs={},
    summarize=lambda chunk: {counted: int(np.sum(chunk[counted] >= 0))},
    labels=list(ways),
    **{'coordinates': {}, **fields},
  )


def going_xs(
  stage: Stage, finished: Sequence[Runs], num_seeds: int
) -> dict[str, Any]:
  """Returns the runs that go on: each entered state in every way.

  Args:
    stage: whose configurations are the ways.
    finished: the runs of the search; where there are none, some runs of the
      same shapes are made up.
    num_seeds: of the search.

  Returns:
    Rows [E C]; a row has the key and the index of the run that it goes on from.

  Raises:
    SettingError: where no run has entered.
  """
  search, names = trial.make_search(stage.values), (*trial.STATE, 'entry_step')
  entries = arms.states(stage, search, names, finished, num_seeds)
  entered = np.flatnonzero(entries['entry_step'] >= 0)
  if not len(entered):
    raise SettingError(
      f'none of {num_seeds} runs entered symmetric failure within '
      f'{stage.values["search_steps"]} steps'
    )
  return arms.cross(
    stage,
    {name: entries[name][entered] for name in (*trial.STATE, 'seed_index')},
  )


STUDY = Study(
  'symmetric_escape',
  SETTINGS,
  make_stages,
  report,
  num_seeds=1024,
  grows=False,  # More seeds would shift the runs that go on.
)

r"""Which remedy revives dead latents of a sparse autoencoder, at what price?

A randomised trial, the companion of resampling_trial. Sparse autoencoders are
trained on a bank of known features with a mean far from 0, under which latents
are dead from the start (scripts.sparse_autoencoder). They are stopped at
--state_steps; each goes on from that very state in every arm, on the same
inputs.

  nothing        the control
  random         dead latents are drawn anew, as at the start
  published      neuron resampling of Towards Monosemanticity: an input drawn by
                 loss², its direction as the decoder's row, and .2 of the mean
                 norm of those alive as the encoder's, bias 0, Adam's moments of
                 exactly these entries reset
  no_adam_reset, loss, unit_norm
                 the same without the reset; drawn by loss; encoder of norm 1
  off_mean       the same with the decoder's bias taken off the input
  aligned        the encoder's column is set to the decoder's row, bias 0
  centered       the decoder's bias becomes the mean of the inputs
  centered_off_mean
                 both

End points, fixed before any run: share of dead latents that are alive at the
end, features recovered, share of recovered features that are lost, explained
variance. Differences from the control are paired by state, their Student
intervals corrected for the number of arms (Bonferroni).

  arms.csv       the end points of each arm, and how many states an interval of
                 5 points to each side takes
  revived.png    what is revived and what is lost; over steps

  python -m scripts.latent_resampling --workdir=runs/latents
  python -m scripts.latent_resampling --num_seeds=200 --workdir=runs/latents_200
"""

from collections.abc import Mapping, Sequence
import functools
from typing import Any

import numpy as np

from toyjax import store
from toyjax.analysis.features.resampling import Method, Numbers
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies import arms, banks
from toyjax.studies.base import Study
from toyjax.studies.latent_resampling import trial
from toyjax.studies.latent_resampling.report import report
from toyjax.studies.latent_resampling.settings import SETTINGS


def arms_of(values: Values) -> dict[str, dict[str, float]]:
  """Returns the arms by name, the control first."""
  base = dict.fromkeys(Numbers._fields, 0.0) | {'reset': 1.0}

  def arm(method: Method, **numbers: float) -> dict[str, float]:
    return {**base, 'method': float(method), **numbers}

  published = arm(Method.RESAMPLED, power=2.0, norm=values['alive_norm'])
  return {
    'nothing': arm(Method.NOTHING),
    'random': arm(Method.RANDOM),
    'published': published,
    'no_adam_reset': {**published, 'reset': 0.0},
    'loss': {**published, 'power': 1.0},
    'unit_norm': {**published, 'norm': 0.0},
    'off_mean': {**published, 'subtract': 1.0},
    'aligned': arm(Method.ALIGNED),
    'centered': arm(Method.NOTHING, center=1.0),
    'centered_off_mean': {**published, 'subtract': 1.0, 'center': 1.0},
  }


def make_stages(values: Values) -> list[Stage]:
  """Returns the search for states with dead latents, and the arms."""
  states = _stage(
    values,
    'states',
    {'states': {'search': 0.0}},
    make_trial=trial.make_search,
    variables=trial.SEARCH_VARIABLES,
    coordinates={},
    summarize=lambda chunk: {'dead': int(np.sum(chunk['num_dead']))},
    steps='state_steps',
    shorten=lambda values, steps: {**values, 'state_steps': steps},
  )
  going = _stage(
    values,
    'arms',
    arms_of(values),
    make_trial=trial.make_go_on,
    variables=trial.VARIABLES,
    coordinates={'look': store.Coordinate('look', trial.looks(values))},
    summarize=lambda chunk: {'revived': int(np.sum(chunk['num_revived']))},
    shorten=lambda values, steps: {**values, 'num_steps': steps},
  )
  return [states, going._replace(make_xs=functools.partial(_going_xs, going))]


def _stage(
  values: Values, name: str, rows: Mapping[str, Mapping], **fields: Any
) -> Stage:
  points = list(rows.values())
  static = {
    row: values[row] for row in ('num_features', 'num_inputs', 'num_latents')
  }
  return Stage(
    name=name,
    values=values,
    static=static,
    axes={row: np.asarray([p[row] for p in points]) for row in points[0]},
    attrs={},
    large=('batch_size', 'num_fresh'),
    labels=list(rows),
    **fields,
  )


def _going_xs(
  stage: Stage, finished: Sequence[Runs], num_seeds: int
) -> dict[str, Any]:
  """Returns each state with dead latents in every arm."""
  search, names = trial.make_search(stage.values), (*trial.STATE, 'num_dead')
  data = arms.states(stage, search, names, finished, num_seeds)
  is_state = data['num_dead'] > 0
  if not is_state.any():
    raise SettingError(
      f'none of {num_seeds} runs has a dead latent: --mean_norm and --l1 make '
      'some'
    )
  return arms.cross(
    stage,
    {name: data[name][is_state] for name in (*trial.STATE, 'seed_index')},
  )


def _complete(values: Values) -> Values:
  banks.require_fitting(values)
  return values


STUDY = Study(
  'latent_resampling',
  SETTINGS,
  make_stages,
  report,
  num_seeds=20,
  complete=_complete,
  grows=False,  # More seeds would shift the runs that go on.
)

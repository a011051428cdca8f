"""Descends from the runaways of a certified folder by L-BFGS.

certified folder --read_runaways--> Runaways --run--> results.zarr
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import stages
from toyjax.analysis.autoencoder import lbfgs
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.base import Array
from toyjax.manifest import Workdir
from toyjax.parsers import SettingError
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.stored_runs import StoredRuns
from toyjax.studies.base import STORE, train
from toyjax.studies.certify_failure.certifying import CERTIFICATES
from toyjax.studies.folders import Folder
from toyjax.variables import coded, described

_VARIABLES = {
  'end': coded(lbfgs.End, 'how it ended'),
  **described('parameter', v='W and b at the end'),
  **described(
    sse='SSE at the end',
    gradient_norm='norm of the gradient',
    largest_norm='largest |W| on the way',
    num_steps='accepted steps',
    num_evaluations='evaluations of F',
  ),
}


class Runaways(NamedTuple):
  """The runaways of one group, as trained.

  Attributes:
    stage: of the group.
    run: int [S], number of each run in its group.
    v: [S, P] float64.
    infimum: [S] what F falls to along the valley of each.
    entry: int8 [S] that valley, a code of `catalogue.Entry`.
  """

  stage: Stage
  run: np.ndarray
  v: np.ndarray
  infimum: np.ndarray
  entry: np.ndarray

  @property
  def num_features(self) -> int:
    """N of its nets."""
    return self.stage.values['num_features']

  def norms(self, v: np.ndarray) -> np.ndarray:
    """Returns |W| of states [..., P]."""
    return np.linalg.norm(v[..., : -self.num_features], axis=-1)


def read_runaways(folder: Folder, stage: Stage) -> Runaways:
  """Returns the runs certified as runaways, with the weights of that step.

  Raises:
    SettingError: where the folder is not certified, or has none.
  """
  found = folder.open(stage, CERTIFICATES)
  trained = folder.open(stage)
  if not (found.is_whole and found.num_runs == len(trained.runs)):
    raise SettingError(
      f'{folder.path}/{CERTIFICATES} does not hold all runs of {stage.name}; '
      'finish scripts.certify_failure first'
    )
  (run,) = np.nonzero(found.read('verdict') == Verdict.RUNAWAY)
  if not len(run):
    raise SettingError(f'{folder.path} holds no runaway of {stage.name}')
  at = folder.values['observe_steps'].index(found.attrs['step'])
  weights = trained.read('weights')[run, at].astype(float)
  bias = trained.read('bias')[run, at].astype(float)
  return Runaways(
    stage=stage,
    run=run,
    v=np.concatenate([weights.reshape(len(run), -1), bias], axis=1),
    infimum=found.read('infimum')[run],
    entry=found.read('entry')[run],
  )


def _tolerances(settings: Mapping[str, Any]) -> lbfgs.Tolerances:
  return lbfgs.Tolerances(
    settings['solved_sse'], settings['gradient_tolerance']
  )


def run(runaways: Runaways, settings: Values, workdir: Workdir) -> StoredRuns:
  """Descends from each runaway into the folder's store, or resumes there.

  Args:
    runaways: from where.
    settings: num_pairs, max_evaluations, solved_sse and gradient_tolerance, and
      others that are noted with the results.
    workdir: the folder.

  Returns:
    Where each ended.
  """

  def trial(x: Mapping[str, Array]) -> dict[str, Array]:
    state = lbfgs.descend(
      x['v'],
      num_features=runaways.num_features,
      num_pairs=settings['num_pairs'],
      tolerances=_tolerances(settings),
      max_evaluations=settings['max_evaluations'],
    )
    return {
      'end': state.end,
      'v': state.v,
      'sse': state.sse,
      'gradient_norm': jnp.sqrt(jnp.sum(state.gradient**2)),
      'largest_norm': state.largest_norm,
      'num_steps': state.num_steps,
      'num_evaluations': state.num_evaluations,
    }

  xs = {'trained_run': runaways.run, 'v': runaways.v}
  stage = Stage(
    name=runaways.stage.name,
    values=settings,
    static={},
    axes={'trained_run': runaways.run},
    make_trial=lambda settings: trial,
    variables=_VARIABLES,
    coordinates={},
    attrs=settings,
    summarize=stages.counter(lbfgs.End, 'end'),
    steps='max_evaluations',
  )
  train(workdir, stage, xs)
  return StoredRuns(workdir.path / STORE, stage.name)


def paths(
  v: np.ndarray, settings: Mapping[str, Any], num_features: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns F and |W| [S, max_evaluations] after each evaluation of some."""

  @jax.vmap
  def follow(v: jax.Array) -> tuple[jax.Array, jax.Array]:
    ends = _tolerances(settings)

    def move(state: lbfgs.State, _: None):
      norm = jnp.sqrt(jnp.sum(state.v[:-num_features] ** 2))
      after = lbfgs.step(state, num_features=num_features, tolerances=ends)
      return after, (state.sse, norm)

    start = lbfgs.start(
      v,
      num_features=num_features,
      num_pairs=settings['num_pairs'],
      tolerances=ends,
    )
    return jax.lax.scan(move, start, length=settings['max_evaluations'])[1]

  sse, norms = jax.jit(follow)(jnp.asarray(v))
  return np.asarray(sse), np.asarray(norms)

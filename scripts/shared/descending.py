"""Descends from the runaways of a certified folder by L-BFGS.

certified folder --read_runaways--> Runaways --run--> results.zarr
"""

from collections.abc import Mapping
import pathlib
from typing import Any, NamedTuple

from absl import flags
import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import certifying, grids, stored_folder
from toyjax import store, sweeps
from toyjax.analysis import lbfgs
from toyjax.analysis.certificates import Verdict

flags.disclaim_key_flags()

FILENAME = 'results.zarr'
_VARIABLES = {
  'end': store.Variable(
    (), {'long_name': 'how it ended', **store.flag_attrs(lbfgs.End)}
  ),
  'v': store.Variable(('parameter',), {'long_name': 'W and b at the end'}),
  'sse': store.Variable((), {'long_name': 'SSE at the end'}),
  'gradient_norm': store.Variable((), {'long_name': 'norm of the gradient'}),
  'largest_norm': store.Variable((), {'long_name': 'largest |W| on the way'}),
  'num_steps': store.Variable((), {'long_name': 'accepted steps'}),
  'num_evaluations': store.Variable((), {'long_name': 'evaluations of F'}),
}


class Runaways(NamedTuple):
  """The runaways of one group, as trained.

  Attributes:
    name: of the group.
    num_features: n.
    run: int [S], number of each run in its group.
    v: [S, P] float64.
    infimum: [S] what F falls to along the valley of each.
    entry: int8 [S] that valley, a code of `catalogue.Entry`.
  """

  name: str
  num_features: int
  run: np.ndarray
  v: np.ndarray
  infimum: np.ndarray
  entry: np.ndarray


def read_runaways(
  workdir: str, group: grids.Group, science: Mapping[str, Any]
) -> Runaways:
  """Returns the runs certified as runaways, with the weights of that step.

  Raises:
    flags.Error: where the folder is not certified, or has none.
  """
  certificates = pathlib.Path('certificates') / certifying.FILENAME
  found = stored_folder.open_group(workdir, group, str(certificates))
  trained = stored_folder.open_group(workdir, group)
  if not (found.is_whole and found.num_runs == len(trained.runs)):
    raise flags.Error(
      f'{workdir}/{certificates} does not hold all runs of {group.name}; '
      'finish scripts.certify_failure first'
    )
  (run,) = np.nonzero(found.read('verdict') == Verdict.RUNAWAY)
  if not len(run):
    raise flags.Error(f'{workdir} holds no runaway of {group.name}')
  at = science['observe_steps'].index(found.attrs['step'])
  weights = trained.read('weights')[run, at].astype(float)
  bias = trained.read('bias')[run, at].astype(float)
  return Runaways(
    name=group.name,
    num_features=group.static['num_features'],
    run=run,
    v=np.concatenate([weights.reshape(len(run), -1), bias], axis=1),
    infimum=found.read('infimum')[run],
    entry=found.read('entry')[run],
  )


def tolerances(settings: Mapping[str, Any]) -> lbfgs.Tolerances:
  """Returns where descents end."""
  return lbfgs.Tolerances(
    settings['solved_sse'], settings['gradient_tolerance']
  )


def run(
  runaways: Runaways,
  settings: Mapping[str, Any],
  *,
  path: pathlib.Path,
  identity: Mapping[str, Any],
  chunk_size: int,
) -> None:
  """Descends from each runaway into the folder's store, or resumes there."""

  def trial(v: jax.Array) -> dict[str, jax.Array]:
    state = lbfgs.descend(
      v,
      num_features=runaways.num_features,
      num_pairs=settings['num_pairs'],
      tolerances=tolerances(settings),
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

  run_store = store.RunStore(
    path / FILENAME,
    runaways.name,
    num_runs=len(runaways.v),
    chunk_size=chunk_size,
    results=jax.eval_shape(trial, runaways.v[0]),
    variables=_VARIABLES,
    coordinates={'trained_run': store.Coordinate(store.RUN, runaways.run)},
    attrs=settings,
    identity=identity,
  )
  sweeps.sweep(
    trial,
    runaways.v,
    chunk_size=chunk_size,
    store=run_store,
    summarize=_summarize,
    work_per_run=settings['max_evaluations'],
    progress=runaways.name,
  )


def _summarize(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  counts = np.bincount(chunk['end'], minlength=len(lbfgs.End))
  return {code.name.lower(): int(counts[code]) for code in lbfgs.End}


def paths(
  v: np.ndarray, settings: Mapping[str, Any], num_features: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns F and |W| [S, max_evaluations] after each evaluation of some."""

  @jax.vmap
  def follow(v: jax.Array) -> tuple[jax.Array, jax.Array]:
    ends = tolerances(settings)

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

"""The runs of the chaos map: one (learning rate, Δ, nudge) each, stored.

Stage (what varies) --compute--> group of results.zarr --> arrays by name
"""

from collections.abc import Mapping
import pathlib
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import memory
from toyjax import chunks, loops, store, sweeps
from toyjax.analysis import chaos, chaos_endings, lyapunov
from toyjax.analysis.chaos_endings import Ending
from toyjax.base import Array, Dynamics
from toyjax.toys import relu_autoencoder

AXES = ('learning_rate', 'delta', 'nudge')

# What tells one variant of the map from another.
VARIANT = ('num_features', 'separation', 'norm_factor', 'loss_reduction')

_OBSERVED = {
  'ending': store.Variable(
    ('step',),
    {'long_name': 'how the run stands', **store.flag_attrs(Ending)},
  ),
  'sse': store.Variable(
    ('step',), {'long_name': 'sum of squared errors over the n samples'}
  ),
  'total_norm': store.Variable(('step',), {'long_name': 'sum of |W_i|'}),
  'dead_norm': store.Variable(
    ('step',), {'long_name': '|W_0|, of the row that was dead'}
  ),
  'mirror_defect': store.Variable(
    ('step',), {'long_name': 'largest distance of a weight from its mirror'}
  ),
  'solved_step': store.Variable(
    (),
    {
      'long_name': 'steps after which sse was first below solved_sse',
      'comment': '-1 where that never happened; every step was looked at',
    },
  ),
}
_FOLLOWED = {
  'log_growth': store.Variable(
    ('step',), {'long_name': 'ln of the length of a tangent that began at 1'}
  ),
  'log_peak': store.Variable(
    ('step',),
    {
      'long_name': 'the largest log_growth so far, at least 0',
      'comment': 'until the run was first solved: at a solution outputs sit on '
      'kinks, where the Jacobian of one side says nothing of the other',
    },
  ),
}


class Stage(NamedTuple):
  """A set of runs that share one compiled program.

  Attributes:
    name: of its group in the store.
    variant: value of each flag in `VARIANT`, and of keep_mirror.
    dtype: precision of the runs.
    axes: learning_rate, delta, nudge of each run, float64 [R] each.
    follow: whether a tangent vector is carried along.
  """

  name: str
  variant: Mapping[str, Any]
  dtype: str
  axes: Mapping[str, np.ndarray]
  follow: bool = False

  @property
  def xs(self) -> dict[str, np.ndarray]:
    """The runs in the stage's own precision."""
    return {name: self.axes[name].astype(self.dtype) for name in AXES}


def make_trial(
  stage: Stage, settings: Mapping[str, Any], num_steps: int | None = None
) -> chunks.Trial:
  """Returns the run of one point of the map.

  Args:
    stage: what the runs share.
    settings: all scientific flags.
    num_steps: a shorter run, observed at its end only, for estimates.
  """
  steps = settings['observe_steps'] if num_steps is None else [num_steps]
  window = settings['window'] if num_steps is None else num_steps
  shared = {
    name: stage.variant[name]
    for name in ('num_features', 'separation', 'loss_reduction')
  }
  num_features = stage.variant['num_features']
  # One generic direction for all runs, so that pictures are smooth.
  draws = np.random.default_rng(0).standard_normal(3 * num_features)

  def direction(state):
    weights = draws[: 2 * num_features].reshape(2, num_features)
    params = state.params._replace(
      weights=jnp.asarray(weights, stage.dtype),
      bias=jnp.asarray(draws[2 * num_features :], stage.dtype),
    )
    return state._replace(params=params)

  def trial(x: Mapping[str, Array]) -> dict[str, Array]:
    dynamics = chaos.training_map(
      **shared,
      norm_factor=stage.variant['norm_factor'],
      keep_mirror=stage.variant['keep_mirror'],
      learning_rate=x['learning_rate'],
      delta=x['delta'],
      nudge=x['nudge'],
      dtype=stage.dtype,
    )
    observed, solved_step = chaos_endings.run(
      dynamics,
      **shared,
      observe_steps=steps,
      window=window,
      solved_sse=settings['solved_sse'],
      thresholds=chaos_endings.THRESHOLDS,
    )
    results = {**observed._asdict(), 'solved_step': solved_step}
    if stage.follow:
      _, (log_growth, log_peak) = loops.unroll(
        jax.random.key(0),  # Nothing is drawn.
        _track_peak(lyapunov.follow(dynamics, direction), shared, settings),
        steps[-1],
        observe=lambda state, info: (
          state.inner.log_growth,
          state.record.log_peak,
        ),
        observe_at=steps,
      )
      results |= {'log_growth': log_growth, 'log_peak': log_peak}
    return results

  return trial


class _Peak(NamedTuple):
  """Running record: the largest growth, and whether the run was solved."""

  log_peak: Array
  solved: Array


def _track_peak(
  followed: Dynamics, shared: Mapping[str, Any], settings: Mapping[str, Any]
) -> Dynamics:
  """Carries the largest growth before the run is first solved."""

  def update(record, step, state, info):
    del step
    sse = relu_autoencoder.sse_from_one_hot_loss(
      info.loss,
      num_features=shared['num_features'],
      loss_reduction=shared['loss_reduction'],
    )
    solved = record.solved | (sse < settings['solved_sse'])
    peak = jnp.maximum(record.log_peak, state.log_growth)
    return _Peak(jnp.where(solved, record.log_peak, peak), solved)

  return loops.track(
    followed,
    lambda state: _Peak(jnp.zeros_like(state.log_growth), jnp.bool_(False)),
    update,
  )


def compute(
  stage: Stage,
  settings: Mapping[str, Any],
  *,
  path: pathlib.Path,
  identity: Mapping[str, Any],
  chunk_size: int,
  map_name: str,
) -> dict[str, np.ndarray]:
  """Runs a stage, or the part of it that the store does not have yet.

  Args:
    stage: what is run.
    settings: all scientific flags.
    path: of the store.
    identity: of the folder, from `manifest.Workdir`.
    chunk_size: runs per chunk.
    map_name: see `chunks.compile_chunk`.

  Returns:
    The results of all its runs by name, [R, ...].
  """
  trial, xs = make_trial(stage, settings), stage.xs
  steps = settings['observe_steps']
  run_store = store.RunStore(
    path,
    stage.name,
    num_runs=len(xs['delta']),
    chunk_size=chunk_size,
    results=memory.shapes_of(
      trial,
      {name: values[0] for name, values in xs.items()},
      num_runs=len(xs['delta']),
      chunk_size=chunk_size,
    ),
    variables=_OBSERVED | (_FOLLOWED if stage.follow else {}),
    coordinates={
      'step': store.Coordinate('step', np.asarray(steps)),
      **{name: store.Coordinate(store.RUN, xs[name]) for name in AXES},
    },
    attrs={**stage.variant, 'solved_sse': settings['solved_sse']},
    identity=identity,
  )
  sweeps.sweep(
    trial,
    xs,
    chunk_size=chunk_size,
    store=run_store,
    summarize=_count_last_step,
    work_per_run=steps[-1],
    progress=stage.name,
    map_name=map_name,
  )
  return run_store.read()


def _count_last_step(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts the endings of a chunk at its last step, for the progress line."""
  counts = np.bincount(chunk['ending'][:, -1], minlength=len(Ending))
  return {code.name.lower(): int(counts[code]) for code in Ending}

"""One run around symmetric failure: from its exact weights, or from scratch.

x (key and traced flags) --escape_trial--> escape step, solved step, the end
x (key and traced flags) --training_trial--> weights at the observed steps
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, descent, loops, optimizers, store
from toyjax.analysis import critical_points, symmetric_failure
from toyjax.base import Array, ArrayTree, Dynamics, PRNGKey
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

# Flag of the rate and of the other hyperparameters, by optimizer.
TRACED = {
  'adam': ('learning_rate', 'adam_b1', 'adam_b2', 'adam_eps'),
  'adamw': (
    'learning_rate',
    'adam_b1',
    'adam_b2',
    'adam_eps',
    'weight_decay',
  ),
  'sgd': ('sgd_learning_rate',),
}
_NAMES = {'adam_b1': 'b1', 'adam_b2': 'b2', 'adam_eps': 'eps'}

ESCAPE_VARIABLES = {
  'escaped_step': store.Variable(
    (),
    {
      'long_name': 'steps after which sse was first below the escape level',
      'comment': '-1 where that never happened; every step was looked at',
    },
  ),
  'solved_step': store.Variable(
    (),
    {
      'long_name': 'steps after which sse was first below solved_sse',
      'comment': '-1 where that never happened; every step was looked at',
    },
  ),
  'sse': store.Variable((), {'long_name': 'sum of squared errors at the end'}),
  'outcome': store.Variable(
    (),
    {
      'long_name': 'how the run stands at the end',
      **store.flag_attrs(relu_autoencoder.Outcome),
    },
  ),
  'dead_bias': store.Variable((), {'long_name': 'b of the dead row, end'}),
  'dead_norm': store.Variable((), {'long_name': '|W| of the dead row, end'}),
}

TRAINING_VARIABLES = {
  'weights': store.Variable(
    ('step', 'hidden', 'feature'), {'long_name': 'W, column i is W_i'}
  ),
  'bias': store.Variable(('step', 'feature'), {'long_name': 'b'}),
}


class Crossings(NamedTuple):
  """First steps below the two levels; -1 before that."""

  escaped: Array
  solved: Array


def _dynamics(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  x: Mapping[str, Array],
  start: Callable[[PRNGKey], relu_autoencoder.Params] | None,
) -> Dynamics:
  """Returns the training of one run; None starts from Glorot's init."""
  dtype = jnp.dtype(settings['dtype'])
  toy = relu_autoencoder.make(
    num_features=static['num_features'],
    num_hidden=2,
    sample=sparse_features.one_hot(
      num_features=static['num_features'], dtype=dtype
    ),
    init='glorot_normal',
    init_scale=1.0,
    importance_decay=1.0,
    loss_reduction='mean',
    dtype=dtype,
  )
  if start is not None:
    toy = toy._replace(init=start)
  rate, *others = TRACED[static['optimizer']]
  return descent.descend(
    toy,
    optimizers.make(
      static['optimizer'],
      learning_rate=x[rate].astype(dtype),
      schedule=None,
      **{_NAMES.get(f, f): x[f].astype(dtype) for f in others},
    ),
  )


def escape_trial(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  num_steps: int | None = None,
) -> chunks.Trial:
  """Returns a run from symmetric failure plus noise: when does it leave?

  Args:
    static: num_features and optimizer.
    settings: all scientific flags.
    num_steps: a shorter run, for estimates.
  """
  num_steps = num_steps or settings['num_steps']
  num_features = static['num_features']
  dtype = jnp.dtype(settings['dtype'])
  least = critical_points.minimum_radius(num_features - 1, beside_dead=True)
  level = symmetric_failure.level(num_features=num_features, num_dead=1)
  levels = (settings['escape_share'] * level, settings['solved_sse'])

  def update(record, step, state, info):
    del state  # The loss is that of the weights before this step.
    sse = relu_autoencoder.sse_from_one_hot_loss(
      info.loss, num_features=num_features, loss_reduction='mean'
    )
    return _cross(record, sse, step - 1, levels)

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    def start(key: PRNGKey) -> relu_autoencoder.Params:
      params = symmetric_failure.make(
        num_features=num_features,
        num_dead=1,
        norm=(x['norm_factor'] * least).astype(dtype),
      )
      keys = jax.random.split(key)
      return relu_autoencoder.Params(
        *(
          leaf + x['start_noise'] * jax.random.normal(k, leaf.shape, dtype)
          for leaf, k in zip(params, keys)
        )
      )

    dynamics = loops.track(
      _dynamics(static, settings, x, start),
      init=lambda state: Crossings(jnp.int32(-1), jnp.int32(-1)),
      update=update,
    )
    state, earlier_sse = loops.unroll(
      x['key'],
      dynamics,
      num_steps,
      observe=lambda state, info: relu_autoencoder.one_hot_sse(
        state.inner.params
      ),
      observe_at=[max(num_steps * 9 // 10, 1)],
    )
    params = state.inner.params
    end = relu_autoencoder.diagnose(
      params,
      earlier_sse=earlier_sse[0],
      solved_sse=settings['solved_sse'],
      thresholds=relu_autoencoder.THRESHOLDS,
    )
    record = _cross(state.record, end.sse, jnp.int32(num_steps), levels)
    return {
      'escaped_step': record.escaped,
      'solved_step': record.solved,
      'sse': end.sse,
      'outcome': end.outcome,
      'dead_bias': params.bias[0],
      'dead_norm': jnp.sqrt(jnp.sum(params.weights[:, 0] ** 2)),
    }

  return trial


def _cross(
  record: Crossings, sse: Array, step: Array, levels: tuple[float, float]
) -> Crossings:
  """Notes the step where the SSE is below a level for the first time."""
  return Crossings(
    *(
      jnp.where((first < 0) & (sse < level), step, first)
      for first, level in zip(record, levels)
    )
  )


def training_trial(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  num_steps: int | None = None,
) -> chunks.Trial:
  """Returns a run from Glorot's init whose weights are kept at some steps.

  Args:
    static: num_features and optimizer.
    settings: all scientific flags; `state_steps` are observed.
    num_steps: a shorter run, seen at its end only, for estimates.
  """
  steps = settings['state_steps'] if num_steps is None else [num_steps]

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    _, params = loops.unroll(
      x['key'],
      _dynamics(static, settings, x, None),
      steps[-1],
      observe=lambda state, info: state.params,
      observe_at=steps,
    )
    return {'weights': params.weights, 'bias': params.bias}

  return trial


def count_escapes(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts for the progress line."""
  return {
    'escaped': int(np.sum(chunk['escaped_step'] >= 0)),
    'solved': int(np.sum(chunk['solved_step'] >= 0)),
  }

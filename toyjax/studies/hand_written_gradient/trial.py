"""Two nets from one start on the same batches, each with its own update.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, loops
from toyjax.analysis.autoencoder import hand_written, polygons
from toyjax.analysis.autoencoder.hand_written import UPDATES
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.base import Array, ArrayTree, PRNGKey
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys.relu_autoencoder import INITS, Params
from toyjax.variables import coded, described

# What is known of a run's end, and of what follows by the true gradient.
STAGES = ('trained', 'then')
_JITTER, _TEST, _THEN = range(3)  # What a run draws beside its training.

VARIABLES = {
  'outcome': coded(Polygon, 'which polygon, trained and then', 'update', 'end'),
  **described(
    'update',
    'end',
    loss='L on fresh samples, trained and then',
    gradient_norm='norm of its gradient there',
  ),
  **described('update', 'end', 'hidden', 'feature', ends='W'),
  **described('update', 'end', 'feature', biases='b'),
  **described('update', 'step', 'hidden', 'feature', weights='W'),
  **described('update', 'step', average_loss='moving average of L'),
}


def importance_of(values: Values) -> np.ndarray:
  """Returns I [N] of a stage, r^i."""
  (decay,) = values['importance_decay']
  return decay ** np.arange(values['num_features'])


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed of a stage of one --num_features."""
  dtype = jnp.dtype(values['dtype'])
  num_features = values['num_features']
  importance = jnp.asarray(importance_of(values), dtype)
  draw = functools.partial(_draw, num_features, dtype)

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    test = draw(values['num_test'], x, loops.side_key(x['key'], _TEST))

    def init(key: PRNGKey) -> dict[str, Params]:
      start = INITS['uniform_positive'](
        key, 2, num_features, x['init_scale'].astype(jnp.float32)
      )
      return dict.fromkeys(
        UPDATES, jax.tree.map(lambda leaf: leaf.astype(dtype), start)
      )

    train = functools.partial(
      hand_written.descend,
      sample=functools.partial(draw, values['batch_size'], x),
      importance=importance,
      learning_rate=x['learning_rate'].astype(dtype),
    )
    state, (weights, averages) = loops.unroll(
      x['key'],
      _averaged(train(UPDATES, init=init), values['average_steps']),
      values['num_steps'],
      observe=lambda state, info: (
        {name: own.weights for name, own in state.inner.items()},
        state.record,
      ),
      observe_at=values['observe_steps'],
    )
    jitter_key = loops.side_key(x['key'], _JITTER)
    start = _jittered(jitter_key, state.inner, values['then_noise'])
    then, _ = loops.unroll(
      loops.side_key(x['key'], _THEN),
      train(
        dict.fromkeys(UPDATES, hand_written.gradient), init=lambda key: start
      ),
      values['then_steps'],
    )
    told = [
      [_tell(params[name], test, importance) for params in (state.inner, then)]
      for name in UPDATES
    ]
    return {
      **_stacked([_stacked(both) for both in told]),
      'weights': jnp.stack([weights[name] for name in UPDATES]),
      'average_loss': jnp.stack([averages[name] for name in UPDATES]),
    }

  return trial


def _draw(num_features, dtype, number, x, key) -> Array:
  """Draws [N, number]; entries are independent, so either axis may be first."""
  return sparse_features.sparse_uniform(
    num_features=number,
    batch_size=num_features,
    sparsity=x['sparsity'],
    normalize=False,
    dtype=dtype,
  )(key)


def _averaged(dynamics, average_steps: float):
  """Adds the moving average of each arm's loss, which starts at the first."""

  def update(record, step, state, info):
    del state
    return {
      name: jnp.where(
        step == 1, info[name], old + (info[name] - old) / average_steps
      )
      for name, old in record.items()
    }

  return loops.track(
    dynamics,
    init=lambda state: {
      name: jnp.zeros((), own.bias.dtype) for name, own in state.items()
    },
    update=update,
  )


def _jittered(key: PRNGKey, arms: dict[str, Params], noise: float):
  """Adds the same noise to the parameters of every arm."""
  weight_key, bias_key = jax.random.split(key)

  def add(params: Params) -> Params:
    drawn = (
      jax.random.normal(own, leaf.shape, jnp.float32).astype(leaf.dtype)
      for own, leaf in zip((weight_key, bias_key), params)
    )
    return Params(*(leaf + noise * d for leaf, d in zip(params, drawn)))

  return {name: add(params) for name, params in arms.items()}


def _tell(
  params: Params, test: Array, importance: Array
) -> dict[str, Any]:
  loss, slope = hand_written.gradient(params, test, importance)
  squares = sum(jnp.sum(leaf**2) for leaf in slope)
  found = polygons.describe(params.weights, thresholds=polygons.THRESHOLDS)
  return {
    'outcome': found.outcome,
    'loss': loss,
    'gradient_norm': jnp.sqrt(squares),
    'ends': params.weights,
    'biases': params.bias,
  }


def _stacked(rows: list[dict[str, Any]]) -> dict[str, Any]:
  return {name: jnp.stack([row[name] for row in rows]) for name in rows[0]}

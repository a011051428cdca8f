"""One run around symmetric failure: from its exact weights, or from scratch.

x (key and traced flags) --escape_trial--> escape step, solved step, the end
x (key and traced flags) --training_trial--> weights at the observed steps
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, descent, loops, store
from toyjax.base import Array, ArrayTree, Dynamics, PRNGKey
from toyjax.settings import Values
from toyjax.studies.optimization_failure import trial as trained
from toyjax.studies.symmetric_failure import exact
from toyjax.toys import relu_autoencoder

_NEVER = '-1 where that never happened; every step was looked at'


def _scalar(long_name: str, **attrs: Any) -> store.Variable:
  return store.Variable((), {'long_name': long_name, **attrs})


ESCAPE_VARIABLES = {
  'escaped_step': _scalar(
    'steps after which sse was first below the escape level', comment=_NEVER
  ),
  'solved_step': _scalar(
    'steps after which sse was first below solved_sse', comment=_NEVER
  ),
  'sse': _scalar('sum of squared errors at the end'),
  'outcome': _scalar(
    'how the run stands at the end',
    **store.flag_attrs(relu_autoencoder.Outcome),
  ),
  'dead_bias': _scalar('b of the dead row, end'),
  'dead_norm': _scalar('|W| of the dead row, end'),
}

TRAINING_VARIABLES = {
  name: trained.VARIABLES[name] for name in ('weights', 'bias')
}
# What the training has beside the settings of the study.
_FIXED = {
  'num_hidden': 2,
  'init': 'glorot_normal',
  'loss_reduction': 'mean',
  **trained.CONSTANT,
}


def _make_dynamics(values: Values, x: Mapping[str, Array]) -> Dynamics:
  """Returns the training of one run from scratch."""
  is_sgd = values['optimizer'] == 'sgd'
  rate = x['sgd_learning_rate' if is_sgd else 'learning_rate']
  own = {'learning_rate': rate, 'init_scale': jnp.ones((), values['dtype'])}
  return trained.make_dynamics({**values, **_FIXED}, {**x, **own})


def escape_trial(values: Values) -> chunks.Trial:
  """Returns a run from symmetric failure plus noise: when does it leave?

  Args:
    values: num_features and optimizer of the stage; num_steps, escape_share,
      solved_sse and dtype.
  """
  num_steps, num_features = values['num_steps'], values['num_features']
  dtype = jnp.dtype(values['dtype'])
  escape_sse = values['escape_share'] * exact.level(num_features)
  levels = np.asarray([escape_sse, values['solved_sse']], dtype)

  def cross(first: Array, sse: Array, step: Array) -> Array:
    return jnp.where((first < 0) & (sse < levels), step, first)

  def update(record, step, state, info):
    del state  # The loss is that of the weights before this step.
    sse = relu_autoencoder.sse_from_one_hot_loss(
      info.loss, num_features=num_features, loss_reduction='mean'
    )
    return cross(record, sse, step - 1)

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    training = _make_dynamics(values, x)

    def start(key: PRNGKey) -> descent.DescentState:
      params = exact.make(num_features, x['norm_factor'], dtype)
      noise = [
        x['start_noise'] * jax.random.normal(k, leaf.shape, dtype)
        for leaf, k in zip(params, jax.random.split(key))
      ]
      # No optimizer's state hangs on the weights at the start.
      return training.init(key)._replace(
        params=jax.tree.map(jnp.add, params, relu_autoencoder.Params(*noise))
      )

    dynamics = loops.track(
      training._replace(init=start),
      init=lambda state: jnp.full(2, -1, jnp.int32),
      update=update,
    )
    state, end = trained.run_to_end(x['key'], dynamics, values)
    params = state.inner.params
    escaped, solved = cross(state.record, end.sse, jnp.int32(num_steps))
    return {
      'escaped_step': escaped,
      'solved_step': solved,
      'sse': end.sse,
      'outcome': end.outcome,
      'dead_bias': params.bias[0],
      'dead_norm': jnp.sqrt(jnp.sum(params.weights[:, 0] ** 2)),
    }

  return trial


def training_trial(values: Values) -> chunks.Trial:
  """Returns a run from Glorot's init whose weights are kept at some steps.

  Args:
    values: num_features and optimizer of the stage; num_steps, observe_steps
      and dtype.
  """

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    _, params = loops.unroll(
      x['key'],
      _make_dynamics(values, x),
      values['num_steps'],
      observe=lambda state, info: state.params,
      observe_at=values['observe_steps'],
    )
    return {'weights': params.weights, 'bias': params.bias}

  return trial


def count_escapes(chunk: Mapping[str, np.ndarray]) -> dict[str, int]:
  """Counts for the progress line."""
  return {
    'escaped': int(np.sum(chunk['escaped_step'] >= 0)),
    'solved': int(np.sum(chunk['solved_step'] >= 0)),
  }

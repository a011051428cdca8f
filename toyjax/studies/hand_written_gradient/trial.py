"""Two nets from one start on the same batches, each with its own update.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping
import functools

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import chunks, loops
from toyjax.analysis.autoencoder import hand_written
from toyjax.analysis.autoencoder.hand_written import UPDATES
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.base import Array, ArrayTree, PRNGKey
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys.relu_autoencoder import INITS
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

    def init(key: PRNGKey) -> hand_written.Arms:
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
      hand_written.averaged(train(UPDATES, init=init), values['average_steps']),
      values['num_steps'],
      observe=lambda state, info: (
        {name: own.weights for name, own in state.inner.items()},
        state.record,
      ),
      observe_at=values['observe_steps'],
    )
    jitter_key = loops.side_key(x['key'], _JITTER)
    start = hand_written.jittered(jitter_key, state.inner, values['then_noise'])
    then, _ = loops.unroll(
      loops.side_key(x['key'], _THEN),
      train(
        dict.fromkeys(UPDATES, hand_written.gradient), init=lambda key: start
      ),
      values['then_steps'],
    )
    stack = functools.partial(jax.tree.map, lambda *leaves: jnp.stack(leaves))
    told = (
      stack(*(hand_written.tell(p[name], test, importance) for p in both))
      for both in [(state.inner, then)]
      for name in UPDATES
    )
    return {
      **stack(*told),
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

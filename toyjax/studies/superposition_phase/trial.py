"""One net of two sparse features in one dimension: train, observe, classify.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from toyjax import chunks, descent, loops, optimizer_settings, store
from toyjax.analysis.autoencoder import sparse_pair
from toyjax.base import Array, ArrayTree
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder

VARIABLES = {
  'outcome': store.Variable(
    ('step',),
    {
      'long_name': 'what the net does with its dimension',
      **store.flag_attrs(sparse_pair.Kind),
    },
  ),
  'loss': store.Variable(
    ('step',), {'long_name': 'E[(y_1 - x_1)^2 + r (y_2 - x_2)^2]'}
  ),
  'weights': store.Variable(('step', 'feature'), {'long_name': 'W, one row'}),
  'bias': store.Variable(('step', 'feature'), {'long_name': 'b'}),
}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on fresh samples, observe."""
  dtype = jnp.dtype(values['dtype'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = relu_autoencoder.make(
      num_features=2,
      num_hidden=1,
      sample=sparse_features.sparse_uniform(
        num_features=2,
        batch_size=values['batch_size'],
        sparsity=1.0 - x['density'],
        normalize=False,
        dtype=dtype,
      ),
      init=values['init'],
      init_scale=x['init_scale'],
      importance_decay=x['importance'],
      loss_reduction='mean',
      dtype=dtype,
    )
    optimizer = optimizer_settings.make(
      values['optimizer'], x, schedule=None, dtype=dtype
    )
    _, params = loops.unroll(
      x['key'],
      descent.descend(toy, optimizer),
      values['num_steps'],
      observe=lambda state, info: state.params,
      observe_at=values['observe_steps'],
    )
    losses = jax.vmap(
      lambda own: sparse_pair.expected_loss(
        own, density=x['density'], importance=x['importance']
      )
    )(params)
    return {
      'outcome': jax.vmap(sparse_pair.classify)(params, losses),
      'loss': losses,
      'weights': params.weights[:, 0],
      'bias': params.bias,
    }

  return trial

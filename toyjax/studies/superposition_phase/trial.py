"""One net of n sparse features in n - 1 dimensions: train, observe, classify.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from toyjax import chunks, descent, loops, optimizer_settings, store
from toyjax.analysis.autoencoder import sparse_bottleneck
from toyjax.base import Array, ArrayTree
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder

VARIABLES = {
  'outcome': store.Variable(
    ('step',),
    {
      'long_name': 'what the net does with its dimensions',
      **store.flag_attrs(sparse_bottleneck.Kind),
    },
  ),
  'loss': store.Variable(
    ('step',), {'long_name': 'E[sum_i I_i (y_i - x_i)^2]'}
  ),
  'weights': store.Variable(('step', 'hidden', 'feature'), {'long_name': 'W'}),
  'bias': store.Variable(('step', 'feature'), {'long_name': 'b'}),
}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on fresh samples, observe."""
  dtype = jnp.dtype(values['dtype'])
  num_features = values['num_features']
  num_parts = descent.count_parts(values['batch_size'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = relu_autoencoder.make(
      num_features=num_features,
      num_hidden=num_features - 1,
      sample=sparse_features.sparse_uniform(
        num_features=num_features,
        batch_size=values['batch_size'] // num_parts,
        sparsity=1.0 - x['density'],
        normalize=False,
        dtype=dtype,
      ),
      init=values['init'],
      init_scale=x['init_scale'],
      importance_decay=1.0,
      importance=sparse_bottleneck.importances(x['importance'], num_features),
      loss_reduction='mean',
      dtype=dtype,
    )
    optimizer = optimizer_settings.make(
      values['optimizer'], x, schedule=None, dtype=dtype
    )
    _, params = loops.unroll(
      x['key'],
      descent.descend(toy, optimizer, num_parts=num_parts),
      values['num_steps'],
      observe=lambda state, info: state.params,
      observe_at=values['observe_steps'],
    )
    losses = jax.vmap(
      lambda own: sparse_bottleneck.expected_loss(
        own, density=x['density'], importance=x['importance']
      )
    )(params)
    return {
      'outcome': jax.vmap(sparse_bottleneck.classify)(params, losses),
      'loss': losses,
      'weights': params.weights,
      'bias': params.bias,
    }

  return trial

"""One net of many sparse features: train, observe, measure.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from toyjax import chunks, descent, loops, scheduled, sweeps
from toyjax.analysis.autoencoder import dimensionality
from toyjax.analysis.autoencoder.dimensionality import Packing
from toyjax.base import Array, ArrayTree
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder
from toyjax.variables import coded, described

VARIABLES = {
  'outcome': coded(Packing, 'what D* sticks at', 'step'),
  **described(
    *('step', 'feature'),
    dimensionality='D_i, share of a dimension',
    length='|W_i|',
  ),
  **described(
    'step',
    dimensions_per_feature='D* = M / |W|_F²',
    loss='mean loss on the evaluated batches',
  ),
  **described(
    'feature', scattered='D_i of the last lengths in random directions'
  ),
}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on fresh samples, measure."""
  dtype = jnp.dtype(values['dtype'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = relu_autoencoder.make(
      num_features=values['num_features'],
      num_hidden=values['num_hidden'],
      sample=sparse_features.sparse_uniform(
        num_features=values['num_features'],
        batch_size=values['batch_size'],
        sparsity=1.0 - x['density'],
        normalize=False,
        dtype=dtype,
      ),
      init=values['init'],
      init_scale=x['init_scale'],
      importance_decay=1.0,
      loss_reduction='mean',
      dtype=dtype,
    )
    last, observed = scheduled.descend(toy, values, x)
    key = sweeps.common_key(values['seed'])

    def measure(own: relu_autoencoder.Params) -> dict[str, Array]:
      ratio = dimensionality.dimensions_per_feature(own.weights)
      return {
        'outcome': dimensionality.classify(ratio),
        'dimensionality': dimensionality.dimensionalities(own.weights.T),
        'length': jnp.linalg.norm(own.weights, axis=0),
        'dimensions_per_feature': ratio,
        'loss': descent.mean_loss(
          toy, own, key, num_batches=values['num_evaluations']
        ),
      }

    scattered = dimensionality.scatter(
      last.weights.T, loops.side_key(x['key'], 0)
    )
    return {
      **jax.lax.map(measure, observed),
      'scattered': dimensionality.dimensionalities(scattered),
    }

  return trial

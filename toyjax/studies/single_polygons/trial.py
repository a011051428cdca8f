"""One net of n features that come one at a time: train, observe, name.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from toyjax import chunks, descent, loops, optimizer_settings, store
from toyjax.analysis.autoencoder import polygons, uniform_features
from toyjax.base import Array, ArrayTree
from toyjax.data import sparse_features
from toyjax.settings import Values
from toyjax.toys import relu_autoencoder

VARIABLES = {
  'outcome': store.Variable(
    ('step',),
    {
      'long_name': 'polygon of the represented features',
      **store.flag_attrs(polygons.Polygon),
    },
  ),
  'loss': store.Variable(('step',), {'long_name': 'E[|y - x|^2], exact'}),
  'num_represented': store.Variable(
    ('step',), {'long_name': 'features that are represented'}
  ),
  'weights': store.Variable(('step', 'hidden', 'feature'), {'long_name': 'W'}),
  'bias': store.Variable(('step', 'feature'), {'long_name': 'b'}),
}


def attrs(values: Values) -> Mapping[str, Any]:
  """Returns the thresholds behind the labels."""
  del values
  return polygons.THRESHOLDS._asdict()


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on fresh samples, observe."""
  dtype = jnp.dtype(values['dtype'])
  num_features = values['num_features']
  num_parts = descent.count_parts(values['batch_size'])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = relu_autoencoder.make(
      num_features=num_features,
      num_hidden=2,
      sample=sparse_features.single_uniform(
        num_features=num_features,
        batch_size=values['batch_size'] // num_parts,
        dtype=dtype,
      ),
      init=values['init'],
      init_scale=x['init_scale'],
      importance_decay=1.0,
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
    losses = jax.vmap(uniform_features.single_loss)(params)
    found = jax.vmap(
      lambda weights: polygons.describe(weights, thresholds=polygons.THRESHOLDS)
    )(params.weights)
    is_finite = jnp.isfinite(losses)
    return {
      'outcome': jnp.where(
        is_finite, found.outcome, polygons.Polygon.DIVERGED
      ).astype(jnp.int32),
      'loss': losses,
      'num_represented': found.num_represented,
      'weights': params.weights,
      'bias': params.bias,
    }

  return trial

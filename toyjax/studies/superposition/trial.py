"""One net of sparse features in two dimensions: train, observe, name.

x (key and traced settings of one run) --trial--> results by name
"""

from collections.abc import Mapping

import jax
import jax.numpy as jnp

from toyjax import chunks, descent, scheduled, sweeps
from toyjax.analysis.autoencoder import polygons
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.base import Array, ArrayTree
from toyjax.data import sparse_features
from toyjax.data.sparse_features import Sampler
from toyjax.settings import Values
from toyjax.studies.superposition.settings import PAIRS
from toyjax.toys import relu_autoencoder
from toyjax.variables import coded, described

VARIABLES = {
  'outcome': coded(Polygon, 'polygon of the represented features', 'step'),
  **described(
    *('step', 'feature'),
    is_represented='whether |W_i| is large enough',
    bias='b',
  ),
  **described('step', 'hidden', 'feature', weights='W, column i is W_i'),
  **described(loss='mean loss of the last net on the evaluated batches'),
}


def make_trial(values: Values) -> chunks.Trial:
  """Returns the experiment for one seed: train on fresh samples, observe."""
  dtype = jnp.dtype(values['dtype'])
  is_paired = values['part'] in PAIRS
  number = 2 * values['num_pairs'] if is_paired else values['num_features']

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    toy = relu_autoencoder.make(
      num_features=number,
      num_hidden=2,
      sample=_sampler(number, values, x),
      init=values['init'],
      init_scale=x['init_scale'],
      importance_decay=x.get('importance_decay', 1.0),
      loss_reduction='mean',
      dtype=dtype,
    )
    last, observed = scheduled.descend(toy, values, x)
    describe = jax.vmap(
      lambda own: polygons.describe(own, thresholds=polygons.THRESHOLDS)
    )
    found = describe(observed.weights)
    key = sweeps.common_key(values['seed'])
    return {
      'outcome': found.outcome,
      'is_represented': found.is_represented,
      'weights': observed.weights,
      'bias': observed.bias,
      'loss': descent.mean_loss(
        toy, last, key, num_batches=values['num_evaluations']
      ),
    }

  return trial


def _sampler(number: int, values: Values, x: Mapping[str, Array]) -> Sampler:
  """Returns what draws the batches of a part."""
  part = values['part']
  density = x['density' if part == 'importance' else 'base_density']
  drawn = {
    'batch_size': values['batch_size'],
    'dtype': jnp.dtype(values['dtype']),
  }
  if part in ('correlated', 'anticorrelated'):
    # One of an anticorrelated pair is there half as often as the pair.
    present = density * (1.0 if part == 'correlated' else 2.0)
    make = getattr(sparse_features, f'{part}_pairs')
    return make(num_pairs=number // 2, sparsity=1.0 - present, **drawn)
  if part == 'sparser':
    is_first = jnp.arange(number) == 0
    density *= jnp.where(is_first, x['relative_density'], 1.0)
  return sparse_features.sparse_uniform(
    num_features=number, sparsity=1.0 - density, normalize=False, **drawn
  )

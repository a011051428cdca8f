"""The ReLU autoencoder as its tests make it."""

import jax.numpy as jnp
import numpy as np

from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

# Unit roundoff times the length of the longest sum here (about 100 terms) is
# 6e-6 in float32 and 1e-14 in float64; values are of order 1.
TOLERANCES = {'float32': 1e-5, 'float64': 1e-13}


def make(num_features=5, num_hidden=2, sample=None, **changes):
  dtype = changes.get('dtype', jnp.float32)
  settings = {
    'init': 'glorot_normal',
    'init_scale': 1.0,
    'importance_decay': 1.0,
    'loss_reduction': 'mean',
    'dtype': dtype,
  }
  if sample is None:
    sample = sparse_features.one_hot(num_features=num_features, dtype=dtype)
  return relu_autoencoder.make(
    num_features=num_features,
    num_hidden=num_hidden,
    sample=sample,
    **(settings | changes),
  )


def sparse(num_features, batch_size, **changes):
  settings = {'sparsity': 0.6, 'normalize': False, 'dtype': jnp.float32}
  return sparse_features.sparse_uniform(
    num_features=num_features,
    batch_size=batch_size,
    **(settings | changes),
  )


def random_case(num_features, num_hidden, seed):
  """Weights, bias and a batch of 9 that are exact in float32."""
  rng = np.random.default_rng(seed)
  arrays = (
    rng.normal(size=(num_hidden, num_features)),
    0.3 * rng.normal(size=num_features),
    rng.uniform(size=(9, num_features)),
  )
  return [array.astype(np.float32).astype(float) for array in arrays]

"""The sparse autoencoder and its bank of features as their tests make them."""

import jax.numpy as jnp

from toyjax.data import feature_bank
from toyjax.toys import sparse_autoencoder

# Each kind of net, as `make` takes it.
KINDS = {
  'l1': {'l1': 0.1},
  'tied': {'l1': 0.1, 'tied': True},
  'top_k': {'top_k': 2},
}
DRAWN = {
  'batch_size': 64,
  'amplitude': 'exponential',
  'nested': False,
  'noise': 0.0,
  'log_scale': 0.0,
}


def bank(key, num_features=8, num_inputs=4, dtype=jnp.float32, **changes):
  settings = {'first_frequency': 0.3, 'decay': 0.5, 'mean_norm': 0.5}
  return feature_bank.make(
    key,
    num_features=num_features,
    num_inputs=num_inputs,
    dtype=dtype,
    **(settings | changes),
  )


def make(key, **changes):
  settings = {
    'num_inputs': 4,
    'num_latents': 8,
    'sample': feature_bank.sampler(bank(key), **DRAWN),
    'l1': 0.0,
    'top_k': None,
    'tied': False,
    'center': 0.0,
    'dtype': jnp.float32,
  }
  return sparse_autoencoder.make(**(settings | changes))

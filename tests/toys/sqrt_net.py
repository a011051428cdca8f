"""The net of one variable as its tests make it."""

import jax.numpy as jnp

from toyjax.toys import sqrt_mlp


def make(**changes):
  settings = {
    'target': 'sqrt',
    'coefficients': (),
    'low': 0.0,
    'high': 4.0,
    'num_points': 33,
    'spacing': 'even',
    'widths': (2, 2),
    'init': 'torch_linear',
    'init_scale': 1.0,
    'dtype': jnp.float32,
  }
  return sqrt_mlp.make(**(settings | changes))

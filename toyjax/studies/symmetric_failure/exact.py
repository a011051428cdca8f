"""Exact symmetric failure with one dead row, as the runs and tables have it.

n, norm in units of the least one --make--> W, b
"""

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import critical_points, symmetric_failure
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params


def least_norm(num_features: int) -> float:
  """Returns the least norm of the live rows, at which they are on their kinks.

  Args:
    num_features: n >= 3.
  """
  return critical_points.minimum_radius(num_features - 1, beside_dead=True)


def make(
  num_features: int,
  norm_factor: float | Array,
  dtype: jax.typing.DTypeLike = float,
) -> Params:
  """Returns W [2, n] and b [n]; row 0 is dead.

  Args:
    num_features: n >= 3.
    norm_factor: norm of the live rows over the least one; may be traced.
    dtype: of the parameters.
  """
  return symmetric_failure.make(
    num_features=num_features,
    num_dead=1,
    norm=jnp.asarray(norm_factor * least_norm(num_features), dtype),
  )


def level(num_features: int) -> float:
  """Returns its SSE, 1 - 1/n."""
  return symmetric_failure.level(num_features=num_features, num_dead=1)

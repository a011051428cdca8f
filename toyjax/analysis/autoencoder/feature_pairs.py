"""How a net places the two features of each pair.

    weights [M, 2 P] --place--> int32 [] code of Placement

References:
  Elhage et al. 2022, Toy models of superposition, section "Correlated and
  anticorrelated features".
"""

import math

import chex
import jax.numpy as jnp

from toyjax import roles
from toyjax.analysis.autoencoder.polygons import Thresholds
from toyjax.base import Array
from toyjax.roles import Role


class Placement(roles.Outcome):
  """How all pairs of a net are placed: the first that fits."""

  # A weight is not finite.
  DIVERGED = 0, Role.DIVERGED
  # A feature of a pair is not represented.
  INCOMPLETE = 1, Role.FAILED
  # Every pair at a right angle.
  ORTHOGONAL = 2, Role.SOLVED
  # Every pair opposite each other.
  ANTIPODAL = 3, Role.SOLVED
  # Every pair closer than a right angle.
  SIDE_BY_SIDE = 4, Role.SOLVED
  # Every pair between a right angle and opposite.
  APART = 5, Role.FAILED
  # Not all pairs alike.
  MIXED = 6, Role.FAILED


def place(weights: Array, *, thresholds: Thresholds) -> Array:
  """Returns how a net places features 2k and 2k + 1, for all k.

  Args:
    weights: W [M, 2 P].
    thresholds: when a feature is represented, and by how much a right angle or
      a straight one may be wrong.

  Returns:
    int32 [], a code of `Placement`. A regular hexagon's neighbours are side by
    side, as are all that are closer than a right angle less its tolerance.

  Raises:
    ValueError: on an odd number of features.
  """
  chex.assert_rank(weights, 2)
  if weights.shape[1] % 2:
    raise ValueError(f'features must come in pairs: {weights.shape[1]}')
  lengths = jnp.sqrt(jnp.sum(weights**2, axis=0))
  is_represented = jnp.all(lengths > thresholds.represented)
  units = weights / jnp.where(lengths > 0.0, lengths, 1.0)[None, :]
  cosines = jnp.sum(units[:, 0::2] * units[:, 1::2], axis=0)
  right, straight = (
    math.sin(thresholds.direction),
    -math.cos(thresholds.direction),
  )
  tests = {
    Placement.DIVERGED: ~jnp.all(jnp.isfinite(weights)),
    Placement.INCOMPLETE: ~is_represented,
    Placement.ORTHOGONAL: jnp.all(jnp.abs(cosines) <= right),
    Placement.ANTIPODAL: jnp.all(cosines <= straight),
    Placement.SIDE_BY_SIDE: jnp.all(cosines > right),
    Placement.APART: jnp.all((cosines < -right) & (cosines > straight)),
    Placement.MIXED: jnp.bool_(True),
  }
  return roles.first(Placement, tests)

"""One of equal sparse features is rarer: is the least loss to leave it out?

    n, density, how much rarer --minima--> Minima with it and without it
    ratios, excess --crossing--> where the excess changes its sign

References:
  Elhage et al. 2022, Toy models of superposition, "Non-uniform superposition".
"""

from collections.abc import Sequence
import functools
import itertools
import math
from typing import NamedTuple

import jax
import numpy as np

from toyjax.analysis.autoencoder import polygons, sparse_quadrature
from toyjax.analysis.autoencoder.polygons import THRESHOLDS, Polygon
from toyjax.analysis.autoencoder.sparse_quadrature import Minimum

_ALIKE = 1e-3  # Descents that end in one minimum have losses closer than this.


class Minima(NamedTuple):
  """Minima of two dimensions that two descents reach.

  Attributes:
    whole: from the regular polygon of all features.
    without: from that of the others; the rarer one starts at 0.
  """

  whole: Minimum
  without: Minimum

  @property
  def excess(self) -> float:
    """Logarithm of the loss with it over that without it."""
    return math.log(self.whole.loss / self.without.loss)

  @property
  def best(self) -> Polygon:
    """The polygon of the lower one."""
    weights = min(self, key=lambda minimum: minimum.loss).params.weights
    return named(weights)


def minima(
  num_features: int, *, density: float, relative_density: float
) -> Minima:
  """Returns both minima, the first feature being rarer.

  Args:
    num_features: n, at most `sparse_quadrature.MOST_FEATURES`.
    density: p of the others.
    relative_density: q; the first one's density is q p.
  """
  densities = np.full(num_features, density)
  densities[0] *= relative_density
  with jax.enable_x64(True):
    return Minima(
      *(
        sparse_quadrature.descend(
          sparse_quadrature.polygon_start(num_features, corners),
          density=densities,
          importance=np.ones(num_features),
        )
        for corners in (num_features, num_features - 1)
      )
    )


@jax.jit
def _code(weights: jax.Array) -> jax.Array:
  return polygons.describe(weights, thresholds=THRESHOLDS).outcome


def named(weights: jax.Array) -> Polygon:
  """Returns the polygon of one net of two dimensions, W [2, N]."""
  return Polygon(int(_code(np.asarray(weights, np.float32))))


@functools.cache
def regular(corners: int) -> Polygon:
  """Returns what the regular polygon of so many features is called."""
  return named(sparse_quadrature.polygon_start(corners, corners).weights)


def crossing(
  ratios: Sequence[float], excess: Sequence[float | None]
) -> float | None:
  """Returns the first ratio at which an excess changes its sign, or None.

  Between neighbours it is taken as a straight line over the ratio's logarithm.

  Args:
    ratios: [K] increasing.
    excess: [K]; None where there is none. Neighbours of a sign that is not
      clear, within `_ALIKE` of 0, are left out.
  """
  points = [
    (math.log(q), e)
    for q, e in zip(ratios, excess)
    if e is not None and abs(e) > _ALIKE
  ]
  for (x, a), (y, b) in itertools.pairwise(points):
    if (a > 0.0) != (b > 0.0):
      return math.exp(x + (y - x) * a / (a - b))
  return None

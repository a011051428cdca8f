"""How much of a dimension each vector has to itself.

    vectors [K, M] --dimensionalities--> D_i; num_hidden, W --> D*

References:
  Elhage et al. 2022, Toy models of superposition, "The geometry of
  superposition". Henighan et al. 2023, Superposition, memorization, and double
  descent, where the vectors are those of samples.
"""

from typing import NamedTuple

import chex
import jax.numpy as jnp

from toyjax.base import Array


class Line(NamedTuple):
  """A value that D_i gathers at.

  Attributes:
    value: of D_i.
    geometry: of the vectors that have it; p/q is q vectors in p dimensions.
  """

  value: float
  geometry: str


# Where the source sees the D_i of n = 400, m = 30 gather.
PUBLISHED_LINES = (
  Line(3 / 4, 'tetrahedron'),
  Line(2 / 3, 'triangle'),
  Line(1 / 2, 'digon'),
  Line(2 / 5, 'pentagon'),
  Line(3 / 8, 'square antiprism'),
  Line(0.0, 'not learned'),
)


def dimensionalities(vectors: Array) -> Array:
  """Returns D_i = |v_i|² / Σ_j (v̂_i·v_j)², with v̂ = v / |v|, [K].

  1 is a dimension of its own, 1/2 that of an antipodal pair of equal lengths;
  ΣD_i is at most the rank of the vectors. Lengths only count relative to others
  that are not at right angles.

  Args:
    vectors: [K, M]; of features, the columns W_i of W, `weights.T`.

  Returns:
    [K], 0 <= D_i <= 1, and 0 where v_i = 0.
  """
  chex.assert_rank(vectors, 2)
  squares = jnp.sum(vectors**2, axis=1)
  is_zero = squares == 0.0
  # v_iᵀ (Σ_j v_j v_jᵀ) v_i: no array of K x K, so K may be thousands.
  overlaps = jnp.sum((vectors @ (vectors.T @ vectors)) * vectors, axis=1)
  found = squares**2 / jnp.where(is_zero, 1.0, overlaps)
  return jnp.where(is_zero, 0.0, found)


def dimensions_per_feature(weights: Array) -> Array:
  """Returns D* = M / |W|_F², [], which is inf for W = 0.

  Args:
    weights: W [M, N]. |W|_F² stands for the number of features that are
      represented, each at a length of about 1.
  """
  chex.assert_rank(weights, 2)
  return weights.shape[0] / jnp.sum(weights**2)

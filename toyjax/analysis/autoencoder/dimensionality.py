"""How much of a dimension each vector has to itself.

    vectors [K, M] --dimensionalities--> D_i; W --> D*, and what it sticks at
    vectors, key --scatter--> vectors of the same lengths in random directions

References:
  Elhage et al. 2022, Toy models of superposition, "The geometry of
  superposition". Henighan et al. 2023, Superposition, memorization, and double
  descent, where the vectors are those of samples.
"""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax import roles
from toyjax.base import Array, PRNGKey
from toyjax.roles import Role


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


# D* sticks at a value when it is within this fraction of it: a twentieth, when
# the next published value, 1/2 after 1, is ten times as far.
STICKING = 0.05


class Packing(roles.Outcome):
  """How many dimensions there are for each feature, by D*."""

  # D* is not finite.
  DIVERGED = 0, Role.DIVERGED
  # More than one: dimensions are left unused.
  UNUSED = 1, Role.FAILED
  # One: each represented feature has its own.
  DEDICATED = 2, Role.SOLVED
  # Between one and one half.
  BETWEEN = 3, Role.UNDECIDED
  # One half, that of antipodal pairs.
  DIGONS = 4, Role.SOLVED
  # Less.
  DENSER = 5, Role.SOLVED


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


def classify(dimensions_per_feature: Array) -> Array:
  """Returns the int32 [] code of `Packing` of D* []."""
  ratio = dimensions_per_feature
  tests = {
    Packing.DIVERGED: ~jnp.isfinite(ratio),
    Packing.UNUSED: ratio > 1.0 + STICKING,
    Packing.DEDICATED: ratio >= 1.0 - STICKING,
    Packing.BETWEEN: ratio > 0.5 * (1.0 + STICKING),
    Packing.DIGONS: ratio >= 0.5 * (1.0 - STICKING),
    Packing.DENSER: jnp.bool_(True),
  }
  return roles.first(Packing, tests)


def scatter(vectors: Array, key: PRNGKey) -> Array:
  """Returns vectors of the same lengths in uniform directions, [K, M].

  What D_i does where vectors are long and short as in a net, and know nothing
  of one another.

  Args:
    vectors: [K, M].
    key: [] typed key.
  """
  drawn = jax.random.normal(key, vectors.shape, jnp.float32)
  lengths = jnp.linalg.norm(vectors, axis=1, keepdims=True)
  units = drawn / jnp.linalg.norm(drawn, axis=1, keepdims=True)
  return lengths * units.astype(vectors.dtype)

"""n sparse features in n - 1 dimensions: which of them does a net give up?

    params, density s, importance r --expected_loss--> a number
    s, r --candidates--> closed forms; `bottleneck_optima` has the least
    weights --classify--> what they do with the dimensions

Each feature is 0 with probability 1 - s, else uniform in (0, 1]. The last one
has importance r, all others 1. n is 2 or 3.

References:
  Elhage et al. 2022, Toy models of superposition, section 3.
"""

from collections.abc import Mapping
import itertools

import jax.numpy as jnp

from toyjax import roles
from toyjax.analysis.autoencoder import uniform_features
from toyjax.base import Array
from toyjax.roles import Role
from toyjax.toys.relu_autoencoder import Params

NUM_FEATURES = (2, 3)


class Kind(roles.Outcome):
  """What a net does with its n - 1 dimensions."""

  # A weight or the loss is not finite.
  DIVERGED = 0, Role.DIVERGED
  # The last feature answers its mean; a dimension for each other.
  IGNORES_LAST = 1, Role.SOLVED
  # The same of one of the others.
  IGNORES_ANOTHER = 2, Role.SOLVED
  # The last is an antipodal pair with one of the others.
  PAIRS_LAST = 3, Role.SOLVED
  # Two of the others are one.
  PAIRS_OTHERS = 4, Role.SOLVED
  # All are represented, none of them opposite or alike: a triangle.
  SPREAD = 5, Role.SOLVED
  # Two on one side: neither can be told from the other.
  MERGED = 6, Role.FAILED
  # More is ignored than has to be.
  WASTES = 7, Role.FAILED


# A feature has a share of the dimensions where |W_i| is above; candidates have
# 0 or 1.
REPRESENTED = 0.5
# The cosine of two rows below which they are opposite, at 150 degrees, half-way
# between a pair and the triangle; above its negative's square root of a half,
# 45 degrees, half-way between a right angle and one direction, they are alike.
OPPOSITE, ALIKE = -(3.0**0.5) / 2.0, 0.5**0.5
NUM_NODES = 32  # Of an axis of the quadrature, for losses that are shown.


def importances(importance: float | Array, num_features: int) -> Array:
  """Returns I [N]: r of the last feature, 1 of the others."""
  last = jnp.arange(num_features) == num_features - 1
  return jnp.where(last, jnp.asarray(importance), 1.0)


def expected_loss(
  params: Params,
  *,
  density: float | Array,
  importance: float | Array,
  num_nodes: int = NUM_NODES,
) -> Array:
  """Returns E[Σ_i I_i (y_i - x_i)²] of one net, see `uniform_features`.

  Args:
    params: W [N - 1, N] and b [N].
    density: s in [0, 1], the probability that a feature is there.
    importance: r >= 0 of the last feature; the others have 1.
    num_nodes: of the quadrature along each axis. At the optima 16 err by at
      most 2e-5 of the loss, and 32 by 3e-6.
  """
  return uniform_features.sparse_loss(
    params,
    density=density,
    importance=importances(importance, len(params.bias)),
    num_nodes=num_nodes,
  )


def classify(params: Params, loss: Array) -> Array:
  """Returns the code of `Kind` of one net, int32 [].

  Args:
    params: W [N - 1, N] and b [N].
    loss: of the net, for whether it is finite.
  """
  num_features = len(params.bias)
  norms = jnp.sqrt(jnp.sum(params.weights**2, axis=0))
  is_there = norms > REPRESENTED
  units = params.weights / jnp.maximum(norms, REPRESENTED)[None]
  opposite, opposite_last = jnp.bool_(False), jnp.bool_(False)
  alike = jnp.bool_(False)
  for i, j in itertools.combinations(range(num_features), 2):
    cosine = jnp.sum(units[:, i] * units[:, j])
    both = is_there[i] & is_there[j]
    alike |= both & (cosine > ALIKE)
    is_pair = both & (cosine < OPPOSITE)
    opposite |= is_pair
    opposite_last |= is_pair & (j == num_features - 1)
  num_there = jnp.sum(is_there)
  leaves = [leaf.ravel() for leaf in (params.weights, params.bias, loss)]
  is_finite = jnp.isfinite(jnp.concatenate(leaves)).all()
  one_ignored = (num_there == num_features - 1) & ~opposite
  all_there = num_there == num_features
  tests = {
    Kind.DIVERGED: ~is_finite,
    Kind.IGNORES_LAST: ~alike & one_ignored & ~is_there[-1],
    Kind.IGNORES_ANOTHER: ~alike & one_ignored & is_there[-1],
    Kind.PAIRS_LAST: ~alike & all_there & opposite_last,
    Kind.PAIRS_OTHERS: ~alike & all_there & opposite,
    Kind.SPREAD: ~alike & all_there,
    Kind.MERGED: alike,
    Kind.WASTES: jnp.bool_(True),
  }
  return roles.first(Kind, tests)


def candidates(
  density: float, importance: float, num_features: int
) -> dict[Kind, float]:
  """Returns the losses of the candidates in closed form.

  With V = s/3 - s²/4, the variance of a feature: r V and V for the feature that
  is ignored, (1 + r) s²/6 for the pair with the last, and of three features
  s²/3 for the pair of the others. They are candidates, not optima: their norms
  and biases are not the best there are.

  Args:
    density: s in [0, 1].
    importance: r >= 0.
    num_features: n.
  """
  variance = density / 3.0 - density**2 / 4.0
  found = {
    Kind.IGNORES_LAST: importance * variance,
    Kind.IGNORES_ANOTHER: variance,
    Kind.PAIRS_LAST: (1.0 + importance) * density**2 / 6.0,
  }
  if num_features == 3:
    found[Kind.PAIRS_OTHERS] = density**2 / 3.0
  return found


def start_of(kind: Kind, density: float | Array, num_features: int) -> Params:
  """Returns the candidate itself, whose loss `candidates` gives.

  Args:
    kind: one of the candidates, or SPREAD of three features, which has no
      closed form: a triangle near its size for rare features.
    density: s; an ignored feature answers its mean s/2.
    num_features: n.

  Raises:
    KeyError: on a kind that such nets do not start from.
  """
  rows = STARTS[num_features][kind]
  weights = jnp.asarray(rows, jnp.result_type(float)).T
  ignored = jnp.sum(weights**2, axis=0) == 0.0
  bias = jnp.where(ignored, density / 2.0, -0.2 * (kind is Kind.SPREAD))
  return Params(weights, bias.astype(weights.dtype))


# W_i of each feature at the start of a kind, for `start_of`.
STARTS: Mapping[int, Mapping[Kind, list[tuple[float, ...]]]] = {
  2: {
    Kind.IGNORES_LAST: [(1.0,), (0.0,)],
    Kind.IGNORES_ANOTHER: [(0.0,), (1.0,)],
    Kind.PAIRS_LAST: [(1.0,), (-1.0,)],
  },
  3: {
    Kind.IGNORES_LAST: [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)],
    Kind.IGNORES_ANOTHER: [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)],
    Kind.PAIRS_LAST: [(1.0, 0.0), (0.0, 1.0), (0.0, -1.0)],
    Kind.PAIRS_OTHERS: [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0)],
    Kind.SPREAD: [(1.1, 0.0), (-0.55, 0.95), (-0.55, -0.95)],
  },
}

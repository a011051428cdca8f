"""Which features a net of two dimensions represents, and as which polygon.

    weights [2, N] --describe--> outcome, which features, how many directions

Only the columns W_i count, each by its length and its angle: names do not
change where features are permuted or the plane is turned or mirrored.

References:
  Elhage et al. 2022, Toy models of superposition.
"""

import math
from typing import NamedTuple

import chex
import jax.numpy as jnp

from toyjax import roles
from toyjax.base import Array
from toyjax.roles import Role


class Polygon(roles.Outcome):
  """What the represented features form: the first that fits, in this order.

  Solved are those that use both dimensions and keep all features apart.
  """

  # A weight is not finite.
  DIVERGED = 0, Role.DIVERGED
  # No feature is represented.
  NOTHING = 1, Role.FAILED
  # Some share a direction: one cannot be told from another.
  MERGED = 2, Role.FAILED
  # One feature alone.
  SINGLE = 3, Role.FAILED
  # One antipodal pair alone.
  DIGON = 4, Role.FAILED
  # Two at a right angle: a dimension for each, no superposition.
  ORTHOGONAL = 5, Role.SOLVED
  # An antipodal pair, and one at right angles to it.
  DIGON_AND_SINGLE = 6, Role.SOLVED
  # Two antipodal pairs at right angles: a square, if lengths are equal.
  TWO_DIGONS = 7, Role.SOLVED
  TRIANGLE = 8, Role.SOLVED
  PENTAGON = 9, Role.SOLVED
  HEXAGON = 10, Role.SOLVED
  HEPTAGON = 11, Role.SOLVED
  OCTAGON = 12, Role.SOLVED
  # A regular polygon of more corners.
  LARGER = 13, Role.SOLVED
  # None of the above.
  IRREGULAR = 14, Role.FAILED


class Thresholds(NamedTuple):
  """The numbers behind the names, each with its reason.

  Attributes:
    represented: a feature is represented where |W_i| is above. One that is
      not has |W_i| near 0; one that is has about 1, from .97 in a dense digon
      to 1.17 in a pentagon of rare features. Half lies between.
    direction: radians. Directions closer than this are one direction, and a
      right angle may be wrong by it: half the way from a right angle to the
      120° of a triangle, the only other figure of three features; a third of
      the 45° of an octagon.
    evenness: a k-gon's gaps between neighbours may differ from 2π/k by this
      fraction of the way to 2π/(k - 1), the gaps of one corner less: half of
      it, 9° for a pentagon and 6° for a hexagon.
    regularity: lengths in a k-gon may differ from their mean by this fraction.
      Half lies a quarter above and below: the longest is then less than 5/3
      of the shortest.
  """

  represented: float = 0.5
  direction: float = math.pi / 12.0
  evenness: float = 0.5
  regularity: float = 0.25


THRESHOLDS = Thresholds()
_CORNERS = {
  Polygon.TRIANGLE: 3,
  Polygon.PENTAGON: 5,
  Polygon.HEXAGON: 6,
  Polygon.HEPTAGON: 7,
  Polygon.OCTAGON: 8,
}


class Description(NamedTuple):
  """What a net of two dimensions represents.

  Attributes:
    outcome: int32 [], a code of `Polygon`.
    is_represented: bool [N], which features.
    num_represented: int32 [].
    num_directions: int32 [], of represented features; merged ones count once.
  """

  outcome: Array
  is_represented: Array
  num_represented: Array
  num_directions: Array


def describe(weights: Array, *, thresholds: Thresholds) -> Description:
  """Says which features are represented, and which polygon they form.

  Args:
    weights: W [2, N], N >= 1.
    thresholds: usually `THRESHOLDS`.

  Returns:
    A `Description`. Never raises on values: what is not finite is DIVERGED.

  Raises:
    ValueError: unless there are two dimensions.
  """
  chex.assert_rank(weights, 2)
  if weights.shape[0] != 2:
    raise ValueError(f'weights must have shape [2, N]: {weights.shape}')
  lengths = jnp.sqrt(jnp.sum(weights**2, axis=0))
  is_represented = lengths > thresholds.represented
  number = jnp.sum(is_represented, dtype=jnp.int32)
  gaps, is_gap = _gaps(weights, is_represented)

  def are_all(tests: Array) -> Array:
    return jnp.all(tests | ~is_gap)

  # A gap of one corner less is 2π/(k - 1), 1/(k - 1) of 2π/k further.
  corners = jnp.maximum(number, 2)
  even = 2.0 * math.pi / corners
  is_even = are_all(
    jnp.abs(gaps - even) <= thresholds.evenness * even / (corners - 1)
  )
  mean = jnp.sum(lengths * is_represented) / jnp.maximum(number, 1)
  differs = jnp.abs(lengths - mean) > thresholds.regularity * mean
  is_regular = is_even & ~jnp.any(differs & is_represented)
  # On two axes at right angles: every gap is one right angle, or several.
  turns = jnp.round(gaps / (math.pi / 2.0))
  off = jnp.abs(gaps - turns * (math.pi / 2.0))
  is_square = are_all((off <= thresholds.direction) & (turns >= 1.0))
  is_across = jnp.any(is_gap & (turns == 2.0))

  tests = {
    Polygon.DIVERGED: ~jnp.all(jnp.isfinite(weights)),
    Polygon.NOTHING: number == 0,
    Polygon.MERGED: ~are_all(gaps >= thresholds.direction),
    Polygon.SINGLE: number == 1,
    Polygon.DIGON: is_square & (number == 2) & is_across,
    Polygon.ORTHOGONAL: is_square & (number == 2),
    Polygon.DIGON_AND_SINGLE: is_square & (number == 3),
    Polygon.TWO_DIGONS: is_square & (number == 4),
    **{kind: is_regular & (number == k) for kind, k in _CORNERS.items()},
    Polygon.LARGER: is_regular & (number > max(_CORNERS.values())),
    Polygon.IRREGULAR: jnp.bool_(True),
  }
  return Description(
    outcome=roles.first(Polygon, tests),
    is_represented=is_represented,
    num_represented=number,
    num_directions=jnp.sum(
      is_gap & (gaps >= thresholds.direction), dtype=jnp.int32
    ),
  )


def _gaps(weights: Array, is_represented: Array) -> tuple[Array, Array]:
  """Returns the angles to the next represented feature, and which there are.

  Of k features k gaps come first, in the order of the angles, and sum to 2π.
  """
  angles = jnp.arctan2(weights[1], weights[0])
  angles = jnp.sort(jnp.where(is_represented, angles, jnp.inf))
  place = jnp.arange(len(angles))
  number = jnp.sum(is_represented)
  around = jnp.where(
    place == number - 1, angles[0] + 2.0 * math.pi, jnp.roll(angles, -1)
  )
  is_gap = place < number
  return jnp.where(is_gap, around - angles, 0.0), is_gap

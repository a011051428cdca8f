"""Does a net hold its samples, or the features that they are made of?

W, b, samples --tell--> losses, and whether samples form a polygon

Losses are sums over features, means over samples.
"""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from toyjax import roles
from toyjax.analysis.autoencoder import polygons
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.base import Array
from toyjax.data.row_blocks import RowBlocks
from toyjax.roles import Role
from toyjax.toys.relu_autoencoder import Params, apply

_REGULAR = (
  *(Polygon.TRIANGLE, Polygon.TWO_DIGONS, Polygon.PENTAGON, Polygon.HEXAGON),
  *(Polygon.HEPTAGON, Polygon.OCTAGON, Polygon.LARGER),
)
# Fresh variance that a net which has learned features explains at least, in
# that of a feature. It is the least that can be called one.
EXPLAINED = 1.0


class Regime(roles.Outcome):
  """What a net holds: the first class, in this order, that fits."""

  # The loss or a weight is not finite.
  DIVERGED = 0, Role.DIVERGED
  # All T samples are the corners of a regular T-gon, T >= 3.
  SAMPLES = 1, Role.SOLVED
  # The variance of `EXPLAINED` features is explained of fresh samples.
  FEATURES = 2, Role.SOLVED
  NEITHER = 3, Role.FAILED


class Losses(NamedTuple):
  """Of some samples.

  Attributes:
    loss: mean over them of |y - x|², [].
    null: that of the best constant answer, their variance, [].
  """

  loss: Array
  null: Array


def losses(params: Params, blocks: RowBlocks) -> Losses:
  """Returns the losses of samples, one block in memory at a time.

  Args:
    params: W [M, N] and b [N].
    blocks: of the samples.
  """

  def add(sums: tuple[Array, Array, Array], place: Array) -> Any:
    x = blocks.rows(place)
    y = jax.vmap(apply, in_axes=(None, 0))(params, x)
    missed, squares, total = sums
    return (
      missed + jnp.sum((y - x) ** 2),
      squares + jnp.sum(x**2),
      total + jnp.sum(x, axis=0),
    ), None

  zero = jnp.zeros((), params.bias.dtype)
  (missed, squares, total), _ = jax.lax.scan(
    add,
    (zero, zero, jnp.zeros_like(params.bias)),
    jnp.arange(blocks.num_blocks),
  )
  number = blocks.num_blocks * blocks.size
  null = squares / number - jnp.sum((total / number) ** 2)
  return Losses(missed / number, null)


def hidden_vectors(params: Params, blocks: RowBlocks) -> Array:
  """Returns W x_t of all samples, [M, T]."""
  hidden = jax.lax.map(
    lambda place: blocks.rows(place) @ params.weights.T,
    jnp.arange(blocks.num_blocks),
  )
  return hidden.reshape(-1, params.weights.shape[0]).T


def explained(fresh: Losses, num_features: int) -> Array:
  """Returns the variance that is explained, in that of one feature of n."""
  return (fresh.null - fresh.loss) / (fresh.null / num_features)


def is_polygon(hidden: Array) -> Array:
  """Whether vectors [2, T] are all represented, as a regular T-gon.

  By the thresholds of `polygons`, but that corners of many may be as close as
  half of their even gap before they are one direction.
  """
  usual = polygons.THRESHOLDS
  near = min(usual.direction, math.pi / hidden.shape[1])
  found = polygons.describe(hidden, thresholds=usual._replace(direction=near))
  is_regular = jnp.any(found.outcome == jnp.asarray(_REGULAR))
  return is_regular & (found.num_represented == hidden.shape[1])


def classify(params: Params, hidden: Array, fresh: Losses) -> Array:
  """Returns the int32 [] code of `Regime`.

  Args:
    params: W [2, N] and b [N].
    hidden: of the samples, W x_t, [2, T].
    fresh: losses of fresh samples.
  """
  finite = jnp.isfinite(fresh.loss) & jnp.all(jnp.isfinite(params.weights))
  return roles.first(
    Regime,
    {
      Regime.DIVERGED: ~finite,
      Regime.SAMPLES: is_polygon(hidden),
      Regime.FEATURES: explained(fresh, len(params.bias)) >= EXPLAINED,
      Regime.NEITHER: jnp.bool_(True),
    },
  )

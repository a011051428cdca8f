r"""Symmetric failure under weight decay: a local minimum behind the kinks.

Decay shortens the live rows until their kinks turn on and hold them. The point
where both balance, a critical point of

    F(W, b) + λ (|W|² + |b|²)

lies on the piece with every kink on. There the live rows cannot move against a
growing dead row, which is the way out of symmetric failure without decay.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import (
  critical_points,
  curvature,
  pieces,
  symmetric_failure,
)
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params


class Settled(NamedTuple):
  """Where symmetric failure settles under decay, float64.

  Attributes:
    params: W [2, N] and b [N].
    slope: [] length of the gradient of the decayed error there.
    least_kink: [] the least z_ji of the kinks: > 0 where all of them are on.
    spectrum: of the Hessian of the decayed error, modulo rotations.
  """

  params: Params
  slope: Array
  least_kink: Array
  spectrum: curvature.Spectrum


@functools.partial(jax.jit, static_argnames=('num_features', 'num_iterations'))
def settle(
  *,
  num_features: int,
  decay: float | Array,
  num_iterations: int,
  zero_tolerance: float,
) -> Settled:
  """Finds the critical point by Newton's method from the least norm.

  Args:
    num_features: n, one of them dead.
    decay: λ > 0, small: the point must stay on the piece with all kinks on.
    num_iterations: Newton steps; a few do.
    zero_tolerance: an eigenvalue counts as 0 within this of 0.
  """
  start = symmetric_failure.make(
    num_features=num_features,
    num_dead=1,
    norm=jnp.asarray(
      critical_points.minimum_radius(num_features - 1, beside_dead=True), float
    ),
  )
  v = pieces.vector(start)
  z = pieces.preactivations(start)
  pattern = z > -1e-9  # The kinks are 0 up to rounding.

  def slope(v: Array) -> Array:
    return pieces.gradient(v, pattern) + 2 * decay * v

  def improve(_: int, v: Array) -> Array:
    hessian = pieces.hessian(v, pattern) + 2 * decay * jnp.eye(len(v))
    return v - jnp.linalg.pinv(hessian, rtol=1e-12) @ slope(v)

  v = jax.lax.fori_loop(0, num_iterations, improve, v)
  params = pieces.params_of(v, num_features)
  at = curvature.forms(v, num_features=num_features, kink_tolerance=0.0)
  rest = jnp.eye(len(v)) - at.rotations
  return Settled(
    params=params,
    slope=jnp.linalg.norm(slope(v)),
    least_kink=jnp.min(
      jnp.where(jnp.abs(z) <= 1e-9, pieces.preactivations(params), jnp.inf)
    ),
    spectrum=curvature.spectrum(
      at.off_hessian + 2 * decay * rest, at, zero_tolerance=zero_tolerance
    ),
  )

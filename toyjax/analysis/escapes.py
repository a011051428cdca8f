r"""Steepest way down from a point: saddle-free Newton, which no saddle holds.

    v, radius --step -|H|⁻¹ ∇F, cut to the radius--> lower, or a smaller radius

H and ∇F are those of the piece that v lies on; a step is taken only where the
error itself falls, so crossing a kink never raises it. Every eigenvalue counts
by its size: along negative curvature the step goes down, not up to the saddle.

References:
  Dauphin et al. 2014, Identifying and attacking the saddle point problem in
  high-dimensional non-convex optimization, section 6.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis import pieces
from toyjax.base import Array

_FLOOR = 1e-9  # Of |eigenvalue|, against division by the flat directions' 0.
_MAX_RADIUS = 0.5


class Descent(NamedTuple):
  """Where a descent ended.

  Attributes:
    v: [MN + N].
    sse: [], never above that of the start.
    radius: [] of the last step; tiny where no step lowers the error any more.
  """

  v: Array
  sse: Array
  radius: Array


def descend(
  v: Array, *, num_features: int, radius: float | Array, num_iterations: int
) -> Descent:
  """Lowers the SSE from v by saddle-free Newton steps. Vmappable.

  Args:
    v: [MN + N], from `pieces.vector`, float64.
    num_features: N.
    radius: > 0, length of the longest first step; it doubles after a step that
      lowers the error, up to 1/2, and is halved after one that does not.
    num_iterations: steps tried, >= 0.
  """

  def improve(_: int, at: Descent) -> Descent:
    pattern = pieces.on_pattern(pieces.params_of(at.v, num_features))
    slope = pieces.gradient(at.v, pattern)
    values, vectors = jnp.linalg.eigh(pieces.hessian(at.v, pattern))
    step = -vectors @ (vectors.T @ slope / (jnp.abs(values) + _FLOOR))
    length = jnp.linalg.norm(step)
    step *= jnp.minimum(1.0, at.radius / (length + 1e-300))
    sse = pieces.sse(at.v + step, num_features)
    lower = sse < at.sse
    return Descent(
      jnp.where(lower, at.v + step, at.v),
      jnp.where(lower, sse, at.sse),
      jnp.where(lower, jnp.minimum(2 * at.radius, _MAX_RADIUS), at.radius / 2),
    )

  start = Descent(v, pieces.sse(v, num_features), jnp.asarray(radius, v.dtype))
  return jax.lax.fori_loop(0, num_iterations, improve, start)

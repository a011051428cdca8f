r"""Polishes a final state in float64: to the end of its descent, to its norm.

    v --descend------> where a descent of F that follows curvature ends
    v --relax--------> the same on the sphere |W| = ρ: the floor of a valley
    v --find_critical-> the critical point of F nearest in Newton's sense

All are iterations with an eigendecomposition of the exact Hessian on the ReLU
pattern at hand, H = Σ w_k u_k u_kᵀ. Solutions are a continuum, so H is singular
and Newton's inverse is a pseudo-inverse. `descend` uses |H|, so that saddles
repel instead of attracting.

References:
  Dauphin et al. 2014, Identifying and attacking the saddle point problem in
  high-dimensional non-convex optimization. Conn, Gould and Toint 2000, Trust
  region methods, section 6.
"""

from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis import pieces
from toyjax.base import Array

_LEAST_DAMPING, _MOST_DAMPING = 1e-14, 1e10
_SINGULAR = 1e-9  # Eigenvalues below this share of the largest count as zero.


class Polished(NamedTuple):
  """Where an iteration ended.

  Attributes:
    v: [MN + N] the parameters.
    sse: [] F there.
    gradient_norm: [] |∇F|, on a sphere its tangential part.
    num_steps: int32 [] iterations made.
  """

  v: Array
  sse: Array
  gradient_norm: Array
  num_steps: Array


class _Carry(NamedTuple):
  v: Array
  sse: Array
  gradient: Array
  damping: Array
  num_steps: Array


def descend(
  v: Array, *, num_features: int, tolerance: float, max_steps: int | Array
) -> Polished:
  """Descends F by damped saddle-free Newton steps, v ← v - (|H| + μ)⁻¹ ∇F.

  F never rises by more than its rounding. μ falls where a step is accepted and
  grows where it is not.

  Args:
    v: [MN + N] float64.
    num_features: N.
    tolerance: stops at |∇F| < tolerance or F < tolerance².
    max_steps: stops after so many iterations.
  """
  require_float64(v)

  def direction(v: Array, damping: Array) -> tuple[Array, Array]:
    gradient, hessian = _derivatives(v, num_features)
    values, vectors = jnp.linalg.eigh(hessian)
    step = vectors @ ((vectors.T @ gradient) / (jnp.abs(values) + damping))
    return gradient, v - step

  return _iterate(
    v, direction, num_features, tolerance=tolerance, max_steps=max_steps
  )


def relax(
  v: Array, *, num_features: int, tolerance: float, max_steps: int | Array
) -> Polished:
  """Descends F on the sphere |W|_F = ρ through v: the floor of a valley.

  With λ = ∇F·W / ρ² the multiplier, the step is that of `descend` in the
  tangent space, for the Hessian H - λ I_W of the Lagrangian; W is then scaled
  back to ρ. At the end λ < 0 says that F falls as the norm grows.

  Args:
    v: [MN + N] float64.
    num_features: N.
    tolerance: stops when the tangential gradient is below.
    max_steps: stops after so many iterations.
  """
  require_float64(v)
  norm = jnp.linalg.norm(v[:-num_features])

  def direction(v: Array, damping: Array) -> tuple[Array, Array]:
    gradient, hessian, normal = tangential(v, num_features)
    values, vectors = jnp.linalg.eigh(hessian)
    step = vectors @ ((vectors.T @ gradient) / (jnp.abs(values) + damping))
    moved = v - (step - normal * (normal @ step))
    return gradient, on_sphere(moved, norm, num_features)

  return _iterate(
    v, direction, num_features, tolerance=tolerance, max_steps=max_steps
  )


def tangential(v: Array, num_features: int) -> tuple[Array, Array, Array]:
  """Returns gradient and Hessian of F on the sphere |W| = const, and normal.

  Args:
    v: [MN + N].
    num_features: N.

  Returns:
    The gradient [MN + N] and the Hessian [MN + N, MN + N] of the Lagrangian,
    both projected on the tangent space, and the unit normal [MN + N].
  """
  gradient, hessian = _derivatives(v, num_features)
  on_weights = jnp.arange(len(v)) < len(v) - num_features
  weights = jnp.where(on_weights, v, 0.0)
  norm = jnp.linalg.norm(weights)
  normal = weights / norm
  multiplier = (gradient @ normal) / norm
  hessian = hessian - multiplier * jnp.diag(on_weights.astype(v.dtype))
  project = jnp.eye(len(v), dtype=v.dtype) - jnp.outer(normal, normal)
  return project @ gradient, project @ hessian @ project, normal


def radial_slope(v: Array, num_features: int) -> Array:
  """Returns d F / d|W| [] along a valley's floor: the radial part of ∇F.

  On the floor F is stationary within the sphere, so that following the valley
  outwards changes it by the radial part alone.
  """
  gradient, _ = _derivatives(v, num_features)
  weights = v[:-num_features]
  return gradient[:-num_features] @ weights / jnp.linalg.norm(weights)


def on_sphere(v: Array, norm: Array, num_features: int) -> Array:
  """Returns v with W scaled to |W|_F = norm."""
  weights = v[:-num_features]
  scaled = weights * (norm / jnp.linalg.norm(weights))
  return jnp.concatenate([scaled, v[-num_features:]])


def find_critical(
  v: Array, *, num_features: int, tolerance: float, max_steps: int | Array
) -> Polished:
  """Goes to a critical point by Newton's method, v ← v - H⁺ ∇F.

  It may climb: saddles attract it as minima do. A step is never longer than a
  tenth of |v|.

  Args:
    v: [MN + N] float64.
    num_features: N.
    tolerance: stops at |∇F| < tolerance.
    max_steps: stops after so many iterations.
  """
  require_float64(v)

  def direction(v: Array, damping: Array) -> tuple[Array, Array]:
    del damping
    gradient, hessian = _derivatives(v, num_features)
    values, vectors = jnp.linalg.eigh(hessian)
    regular = jnp.abs(values) > _SINGULAR * jnp.max(jnp.abs(values))
    inverse = jnp.where(regular, 1.0 / jnp.where(regular, values, 1.0), 0.0)
    step = vectors @ (inverse * (vectors.T @ gradient))
    longest = 0.1 * jnp.linalg.norm(v)
    length = jnp.maximum(jnp.linalg.norm(step), longest)
    return gradient, v - step * (longest / length)

  return _iterate(
    v,
    direction,
    num_features,
    tolerance=tolerance,
    max_steps=max_steps,
    may_climb=True,
  )


def _iterate(
  v: Array,
  direction: Callable[[Array, Array], tuple[Array, Array]],
  num_features: int,
  *,
  tolerance: float,
  max_steps: int | Array,
  may_climb: bool = False,
) -> Polished:
  """Repeats v ← direction(v, μ) while F falls, with μ adapted.

  `direction` returns the gradient at v and the proposed next v.
  """
  sse = functools.partial(pieces.sse, num_features=num_features)

  def unfinished(carry: _Carry) -> Array:
    gradient_norm = jnp.linalg.norm(carry.gradient)
    return (
      (gradient_norm >= tolerance)
      & (carry.sse >= tolerance**2)
      & (carry.num_steps < max_steps)
      & (carry.damping < _MOST_DAMPING)
    )

  def advance(carry: _Carry) -> _Carry:
    gradient, proposed = direction(carry.v, carry.damping)
    found = sse(proposed)
    # Near the end F changes by less than its rounding.
    rounding = 4.0 * jnp.finfo(v.dtype).eps * carry.sse
    accepted = (found <= carry.sse + rounding) | may_climb
    damping = jnp.where(accepted, carry.damping / 3.0, carry.damping * 4.0)
    return _Carry(
      jnp.where(accepted, proposed, carry.v),
      jnp.where(accepted, found, carry.sse),
      gradient,
      jnp.maximum(damping, _LEAST_DAMPING),
      carry.num_steps + 1,
    )

  # The first pass always runs: the gradient of the start is not known yet.
  start = _Carry(
    v,
    sse(v),
    jnp.full_like(v, jnp.inf),
    jnp.asarray(1e-2, v.dtype),
    jnp.int32(0),
  )
  end = jax.lax.while_loop(unfinished, advance, start)
  gradient, _ = direction(end.v, end.damping)
  return Polished(end.v, end.sse, jnp.linalg.norm(gradient), end.num_steps)


def _derivatives(v: Array, num_features: int) -> tuple[Array, Array]:
  pattern = pieces.on_pattern(pieces.params_of(v, num_features))
  return pieces.gradient(v, pattern), pieces.hessian(v, pattern)


def require_float64(v: Array) -> None:
  """Raises ValueError unless v is float64: certificates need its digits."""
  if v.dtype != jnp.float64:
    raise ValueError(f'needs float64 (jax_enable_x64), not {v.dtype}')

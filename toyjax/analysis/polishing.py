r"""Polishes final states in float64: down to the end, or at their own norm.

    v --descend------> where a descent of F that follows curvature ends
    v --relax--------> the same on the sphere |W| = ρ: the floor of a valley
    v --find_critical-> the critical point of F nearest in Newton's sense

All are iterations with an eigendecomposition of the exact Hessian on the ReLU
pattern at hand, H = Σ w_k u_k u_kᵀ. Solutions are a continuum, so H is singular
and Newton's inverse is a pseudo-inverse. `descend` uses |H|, so that saddles
repel instead of attracting.

Many states are polished at once; each leaves the batch when it is done. The
loop is NumPy's: in XLA's all states wait for the slowest, and its `eigh` can
block for ever where two programs share a CPU's threads (JAX 0.10).

References:
  Dauphin et al. 2014, Identifying and attacking the saddle point problem in
  high-dimensional non-convex optimization. Conn, Gould and Toint 2000, Trust
  region methods, section 6.
"""

from collections.abc import Callable
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.analysis import pieces
from toyjax.base import Array

_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-2, 1e-14, 1e10
_SINGULAR = 1e-9  # Eigenvalues below this share of the largest count as zero.


class Polished(NamedTuple):
  """Where iterations ended.

  Attributes:
    v: [S, MN + N] the parameters.
    sse: [S] F there.
    gradient_norm: [S] |∇F|, on a sphere its tangential part.
    num_steps: int [S] iterations made.
  """

  v: np.ndarray
  sse: np.ndarray
  gradient_norm: np.ndarray
  num_steps: np.ndarray


class Tangential(NamedTuple):
  """First and second order of F on the spheres |W|_F = const.

  Attributes:
    gradient: [S, P] in the tangent space, P = MN + N.
    hessian: [S, P, P] of the Lagrangian, in the tangent space.
    normal: [S, P] outward unit normal.
    slope: [S] normal part of ∇F: on a valley's floor d F / d|W| along it.
  """

  gradient: np.ndarray
  hessian: np.ndarray
  normal: np.ndarray
  slope: np.ndarray


# Gradient and negative step of each state: (v, damping) -> (∇F, next v).
Propose = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def descend(
  v: np.ndarray, *, num_features: int, tolerance: float, max_steps: int
) -> Polished:
  """Descends F by damped saddle-free Newton steps, v ← v - (|H| + μ)⁻¹ ∇F.

  F never rises by more than its rounding. μ falls where a step is accepted and
  grows where it is not.

  Args:
    v: [S, MN + N] float64.
    num_features: N.
    tolerance: a state is done where |∇F| < tolerance or F < tolerance².
    max_steps: or after so many iterations.
  """

  def propose(v: np.ndarray, damping: np.ndarray):
    gradient, hessian = derivatives(v, num_features)
    return gradient, v - _damped(hessian, gradient, damping)

  return _iterate(
    v, propose, num_features, tolerance=tolerance, max_steps=max_steps
  )


def relax(
  v: np.ndarray, *, num_features: int, tolerance: float, max_steps: int
) -> Polished:
  """Descends F on the sphere |W|_F = ρ through v: to the floor of a valley.

  With λ = ∇F·W / ρ² the multiplier, the step is that of `descend` in the
  tangent space, for the Hessian H - λ I_W of the Lagrangian; W is then scaled
  back to ρ.

  Args:
    v: [S, MN + N] float64, W not 0.
    num_features: N.
    tolerance: a state is done where the tangential gradient is below.
    max_steps: or after so many iterations.
  """
  norms = np.linalg.norm(v[:, :-num_features], axis=1)

  def propose(v: np.ndarray, damping: np.ndarray):
    at = tangential(v, num_features)
    step = _damped(at.hessian, at.gradient, damping)
    step -= at.normal * np.sum(step * at.normal, axis=1, keepdims=True)
    norms = np.linalg.norm(v[:, :-num_features], axis=1)
    return at.gradient, on_sphere(v - step, norms, num_features)

  found = _iterate(
    v, propose, num_features, tolerance=tolerance, max_steps=max_steps
  )
  return found._replace(v=on_sphere(found.v, norms, num_features))


def find_critical(
  v: np.ndarray, *, num_features: int, tolerance: float, max_steps: int
) -> Polished:
  """Goes to critical points by Newton's method, v ← v - H⁺ ∇F.

  It may climb: saddles attract it as minima do. A step is never longer than a
  tenth of |v|.

  Args:
    v: [S, MN + N] float64.
    num_features: N.
    tolerance: a state is done where |∇F| < tolerance or F < tolerance².
    max_steps: or after so many iterations.
  """

  def propose(v: np.ndarray, damping: np.ndarray):
    del damping
    gradient, hessian = derivatives(v, num_features)
    values, vectors = np.linalg.eigh(hessian)
    largest = np.max(np.abs(values), axis=1, keepdims=True)
    regular = np.abs(values) > _SINGULAR * largest
    inverse = np.where(regular, 1.0 / np.where(regular, values, 1.0), 0.0)
    step = _along(vectors, inverse, gradient)
    longest = 0.1 * np.linalg.norm(v, axis=1, keepdims=True)
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return gradient, v - step * longest / np.maximum(
      np.maximum(length, longest), np.finfo(float).tiny
    )

  return _iterate(
    v,
    propose,
    num_features,
    tolerance=tolerance,
    max_steps=max_steps,
    may_climb=True,
  )


def tangential(v: np.ndarray, num_features: int) -> Tangential:
  """Returns first and second order of F on the spheres through v [S, P]."""
  gradient, hessian = derivatives(v, num_features)
  on_weights = np.arange(v.shape[1]) < v.shape[1] - num_features
  weights = np.where(on_weights, v, 0.0)
  norm = np.linalg.norm(weights, axis=1, keepdims=True)
  normal = weights / np.maximum(norm, np.finfo(float).tiny)
  slope = np.sum(gradient * normal, axis=1)
  multiplier = slope / np.maximum(norm[:, 0], np.finfo(float).tiny)
  lagrangian = hessian - multiplier[:, None, None] * np.diag(on_weights * 1.0)
  identity = np.eye(v.shape[1])
  project = identity - normal[:, :, None] * normal[:, None, :]
  return Tangential(
    gradient - normal * slope[:, None],
    project @ lagrangian @ project,
    normal,
    slope,
  )


def on_sphere(
  v: np.ndarray, norms: np.ndarray, num_features: int
) -> np.ndarray:
  """Returns v [S, P] with W scaled to |W|_F = norms [S]."""
  weights = v[:, :-num_features]
  now = np.linalg.norm(weights, axis=1)
  scaled = weights * (norms / np.maximum(now, np.finfo(float).tiny))[:, None]
  return np.concatenate([scaled, v[:, -num_features:]], axis=1)


def derivatives(
  v: np.ndarray, num_features: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns ∇F [S, P] and its Hessian [S, P, P] on the pattern of each v."""
  return _on_batch(_derivatives, v, num_features)


def rotations(v: np.ndarray, num_features: int) -> np.ndarray:
  """Returns unit directions [S, M(M-1)/2, P] of rotations; 0 where W is 0.

  They span what rotations of the hidden space do to v; orthonormal.
  """
  turns = _on_batch(_rotations, v, num_features)
  _, lengths, directions = np.linalg.svd(turns, full_matrices=False)
  largest = np.max(lengths, axis=1, keepdims=True, initial=0.0)
  return directions * (lengths > _SINGULAR * largest)[:, :, None]


def errors(v: np.ndarray, num_features: int) -> np.ndarray:
  """Returns F [S]."""
  return _on_batch(_errors, v, num_features)


def _on_batch(function: Callable, v: np.ndarray, num_features: int):
  """Calls a jitted function on v, padded to a power of two: few programs."""
  if not jax.config.read('jax_enable_x64'):
    raise ValueError('needs float64: enable jax_enable_x64')
  size = 2 ** math.ceil(math.log2(max(len(v), 1)))
  padded = np.resize(v, (size, v.shape[1]))
  found = function(jnp.asarray(padded), num_features)
  return jax.tree.map(lambda leaf: np.array(leaf)[: len(v)], found)


@functools.partial(jax.jit, static_argnums=1)
def _derivatives(v: Array, num_features: int) -> tuple[Array, Array]:
  def of_one(v: Array) -> tuple[Array, Array]:
    pattern = pieces.on_pattern(pieces.params_of(v, num_features))
    return pieces.gradient(v, pattern), pieces.hessian(v, pattern)

  return jax.vmap(of_one)(v)


@functools.partial(jax.jit, static_argnums=1)
def _rotations(v: Array, num_features: int) -> Array:
  return jax.vmap(lambda v: pieces.rotations(v, num_features))(v)


@functools.partial(jax.jit, static_argnums=1)
def _errors(v: Array, num_features: int) -> Array:
  return jax.vmap(lambda v: pieces.sse(v, num_features))(v)


def _damped(
  hessian: np.ndarray, gradient: np.ndarray, damping: np.ndarray
) -> np.ndarray:
  """Returns (|H| + μ)⁻¹ ∇F [S, P]."""
  values, vectors = np.linalg.eigh(hessian)
  inverse = 1.0 / (np.abs(values) + damping[:, None])
  return _along(vectors, inverse, gradient)


def _along(
  vectors: np.ndarray, factors: np.ndarray, gradient: np.ndarray
) -> np.ndarray:
  """Returns Σ_k f_k u_k (u_kᵀ g), [S, P]."""
  inside = np.einsum('spk,sp->sk', vectors, gradient)
  return np.einsum('spk,sk->sp', vectors, factors * inside)


def _iterate(
  v: np.ndarray,
  propose: Propose,
  num_features: int,
  *,
  tolerance: float,
  max_steps: int,
  may_climb: bool = False,
) -> Polished:
  """Repeats v ← propose(v, μ) while F falls, with μ adapted, state by state."""
  v = np.array(v, float)
  sse = errors(v, num_features)
  gradient_norm = np.full(len(v), np.inf)
  damping = np.full(len(v), _FIRST_DAMPING)
  num_steps = np.zeros(len(v), int)
  active = np.arange(len(v))
  for _ in range(max_steps + 1):
    if not len(active):
      break
    gradient, proposed = propose(v[active], damping[active])
    gradient_norm[active] = np.linalg.norm(gradient, axis=1)
    # The gradient is that of v, before the step.
    going = (
      (gradient_norm[active] >= tolerance)
      & (sse[active] >= tolerance**2)
      & (num_steps[active] < max_steps)
      & (damping[active] < _MOST_DAMPING)
    )
    active, proposed = active[going], proposed[going]
    found = errors(proposed, num_features)
    # Near the end F changes by less than its rounding.
    rounding = 4.0 * np.finfo(float).eps * sse[active]
    accepted = (found <= sse[active] + rounding) | may_climb
    damping[active] = np.maximum(
      damping[active] * np.where(accepted, 1.0 / 3.0, 4.0), _LEAST_DAMPING
    )
    moved = active[accepted]
    v[moved], sse[moved] = proposed[accepted], found[accepted]
    num_steps[active] += 1
  return Polished(v, sse, gradient_norm, num_steps)

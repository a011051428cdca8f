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
from typing import NamedTuple

import numpy as np

from toyjax.analysis.autoencoder import batches

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
    gradient, hessian = batches.derivatives(v, num_features)
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
    at = batches.tangential(v, num_features)
    step = _damped(at.hessian, at.gradient, damping)
    step -= at.normal * np.sum(step * at.normal, axis=1, keepdims=True)
    norms = np.linalg.norm(v[:, :-num_features], axis=1)
    return at.gradient, batches.on_sphere(v - step, norms, num_features)

  found = _iterate(
    v, propose, num_features, tolerance=tolerance, max_steps=max_steps
  )
  return found._replace(v=batches.on_sphere(found.v, norms, num_features))


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
    gradient, hessian = batches.derivatives(v, num_features)
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
  sse = batches.errors(v, num_features)
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
    found = batches.errors(proposed, num_features)
    # Near the end F changes by less than its rounding.
    rounding = 4.0 * np.finfo(float).eps * sse[active]
    accepted = (found <= sse[active] + rounding) | (
      may_climb & np.isfinite(found)
    )
    damping[active] = np.maximum(
      damping[active] * np.where(accepted, 1.0 / 3.0, 4.0), _LEAST_DAMPING
    )
    moved = active[accepted]
    v[moved], sse[moved] = proposed[accepted], found[accepted]
    num_steps[active] += 1
  return Polished(v, sse, gradient_norm, num_steps)

r"""Second order of the autoencoder's error at a critical point, kinks included.

Off the diagonal the error ReLU(z_ji)² has a continuous gradient and a Hessian
that jumps where z_ji = 0. At a critical point v with such kinks K, and
a_k = ∇z_k, the error along a direction d is

    F(v + t d) = F(v) + t² q(d) / 2 + O(t³),    t >= 0
    q(d) = dᵀ H_off d + 2 Σ_K max(0, a_k·d)²

with H_off the Hessian of the piece on which all of K are off. q is the form of
one piece on each cone of directions, and q(-d) need not be q(d). It is never
below dᵀ H_off d, so the least eigenvalue of H_off bounds it from below; any
direction bounds its least value from above.

    v --second_order--> lower <= min q <= upper, direction --> Verdict

A q that is nowhere negative does not make v a minimum: along a direction with
q = 0 higher orders decide. A kink on the diagonal is a ridge of the error
(see `pieces`), which no second order describes: `on_ridge` says so.
"""

import enum
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import pieces
from toyjax.base import Array

# Shifts of the inverse iterations, as fractions of the largest curvature.
_SHIFTS = (1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class Verdict(enum.IntEnum):
  """What is known of the least q over unit directions modulo rotations."""

  NEGATIVE = 0  # A direction of descent is known: no minimum.
  NON_NEGATIVE = 1  # H_off >= 0: no descent of second order on any piece.
  UNDECIDED = 2  # Neither.


class Forms(NamedTuple):
  """The one-sided second order at a point, modulo rotations.

  Attributes:
    off_hessian: H_off [P, P] with P = MN + N, projected off the rotations.
    normals: [N N, P], a_k = ∇z_ji for the kinks, 0 elsewhere; row j N + i.
    rotations: [P, P], the projector on the directions of rotation.
    num_rotations: int32 [], its rank.
    num_kinks: int32 [].
    on_ridge: bool [], whether some z_ii is a kink.
  """

  off_hessian: Array
  normals: Array
  rotations: Array
  num_rotations: Array
  num_kinks: Array
  on_ridge: Array


class Spectrum(NamedTuple):
  """Eigenvalues of a Hessian, without the directions of rotation.

  Attributes:
    eigenvalues: [P] increasing; the last ones, as many as rotations, are inf.
    vectors: [P, P], column k belongs to eigenvalue k.
    num_negative: int32 [], eigenvalues below -zero_tolerance.
    num_zero: int32 [], eigenvalues within zero_tolerance of 0.
    num_positive: int32 [], finite eigenvalues above zero_tolerance.
  """

  eigenvalues: Array
  vectors: Array
  num_negative: Array
  num_zero: Array
  num_positive: Array


class SecondOrder(NamedTuple):
  """What is known of q at a critical point.

  Attributes:
    verdict: int32 [], a code of `Verdict`.
    lower: [] least eigenvalue of H_off, min q >= lower.
    upper: [] q of `direction`, min q <= upper.
    direction: [P] unit vector, orthogonal to rotations: the lowest q found.
    spectrum: of H_off; with no kinks it is the Hessian and min q = lower.
    num_kinks: int32 [].
    on_ridge: bool [], whether some z_ii is a kink: the verdict means nothing.
  """

  verdict: Array
  lower: Array
  upper: Array
  direction: Array
  spectrum: Spectrum
  num_kinks: Array
  on_ridge: Array


def forms(v: Array, *, num_features: int, kink_tolerance: float) -> Forms:
  """Returns H_off, the kinks' normals and the rotations at a critical point.

  Args:
    v: [MN + N], from `pieces.vector`; float64, for the sake of the tolerances.
    num_features: N.
    kink_tolerance: z_ji is a kink where |z_ji| is at most this.
  """
  chex.assert_rank(v, 1)
  z = pieces.preactivations(pieces.params_of(v, num_features))
  is_kink = jnp.abs(z) <= kink_tolerance
  diagonal = jnp.eye(num_features, dtype=bool)
  off_diagonal = (is_kink & ~diagonal).ravel()
  normals = jax.jacobian(
    lambda v: pieces.preactivations(pieces.params_of(v, num_features)).ravel()
  )(v)
  turning = pieces.rotations(v, num_features)
  # Rows of W of a rank below M are left alone by some rotations.
  _, lengths, directions = jnp.linalg.svd(turning, full_matrices=False)
  moves = lengths > 1e-9 * jnp.maximum(jnp.max(lengths, initial=0.0), 1e-30)
  rotations = jnp.einsum('r,rp,rq->pq', moves, directions, directions)
  rest = jnp.eye(len(v), dtype=v.dtype) - rotations
  return Forms(
    off_hessian=rest @ pieces.hessian(v, z > kink_tolerance) @ rest,
    normals=jnp.where(off_diagonal[:, None], normals, 0) @ rest,
    rotations=rotations,
    num_rotations=jnp.sum(moves, dtype=jnp.int32),
    num_kinks=jnp.sum(off_diagonal, dtype=jnp.int32),
    on_ridge=jnp.any(is_kink & diagonal),
  )


def curvature_along(direction: Array, at: Forms) -> Array:
  """Returns q(d) [] for d [P], not normalised; rotations in d count nothing."""
  crossing = jax.nn.relu(at.normals @ direction)
  return direction @ at.off_hessian @ direction + 2 * jnp.sum(crossing**2)


def piece_hessian(on: Array, at: Forms) -> Array:
  """Returns the Hessian [P, P] of an adjoining piece, modulo rotations.

  Args:
    on: bool [N N], which of the kinks are on; other outputs are ignored.
    at: the point's forms.
  """
  normals = jnp.where(on[:, None], at.normals, 0)
  return at.off_hessian + 2 * normals.T @ normals


def spectrum(hessian: Array, at: Forms, *, zero_tolerance: float) -> Spectrum:
  """Returns eigenvalues and eigenvectors modulo rotations, and their counts.

  Args:
    hessian: [P, P], `at.off_hessian` or that of another piece.
    at: the point's forms, for its rotations.
    zero_tolerance: an eigenvalue counts as 0 within this of 0.
  """
  # Rotations go to the end of the spectrum, past every other eigenvalue.
  past = 2 * jnp.linalg.norm(hessian) + 1
  values, vectors = jnp.linalg.eigh(hessian + past * at.rotations)
  num_other = len(values) - at.num_rotations
  values = jnp.where(jnp.arange(len(values)) < num_other, values, jnp.inf)

  def count(condition: Array) -> Array:
    return jnp.sum(condition & jnp.isfinite(values), dtype=jnp.int32)

  return Spectrum(
    eigenvalues=values,
    vectors=vectors,
    num_negative=count(values < -zero_tolerance),
    num_zero=count(jnp.abs(values) <= zero_tolerance),
    num_positive=count(values > zero_tolerance),
  )


def second_order(
  v: Array,
  *,
  num_features: int,
  kink_tolerance: float,
  zero_tolerance: float,
  num_starts: int,
  num_iterations: int,
) -> SecondOrder:
  """Says whether the error falls in second order along some direction.

  Args:
    v: [MN + N], a critical point; see `forms`.
    num_features: N.
    kink_tolerance: z_ji is a kink where |z_ji| is at most this.
    zero_tolerance: a q or an eigenvalue counts as 0 within this of 0.
    num_starts: of the search; see `lowest`.
    num_iterations: of the search.

  Returns:
    A `SecondOrder`. Vmappable.
  """
  at = forms(v, num_features=num_features, kink_tolerance=kink_tolerance)
  off = spectrum(at.off_hessian, at, zero_tolerance=zero_tolerance)
  upper, direction = lowest(
    at, num_starts=num_starts, num_iterations=num_iterations
  )
  lower = off.eigenvalues[0]
  verdict = jnp.where(
    upper < -zero_tolerance,
    Verdict.NEGATIVE,
    jnp.where(
      lower >= -zero_tolerance, Verdict.NON_NEGATIVE, Verdict.UNDECIDED
    ),
  )
  return SecondOrder(
    verdict=verdict.astype(jnp.int32),
    lower=lower,
    upper=upper,
    direction=direction,
    spectrum=off,
    num_kinks=at.num_kinks,
    on_ridge=at.on_ridge,
  )


def lowest(
  at: Forms, *, num_starts: int, num_iterations: int
) -> tuple[Array, Array]:
  """Searches the lowest q over unit directions modulo rotations.

  From both signs of three pieces' lowest eigenvectors; nothing is random.

  Args:
    at: the point's forms.
    num_starts: eigenvectors taken of each of the three pieces, 1..P.
    num_iterations: steps from each start, >= 0.

  Returns:
    The lowest q found [], an upper bound of the least, and its direction [P].
  """
  on_hessian = piece_hessian(jnp.ones(len(at.normals), bool), at)
  largest = _largest(at)
  starts = []
  halfway = (at.off_hessian + on_hessian) / 2
  for hessian in (at.off_hessian, halfway, on_hessian):
    vectors = jnp.linalg.eigh(hessian + 2 * largest * at.rotations)[1]
    starts += [vectors[:, :num_starts].T, -vectors[:, :num_starts].T]

  levels, found = jax.lax.map(
    lambda start: improve(start, at, num_iterations=num_iterations),
    jnp.concatenate(starts),
  )
  best = jnp.argmin(levels)
  return levels[best], found[best]


def improve(
  direction: Array, at: Forms, *, num_iterations: int
) -> tuple[Array, Array]:
  """Takes a direction to one of no higher q; see `lowest`.

  Args:
    direction: [P], not 0.
    at: the point's forms.
    num_iterations: steps, >= 0.

  Returns:
    The q found [] and its direction [P], a unit vector after any step.
  """
  largest = _largest(at)
  found = jax.lax.fori_loop(
    0, num_iterations, lambda _, d: _step(d, at, largest), direction
  )
  return curvature_along(found, at), found


def _largest(at: Forms) -> Array:
  """Returns a bound of every curvature, and more than 0."""
  on_hessian = piece_hessian(jnp.ones(len(at.normals), bool), at)
  return jnp.linalg.norm(on_hessian) + 1e-30


def _step(direction: Array, at: Forms, largest: Array) -> Array:
  """Returns a unit direction of no higher q; see `second_order`."""
  hessian = piece_hessian(at.normals @ direction > 0, at)
  values, vectors = jnp.linalg.eigh(hessian + 2 * largest * at.rotations)
  inside = vectors.T @ direction
  inverse = [
    vectors @ (inside / (values - values[0] + shift * largest))
    for shift in _SHIFTS
  ]
  lowest = vectors[:, 0]
  # largest |d|² - q is convex, so its linearisation bounds q from above.
  power = largest * direction - hessian @ direction
  tried = jnp.stack([direction, lowest, -lowest, power, *inverse])
  tried -= tried @ at.rotations
  tried /= jnp.linalg.norm(tried, axis=1, keepdims=True) + 1e-300
  levels = jax.vmap(curvature_along, in_axes=(0, None))(tried, at)
  # Zero vectors would have the lowest q of all where q > 0.
  levels = jnp.where(jnp.linalg.norm(tried, axis=1) > 0.5, levels, jnp.inf)
  return tried[jnp.argmin(levels)]

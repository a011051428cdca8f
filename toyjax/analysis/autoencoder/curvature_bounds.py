r"""Certified bounds of the least one-sided curvature at a critical point.

    forms, a direction --enclose--> lower <= min q <= upper, lower = upper - gap

q(d) = dᵀ H d + 2 Σ_k max(0, a_k·d)² (see `curvature`) is not convex, but little
of it is not. Let a level λ lie below the upper bound, E be the span of the
eigenvectors of H with eigenvalues Λ below the upper bound and W that of the
others, d = u + w with u in E and w in W. Then

    q(d) - λ |d|² = J(u, w) - uᵀ D u,    D = λ - Λ_E,
    J(u, w) = wᵀ (Λ_W - λ) w + 2 Σ_k max(0, a_k·(u + w))²,

where J is convex, homogeneous of degree two, and strictly convex in w. So h(u)
= min_w J is convex, and min q >= λ if and only if h(u) >= uᵀ D u all over E: a
question in as many dimensions as there are negative eigenvalues, two for
symmetric failure, whatever the number of kinks. √h is convex and homogeneous of
degree one: its tangent at any b gives h(u) >= (p·u)² wherever p·u >= 0, with
p = ∇h(b) / (2 √h(b)). On the cone of vertices u_1 .. u_m that suffices if

    p·u_i >= 0    and    (p·u_i) (p·u_j) - u_iᵀ D u_j >= 0    for all i, j,

as every u of it is a sum of its vertices with factors >= 0. A cone that does
not pass is cut in two; where h(b) < bᵀ D b, b + w is a direction below λ, which
becomes the new upper bound. Degenerate eigenspaces need no care: nothing is
asked of eigenvectors but their span. All is float64: bounds hold to rounding.

References:
  Bundfuss and Dür 2008, Algorithmic copositivity detection by simplicial
  partition, for the test on a cone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.analysis.autoencoder import curvature

_NUM_NEWTON = 60  # Steps of an inner problem: ends on the exact piece before.
_STATIONARY = 1e-11  # Relative slope at which it has.
_NUM_POLISH = 40  # Steps that take a direction down its piece, and on.


class Bounds(NamedTuple):
  """What is certain of the least q over unit directions modulo rotations.

  Attributes:
    lower: min q >= lower.
    upper: q of `direction`, min q <= upper.
    direction: [P] unit vector, orthogonal to rotations.
    is_certified: whether lower is upper less the gap, or better. Else lower is
      the least eigenvalue of H_off.
    num_cones: cones looked at.
  """

  lower: float
  upper: float
  direction: np.ndarray
  is_certified: bool
  num_cones: int


class _Split(NamedTuple):
  """q - λ |·|² in the eigenvectors of H_off: m of E and R of W.

  Attributes:
    concave: [m, m], D.
    convex: [R], Λ_W - λ > 0.
    inside: [K, m], a_k in the eigenvectors of E.
    beside: [K, R], in those of W.
    basis: [P, m + R], the eigenvectors.
  """

  concave: np.ndarray
  convex: np.ndarray
  inside: np.ndarray
  beside: np.ndarray
  basis: np.ndarray


def enclose(
  at: curvature.Forms,
  direction: np.ndarray,
  *,
  gap: float,
  max_cones: int,
) -> Bounds:
  """Encloses the least q within a gap, or says that it could not.

  Args:
    at: the point's forms, float64.
    direction: [P] to start from, for instance that of `curvature.lowest`.
    gap: > 0, of upper and lower bound.
    max_cones: most cones to look at. The number grows like the logarithm of
      the gap for two negative eigenvalues, and steeply with their number.
  """
  hessian, normals, values, vectors = _decompose(at)
  upper, direction = _polish(direction, at)
  num_cones = 0
  while True:
    level = upper - gap
    if values[0] >= level:
      least = min(float(values[0]), upper)
      return Bounds(least, upper, direction, True, num_cones)
    split = _split(values, vectors, normals, upper=upper, level=level)
    found, looked = _search(split, max_cones - num_cones)
    num_cones += looked
    if found is None:
      certified = num_cones < max_cones
      lower = level if certified else float(values[0])
      return Bounds(lower, upper, direction, certified, num_cones)
    better = split.basis @ found
    better /= np.linalg.norm(better)
    direction = min(
      (better, _polish(better, at)[1]),
      key=lambda d: _level(d, hessian, normals),
    )
    upper = _level(direction, hessian, normals)


def _decompose(at: curvature.Forms):
  """Returns H_off, the kinks' a_k [K, P], and eigenvalues and -vectors."""
  hessian = np.asarray(at.off_hessian)
  normals = np.asarray(at.normals)
  normals = normals[np.any(normals != 0.0, axis=1)]
  # Rotations go past every other eigenvalue, where nothing is looked for.
  past = 2.0 * np.linalg.norm(hessian) + 1.0
  values, vectors = np.linalg.eigh(hessian + past * np.asarray(at.rotations))
  return hessian, normals, values, vectors


def _level(
  direction: np.ndarray, hessian: np.ndarray, normals: np.ndarray
) -> float:
  """Returns q of a unit direction."""
  crossing = np.maximum(normals @ direction, 0.0)
  return float(direction @ hessian @ direction + 2.0 * crossing @ crossing)


def _polish(
  direction: np.ndarray, at: curvature.Forms
) -> tuple[float, np.ndarray]:
  level, direction = _descend(jnp.asarray(direction), at)
  return float(level), np.asarray(direction)


@jax.jit
def _descend(direction: jax.Array, at: curvature.Forms):
  return curvature.improve(direction, at, num_iterations=_NUM_POLISH)


def _split(
  values: np.ndarray,
  vectors: np.ndarray,
  normals: np.ndarray,
  *,
  upper: float,
  level: float,
) -> _Split:
  number = int(np.sum(values < upper))
  inside, beside = np.split(normals @ vectors, [number], axis=1)
  return _Split(
    np.diag(level - values[:number]),
    values[number:] - level,
    inside,
    beside,
    vectors,
  )


def _search(split: _Split, max_cones: int) -> tuple[np.ndarray | None, int]:
  """Looks for a direction below the level, cone by cone.

  Returns:
    Its components [P] or None, and the number of cones looked at: max_cones
    where some are left over.
  """
  size = len(split.concave)
  corners = np.stack(
    np.meshgrid(*[[1.0, -1.0]] * size, indexing='ij'), axis=-1
  ).reshape(-1, size)
  # Cones [C, m, m], one vertex a row: all orthants of E.
  cones = corners[:, :, None] * np.eye(size)
  looked = 0
  while len(cones):
    if looked + len(cones) > max_cones:
      return None, max_cones
    looked += len(cones)
    middles = _unit(np.sum(cones, axis=1))
    beside, slopes = _minimise(split, middles)
    # By homogeneity h = u·∇h / 2.
    lowest = np.sum(middles * slopes, axis=1) / 2.0
    concave = np.einsum('cm,ml,cl->c', middles, split.concave, middles)
    below = lowest < concave
    if below.any():
      components = np.concatenate([middles, beside], axis=1)
      depth = (lowest - concave) / np.sum(components**2, axis=1)
      return components[np.argmin(depth)], looked
    cones = _halve(cones[~_passes(split, cones, lowest, slopes)])
  return None, looked


def _passes(
  split: _Split, cones: np.ndarray, lowest: np.ndarray, slopes: np.ndarray
) -> np.ndarray:
  """Returns bool [C], whether the tangent keeps all of a cone at the level."""
  tangents = slopes / (2.0 * np.sqrt(np.maximum(lowest, 1e-300)))[:, None]
  along = np.einsum('cvm,cm->cv', cones, tangents)
  concave = np.einsum('cvm,ml,cwl->cvw', cones, split.concave, cones)
  entries = along[:, :, None] * along[:, None, :] - concave
  return np.all(along >= 0.0, axis=1) & np.all(entries >= 0.0, axis=(1, 2))


def _halve(cones: np.ndarray) -> np.ndarray:
  """Cuts each cone [C, m, m] in two across its widest edge."""
  if not len(cones):
    return cones
  size = cones.shape[1]
  cosines = cones @ np.swapaxes(cones, 1, 2) + 2.0 * np.eye(size)
  first, second = np.unravel_index(
    np.argmin(cosines.reshape(len(cones), -1), axis=1), (size, size)
  )
  each = np.arange(len(cones))
  middles = _unit(cones[each, first] + cones[each, second])
  left, right = cones.copy(), cones.copy()
  left[each, first], right[each, second] = middles, middles
  return np.concatenate([left, right])


def _unit(vectors: np.ndarray) -> np.ndarray:
  return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _minimise(
  split: _Split, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Minimises J over w at each u: returns w [C, R] and ∇h(u) [C, m].

  Newton's method, which ends after finitely many pieces: J is a quadratic form
  on each, and strictly convex. Where it has not ended ∇h is 0, which lets no
  cone pass.
  """
  fixed = inside @ split.inside.T
  beside = np.zeros((len(inside), len(split.convex)))
  diagonal = np.diag(split.convex)
  scale = np.linalg.norm(split.inside) * (1.0 + np.linalg.norm(split.beside))

  def value(beside: np.ndarray) -> np.ndarray:
    crossing = np.maximum(fixed + beside @ split.beside.T, 0.0)
    return beside**2 @ split.convex + 2.0 * np.sum(crossing**2, axis=1)

  for _ in range(_NUM_NEWTON):
    heights = fixed + beside @ split.beside.T
    crossing = np.maximum(heights, 0.0)
    slope = beside * split.convex + 2.0 * crossing @ split.beside
    going = np.linalg.norm(slope, axis=1) > _STATIONARY * scale
    if not going.any():
      break
    on = (heights > 0.0).astype(float)
    second = diagonal + 2.0 * np.einsum(
      'ck,kr,ks->crs', on, split.beside, split.beside, optimize=True
    )
    step = -np.linalg.solve(second, slope[:, :, None])[:, :, 0]
    before = value(beside)
    expected = 1e-4 * 2.0 * np.sum(slope * step, axis=1)
    length = going.astype(float)
    for _ in range(50):
      tried = value(beside + length[:, None] * step)
      too_far = tried > before + length * expected + 1e-15 * before
      if not too_far.any():
        break
      length = np.where(too_far, length / 2.0, length)
    beside = beside + length[:, None] * step
  return beside, 4.0 * np.where(going[:, None], 0.0, crossing @ split.inside)

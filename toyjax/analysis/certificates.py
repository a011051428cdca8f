r"""A certificate for each final state of the ReLU autoencoder on X = I_n.

    Params --certify--> where exact descent in float64 leads, and what is there

A state is taken to a critical point of F if one is at hand; else to the floor
of its valley, and judged there at its own norm if the catalogue knows the
valley as endless; else down by a descent that follows curvature. F = 0 is a
global minimum; another critical point is judged by its second order on all
adjoining pieces. Its F is looked up among the levels of `critical_points`.

The verdict is about what the state leads to. Whether it had arrived there is
`Certificate.start_sse` against `sse`, and `distance`.
"""

import enum
from typing import NamedTuple, TypeVar

import chex
import jax
import jax.numpy as jnp

from toyjax.analysis import catalogue, curvature, pieces, polishing
from toyjax.analysis.catalogue import Entry
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params

Tree = TypeVar('Tree')


class Verdict(enum.IntEnum):
  """What a state leads to."""

  DIVERGED = 0  # A weight or a bias is not finite.
  GLOBAL_MINIMUM = 1  # F = 0: every feature is learned.
  LOCAL_MINIMUM = 2  # Critical, F > 0, curved upwards but for rotations.
  SADDLE = 3  # Critical, F > 0, with a direction of negative curvature.
  FLAT = 4  # Critical, F > 0, no negative curvature, some of none.
  RUNAWAY = 5  # F falls towards an infimum as norms grow, along a valley.
  UNRESOLVED = 6  # None of these could be shown.


class Settings(NamedTuple):
  """The numbers behind a certificate.

  Attributes:
    gradient_tolerance: a point is critical where |∇F| is below.
    zero_sse: F counts as 0 below: residuals of 1e-9.
    floor_tolerance: a valley's floor is reached where the gradient within the
      sphere is below; rounding grows with the squared norm.
    near: a critical point is at hand if it is reached without moving by more
      than this fraction of |v|.
    kink_tolerance: an output is on a kink where |z| is at most this. Newton's
      method ends within the root of the rounding of a singular Hessian.
    zero_curvature: an eigenvalue counts as 0 within this of 0.
    explained: F agrees with a catalogue entry to this.
    weak_norm: rows shorter than this are weak; learned ones are longer than 1
      but for the last few of an unfinished descent.
    num_newton: most steps towards a critical point.
    num_descent: most steps of the descent.
    num_relax: most steps to the floor of a valley.
    num_starts: of the search for negative curvature across kinks.
    num_iterations: of that search.
  """

  gradient_tolerance: float = 1e-12
  zero_sse: float = 1e-18
  floor_tolerance: float = 1e-10
  near: float = 0.05
  kink_tolerance: float = 1e-7
  zero_curvature: float = 1e-7
  explained: float = 1e-9
  weak_norm: float = 0.5
  num_newton: int = 60
  num_descent: int = 4000
  num_relax: int = 200
  num_starts: int = 4
  num_iterations: int = 20


SETTINGS = Settings()


class Certificate(NamedTuple):
  """What is known of one final state.

  Attributes:
    verdict: int8 [], a code of `Verdict`.
    entry: int8 [], a code of `Entry`.
    start_sse: [] F of the state, in float64.
    sse: [] F of what it leads to; of a runaway, on the floor at its own norm.
    catalogue_sse: [] F of the entry (NaN for none).
    infimum: [] what F falls to along the entry's valley; else F of the entry.
    gradient_norm: [] |∇F| there, of a runaway within its sphere.
    distance: [] |v_end - v_start|.
    kink_distance: [] least |z_ji| there.
    least_curvature: [] least eigenvalue of the Hessian, kinks off, modulo
      rotations; of a runaway, across the valley. Not computed, NaN, for F = 0.
    num_flat: int8 [] number of directions without curvature, beside rotations.
    radial_slope: [] of a runaway, d F / d|W| along the valley (else NaN).
    margin: [] of F = 0, least distance of an output that must be off from being
      on, once b_i = 1 - |W_i|² makes every own error exactly 0: if positive the
      solution next to the state is exact. NaN else.
    weights: [M, N] what the state leads to.
    bias: [N].
  """

  verdict: Array
  entry: Array
  start_sse: Array
  sse: Array
  catalogue_sse: Array
  infimum: Array
  gradient_norm: Array
  distance: Array
  kink_distance: Array
  least_curvature: Array
  num_flat: Array
  radial_slope: Array
  margin: Array
  weights: Array
  bias: Array


def certify(params: Params, settings: Settings) -> Certificate:
  """Certifies one state.

  Args:
    params: W [M, N] and b [N], any float dtype; float64 must be enabled.
    settings: usually `SETTINGS`.

  Returns:
    A `Certificate` in float64. Never raises on values.

  Raises:
    ValueError: where float64 is not enabled.
  """
  chex.assert_rank([params.weights, params.bias], [2, 1])
  num_features = len(params.bias)
  v = pieces.vector(params).astype(float)
  polishing.require_float64(v)
  finite = jnp.all(jnp.isfinite(v))
  v = jnp.where(finite, v, 0.0)

  near = polishing.find_critical(
    v,
    num_features=num_features,
    tolerance=settings.gradient_tolerance,
    max_steps=settings.num_newton,
  )
  is_near = (near.gradient_norm < settings.gradient_tolerance) & (
    jnp.linalg.norm(near.v - v) <= settings.near * jnp.linalg.norm(v)
  )
  floor, valley = _find_floor(v, ~is_near, num_features, settings)
  is_runaway = valley.entry != Entry.NONE
  down = polishing.descend(
    jnp.where(is_near, near.v, v),
    num_features=num_features,
    tolerance=settings.gradient_tolerance,
    max_steps=jnp.where(is_runaway, 0, settings.num_descent),
  )
  solved = ~is_runaway & (down.sse < settings.zero_sse)
  critical = ~is_runaway & (
    solved | (down.gradient_norm < settings.gradient_tolerance)
  )
  end = _choose(critical, down, floor)
  level = catalogue.find_level(
    end.v,
    num_features=num_features,
    on_tolerance=settings.kink_tolerance,
    explained=settings.explained,
  )
  zero = jnp.zeros((), v.dtype)
  found = _choose(
    solved,
    catalogue.Found(jnp.int8(Entry.SOLVED), zero, zero),
    _choose(critical, level, valley),
  )
  least, num_flat = _curve(end.v, solved, critical, num_features, settings)
  slope = polishing.radial_slope(end.v, num_features)
  tests = {
    Verdict.DIVERGED: ~finite,
    Verdict.GLOBAL_MINIMUM: solved,
    Verdict.SADDLE: critical & (least < -settings.zero_curvature),
    Verdict.FLAT: critical & (num_flat > 0),
    Verdict.LOCAL_MINIMUM: critical,
    Verdict.RUNAWAY: is_runaway
    & (end.gradient_norm < settings.floor_tolerance)
    & (least >= -settings.zero_curvature)
    & (slope < 0.0),
    Verdict.UNRESOLVED: jnp.bool_(True),
  }
  verdict = jnp.select(list(tests.values()), [jnp.int8(code) for code in tests])
  at_end = pieces.params_of(end.v, num_features)
  nan = jnp.full_like(end.sse, jnp.nan)
  return Certificate(
    verdict=verdict,
    entry=jnp.where(finite, found.entry, jnp.int8(Entry.NONE)),
    start_sse=jnp.where(finite, pieces.sse(v, num_features), nan),
    sse=jnp.where(finite, end.sse, nan),
    catalogue_sse=found.sse,
    infimum=found.infimum,
    gradient_norm=end.gradient_norm,
    distance=jnp.linalg.norm(end.v - v),
    kink_distance=pieces.kink_distance(at_end),
    least_curvature=jnp.where(solved, nan, least),
    num_flat=num_flat.astype(jnp.int8),
    radial_slope=jnp.where(critical | solved, nan, slope),
    margin=jnp.where(solved, _margin(at_end), nan),
    weights=at_end.weights,
    bias=at_end.bias,
  )


def _find_floor(
  v: Array, is_wanted: Array, num_features: int, settings: Settings
) -> tuple[polishing.Polished, catalogue.Found]:
  """Returns the floor below v at its own norm, and the valley it belongs to."""
  floor = polishing.relax(
    v,
    num_features=num_features,
    tolerance=settings.gradient_tolerance,
    max_steps=jnp.where(is_wanted, settings.num_relax, 0),
  )
  valley = catalogue.find_valley(
    floor.v,
    num_features=num_features,
    weak_norm=settings.weak_norm,
    explained=settings.explained,
    tolerance=settings.gradient_tolerance,
    max_steps=settings.num_relax,
    is_wanted=is_wanted & (floor.gradient_norm < settings.floor_tolerance),
  )
  return floor, valley


def _choose(condition: Array, there: Tree, here: Tree) -> Tree:
  return jax.tree.map(lambda a, b: jnp.where(condition, a, b), there, here)


def _curve(
  v: Array,
  solved: Array,
  critical: Array,
  num_features: int,
  settings: Settings,
) -> tuple[Array, Array]:
  """Returns the least curvature at v and the number of flat directions.

  At a critical point both are of the second order with its kinks, beside
  rotations; on a floor, of the Hessian within the sphere.
  """
  order = curvature.second_order(
    v,
    num_features=num_features,
    kink_tolerance=settings.kink_tolerance,
    zero_tolerance=settings.zero_curvature,
    num_starts=settings.num_starts,
    num_iterations=jnp.where(critical & ~solved, settings.num_iterations, 0),
  )
  _, hessian, normal = polishing.tangential(v, num_features)
  at = curvature.forms(
    v, num_features=num_features, kink_tolerance=settings.kink_tolerance
  )
  past = 2.0 * jnp.linalg.norm(hessian) + 1.0
  across = jnp.linalg.eigvalsh(
    hessian + past * (at.rotations + jnp.outer(normal, normal))
  )
  num_flat_across = jnp.sum(jnp.abs(across) <= settings.zero_curvature)
  return (
    jnp.where(critical, order.upper, across[0]),
    jnp.where(critical, order.spectrum.num_zero, num_flat_across),
  )


def _margin(params: Params) -> Array:
  """Returns the margin of the exact solution with b_i = 1 - |W_i|²."""
  weights = params.weights
  exact = params._replace(bias=1.0 - jnp.sum(weights**2, axis=0))
  z = pieces.preactivations(exact)
  diagonal = jnp.eye(len(z), dtype=bool)
  return -jnp.max(jnp.where(diagonal, -jnp.inf, z))

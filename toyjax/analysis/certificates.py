r"""A certificate for each final state of the ReLU autoencoder on X = I_n.

    weights, biases --certify--> where exact descent in float64 leads, and why

A state is taken to a critical point of F if one is at hand, and down from there
by a descent that follows curvature. Where the descent is long, the state is
taken to the floor of its valley at its own norm, and judged there if the
catalogue knows the valley as endless; else the descent goes on. F = 0 is a
global minimum; another critical point is judged by its second order on all
adjoining pieces. Its F is looked up among the levels of `critical_points`.

The verdict is about what the state leads to. Whether it had arrived there is
`Certificates.start_sse` against `sse`, and `distance`.
"""

import enum
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from toyjax.analysis import catalogue, curvature, polishing
from toyjax.analysis.catalogue import Entry


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
    num_short_descent: most steps of the first descent.
    num_long_descent: most steps of the descent of those in no known valley.
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
  num_short_descent: int = 60
  num_long_descent: int = 4000
  num_relax: int = 200
  num_starts: int = 4
  num_iterations: int = 20


SETTINGS = Settings()


class Certificates(NamedTuple):
  """What is known of S final states.

  Attributes:
    verdict: int8 [S], codes of `Verdict`.
    entry: int8 [S], codes of `Entry`.
    start_sse: [S] F of the state, in float64.
    sse: [S] F of what it leads to; of a runaway, on the floor at its own norm.
    catalogue_sse: [S] F of the entry (NaN for none).
    infimum: [S] what F falls to along the entry's valley; else F of the entry.
    gradient_norm: [S] |∇F| there, of a runaway within its sphere.
    distance: [S] |v_end - v_start|.
    kink_distance: [S] least |z_ji| there.
    least_curvature: [S] least curvature found, one-sided at kinks, modulo
      rotations; of a runaway, across the valley. NaN for F = 0.
    num_flat: int8 [S] directions without curvature, beside rotations; -1 for
      F = 0, where solutions are a continuum.
    radial_slope: [S] of a runaway, dF / d|W| along the valley (else NaN).
    margin: [S] of F = 0, least distance of an output that must be off from
      being on, once b_i = 1 - |W_i|² makes every own error exactly 0: if
      positive, the solution at hand is exact. NaN else.
    weights: [S, M, N] what the state leads to.
    bias: [S, N].
  """

  verdict: np.ndarray
  entry: np.ndarray
  start_sse: np.ndarray
  sse: np.ndarray
  catalogue_sse: np.ndarray
  infimum: np.ndarray
  gradient_norm: np.ndarray
  distance: np.ndarray
  kink_distance: np.ndarray
  least_curvature: np.ndarray
  num_flat: np.ndarray
  radial_slope: np.ndarray
  margin: np.ndarray
  weights: np.ndarray
  bias: np.ndarray


class _Settled(NamedTuple):
  """Where states lead to: [S, ...] each.

  Attributes:
    end: the state and its error.
    found: what the catalogue says of it.
    solved: bool, F = 0.
    critical: bool, ∇F = 0, solved ones included.
  """

  end: polishing.Polished
  found: catalogue.Found
  solved: np.ndarray
  critical: np.ndarray


def certify(
  weights: np.ndarray, bias: np.ndarray, settings: Settings
) -> Certificates:
  """Certifies final states.

  Args:
    weights: W [S, M, N], any float dtype.
    bias: b [S, N].
    settings: usually `SETTINGS`.

  Returns:
    `Certificates` in float64. Never raises on values.

  Raises:
    ValueError: where float64 is not enabled, or shapes do not fit.
  """
  num_states, num_hidden, num_features = np.shape(weights)
  if np.shape(bias) != (num_states, num_features):
    raise ValueError(f'weights {np.shape(weights)}, bias {np.shape(bias)}')
  flat = np.asarray(weights, float).reshape(num_states, -1)
  v = np.concatenate([flat, np.asarray(bias, float)], axis=1)
  finite = np.isfinite(v).all(axis=1)
  v = np.where(finite[:, None], v, 0.0)
  end, found, solved, critical = _settle(v, num_features, settings)
  least, num_flat, slope = _curve(end, solved, critical, num_features, settings)
  is_runaway = ~critical & (found.entry != Entry.NONE)
  verdict = np.select(
    [
      ~finite,
      solved,
      critical & (least < -settings.zero_curvature),
      critical & (num_flat > 0),
      critical & (least > settings.zero_curvature),
      is_runaway & (least >= -settings.zero_curvature) & (slope < 0.0),
    ],
    [
      Verdict.DIVERGED,
      Verdict.GLOBAL_MINIMUM,
      Verdict.SADDLE,
      Verdict.FLAT,
      Verdict.LOCAL_MINIMUM,
      Verdict.RUNAWAY,
    ],
    Verdict.UNRESOLVED,
  )
  ends = end.v[:, :-num_features].reshape(num_states, num_hidden, num_features)
  biases = end.v[:, -num_features:]
  nan = np.nan
  return Certificates(
    verdict=verdict.astype(np.int8),
    entry=np.where(finite, found.entry, Entry.NONE).astype(np.int8),
    start_sse=np.where(finite, polishing.errors(v, num_features), nan),
    sse=np.where(finite, end.sse, nan),
    catalogue_sse=np.where(finite, found.sse, nan),
    infimum=np.where(finite, found.infimum, nan),
    gradient_norm=end.gradient_norm,
    distance=np.linalg.norm(end.v - v, axis=1),
    kink_distance=np.min(np.abs(_preactivations(ends, biases)), axis=(1, 2)),
    least_curvature=least,
    num_flat=num_flat,
    radial_slope=slope,
    margin=np.where(solved, _margin(ends), nan),
    weights=ends,
    bias=biases,
  )


def _settle(v: np.ndarray, num_features: int, settings: Settings) -> _Settled:
  """Takes each state to what it leads to."""
  sizes: Any = {
    'num_features': num_features,
    'tolerance': settings.gradient_tolerance,
  }
  near = polishing.find_critical(v, max_steps=settings.num_newton, **sizes)
  moved = np.linalg.norm(near.v - v, axis=1)
  at_hand = (near.gradient_norm < settings.gradient_tolerance) & (
    moved <= settings.near * np.linalg.norm(v, axis=1)
  )
  end = polishing.descend(
    np.where(at_hand[:, None], near.v, v),
    max_steps=settings.num_short_descent,
    **sizes,
  )
  solved = end.sse < settings.zero_sse
  critical = solved | (end.gradient_norm < settings.gradient_tolerance)
  found = catalogue.nothing(len(v))

  # A descent that takes long may have no end: judged at the norm it came from.
  (long,) = np.nonzero(~critical)
  floor = polishing.relax(v[long], max_steps=settings.num_relax, **sizes)
  valley = catalogue.find_valleys(
    floor.v,
    weak_norm=settings.weak_norm,
    explained=settings.explained,
    max_steps=settings.num_relax,
    **sizes,
  )
  endless = (valley.entry != Entry.NONE) & (
    floor.gradient_norm < settings.floor_tolerance
  )
  _put(end, long[endless], floor, endless)
  _put(found, long[endless], valley, endless)

  far = long[~endless]
  down = polishing.descend(
    end.v[far], max_steps=settings.num_long_descent, **sizes
  )
  done = (down.sse < settings.zero_sse) | (
    down.gradient_norm < settings.gradient_tolerance
  )
  # What has no end within the steps stays on its floor, unresolved.
  _put(end, far[done], down, done)
  _put(end, far[~done], floor, np.flatnonzero(~endless)[~done])
  solved[far[done]] = down.sse[done] < settings.zero_sse
  critical[far[done]] = True

  found.entry[solved], found.sse[solved], found.infimum[solved] = (
    Entry.SOLVED,
    0.0,
    0.0,
  )
  (stuck,) = np.nonzero(critical & ~solved)
  if len(stuck):
    levels = catalogue.find_levels(
      end.v[stuck],
      num_features=num_features,
      on_tolerance=settings.kink_tolerance,
      explained=settings.explained,
    )
    _put(found, stuck, levels, slice(None))
  return _Settled(end, found, solved, critical)


def _put(into: NamedTuple, at: np.ndarray, values: NamedTuple, which) -> None:
  """Writes values[which] into the arrays of `into` at `at`."""
  for there, here in zip(into, values):
    there[at] = here[which]


def _curve(
  end: polishing.Polished,
  solved: np.ndarray,
  critical: np.ndarray,
  num_features: int,
  settings: Settings,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Returns least curvature, number of flat directions and radial slope [S]."""
  num_states = len(end.v)
  least, slope = np.full((2, num_states), np.nan)
  num_flat = np.full(num_states, -1, np.int8)
  for i in np.flatnonzero(critical & ~solved):
    order = curvature.second_order(
      jnp.asarray(end.v[i]),
      num_features=num_features,
      kink_tolerance=settings.kink_tolerance,
      zero_tolerance=settings.zero_curvature,
      num_starts=settings.num_starts,
      num_iterations=settings.num_iterations,
    )
    least[i] = order.upper
    num_flat[i] = order.spectrum.num_zero
  (floors,) = np.nonzero(~critical)
  if len(floors):
    at = polishing.tangential(end.v[floors], num_features)
    turns = polishing.rotations(end.v[floors], num_features)
    beside = np.concatenate([turns, at.normal[:, None]], axis=1)
    past = 1.0 + 2.0 * np.linalg.norm(at.hessian, axis=(1, 2))
    out = past[:, None, None] * np.swapaxes(beside, 1, 2) @ beside
    across = np.linalg.eigvalsh(at.hessian + out)
    least[floors], slope[floors] = across[:, 0], at.slope
    num_flat[floors] = np.sum(np.abs(across) <= settings.zero_curvature, axis=1)
  return least, num_flat, slope


def _preactivations(weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
  return np.swapaxes(weights, 1, 2) @ weights + bias[:, None, :]


def _margin(weights: np.ndarray) -> np.ndarray:
  """Returns the margins [S] of the exact solutions with b_i = 1 - |W_i|²."""
  z = _preactivations(weights, 1.0 - np.sum(weights**2, axis=1))
  return -np.max(
    np.where(np.eye(z.shape[1], dtype=bool), -np.inf, z), axis=(1, 2)
  )

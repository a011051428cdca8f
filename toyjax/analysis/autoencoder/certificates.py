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
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.analysis.autoencoder import batches, curvature, polishing
from toyjax.analysis.autoencoder.catalogue import Entry
from toyjax.analysis.autoencoder.settling import Settings, settle
from toyjax.base import Array


class Verdict(enum.IntEnum):
  """What a state leads to."""

  DIVERGED = 0  # A weight or a bias is not finite.
  GLOBAL_MINIMUM = 1  # F = 0: every feature is learned.
  LOCAL_MINIMUM = 2  # Critical, F > 0, curved upwards but for rotations.
  SADDLE = 3  # Critical, F > 0, with a direction of negative curvature.
  FLAT = 4  # Critical, F > 0, no negative curvature, some of none.
  RUNAWAY = 5  # F falls towards an infimum as norms grow, along a valley.
  UNRESOLVED = 6  # None of these could be shown.


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
  flat = np.asarray(weights, float).reshape(
    num_states, num_hidden * num_features
  )
  v = np.concatenate([flat, np.asarray(bias, float)], axis=1)
  finite = np.isfinite(v).all(axis=1)
  v = np.where(finite[:, None], v, 0.0)
  end, found, solved, critical = settle(v, num_features, settings)
  # Nothing is asked of what is not finite.
  least, num_flat, slope = _curve(
    end, solved | ~finite, critical, num_features, settings
  )
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
  nan = np.nan
  ends_of = np.where(finite[:, None], end.v, nan)
  ends = ends_of[:, :-num_features].reshape(
    num_states, num_hidden, num_features
  )
  biases = ends_of[:, -num_features:]
  return Certificates(
    verdict=verdict.astype(np.int8),
    entry=np.where(finite, found.entry, Entry.NONE).astype(np.int8),
    start_sse=np.where(finite, batches.errors(v, num_features), nan),
    sse=np.where(finite, end.sse, nan),
    catalogue_sse=np.where(finite, found.sse, nan),
    infimum=np.where(finite, found.infimum, nan),
    gradient_norm=np.where(finite, end.gradient_norm, nan),
    distance=np.linalg.norm(ends_of - v, axis=1),
    kink_distance=np.min(np.abs(_preactivations(ends, biases)), axis=(1, 2)),
    least_curvature=least,
    num_flat=num_flat,
    radial_slope=slope,
    margin=np.where(solved, _margin(ends), nan),
    weights=ends,
    bias=biases,
  )


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
    order = _second_order(
      jnp.asarray(end.v[i]), num_features=num_features, settings=settings
    )
    least[i] = order.upper
    num_flat[i] = order.spectrum.num_zero
  (floors,) = np.nonzero(~critical)
  if len(floors):
    at = batches.tangential(end.v[floors], num_features)
    turns = batches.rotations(end.v[floors], num_features)
    beside = np.concatenate([turns, at.normal[:, None]], axis=1)
    past = 1.0 + 2.0 * np.linalg.norm(at.hessian, axis=(1, 2))
    out = past[:, None, None] * np.swapaxes(beside, 1, 2) @ beside
    across = np.linalg.eigvalsh(at.hessian + out)
    least[floors], slope[floors] = across[:, 0], at.slope
    num_flat[floors] = np.sum(np.abs(across) <= settings.zero_curvature, axis=1)
  return least, num_flat, slope


@functools.partial(jax.jit, static_argnames=('num_features', 'settings'))
def _second_order(
  v: Array, *, num_features: int, settings: Settings
) -> curvature.SecondOrder:
  return curvature.second_order(
    v,
    num_features=num_features,
    kink_tolerance=settings.kink_tolerance,
    zero_tolerance=settings.zero_curvature,
    num_starts=settings.num_starts,
    num_iterations=settings.num_iterations,
  )


def _preactivations(weights: np.ndarray, bias: np.ndarray) -> np.ndarray:
  return np.swapaxes(weights, 1, 2) @ weights + bias[:, None, :]


def _margin(weights: np.ndarray) -> np.ndarray:
  """Returns the margins [S] of the exact solutions with b_i = 1 - |W_i|²."""
  z = _preactivations(weights, 1.0 - np.sum(weights**2, axis=1))
  return -np.max(
    np.where(np.eye(z.shape[1], dtype=bool), -np.inf, z), axis=(1, 2)
  )

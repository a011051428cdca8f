r"""Looks up the error of a settled state among the exact solutions.

critical point --find_levels--> Entry and F = Σ (1 - 1/g) + number off
floor of a valley --find_valleys--> Entry, F of that valley at this norm
"""

import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.analysis.autoencoder import (
  batches,
  critical_points,
  pieces,
  polishing,
  valleys,
)
from toyjax.base import Array
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Fate


class Entry(enum.IntEnum):
  """An entry of the catalogue; F is explained where it agrees with it."""

  NONE = 0  # No entry agrees.
  SOLVED = 1  # F = 0.
  SHARED = 2  # Critical: features shared over g inputs, F = Σ (1 - 1/g).
  MERGED = 3  # Critical: merged features, 1 a pair.
  OFF = 4  # Critical: features off for their own input, 1 each.
  MIXED = 5  # Critical: several of these.
  FAN_1 = 6  # The valley of `valleys.fan` with one weak row: infimum 2/3.
  FAN_2 = 7  # With two: 3/2.
  FAN_3 = 8  # With three: 12/5.


# By the number of weak rows.
FANS = {1: Entry.FAN_1, 2: Entry.FAN_2, 3: Entry.FAN_3}

# Fans of fewer rows spread until the run solves: no valley, but a saddle of it.
_LEAST_FAN = 4


class Found(NamedTuple):
  """What the catalogue says of some states.

  Attributes:
    entry: int8 [S], codes of `Entry`.
    sse: [S] F of the entry, NaN for none.
    infimum: [S] what F falls to from here, NaN for none.
  """

  entry: np.ndarray
  sse: np.ndarray
  infimum: np.ndarray


def nothing(num_states: int) -> Found:
  """Returns NONE for so many states."""
  nan = np.full(num_states, np.nan)
  return Found(np.full(num_states, Entry.NONE, np.int8), nan, nan.copy())


def find_levels(
  v: np.ndarray, *, num_features: int, on_tolerance: float, explained: float
) -> Found:
  """Looks up critical points by the pattern of their outputs.

  Args:
    v: [S, MN + N].
    num_features: N.
    on_tolerance: an output is on where z is above.
    explained: F agrees with the entry's to this.
  """
  thresholds = relu_autoencoder.THRESHOLDS._replace(
    on_fraction=on_tolerance * num_features,
    dead_norm=1e-6,
    merged_distance=1e-6,
  )

  def diagnose(v: Array):
    found = relu_autoencoder.diagnose(
      pieces.params_of(v, num_features),
      earlier_sse=pieces.sse(v, num_features),
      solved_sse=explained,
      thresholds=thresholds,
    )
    level = critical_points.level(found.inputs_on, found.fates == Fate.OFF)
    return found, level

  found, level = jax.device_get(jax.vmap(diagnose)(jnp.asarray(v)))
  kinds = [found.num_shared > 0, found.num_merged > 0, found.num_off > 0]
  entry = np.select(
    [
      np.abs(found.sse - level) > explained,
      level == 0,
      np.sum(kinds, axis=0) > 1,
      *kinds,
    ],
    [
      Entry.NONE,
      Entry.SOLVED,
      Entry.MIXED,
      Entry.SHARED,
      Entry.MERGED,
      Entry.OFF,
    ],
    Entry.NONE,
  ).astype(np.int8)
  level = np.where(entry == Entry.NONE, np.nan, level)
  return Found(entry, level, level)


def find_valleys(
  v: np.ndarray,
  *,
  num_features: int,
  weak_norm: float,
  explained: float,
  tolerance: float,
  max_steps: int,
) -> Found:
  """Looks up floors of valleys at their own norms (M = 2).

  The valley of as many weak rows is relaxed at the same |W|_F, and its F
  compared.

  Args:
    v: [S, MN + N], relaxed by `polishing.relax`.
    num_features: N.
    weak_norm: rows shorter than this are weak.
    explained: F agrees with the valley's to this.
    tolerance: see `polishing.relax`.
    max_steps: see `polishing.relax`.
  """
  found = nothing(len(v))
  if v.shape[1] != 3 * num_features:
    return found
  weights = v[:, :-num_features].reshape(len(v), 2, num_features)
  sse = batches.errors(v, num_features)
  num_weak = np.sum(np.linalg.norm(weights, axis=1) < weak_norm, axis=1)
  for number, entry in FANS.items():
    (own,) = np.nonzero(num_weak == number)
    if num_features - number - 2 < _LEAST_FAN or not len(own):
      continue
    floor = relax_fan(
      np.linalg.norm(weights[own], axis=(1, 2)),
      num_features=num_features,
      num_weak=number,
      tolerance=tolerance,
      max_steps=max_steps,
    )
    agrees = np.abs(floor.sse - sse[own]) <= explained
    found.entry[own[agrees]] = entry
    found.sse[own[agrees]] = floor.sse[agrees]
    found.infimum[own[agrees]] = valleys.infimum(num_weak=number)
  return found


def relax_fan(
  norms: np.ndarray,
  *,
  num_features: int,
  num_weak: int,
  tolerance: float,
  max_steps: int,
) -> polishing.Polished:
  """Returns the floor of `valleys.fan` at each |W|_F of norms [S]."""
  starts = jax.vmap(
    lambda norm: valleys.fan_of_norm(
      num_features=num_features, num_weak=num_weak, norm=norm
    )
  )(jnp.asarray(norms))
  return polishing.relax(
    batches.on_sphere(np.asarray(starts), norms, num_features),
    num_features=num_features,
    tolerance=tolerance,
    max_steps=max_steps,
  )

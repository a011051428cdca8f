r"""Looks up the error of a settled state among the exact solutions.

critical point --find_level--> Entry and F = Σ (1 - 1/g) + number off
floor of a valley --find_valley--> Entry, F of that valley at this norm
"""

import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis import critical_points, pieces, polishing, valleys
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


_FANS = {1: Entry.FAN_1, 2: Entry.FAN_2, 3: Entry.FAN_3}

# Fans of fewer rows spread until the run solves: no valley, but a saddle of it.
_LEAST_FAN = 4


class Found(NamedTuple):
  """What the catalogue says of a state.

  Attributes:
    entry: int8 [], a code of `Entry`.
    sse: [] F of the entry, NaN for none.
    infimum: [] what F falls to from here; NaN for none.
  """

  entry: Array
  sse: Array
  infimum: Array


def find_level(
  v: Array, *, num_features: int, on_tolerance: float, explained: float
) -> Found:
  """Looks up a critical point by the pattern of its outputs.

  Args:
    v: [MN + N].
    num_features: N.
    on_tolerance: an output is on where z is above.
    explained: F agrees with the entry's to this.
  """
  params = pieces.params_of(v, num_features)
  sse = pieces.sse(v, num_features)
  found = relu_autoencoder.diagnose(
    params,
    earlier_sse=sse,
    solved_sse=explained,
    thresholds=relu_autoencoder.THRESHOLDS._replace(
      on_fraction=on_tolerance * num_features,
      dead_norm=1e-6,
      merged_distance=1e-6,
    ),
  )
  level = critical_points.level(found.inputs_on, found.fates == Fate.OFF)
  kinds = jnp.stack([found.num_shared, found.num_merged, found.num_off]) > 0
  entry = jnp.select(
    [jnp.abs(sse - level) > explained, level == 0, jnp.sum(kinds) > 1, *kinds],
    [
      jnp.int8(code)
      for code in (
        Entry.NONE,
        Entry.SOLVED,
        Entry.MIXED,
        Entry.SHARED,
        Entry.MERGED,
        Entry.OFF,
      )
    ],
    jnp.int8(Entry.NONE),
  )
  level = jnp.where(entry == Entry.NONE, jnp.nan, level)
  return Found(entry, level, level)


def find_valley(
  v: Array,
  *,
  num_features: int,
  weak_norm: float,
  explained: float,
  tolerance: float,
  max_steps: int,
  is_wanted: Array,
) -> Found:
  """Looks up the floor of a valley at its own norm (M = 2).

  The valley of as many weak rows is relaxed at the same |W|_F, and its F
  compared.

  Args:
    v: [MN + N], relaxed by `polishing.relax`.
    num_features: N.
    weak_norm: rows shorter than this are weak.
    explained: F agrees with the valley's to this.
    tolerance: see `polishing.relax`.
    max_steps: see `polishing.relax`.
    is_wanted: bool []; where False the answer is NONE, and costs little.
  """
  weights = pieces.params_of(v, num_features).weights
  found = Found(
    jnp.int8(Entry.NONE),
    jnp.full_like(v[0], jnp.nan),
    jnp.full_like(v[0], jnp.nan),
  )
  if weights.shape[0] != 2:
    return found
  sse = pieces.sse(v, num_features)
  norm = jnp.linalg.norm(weights)
  num_weak = jnp.sum(jnp.linalg.norm(weights, axis=0) < weak_norm)
  for number, entry in _FANS.items():
    if num_features - number - 2 < _LEAST_FAN:
      continue
    is_candidate = is_wanted & (num_weak == number)
    start = valleys.fan_of_norm(
      num_features=num_features, num_weak=number, norm=norm
    )
    floor = polishing.relax(
      polishing.on_sphere(start, norm, num_features),
      num_features=num_features,
      tolerance=tolerance,
      max_steps=jnp.where(is_candidate, max_steps, 0),
    )
    agrees = is_candidate & (jnp.abs(floor.sse - sse) <= explained)
    infimum = valleys.infimum(num_weak=number)
    found = jax.tree.map(
      lambda new, old, agrees=agrees: jnp.where(agrees, new, old),
      Found(jnp.int8(entry), floor.sse, jnp.full_like(norm, infimum)),
      found,
    )
  return found

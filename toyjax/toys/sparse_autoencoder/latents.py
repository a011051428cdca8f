"""What the latents of a sparse autoencoder are, against the true features.

    Params, features, which latents fire --measure--> Metrics, a row a latent
    Metrics --label_latents--> codes of Latent [M]

The features F that the inputs were made of must be known, and which of them
each input has. Everything is invariant under permutations of the features and
of the latents (but for ties) and under rotations of the inputs.
"""

import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax import roles
from toyjax.base import Array
from toyjax.toys.sparse_autoencoder import model


class Latent(enum.IntEnum):
  """What one latent is: exactly one of these; see `latent_rules`.

  A latent is of the feature i with the largest cosine to its decoder row, and
  matches it where that is at least `Thresholds.matched`. Of all that match one
  feature the closest is its first latent.
  """

  UNDEFINED = 0  # The run diverged.
  DEAD = 1  # Fires on fewer than `Thresholds.dead` of fresh inputs.
  # The first latent of i, which fires where i is present: neither of the two
  # below.
  RECOVERED = 2
  # The first latent of i, silent on `missed` or more of the inputs with i, on
  # `taken` or more of which another latent of i fires; or one that is not the
  # first, and fires mostly on other inputs with i.
  SPLIT = 3
  # The first latent of i, silent on `missed` or more of the inputs with i, on
  # `taken` or more of which a latent fires that is of no such kind and writes
  # along i (cosine `carried` or more): it is of another feature, or of several.
  ABSORBED = 4
  DUPLICATE = 5  # Matches i, is not the first, and fires mostly with that.
  MIXED = 6  # Matches none; its second cosine is `carried` or more.
  UNMATCHED = 7  # Matches none, and no second feature either.


class Thresholds(NamedTuple):
  """The numbers behind the labels, each with its reason.

  Attributes:
    dead: frequency below which a latent is dead: 8 of 8,000 inputs. Features
      must be more frequent to be found.
    matched: least cosine to a feature that a latent is said to be of. 512
      directions in 64 dimensions lie within .6 of each other.
    carried: least cosine to a feature that a latent is said to write along:
      cos 60°, where two features of equal strength have .71.
    missed: share of the inputs with its feature on which a latent is silent,
      from which on it asks for a reason: one that another takes whenever it
      comes with the first, 1 in 4 times or more, say.
    taken: share of these on which the other latent fires: most.
    shared: share (intersection over union) of the inputs with a feature on
      which two of its latents fire together, from which on they are duplicates.
    most: least share of recovered features of the outcome MOST.
    none: share below which it is NONE.
  """

  dead: float = 1e-3
  matched: float = 0.9
  carried: float = 0.5
  missed: float = 0.25
  taken: float = 0.5
  shared: float = 0.5
  most: float = 0.9
  none: float = 0.1


THRESHOLDS = Thresholds()


class Metrics(NamedTuple):
  """What latents are labelled by, each [M], or of one latent [].

  Attributes:
    frequency: share of fresh inputs on which it fires.
    feature: int32, its feature i, of the largest cosine.
    cosine: that cosine.
    second: the second-largest cosine; -1 of a single feature.
    is_first: whether it is the closest to i of all that match i and are not
      dead; of equal ones the first.
    missed: share of the inputs with i on which it is silent; 0 of none.
    taken: share of these on which fires the latent that fires most often there,
      of those not dead whose cosine to i is `carried` or more; 0 of none.
    by_same: whether that one matches i.
    shared: inputs with i on which it and the first latent of i fire, by those
      on which either does; 0 of none.
  """

  frequency: Array
  feature: Array
  cosine: Array
  second: Array
  is_first: Array
  missed: Array
  taken: Array
  by_same: Array
  shared: Array


def encode_all(
  params: model.Params, inputs: Array, *, top_k: int | None
) -> Array:
  """Returns the latents [B, M] of inputs [B, D], see `model.encode`."""
  return jax.vmap(lambda x: model.encode(params, x, top_k=top_k))(inputs)


def firing_frequencies(
  params: model.Params, inputs: Array, *, top_k: int | None
) -> Array:
  """Returns the share of inputs [B, D] on which each latent fires, [M]."""
  return jnp.mean(encode_all(params, inputs, top_k=top_k) > 0.0, axis=0)


def is_dead(frequencies: Array, thresholds: Thresholds) -> Array:
  """Returns which latents are dead, bool [M], by `firing_frequencies`."""
  return frequencies < thresholds.dead


def _share(count: Array, total: Array) -> Array:
  return count / jnp.maximum(total, 1.0)


def measure(
  params: model.Params,
  fires: Array,
  *,
  features: Array,
  present: Array,
  thresholds: Thresholds,
) -> Metrics:
  """Returns what the latents of a run are labelled by.

  Args:
    params: of D inputs and M latents.
    fires: bool [B, M], on which fresh inputs each latent fires.
    features: F [N, D], rows of unit length.
    present: bool [B, N], which features each input has.
    thresholds: usually `THRESHOLDS`.
  """
  num_latents, num_features = len(params.decoder), len(features)
  rows = model.directions(params)
  cosines = rows @ features.T
  feature = jnp.argmax(cosines, axis=1).astype(jnp.int32)
  is_own = feature[:, None] == jnp.arange(num_features)[None, :]
  cosine = jnp.max(cosines, axis=1)
  second = jnp.max(jnp.where(is_own, -1.0, cosines), axis=1)

  numbers = fires.astype(rows.dtype)
  frequency = jnp.mean(numbers, axis=0)
  alive = ~is_dead(frequency, thresholds)
  matches = alive & (cosine >= thresholds.matched)
  same = (feature[:, None] == feature[None, :]) & matches[
    None, :
  ]  # [latent, one that matches]
  first = jnp.argmax(jnp.where(same, cosine[None, :], -2.0), axis=1)
  is_first = matches & (first == jnp.arange(num_latents))

  own = present.astype(rows.dtype) @ is_own.T.astype(rows.dtype)  # [B, M]
  total = jnp.sum(own, axis=0)
  silent = jnp.sum(own * (1.0 - numbers), axis=0)
  takers = (own * (1.0 - numbers)).T @ numbers  # [latent, another]
  can_take = alive[None, :] & (cosines.T[feature] >= thresholds.carried)
  can_take &= ~jnp.eye(num_latents, dtype=bool)
  takers = jnp.where(can_take, takers, 0.0)
  taker = jnp.argmax(takers, axis=1)
  together = (own * numbers).T @ numbers  # Both, where i is present.
  mine = jnp.sum(own * numbers, axis=0)
  both = jnp.take_along_axis(together, first[:, None], axis=1)[:, 0]
  # Of the first latent of i, over the inputs with i.
  theirs = mine[first]
  return Metrics(
    frequency=frequency,
    feature=feature,
    cosine=cosine,
    second=second,
    is_first=is_first,
    missed=_share(silent, total),
    taken=_share(jnp.max(takers, axis=1), silent),
    by_same=same[jnp.arange(num_latents), taker],
    shared=_share(both, mine + theirs - both),
  )


def latent_rules(
  metrics: Metrics, thresholds: Thresholds
) -> dict[Latent, Array]:
  """Returns which rule holds, bool: exactly one does, in whatever order.

  Args:
    metrics: of latents [M], or any arrays of one shape.
    thresholds: usually `THRESHOLDS`.
  """
  numbers = (
    *(metrics.frequency, metrics.cosine, metrics.second),
    *(metrics.missed, metrics.taken, metrics.shared),
  )
  defined = jnp.all(jnp.isfinite(jnp.stack(numbers)), axis=0)
  dead = is_dead(metrics.frequency, thresholds)
  alive = defined & ~dead
  matched = alive & (metrics.cosine >= thresholds.matched)
  unmatched = alive & (metrics.cosine < thresholds.matched)
  first = matched & metrics.is_first
  later = matched & ~metrics.is_first
  lost = (metrics.missed >= thresholds.missed) & (
    metrics.taken >= thresholds.taken
  )
  together = metrics.shared >= thresholds.shared
  carries = metrics.second >= thresholds.carried
  return {
    Latent.UNDEFINED: ~defined,
    Latent.DEAD: defined & dead,
    Latent.RECOVERED: first & ~lost,
    Latent.SPLIT: (first & lost & metrics.by_same) | (later & ~together),
    Latent.ABSORBED: first & lost & ~metrics.by_same,
    Latent.DUPLICATE: later & together,
    Latent.MIXED: unmatched & carries,
    Latent.UNMATCHED: unmatched & ~carries,
  }


def label_latents(metrics: Metrics, thresholds: Thresholds) -> Array:
  """Returns int32 codes of `Latent`, of the shape of the metrics."""
  return roles.first(Latent, latent_rules(metrics, thresholds))

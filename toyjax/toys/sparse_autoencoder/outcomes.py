"""How much of the truth a sparse autoencoder recovered.

Params, features, inputs --diagnose--> latents, recovered features, Outcome
"""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax import roles
from toyjax.base import Array
from toyjax.roles import Role
from toyjax.toys.sparse_autoencoder import latents as kinds
from toyjax.toys.sparse_autoencoder import model
from toyjax.toys.sparse_autoencoder.latents import Latent, Thresholds


class Outcome(roles.Outcome):
  """How a run ended, by the share of features that it recovered."""

  DIVERGED = 0, Role.DIVERGED  # A parameter is not finite.
  ALL = 1, Role.SOLVED
  MOST = 2, Role.FAILED  # `Thresholds.most` of them or more, not all.
  SOME = 3, Role.FAILED
  NONE = 4, Role.FAILED  # Fewer than `Thresholds.none` of them.


class Diagnosis(NamedTuple):
  """How one run ended.

  Attributes:
    outcome: int32 [], a code of `Outcome`.
    latents: int8 [M], codes of `Latent`.
    recovered: bool [N], whether a latent that is not dead matches the feature.
    frequencies: [M] on the inputs.
    counts: int32 [K], number of latents of each code.
    mean_cosine: [] mean over features of the largest cosine to a latent that is
      not dead, "mean maximal cosine similarity".
    explained: [] 1 - Σ|x - x̂|² / Σ|x - x̄|².
    active: [] mean number of latents that fire, "L0".
  """

  outcome: Array
  latents: Array
  recovered: Array
  frequencies: Array
  counts: Array
  mean_cosine: Array
  explained: Array
  active: Array


def diagnose(
  params: model.Params,
  *,
  features: Array,
  inputs: Array,
  present: Array,
  top_k: int | None,
  thresholds: Thresholds,
) -> Diagnosis:
  """Says how one run stands.

  Args:
    params: of D inputs and M latents.
    features: F [N, D], rows of unit length.
    inputs: fresh x [B, D].
    present: bool [B, N], which features each of them has.
    top_k: as in training.
    thresholds: usually `THRESHOLDS`.

  Returns:
    A `Diagnosis`. Never raises on values: what is not finite is DIVERGED.
  """
  chex.assert_equal_shape_prefix([inputs, present], 1)
  chex.assert_equal_shape_suffix([inputs, features, params.decoder], 1)
  latents = kinds.encode_all(params, inputs, top_k=top_k)
  metrics = kinds.measure(
    params,
    latents > 0.0,
    features=features,
    present=present,
    thresholds=thresholds,
  )
  leaves = [jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(params)]
  finite = jnp.all(jnp.stack(leaves))
  codes = kinds.label_latents(metrics, thresholds)
  codes = jnp.where(finite, codes, Latent.UNDEFINED)
  alive = (codes != Latent.DEAD) & finite
  cosines = model.directions(params) @ features.T
  matches = alive & (metrics.cosine >= thresholds.matched)
  is_own = metrics.feature[:, None] == jnp.arange(len(features))[None, :]
  recovered = jnp.any(is_own & matches[:, None], axis=0)
  share = jnp.mean(recovered)
  every = jnp.all(recovered)
  tests = {
    Outcome.DIVERGED: ~finite,
    Outcome.ALL: every,
    Outcome.MOST: share >= thresholds.most,
    Outcome.SOME: share >= thresholds.none,
    Outcome.NONE: jnp.bool_(True),
  }
  outputs = jax.vmap(model.decode, in_axes=(None, 0))(params, latents)
  errors = jnp.sum((inputs - outputs) ** 2)
  spread = jnp.sum((inputs - jnp.mean(inputs, axis=0, keepdims=True)) ** 2)
  return Diagnosis(
    outcome=roles.first(Outcome, tests),
    latents=codes.astype(jnp.int8),
    recovered=recovered,
    frequencies=metrics.frequency,
    counts=jnp.sum(
      codes[:, None] == jnp.arange(len(Latent))[None, :],
      axis=0,
      dtype=jnp.int32,
    ),
    mean_cosine=jnp.mean(
      jnp.max(jnp.where(alive[:, None], cosines, -1.0), axis=0)
    ),
    explained=1.0 - errors / spread,
    active=jnp.sum(metrics.frequency),
  )


def classify(params: model.Params, **given: Any) -> Array:
  """Returns the int32 [] code of `Outcome`, of what `diagnose` takes."""
  return diagnose(params, **given).outcome

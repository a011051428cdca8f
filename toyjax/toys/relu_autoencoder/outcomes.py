"""How a ReLU autoencoder ended on one-hot data, X = I_n, read from its weights.

    Params --responses--> Y [input j, output i] --on-pattern--> fates [N]
    fates, SSE, polygons, decrease of the SSE --diagnose--> one Outcome

The on-pattern A[j, i] says whether output i is on for input j. A feature is
learned when its output is on for its own input alone. Everything is invariant
under permutations of the features and rotations of the hidden space.
"""

import enum
import math
from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax import roles
from toyjax.base import Array
from toyjax.roles import Role
from toyjax.toys.relu_autoencoder import model


class Outcome(roles.Outcome):
  """How a run ended: the first class, in this order, that fits."""

  # A weight, a bias or the SSE is not finite.
  DIVERGED = 0, Role.DIVERGED
  # SSE < solved_sse; rows form a regular n-gon (M = 2).
  SOLVED_REGULAR = 1, Role.SOLVED
  SOLVED_IRREGULAR = 2, Role.SOLVED  # SSE < solved_sse.
  # The SSE is still falling faster than 1 / step.
  UNRESOLVED = 3, Role.UNDECIDED
  # Dead rows, b = 1/n; the rest a regular polygon (M = 2).
  SYMMETRIC_FAILURE = 4, Role.FAILED
  # One feature shared over g inputs, the rest solved.
  ASYMMETRIC_FAILURE = 5, Role.FAILED
  MERGED = 6, Role.FAILED  # All that is not learned is merged.
  OFF = 7, Role.FAILED  # All that is not learned is off.
  MIXED = 8, Role.FAILED  # Several kinds of failure at once.
  OTHER = 9, Role.FAILED  # None of the above.


class Fate(enum.IntEnum):
  """How one feature fared."""

  UNDEFINED = 0  # The run diverged.
  LEARNED = 1  # On for its own input alone.
  SHARED = 2  # On for its own input and others, and not merged.
  MERGED = 3  # W_i = W_j, and on for exactly the inputs of that group.
  OFF = 4  # Off for its own input: SSE at least 1.


class Thresholds(NamedTuple):
  """The numbers behind the labels, each with its reason.

  Attributes:
    on_fraction: an output is on above this fraction of 1/n. A dead feature, the
      weakest thing that counts as on, gives 1/n on every input; weight decay
      leaves outputs that should be off at a few hundredths. Two fifths lie
      between, and so do half and twice of it.
    resolved_decrease: a run whose SSE fell by this fraction or more over the
      last tenth of its steps is still on its way. At .1 the SSE falls like
      1 / step, for which SSE(k) / SSE(.9 k) = .9.
    dead_norm: rows shorter than this are dead; live ones are longer than 1
      at every exact solution (the pentagon's minimum norm is 1.203).
    dead_bias: |b_i - 1/n| below this fraction of 1/n for a dead row.
    regularity: norms, and gaps between neighbouring angles, may each differ
      from those of the regular polygon by this fraction.
    merged_distance: |W_i - W_j| below this fraction of the longer row.
    shared_sse: least SSE of the one output of an asymmetric failure. Where
      that output is stationary and no other is on for its input,
      SSE = s (1 + |W_i|²) with s = 1 - |W_i|² - b_i, and the other on-values
      sum to s with squares (1 - s + |W_i|²) s <= s², so that
      SSE >= (1 + |W_i|²)² / 2 >= 1/2. (1 - 1/g is the value for equal on-values
      and W_i = 0, no lower bound: runs end below it.)
  """

  on_fraction: float = 0.4
  resolved_decrease: float = 0.1
  dead_norm: float = 0.05
  dead_bias: float = 0.05
  regularity: float = 0.05
  merged_distance: float = 0.05
  shared_sse: float = 0.5


THRESHOLDS = Thresholds()


class Diagnosis(NamedTuple):
  """All that the weights of one run tell about its end.

  Attributes:
    outcome: int32 [], a code of `Outcome`.
    sse: [] sum of squared errors over the n one-hot samples.
    fates: int8 [N], codes of `Fate`.
    inputs_on: int32 [N], number of inputs each output is on for (g).
    shared_over: int32 [], g of the shared feature where there is exactly one,
      else 0.
    num_learned: int32 [], number of features of that fate; so the next three.
    num_shared: int32 [].
    num_merged: int32 [].
    num_off: int32 [].
  """

  outcome: Array
  sse: Array
  fates: Array
  inputs_on: Array
  shared_over: Array
  num_learned: Array
  num_shared: Array
  num_merged: Array
  num_off: Array


def responses(params: model.Params) -> Array:
  """Returns Y [N, N], Y[j, i] = ReLU(W_iᵀW_j + b_i), output i for input e_j."""
  identity = jnp.eye(params.bias.shape[0], dtype=params.bias.dtype)
  return jax.vmap(model.apply, in_axes=(None, 0))(params, identity)


def one_hot_sse(params: model.Params) -> Array:
  """Returns the sum of squared errors over the n one-hot samples, []."""
  outputs = responses(params)
  return jnp.sum((outputs - jnp.eye(len(outputs), dtype=outputs.dtype)) ** 2)


def classify(params: model.Params, **given: Any) -> Array:
  """Returns the int32 [] code of `Outcome`, of what `diagnose` takes."""
  return diagnose(params, **given).outcome


def diagnose(
  params: model.Params,
  *,
  earlier_sse: Array,
  solved_sse: float | Array,
  thresholds: Thresholds,
) -> Diagnosis:
  """Says how one run stands at the step whose weights are given.

  Args:
    params: W [M, N] and b [N] at step k, trained on X = I_n.
    earlier_sse: [] the run's SSE at step .9 k, for the rate of its decrease.
    solved_sse: a run is solved when its SSE is below.
    thresholds: usually `THRESHOLDS`.

  Returns:
    A `Diagnosis`. Never raises on values: what is not finite is DIVERGED.
  """
  chex.assert_rank([params.weights, params.bias], [2, 1])
  chex.assert_equal_shape_suffix([params.weights, params.bias], 1)
  num_features = params.bias.shape[0]
  outputs = responses(params)
  errors = (outputs - jnp.eye(num_features, dtype=outputs.dtype)) ** 2
  sse = jnp.sum(errors)
  finite = jnp.isfinite(sse) & jnp.all(
    jnp.isfinite(params.weights) & jnp.isfinite(params.bias)[None, :]
  )

  on = outputs > thresholds.on_fraction / num_features
  fates = jnp.where(finite, _fates(params, on, thresholds), Fate.UNDEFINED)
  num = {fate: jnp.sum(fates == fate, dtype=jnp.int32) for fate in Fate}
  inputs_on = jnp.sum(on, axis=0, dtype=jnp.int32)
  is_shared = fates == Fate.SHARED
  one_shared = num[Fate.SHARED] == 1
  shared_over = jnp.where(one_shared, jnp.sum(inputs_on * is_shared), 0)
  shared_error = jnp.sum(errors * is_shared[None, :])

  all_rows = jnp.ones(num_features, bool)
  kinds = sum(
    (num[fate] > 0).astype(jnp.int32)
    for fate in (Fate.SHARED, Fate.MERGED, Fate.OFF)
  )
  tests = {
    Outcome.DIVERGED: ~finite,
    Outcome.SOLVED_REGULAR: (sse < solved_sse)
    & _is_regular_polygon(params.weights, all_rows, thresholds),
    Outcome.SOLVED_IRREGULAR: sse < solved_sse,
    Outcome.UNRESOLVED: (earlier_sse - sse)
    >= thresholds.resolved_decrease * earlier_sse,
    Outcome.SYMMETRIC_FAILURE: is_symmetric(
      params, fates=fates, inputs_on=inputs_on, thresholds=thresholds
    ),
    Outcome.ASYMMETRIC_FAILURE: one_shared
    & (num[Fate.LEARNED] == num_features - 1)
    & (sse - shared_error < solved_sse)
    & (shared_error >= thresholds.shared_sse),
    Outcome.MERGED: (kinds == 1) & (num[Fate.MERGED] > 0),
    Outcome.OFF: (kinds == 1) & (num[Fate.OFF] > 0),
    Outcome.MIXED: kinds > 1,
    Outcome.OTHER: jnp.bool_(True),
  }
  return Diagnosis(
    outcome=roles.first(Outcome, tests),
    sse=sse,
    fates=fates.astype(jnp.int8),
    inputs_on=inputs_on,
    shared_over=shared_over.astype(jnp.int32),
    num_learned=num[Fate.LEARNED],
    num_shared=num[Fate.SHARED],
    num_merged=num[Fate.MERGED],
    num_off=num[Fate.OFF],
  )


def _fates(params: model.Params, on: Array, thresholds: Thresholds) -> Array:
  """Returns the fates [N] from the on-pattern [input, output]."""
  rows = params.weights.T
  norms = jnp.linalg.norm(rows, axis=1)
  squares = jnp.sum(rows**2, axis=1)
  distances = jnp.sum((rows[:, None, :] - rows[None, :, :]) ** 2, axis=2)
  longer = jnp.maximum(squares[:, None], squares[None, :])
  same = distances <= thresholds.merged_distance**2 * longer
  own = jnp.diagonal(on)
  alone = jnp.sum(on, axis=0) == 1
  # Column i of the pattern is exactly the group of rows equal to W_i.
  in_group = jnp.all(on == same, axis=0) & (jnp.sum(same, axis=0) > 1)
  in_group &= norms >= thresholds.dead_norm  # Dead rows have no direction.
  return jnp.select(
    [~own, alone, in_group],
    [jnp.int32(Fate.OFF), jnp.int32(Fate.LEARNED), jnp.int32(Fate.MERGED)],
    jnp.int32(Fate.SHARED),
  )


def is_symmetric(
  params: model.Params,
  *,
  fates: Array,
  inputs_on: Array,
  thresholds: Thresholds,
) -> Array:
  """Whether what fails is dead at b = 1/n, and the rest a regular polygon.

  Args:
    params: W [M, N] and b [N]; never symmetric unless M = 2.
    fates: [N] and inputs_on [N] as in `Diagnosis`.
    inputs_on: see fates.
    thresholds: usually `THRESHOLDS`.

  Returns:
    bool [].
  """
  num_features = params.bias.shape[0]
  level = 1.0 / num_features
  dead = (
    (inputs_on == num_features)
    & (jnp.linalg.norm(params.weights, axis=0) < thresholds.dead_norm)
    & (jnp.abs(params.bias - level) < thresholds.dead_bias * level)
  )
  explained = jnp.all(dead | (fates == Fate.LEARNED))
  regular = _is_regular_polygon(params.weights, ~dead, thresholds)
  return jnp.any(dead) & explained & regular


def _is_regular_polygon(
  weights: Array, live: Array, thresholds: Thresholds
) -> Array:
  """Whether the live rows W_i form a regular polygon; never unless M = 2."""
  if weights.shape[0] != 2:
    return jnp.bool_(False)
  num_live = jnp.sum(live)
  norms = jnp.linalg.norm(weights, axis=0)
  mean_norm = jnp.sum(norms * live) / jnp.maximum(num_live, 1)
  even = jnp.abs(norms - mean_norm) <= thresholds.regularity * mean_norm

  # The angle to the next live row, counted one way around, has the largest
  # cosine of those below π. No sort and no arctangent: events ask every step.
  x, y = weights / jnp.where(norms > 0.0, norms, 1.0)[None, :]
  cosines = x[:, None] * x[None, :] + y[:, None] * y[None, :]
  ahead = x[:, None] * y[None, :] > y[:, None] * x[None, :]
  ahead |= (num_live == 2) & ~jnp.eye(len(x), dtype=bool)  # Around is across.
  nearest = jnp.max(jnp.where(ahead & live[None, :], cosines, -1.0), axis=1)
  gap = 2.0 * math.pi / jnp.maximum(num_live, 1)
  widest = jnp.minimum((1.0 + thresholds.regularity) * gap, math.pi)
  spaced = (nearest >= jnp.cos(widest)) & (
    nearest <= jnp.cos((1.0 - thresholds.regularity) * gap)
  )
  return (num_live >= 2) & jnp.all((even & spaced) | ~live)

"""How a net of one variable ended, read from its values on given points."""

from typing import Any, NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax import roles
from toyjax.base import Array
from toyjax.roles import Role
from toyjax.toys.sqrt_mlp import model


class Outcome(roles.Outcome):
  """How a run ended: the first class, in this order, that fits."""

  # A weight, a bias or the error is not finite.
  DIVERGED = 0, Role.DIVERGED
  # The root mean squared error is below the level.
  REACHED = 1, Role.SOLVED
  # The error is still falling faster than 1 / step.
  UNRESOLVED = 2, Role.UNDECIDED
  # Collapsed: the same answer everywhere.
  CONSTANT = 3, Role.FAILED
  # Collapsed: one line, no kink that counts.
  ONE_LINE = 4, Role.FAILED
  # Bent, above the level, and a unit is off everywhere.
  DEAD_UNITS = 5, Role.FAILED
  # Bent, above the level, though every unit is on somewhere.
  ALL_LIVE = 6, Role.FAILED


class Thresholds(NamedTuple):
  """The numbers behind the labels, each with its reason.

  Attributes:
    resolved_decrease: a run whose mean squared error fell by this fraction or
      more over the last tenth of its steps is still on its way. At .1 it falls
      like 1 / step, for which MSE(k) / MSE(.9 k) = .9.
    constant_fraction: a constant's answers differ by less than this fraction of
      the target's range. A dead layer answers its bias everywhere; a net that
      follows √x spans all of the range, its best line on [0, 1] four fifths. Of
      512 nets 1-2-2-1 trained on √x over [0, 4] (PyTorch's init, Adam, rate
      .01, 2,000 steps) none lay between 1e-6 and .3.
    line_fraction: a line's answers leave their own best line by less than this
      fraction of what the target leaves its best line (root mean squares). A
      net whose units do not switch is a line to rounding; one that follows the
      target scores 1. Of the same 512 none lay between 1e-4 and .1.
  """

  resolved_decrease: float = 0.1
  constant_fraction: float = 0.01
  line_fraction: float = 0.01


THRESHOLDS = Thresholds()


class Diagnosis(NamedTuple):
  """All that the answers of one net on B points tell about its end.

  Attributes:
    outcome: int32 [], a code of `Outcome`.
    rmse: [] root mean squared error over the points.
    max_error: [] largest |y - f| over the points.
    constancy: [] range of the answers over the range of the target.
    straightness: [] departure of the answers from their best line over that of
      the target from its own; infinite where the target is a line.
    num_dead: int32 [], hidden units that are off at every point.
    num_linear: int32 [], hidden units that are on at every point.
    num_switching: int32 [], hidden units that are on at some points only.
  """

  outcome: Array
  rmse: Array
  max_error: Array
  constancy: Array
  straightness: Array
  num_dead: Array
  num_linear: Array
  num_switching: Array


def classify(params: model.Params, **given: Any) -> Array:
  """Returns the int32 [] code of `Outcome`, of what `diagnose` takes."""
  return diagnose(params, **given).outcome


def diagnose(
  params: model.Params,
  *,
  x: Array,
  values: Array,
  decrease: Array,
  solved_rmse: float | Array,
  thresholds: Thresholds,
) -> Diagnosis:
  """Says how one run stands at the step whose weights are given.

  Args:
    params: at step k.
    x: [B] points of the interval, B >= 3; usually the even grid.
    values: [B] the target there, neither constant nor all on one line for the
      classes of collapse to mean anything.
    decrease: [] share of its loss that the run lost over the last tenth of its
      steps, 1 - loss(k) / loss(.9 k), both on one batch: the error on other
      points than x is another number.
    solved_rmse: a run has reached its level when its error is below; in units
      of the target.
    thresholds: usually `THRESHOLDS`.

  Returns:
    A `Diagnosis`. Never raises on values: what is not finite is DIVERGED.
  """
  chex.assert_rank([x, values], 1)
  chex.assert_equal_shape([x, values])
  outputs = jax.vmap(model.apply, in_axes=(None, 0))(params, x)
  on = [
    a > 0 for a in jax.vmap(model.hidden_values, in_axes=(None, 0))(params, x)
  ]
  num_points = x.shape[0]
  num_on = jnp.concatenate([jnp.sum(layer, axis=0) for layer in on])
  num_dead = jnp.sum(num_on == 0, dtype=jnp.int32)
  num_linear = jnp.sum(num_on == num_points, dtype=jnp.int32)

  errors = outputs - values
  mse = jnp.mean(errors**2)
  finite = jnp.isfinite(mse)
  for leaf in jax.tree.leaves(params):
    finite &= jnp.all(jnp.isfinite(leaf))
  constancy = _span(outputs) / _span(values)
  straightness = _bend(x, outputs) / _bend(x, values)
  rmse = jnp.sqrt(mse)
  return Diagnosis(
    outcome=label(
      is_finite=finite,
      rmse=rmse,
      decrease=decrease,
      constancy=constancy,
      straightness=straightness,
      num_dead=num_dead,
      solved_rmse=solved_rmse,
      thresholds=thresholds,
    ),
    rmse=rmse,
    max_error=jnp.max(jnp.abs(errors)),
    constancy=constancy,
    straightness=straightness,
    num_dead=num_dead,
    num_linear=num_linear,
    num_switching=jnp.int32(num_on.shape[0]) - num_dead - num_linear,
  )


def label(
  *,
  is_finite: Array,
  rmse: Array,
  decrease: Array,
  constancy: Array,
  straightness: Array,
  num_dead: Array,
  solved_rmse: float | Array,
  thresholds: Thresholds,
) -> Array:
  """Returns the int32 codes of `Outcome` that measured quantities stand for.

  So that stored runs can be labelled again; all arrays of one shape, any.

  Args:
    is_finite: whether weights and error are finite.
    rmse: see `Diagnosis`.
    decrease: see `diagnose`.
    constancy: see `Diagnosis`.
    straightness: see `Diagnosis`.
    num_dead: see `Diagnosis`.
    solved_rmse: see `diagnose`.
    thresholds: usually `THRESHOLDS`.
  """
  tests = {
    Outcome.DIVERGED: ~jnp.asarray(is_finite),
    Outcome.REACHED: rmse < solved_rmse,
    Outcome.UNRESOLVED: decrease >= thresholds.resolved_decrease,
    Outcome.CONSTANT: constancy < thresholds.constant_fraction,
    Outcome.ONE_LINE: straightness < thresholds.line_fraction,
    Outcome.DEAD_UNITS: num_dead > 0,
    Outcome.ALL_LIVE: jnp.ones(jnp.shape(rmse), bool),
  }
  return roles.first(Outcome, tests)


def _span(values: Array) -> Array:
  return jnp.max(values) - jnp.min(values)


def _bend(x: Array, values: Array) -> Array:
  """Returns the root mean squared departure of values from their best line."""
  x = x - jnp.mean(x)
  values = values - jnp.mean(values)
  slope = jnp.sum(x * values) / jnp.sum(x**2)
  return jnp.sqrt(jnp.mean((values - slope * x) ** 2))

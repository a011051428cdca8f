"""The weak row of states on the way: tilt condition, bias, frozen optimum.

states [S] (W, b), float64 --its shortest row--> rows of shares and medians
"""

from collections.abc import Iterator, Mapping
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import statistics
from toyjax.analysis import (
  critical_points,
  frozen,
  pieces,
  symmetric_failure,
  tilt,
)
from toyjax.base import Array
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Params

_ITERATIONS = 40  # Of the relaxation of one row.
_STEP = 1e-6  # Of the descent by which |W_d| is seen to grow or shrink.
# A dead row is shorter than this (as in the labels), on for every input.
_DEAD_NORM = relu_autoencoder.THRESHOLDS.dead_norm
_CLOSE = 0.05  # A relaxed row is at its prediction within this fraction.
# What a table of dead rows leaves empty where there is none.
_DEAD_COLUMNS = (
  'bias_median',
  'bias_low',
  'bias_high',
  'bias_within_5_percent',
  'num_at_prediction',
  'median_cosine',
  'median_norm_of_optimum',
)


class Weak(NamedTuple):
  """What is asked of the shortest row of one state.

  Attributes:
    row: int32 [], its number.
    sse: [] of the state.
    measured: [] growth of |W_d| by one small step of gradient descent.
    general: the general condition.
    special: the study's condition.
    assumed: bool [], whether the special form's assumptions hold, ΣW_j = 0
      taken as |Σ W_j| below a hundredth of Σ |W_j|.
    is_dead: bool [], shorter than `_DEAD_NORM` and on for every input.
    bias: [] its bias times n.
    predicted: [M] where it should come to rest, to first order.
    rested: where it does.
  """

  row: Array
  sse: Array
  measured: Array
  general: tilt.Tilt
  special: tilt.Tilt
  assumed: Array
  is_dead: Array
  bias: Array
  predicted: Array
  rested: frozen.Optimum


def look(weights: np.ndarray, bias: np.ndarray) -> Weak:
  """Returns what is asked of the shortest row of each state, float64.

  Args:
    weights: [S, M, N].
    bias: [S, N].
  """
  states = Params(jnp.asarray(weights, float), jnp.asarray(bias, float))
  return jax.tree.map(np.asarray, _look(states))


@jax.jit
def _look(states: Params) -> Weak:
  return jax.vmap(_look_at_one)(states)


def _look_at_one(params: Params) -> Weak:
  norms = jnp.linalg.norm(params.weights, axis=0)
  row = jnp.argmin(norms)
  grads = jax.grad(relu_autoencoder.one_hot_sse)(params).weights[:, row]
  moved = jnp.linalg.norm(params.weights[:, row] - _STEP * grads)
  z = pieces.preactivations(params)
  num_features = len(params.bias)
  others = jnp.arange(num_features) != row
  total = jnp.sum(jnp.where(others[None, :], params.weights, 0), axis=1)
  all_on = jnp.all(z[:, row] > 0)
  return Weak(
    row=row.astype(jnp.int32),
    sse=relu_autoencoder.one_hot_sse(params),
    measured=moved - norms[row],
    general=tilt.general(params, row),
    special=tilt.special(params, row),
    assumed=all_on
    & jnp.all(jnp.where(others, z[row], -1) <= 0)
    & (jnp.linalg.norm(total) < 0.01 * jnp.sum(norms)),
    is_dead=all_on & (norms[row] < _DEAD_NORM),
    bias=params.bias[row] * num_features,
    predicted=frozen.predict(params, row),
    rested=frozen.relax(params, row, num_iterations=_ITERATIONS),
  )


def random_states(
  num_features: int, num_states: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
  """Draws W ~ N(0, 1) and b ~ N(0, 1/4): [S, 2, N] and [S, N]."""
  rng = np.random.default_rng((seed, num_features))
  return (
    rng.normal(size=(num_states, 2, num_features)),
    rng.normal(size=(num_states, num_features)) / 2.0,
  )


def tilt_row(
  at: Mapping[str, Any], weak: Weak, solved_sse: float
) -> dict[str, Any]:
  """Compares both conditions with what the row does, in unsolved states."""
  kept = weak.sse >= solved_sse
  grows = weak.measured[kept] > 0
  general = (weak.general.gain > weak.general.cost)[kept]
  special = (weak.special.gain > weak.special.cost)[kept]
  assumed = weak.assumed[kept]
  row: dict[str, Any] = {
    **at,
    'num_states': len(kept),
    'num_unsolved': int(np.sum(kept)),
    'num_growing': int(np.sum(grows)),
    'general_wrong': int(np.sum(general != grows)),
  }
  wrong = int(np.sum(special != grows))
  interval = statistics.wilson(wrong, len(grows))
  return row | {
    'special_wrong': wrong,
    'fraction': interval.estimate,
    'lower': interval.lower,
    'upper': interval.upper,
    'special_says_grow_wrongly': int(np.sum(special & ~grows)),
    'special_says_shrink_wrongly': int(np.sum(~special & grows)),
    'num_assumptions_hold': int(np.sum(assumed)),
    'wrong_where_they_hold': int(np.sum((special != grows) & assumed)),
  }


def dead_row(at: Mapping[str, Any], weak: Weak) -> dict[str, Any]:
  """Says where dead rows have their bias, and where they would come to rest."""
  dead = weak.is_dead
  interval = statistics.wilson(int(np.sum(dead)), len(dead))
  row: dict[str, Any] = {
    **at,
    'num_states': len(dead),
    'num_dead': int(np.sum(dead)),
    'fraction': interval.estimate,
    'lower': interval.lower,
    'upper': interval.upper,
  }
  if not dead.any():
    return row | dict.fromkeys(_DEAD_COLUMNS)
  low, middle, high = np.quantile(weak.bias[dead], [0.025, 0.5, 0.975])
  rested, predicted = weak.rested.weights[dead], weak.predicted[dead]
  size = np.linalg.norm(rested, axis=1)
  off = np.linalg.norm(rested - predicted, axis=1)
  product = size * np.linalg.norm(predicted, axis=1)
  cosine = np.sum(rested * predicted, axis=1) / np.maximum(product, 1e-300)
  return row | {
    'bias_median': float(middle),
    'bias_low': float(low),
    'bias_high': float(high),
    'bias_within_5_percent': int(np.sum(np.abs(weak.bias[dead] - 1) < 0.05)),
    'num_at_prediction': int(np.sum(off <= _CLOSE * size)),
    'median_cosine': float(np.median(cosine)),
    'median_norm_of_optimum': float(np.median(size)),
  }


@functools.partial(jax.jit, static_argnames='num_steps')
def relearn(params: Params, *, num_steps: int, learning_rate: float) -> Params:
  """Lets all rows but row 0 learn by gradient descent, row 0 held.

  Args:
    params: W [2, N] and b [N], row 0 dead.
    num_steps: of plain descent of the SSE.
    learning_rate: of it.
  """
  live = jnp.arange(len(params.bias)) > 0

  def step(_: int, p: Params) -> Params:
    grads = jax.grad(relu_autoencoder.one_hot_sse)(p)
    return Params(
      p.weights - learning_rate * jnp.where(live[None], grads.weights, 0),
      p.bias - learning_rate * jnp.where(live, grads.bias, 0),
    )

  return jax.lax.fori_loop(0, num_steps, step, params)


@jax.jit
def relax_dead(params: Params) -> frozen.Optimum:
  """Lets row 0 alone run down the error."""
  return frozen.relax(params, 0, num_iterations=_ITERATIONS)


def frozen_rows(
  num_features: int,
  norm_factors: list[float],
  nudges: list[float],
) -> Iterator[dict[str, Any]]:
  """Yields the frozen experiment on symmetric failure, predicted and measured.

  The biases of rows 1 and n - 1, neighbours on the polygon, are raised by Δ;
  then either everything but row 0 is held as it is ('held'), or the live rows
  first learn, row 0 held ('relearnt'). Row 0 relaxes from its exact place.

  Args:
    num_features: n.
    norm_factors: norms in units of the least one.
    nudges: Δ.
  """
  for factor in norm_factors:
    for delta in nudges:
      cases = frozen_cases(num_features, factor, delta)
      for name, held in cases.items():
        neighbours = held.weights[:, 1] + held.weights[:, num_features - 1]
        found, predicted = relax_dead(held), frozen.predict(held, 0)
        square = jnp.sum(neighbours**2)
        size = jnp.linalg.norm(found.weights)
        epsilon = found.weights @ neighbours / square
        yield {
          'num_features': num_features,
          'norm_factor': factor,
          'nudge': delta,
          'live_rows': name,
          'predicted_epsilon': float(predicted @ neighbours / square),
          'measured_epsilon': float(epsilon),
          'optimum_norm': float(size),
          'aside': float(jnp.linalg.norm(found.weights - epsilon * neighbours)),
          'bias_times_n': float(found.bias * num_features),
          'slope': float(found.slope),
          'stiffness': float(jnp.linalg.eigvalsh(frozen.stiffness(held, 0))[0]),
          'live_sse': float(
            relu_autoencoder.one_hot_sse(held) - (1 - 1 / num_features)
          ),
        }


def frozen_cases(
  num_features: int, norm_factor: float, nudge: float
) -> dict[str, Params]:
  """Returns symmetric failure with raised biases, live rows held or relearnt.

  Args:
    num_features: n.
    norm_factor: norm in units of the least one.
    nudge: what the biases of rows 1 and n - 1 are raised by.
  """
  least = critical_points.minimum_radius(num_features - 1, beside_dead=True)
  params = symmetric_failure.make(
    num_features=num_features,
    num_dead=1,
    norm=jnp.asarray(norm_factor * least),
  )
  raised = params._replace(
    bias=params.bias.at[jnp.asarray([1, num_features - 1])].add(nudge)
  )
  return {
    'held': raised,
    'relearnt': relearn(raised, num_steps=20_000, learning_rate=0.01),
  }

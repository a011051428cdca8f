"""The frozen experiment: where the dead row rests behind a nudged polygon.

n, norm, Δ --cases--> W, b held or relearnt --relax--> rows
"""

from collections.abc import Iterator
import functools

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import frozen
from toyjax.base import Array
from toyjax.settings import Values
from toyjax.studies.symmetric_failure import exact
from toyjax.tables import Row
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Params

_ITERATIONS = 40  # Of the relaxation of one row.


@jax.jit
def relax(params: Params, row: int | Array = 0) -> frozen.Optimum:
  """Lets one row alone run down the error."""
  return frozen.relax(params, row, num_iterations=_ITERATIONS)


@functools.partial(jax.jit, static_argnames='num_steps')
def _relearn(params: Params, *, num_steps: int, learning_rate: float) -> Params:
  """Lets all rows but row 0 learn by gradient descent of the SSE."""
  live = jnp.arange(len(params.bias)) > 0

  def step(_: int, p: Params) -> Params:
    grads = jax.grad(relu_autoencoder.one_hot_sse)(p)
    return Params(
      p.weights - learning_rate * jnp.where(live[None], grads.weights, 0),
      p.bias - learning_rate * jnp.where(live, grads.bias, 0),
    )

  return jax.lax.fori_loop(0, num_steps, step, params)


def cases(
  num_features: int, norm_factor: float, nudge: float
) -> dict[str, Params]:
  """Returns symmetric failure with raised biases, live rows held or relearnt.

  Args:
    num_features: n.
    norm_factor: norm in units of the least one.
    nudge: what the biases of rows 1 and n - 1, neighbours on the polygon, are
      raised by.

  Returns:
    'held', with everything else as it was, and 'relearnt', where the live rows
    have learned since, row 0 held.
  """
  params = exact.make(num_features, norm_factor)
  raised = params._replace(
    bias=params.bias.at[jnp.asarray([1, num_features - 1])].add(nudge)
  )
  return {
    'held': raised,
    'relearnt': _relearn(raised, num_steps=20_000, learning_rate=0.01),
  }


def along_neighbours(params: Params, weights: Array) -> Array:
  """Returns ε of row 0 at `weights` [2]: its share of W_1 + W_(n-1)."""
  axis = _neighbours(params)
  return weights @ axis / jnp.sum(axis**2)


def _neighbours(params: Params) -> Array:
  return params.weights[:, 1] + params.weights[:, -1]


def rows(values: Values) -> Iterator[Row]:
  """Yields the frozen experiment on symmetric failure, predicted and measured.

  Row 0 relaxes from its exact place, with all else as in `cases`.
  """
  for n in values['state_features']:
    for factor in values['norm_factor']:
      for nudge in values['nudge']:
        for name, held in cases(n, factor, nudge).items():
          yield {
            'num_features': n,
            'norm_factor': factor,
            'nudge': nudge,
            'live_rows': name,
            **_row(held),
          }


def _row(held: Params) -> Row:
  num_features = len(held.bias)
  found, predicted = relax(held), frozen.predict(held, 0)
  epsilon = along_neighbours(held, found.weights)
  aside = found.weights - epsilon * _neighbours(held)
  return {
    'predicted_epsilon': float(along_neighbours(held, predicted)),
    'measured_epsilon': float(epsilon),
    'optimum_norm': float(jnp.linalg.norm(found.weights)),
    'aside': float(jnp.linalg.norm(aside)),
    'bias_times_n': float(found.bias * num_features),
    'slope': float(found.slope),
    'stiffness': float(jnp.linalg.eigvalsh(frozen.stiffness(held, 0))[0]),
    'live_sse': float(
      relu_autoencoder.one_hot_sse(held) - exact.level(num_features)
    ),
  }

r"""The frozen experiment: one row relaxes while all others hold still.

With rows W_j and biases b_j of j != d held, the error of the rest of the model
as a function of u = W_d and β = b_d is, with output d on for every input and
the other outputs off for input d,

    F(u, β) = Σ_{j≠d} (W_j·u + β)² + (|u|² + β - 1)² + const.

Around u = 0, where β = 1/n is best, with S = Σ_{j≠d} W_j, to first order

    u* = -(1/n) M⁻¹ S,   M = Σ_{j≠d} W_j W_jᵀ - S Sᵀ / n - 2 (1 - 1/n) I

So W_d moves against the sum of the other rows: towards ε (W_a + W_b) where the
polygon is regular but for two rows a and b that are shorter, and stays at 0
where the sum is 0. It is a minimum where M > 0.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import pieces
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params


class Optimum(NamedTuple):
  """Where a row comes to rest.

  Attributes:
    weights: [M], u.
    bias: [], β.
    sse: [] of the whole model there.
    slope: [] length of the gradient there, in u and β.
  """

  weights: Array
  bias: Array
  sse: Array
  slope: Array


def stiffness(params: Params, row: int | Array) -> Array:
  """Returns M [M, M]: F rises by uᵀ M u once β is at its best for u."""
  rows, total = _others(params, row)
  num_hidden, num_features = rows.shape
  return (
    rows @ rows.T
    - jnp.outer(total, total) / num_features
    - 2 * (1 - 1 / num_features) * jnp.eye(num_hidden)
  )


def predict(params: Params, row: int | Array) -> Array:
  """Returns u* [M], the row's optimum to first order; see the module."""
  _, total = _others(params, row)
  return -jnp.linalg.solve(stiffness(params, row), total) / len(params.bias)


def relax(params: Params, row: int | Array, *, num_iterations: int) -> Optimum:
  """Lets row d and its bias run down the error, all else held.

  Saddle-free Newton steps from where the row is, halved until the error falls.

  Args:
    params: W [M, N] and b [N], float64; row d is where it starts.
    row: d in 0..N-1; may be traced.
    num_iterations: steps, >= 0.

  Returns:
    An `Optimum`, never of a higher error than the start.
  """
  fractions = 0.5 ** jnp.arange(24.0)

  def error(free: Array) -> Array:
    return pieces.sse(
      pieces.vector(
        Params(
          params.weights.at[:, row].set(free[:-1]),
          params.bias.at[row].set(free[-1]),
        )
      ),
      len(params.bias),
    )

  def improve(_: int, free: Array) -> Array:
    slope = jax.grad(error)(free)
    values, vectors = jnp.linalg.eigh(jax.hessian(error)(free))
    step = -vectors @ (vectors.T @ slope / (jnp.abs(values) + 1e-9))
    # An error too small to see must not stop Newton near its end.
    steps = jnp.outer(fractions, step)
    tried = jnp.concatenate([free[None], free[None] + steps])
    return tried[jnp.argmin(jax.vmap(error)(tried))]

  start = jnp.append(params.weights[:, row], params.bias[row])
  free = jax.lax.fori_loop(0, num_iterations, improve, start)
  return Optimum(
    free[:-1],
    free[-1],
    error(free),
    jnp.linalg.norm(jax.grad(error)(free)),
  )


def profile(params: Params, row: int | Array, weights: Array) -> Array:
  """Returns the SSE [K] with W_d at each of K places, b_d at its best there.

  The bias is the mean over inputs of what it should be, the exact best while
  output d is on for every input.

  Args:
    params: W [M, N] and b [N].
    row: d in 0..N-1; may be traced.
    weights: [K, M], the places.
  """
  rows, _ = _others(params, row)
  num_features = len(params.bias)

  def error(free: Array) -> Array:
    reached = jnp.sum(free @ rows) + free @ free
    bias = (1 - reached) / num_features
    return pieces.sse(
      pieces.vector(
        Params(
          params.weights.at[:, row].set(free), params.bias.at[row].set(bias)
        )
      ),
      num_features,
    )

  return jax.vmap(error)(weights)


def _others(params: Params, row: int | Array) -> tuple[Array, Array]:
  """Returns the rows with row d set to 0 [M, N], and their sum [M]."""
  others = jnp.arange(params.bias.shape[0]) != row
  rows = jnp.where(others[None, :], params.weights, 0)
  return rows, jnp.sum(rows, axis=1)

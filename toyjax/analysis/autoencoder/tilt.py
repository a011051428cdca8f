r"""The tilt condition, general and special: when the row of a feature grows.

Under the gradient flow of the SSE on X = I_n the norm ρ = |W_d| of row d, with
Ŵ_d = W_d / ρ and z_ji = W_iᵀW_j + b_i, changes at the rate

    dρ/dt = 2 ρ (gain - cost)
    gain = 2 [1 - (ρ² + b_d)]                        where z_dd > 0, else 0
    cost = Σ_on (Ŵ_dᵀW_j)² + (b_d / ρ) Ŵ_d·Σ_on W_j
           + Σ_{i≠d} ReLU(W_iᵀW_d + b_i) (Ŵ_dᵀW_i) / ρ

Σ_on runs over the inputs j != d for which output d is on. The study's special
form keeps the first sum, over all j != d, and drops the rest: it holds where
output d is on for every input, the other rows sum to 0, and no other output is
on for input d.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import pieces
from toyjax.base import Array
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Params


class Tilt(NamedTuple):
  """The two sides of a tilt condition: the row grows where gain > cost.

  Attributes:
    gain: [] what the feature's own output gains by a longer row.
    cost: [] what the other inputs and outputs lose by it.
  """

  gain: Array
  cost: Array


def general(params: Params, row: int | Array) -> Tilt:
  """Returns both sides of the general condition for row d; |W_d| > 0.

  Args:
    params: W [M, N] and b [N].
    row: d in 0..N-1; may be traced.
  """
  others, norm, along = _around(params, row)
  z = pieces.preactivations(params)
  own_bias = params.bias[row]
  on = others & (z[:, row] > 0)
  live = jnp.where(others, jax.nn.relu(z[row]), 0)
  return Tilt(
    gain=jnp.where(z[row, row] > 0, 2 * (1 - (norm**2 + own_bias)), 0),
    cost=jnp.sum(jnp.where(on, along**2, 0))
    + own_bias / norm * jnp.sum(jnp.where(on, along, 0))
    + jnp.sum(live * along) / norm,
  )


def special(params: Params, row: int | Array) -> Tilt:
  """Returns both sides of the study's condition for row d; see the module."""
  others, norm, along = _around(params, row)
  return Tilt(
    gain=2 * (1 - (norm**2 + params.bias[row])),
    cost=jnp.sum(jnp.where(others, along**2, 0)),
  )


def _around(params: Params, row: int | Array) -> tuple[Array, Array, Array]:
  """Returns which rows are others [N], ρ [], and Ŵ_dᵀW_j [N]."""
  own = params.weights[:, row]
  norm = jnp.linalg.norm(own)
  others = jnp.arange(params.bias.shape[0]) != row
  return others, norm, params.weights.T @ own / norm


def norm_rate(params: Params, row: int | Array) -> Array:
  """Returns dρ/dt [] of row d under the gradient flow, by autodiff."""
  grads = jax.grad(relu_autoencoder.one_hot_sse)(params)
  own = params.weights[:, row]
  return -grads.weights[:, row] @ own / jnp.linalg.norm(own)

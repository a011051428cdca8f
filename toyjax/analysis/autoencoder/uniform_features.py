"""Expected losses on features that are uniform where they are there.

    params --single_loss--> x = μ e_i, one feature at a time, exactly
    params, s, I --sparse_loss--> features independent and sparse, by quadrature

Along its own feature an output is ReLU(offset + slope μ), whose squared error
has a closed integral. What is left of sparse data are n - 1 other features; the
integrand is smooth there but for jumps of its third derivative, so that a
Gauss-Legendre rule of K nodes an axis errs by about 1 / K^4.

References:
  Elhage et al. 2022, Toy models of superposition, section 3. Chen et al. 2023,
  Dynamical versus Bayesian phase transitions in a toy model of superposition.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params


def mean_error(slope: Array, offset: Array, target: float | Array) -> Array:
  """Returns E[(ReLU(offset + slope μ) - target μ)²] of μ uniform in [0, 1].

  Exact, and so is its gradient; second derivatives miss those of where the
  output goes on.

  Args:
    slope: any shape, as the others; they are broadcast.
    offset: of the output at μ = 0.
    target: 1 for the output's own feature, 0 for another.
  """
  crossing = jax.lax.stop_gradient(
    jnp.clip(-offset / jnp.where(slope == 0.0, 1.0, slope), 0.0, 1.0)
  )
  flat = jnp.where(offset > 0.0, 0.0, 1.0)
  low = jnp.where(slope > 0.0, crossing, jnp.where(slope < 0.0, 0.0, flat))
  high = jnp.where(slope < 0.0, crossing, 1.0)
  # The error where the output is on, and |target μ|² where it is off. The two
  # agree at the crossing, which therefore has no part in the gradient.
  rest = slope - target
  on = (
    offset**2 * (high - low)
    + offset * rest * (high**2 - low**2)
    + rest**2 * (high**3 - low**3) / 3.0
  )
  return on + target**2 * (1.0 - (high**3 - low**3)) / 3.0


def single_loss(params: Params) -> Array:
  """Returns E[|y - x|²] of x = μ e_i, i any of n with 1/n, μ ~ U[0, 1].

  Args:
    params: W [M, N] and b [N].
  """
  products = params.weights.T @ params.weights
  own = jnp.eye(len(products), dtype=products.dtype)
  errors = mean_error(products, params.bias[:, None], own)
  return jnp.sum(errors) / len(products)


def sparse_loss(
  params: Params,
  *,
  density: float | Array,
  importance: Array,
  num_nodes: int,
) -> Array:
  """Returns E[Σ_i I_i (y_i - x_i)²] on independent sparse features.

  Feature j is 0 with probability 1 - s_j, else uniform in (0, 1].

  Args:
    params: W [M, N] and b [N]; N a few, as (K + 1)^(N - 1) points are summed
      for each output.
    density: s, [] of all or [N] of each.
    importance: I [N].
    num_nodes: K, of each axis but an output's own.

  Returns:
    [], in the dtype of the parameters: N times the mean of the toy's loss.
  """
  dtype = params.bias.dtype
  num_features = len(params.bias)
  density = jnp.broadcast_to(jnp.asarray(density, dtype), num_features)
  nodes, weights = _nodes(num_nodes)
  values = jnp.asarray(np.concatenate([[0.0], nodes]), dtype)
  uniform = jnp.asarray(np.concatenate([[0.0], weights]), dtype)
  # [N, K + 1], of a feature's absence and of its values.
  absent = (values == 0.0).astype(dtype)
  probs = (
    density[:, None] * uniform[None] + (1.0 - density[:, None]) * absent[None]
  )
  products = params.weights.T @ params.weights
  # Row i: the features but i, each along an axis of its own.
  others = np.asarray(
    [[j for j in range(num_features) if j != i] for i in range(num_features)]
  )
  axes = num_features - 1
  offset, prob = _along(params.bias[:, None], axes, 0), jnp.ones((), dtype)
  for axis, j in enumerate(others.T):
    slopes = jnp.take_along_axis(products, j[:, None], axis=1)
    offset = offset + _along(slopes * values[None], axes, axis)
    prob = prob * _along(probs[j], axes, axis)
  own = _along(jnp.diagonal(products)[:, None], axes, 0)
  s = _along(density[:, None], axes, 0)
  errors = (1.0 - s) * jax.nn.relu(offset) ** 2 + s * mean_error(
    own, offset, 1.0
  )
  scale = _along(jnp.asarray(importance, dtype)[:, None], axes, 0)
  return jnp.sum(scale * prob * errors)


def _along(rows: Array, num_axes: int, axis: int) -> Array:
  """Returns rows [N, K] as [N, 1, .., K, .., 1], K on one of some axes."""
  shape = [len(rows), *[1] * num_axes]
  shape[1 + axis] = rows.shape[1]
  return rows.reshape(shape)


@functools.cache
def _nodes(number: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns Gauss-Legendre's nodes and weights on [0, 1]."""
  nodes, weights = np.polynomial.legendre.leggauss(number)
  return (nodes + 1.0) / 2.0, weights / 2.0

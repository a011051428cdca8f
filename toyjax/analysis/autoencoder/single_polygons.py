"""Regular polygons as answers to one uniform feature at a time, and their loss.

    k, n --best--> radius and bias of the k-gon of the least expected loss
    BESIDE: what the features beside the polygon answer

A k-gon in two dimensions holds k of n features; the others have W_i = 0. These
answer nothing, or their best constant: of x = μ e_i with μ ~ U[0, 1] it is
their mean over all samples, 1/(2n).

References:
  Chen et al. 2023, Dynamical versus Bayesian phase transitions in a toy model
  of superposition, whose expected losses of n = 6 these are.
"""

import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

from toyjax.analysis.autoencoder.uniform_features import single_loss
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params

# The published values of n = 6, M = 2: (k, whether the others answer their
# mean) -> E[|y - x|²].
PUBLISHED = {
  (4, False): 0.11111,
  (5, False): 0.06874,
  (5, True): 0.06180,
  (6, False): 0.04819,
}


class Polygon(NamedTuple):
  """A k-gon of live features at its best size.

  Attributes:
    num_live: k.
    radius: |W_i| of a live feature.
    bias: b_i of a live feature.
    dead_bias: b_i of the others; 0 where there are none.
    loss: E[|y - x|²].
  """

  num_live: int
  radius: float
  bias: float
  dead_bias: float
  loss: float


def regular(
  num_live: int,
  num_features: int,
  *,
  radius: float | Array,
  bias: float | Array,
  dead_bias: float | Array,
) -> Params:
  """Returns the net of a regular k-gon, W [2, N] and b [N].

  Args:
    num_live: k, 2 to N: the first features, in their order around.
    num_features: N.
    radius: |W_i| of the live ones.
    bias: b_i of the live ones.
    dead_bias: b_i of the others, whose W_i is 0.
  """
  live = np.arange(num_features) < num_live
  angles = 2.0 * math.pi * np.arange(num_features) / num_live
  directions = np.stack([np.cos(angles), np.sin(angles)]) * live
  biases = jnp.where(live, bias, jnp.asarray(dead_bias))
  return Params(radius * jnp.asarray(directions), biases)


def best(num_live: int, num_features: int, *, with_means: bool) -> Polygon:
  """Returns the regular k-gon of the least expected loss.

  To be called with x64 enabled.

  Args:
    num_live: k, 2 to N.
    num_features: N.
    with_means: whether the other features answer their mean, not 0.
  """
  has_dead = num_live < num_features
  dead_bias = 0.5 / num_features if with_means and has_dead else 0.0

  @jax.jit
  @jax.value_and_grad
  def loss(flat: Array) -> Array:
    return single_loss(
      regular(
        num_live,
        num_features,
        radius=flat[0],
        bias=flat[1],
        dead_bias=dead_bias,
      )
    )

  # One-hot data, μ = 1, have a bias of -radius² cos(2π/k) and a radius near 1.
  found = scipy.optimize.minimize(
    lambda flat: tuple(np.asarray(part, float) for part in loss(flat)),
    np.asarray([1.1, -0.1]),
    jac=True,
    method='BFGS',
    options={'gtol': 1e-10},
  )
  radius, bias = map(float, found.x)
  return Polygon(num_live, abs(radius), bias, dead_bias, float(found.fun))

"""The expected loss on few sparse features, by quadrature, and its minima.

    num_features --make_rule--> points x, which features are there, volumes
    params, densities, importances --expected_loss--> a number
    params --descend--> the minimum that they lead to

Feature i is 0 with probability 1 - p_i, else uniform in (0, 1]. Every set of
features that can be there together has points of its own, the fewer the larger
it is: sets of many rare features count for little.
"""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize

from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params, apply

MOST_FEATURES = 6
# Nodes of a feature in a set of 1, 2, ... of them. The loss has kinks, which
# leave an error of about 1 / nodes³ of what the set adds.
_NUM_NODES = (96, 20, 8, 5, 4, 3)


class Rule(NamedTuple):
  """Points of a quadrature over all sets of features.

  Attributes:
    x: float64 [Q, N], in (0, 1) where a feature is there, else 0.
    is_there: bool [Q, N].
    volumes: float64 [Q], 1 in all for each set.
  """

  x: np.ndarray
  is_there: np.ndarray
  volumes: np.ndarray


@functools.cache
def make_rule(num_features: int) -> Rule:
  """Returns the quadrature over all 2^N sets of features.

  Args:
    num_features: N, at most `MOST_FEATURES`.

  Raises:
    ValueError: on more.
  """
  if num_features > MOST_FEATURES:
    raise ValueError(f'{num_features} features: at most {MOST_FEATURES}')
  parts = []
  for there in itertools.product((False, True), repeat=num_features):
    is_there = np.asarray(there)
    size = int(is_there.sum())
    nodes, weights = np.polynomial.legendre.leggauss(
      _NUM_NODES[max(size, 1) - 1]
    )
    grid = itertools.product((nodes + 1.0) / 2.0, repeat=size)
    points = np.asarray(list(grid))
    x = np.zeros((len(points), num_features))
    x[:, is_there] = points.reshape(len(points), size)
    volumes = np.asarray(
      [np.prod(w) for w in itertools.product(weights / 2.0, repeat=size)]
    )
    parts.append(Rule(x, np.broadcast_to(is_there, x.shape), volumes))
  return Rule(*map(np.concatenate, zip(*parts)))


def expected_loss(
  params: Params, *, density: float | Array, importance: float | Array
) -> Array:
  """Returns E[Σ_i I_i (y_i - x_i)²], [], N times the mean of the toy's loss.

  Args:
    params: W [M, N] and b [N].
    density: p in [0, 1], [] or [N].
    importance: I >= 0, [] or [N].
  """
  rule = make_rule(params.bias.shape[0])
  dtype = params.bias.dtype
  x = jnp.asarray(rule.x, dtype)
  density, importance = (
    jnp.broadcast_to(jnp.asarray(number, dtype), x.shape[1:])[None, :]
    for number in (density, importance)
  )
  prob = jnp.prod(jnp.where(rule.is_there, density, 1.0 - density), axis=1)
  y = jax.vmap(functools.partial(apply, params))(x)
  losses = jnp.sum(importance * (y - x) ** 2, axis=1)
  return jnp.sum(jnp.asarray(rule.volumes, dtype) * prob * losses)


class Minimum(NamedTuple):
  """Where a descent ends.

  Attributes:
    loss: the expected loss there.
    params: float64 W [M, N] and b [N].
  """

  loss: float
  params: Params


def descend(
  start: Params, *, density: np.ndarray, importance: np.ndarray
) -> Minimum:
  """Returns the minimum of the expected loss that L-BFGS reaches.

  To be called with x64 enabled.

  Args:
    start: W [M, N] and b [N].
    density: p [N].
    importance: I [N].
  """
  shape = start.weights.shape
  split = int(np.prod(shape))

  def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
    weights, bias = np.split(flat, [split])
    params = Params(jnp.asarray(weights.reshape(shape)), jnp.asarray(bias))
    loss, grads = _value_and_grad(params, density, importance)
    slopes = [np.asarray(leaf, float).ravel() for leaf in grads]
    return float(loss), np.concatenate(slopes)

  ended = scipy.optimize.minimize(
    evaluate,
    np.concatenate([np.ravel(start.weights), np.ravel(start.bias)]),
    jac=True,
    method='L-BFGS-B',
    options={'gtol': 1e-9, 'ftol': 1e-13, 'maxiter': 2000},
  )
  weights, bias = np.split(ended.x, [split])
  found = Params(jnp.asarray(weights.reshape(shape)), jnp.asarray(bias))
  return Minimum(float(ended.fun), found)


@jax.jit
def _value_and_grad(params: Params, density: Array, importance: Array):
  def loss(params: Params) -> Array:
    return expected_loss(params, density=density, importance=importance)

  return jax.value_and_grad(loss)(params)


def polygon_start(num_features: int, corners: int) -> Params:
  """Returns the last features as a regular polygon, the first ones left out.

  Args:
    num_features: N.
    corners: of the polygon; the first N - corners features have W_i near 0.
  """
  angles = 2.0 * np.pi * np.arange(corners) / corners
  weights = np.full((2, num_features), 1e-3)
  weights[:, num_features - corners :] = [np.cos(angles), np.sin(angles)]
  return Params(jnp.asarray(weights), jnp.zeros(num_features))

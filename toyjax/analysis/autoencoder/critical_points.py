r"""Exact critical points of the ReLU autoencoder's error on X = I_n, M = 2.

Where every output sees its own input and g - 1 others that it cannot tell from
it, all at the same value, the best it can do is 1/g for each: error 1 - 1/g. An
output that is off for its own input has error 1. So every finite critical point
here has

    F = Σ_i (1 - 1/g_i) + number off,    g_i = 1 for a learned feature.

    polygon(...) --> W, b of one of them;  level(...) --> its F from the pattern
"""

import math

import jax.numpy as jnp
import numpy as np

from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params


def minimum_radius(num_live: int, *, beside_dead: bool = False) -> float:
  """Returns the least norm of the rows of a regular polygon that solves.

  |W|² (1 - cos 2π/l) >= 1, so that neighbours are off for each other: 1.2030
  for l = 5, 1.41421, 1.62971 and 1.84776 for l = 6, 7 and 8.

  Args:
    num_live: l >= 2.
    beside_dead: whether there are rows of norm 0 as well. An output of bias
      1 - |W|² is off for them where |W| >= 1, which binds for l = 2 and 3.

  Raises:
    ValueError: for fewer than two rows, which have no polygon.
  """
  if num_live < 2:
    raise ValueError(f'a polygon has 2 rows or more: num_live={num_live}')
  least = 1.0 / math.sqrt(1.0 - math.cos(2.0 * math.pi / num_live))
  return max(least, 1.0) if beside_dead else least


def polygon(
  *,
  num_features: int,
  num_shared: int,
  num_off: int,
  num_merged: int,
  radius: float,
) -> Params:
  """Returns a regular polygon of live rows; the others failed.

  * a shared feature: W_i = 0, b_i = 1/n, on for all n inputs (a dead row);
  * an off feature: W_i = 0, b_i = -1;
  * a merged pair: two rows on one vertex, bias 1/2 - |W|².

  With one shared feature and nothing else this is symmetric failure, with none
  of all the regular solution.

  Args:
    num_features: N = n.
    num_shared: number of shared features; they are the first rows.
    num_off: number of features that are off; the next rows.
    num_merged: number of merged pairs; the last rows lie on the first vertices.
    radius: norm of the live rows, at least `minimum_radius` of their vertices.

  Returns:
    W [2, N] and b [N] in the default float dtype.

  Raises:
    ValueError: on a radius too small, fewer than 2 vertices, or shared features
      beside merged pairs: the live rows must sum to 0, else a shared one moves.
  """
  num_vertices = num_features - num_shared - num_off - num_merged
  if min(num_shared, num_off, num_merged) < 0 or num_merged > num_vertices:
    raise ValueError(
      f'{num_shared} shared, {num_off} off and {num_merged} merged pairs of '
      f'{num_features} features'
    )
  if num_shared and num_merged and num_merged < num_vertices:
    raise ValueError('shared features beside merged pairs are not critical')
  least = minimum_radius(num_vertices, beside_dead=num_shared + num_off > 0)
  if radius < least * (1.0 - 1e-12):
    raise ValueError(
      f'radius={radius} is below {least}, that of {num_vertices} rows'
    )
  angles = 2.0 * math.pi * np.arange(num_vertices) / num_vertices
  angles = np.concatenate([angles, angles[:num_merged]])
  is_pair = np.concatenate(
    [np.arange(num_vertices) < num_merged, np.ones(num_merged, bool)]
  )
  num_zero = num_shared + num_off
  live = radius * np.stack([np.cos(angles), np.sin(angles)])
  weights = np.concatenate([np.zeros((2, num_zero)), live], axis=1)
  bias = np.concatenate(
    [
      np.full(num_shared, 1.0 / num_features),
      np.full(num_off, -1.0),
      np.where(is_pair, 0.5, 1.0) - radius**2,
    ]
  )
  dtype = jnp.result_type(float)
  return Params(jnp.asarray(weights, dtype), jnp.asarray(bias, dtype))


def level(inputs_on: Array, is_off: Array) -> Array:
  """Returns F [] = Σ_i (1 - 1/g_i) + number off, from the pattern alone.

  Args:
    inputs_on: int [N], g_i: inputs that output i is on for.
    is_off: bool [N], whether output i is off for its own input.
  """
  shared = 1.0 - 1.0 / jnp.maximum(inputs_on, 1)
  return jnp.sum(jnp.where(is_off, 1.0, shared))

"""First and second order of the autoencoder's error for many states at once.

v [S, MN + N] --derivatives, tangential, rotations--> NumPy arrays [S, ...]

The formulas are those of `pieces`, mapped over the states by JAX; everything is
float64 and on the ReLU pattern of each state.
"""

from collections.abc import Callable
import functools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.analysis.autoencoder import pieces
from toyjax.base import Array

_SINGULAR = 1e-9  # Rotations shorter than this share of the longest are none.


class Tangential(NamedTuple):
  """First and second order of F on the spheres |W|_F = const.

  Attributes:
    gradient: [S, P] in the tangent space, P = MN + N.
    hessian: [S, P, P] of the Lagrangian, in the tangent space.
    normal: [S, P] outward unit normal.
    slope: [S] normal part of ∇F: on a valley's floor d F / d|W| along it.
  """

  gradient: np.ndarray
  hessian: np.ndarray
  normal: np.ndarray
  slope: np.ndarray


def tangential(v: np.ndarray, num_features: int) -> Tangential:
  """Returns first and second order of F on the spheres through v [S, P]."""
  gradient, hessian = derivatives(v, num_features)
  on_weights = np.arange(v.shape[1]) < v.shape[1] - num_features
  weights = np.where(on_weights, v, 0.0)
  norm = np.linalg.norm(weights, axis=1, keepdims=True)
  normal = weights / np.maximum(norm, np.finfo(float).tiny)
  slope = np.sum(gradient * normal, axis=1)
  multiplier = slope / np.maximum(norm[:, 0], np.finfo(float).tiny)
  lagrangian = hessian - multiplier[:, None, None] * np.diag(on_weights * 1.0)
  identity = np.eye(v.shape[1])
  project = identity - normal[:, :, None] * normal[:, None, :]
  return Tangential(
    gradient - normal * slope[:, None],
    project @ lagrangian @ project,
    normal,
    slope,
  )


def on_sphere(
  v: np.ndarray, norms: np.ndarray, num_features: int
) -> np.ndarray:
  """Returns v [S, P] with W scaled to |W|_F = norms [S]."""
  weights = v[:, :-num_features]
  now = np.linalg.norm(weights, axis=1)
  scaled = weights * (norms / np.maximum(now, np.finfo(float).tiny))[:, None]
  return np.concatenate([scaled, v[:, -num_features:]], axis=1)


def derivatives(
  v: np.ndarray, num_features: int
) -> tuple[np.ndarray, np.ndarray]:
  """Returns ∇F [S, P] and its Hessian [S, P, P] on the pattern of each v."""
  return _on_batch(_derivatives, v, num_features)


def rotations(v: np.ndarray, num_features: int) -> np.ndarray:
  """Returns unit directions [S, M(M-1)/2, P] of rotations; 0 where W is 0.

  They span what rotations of the hidden space do to v; orthonormal.
  """
  turns = _on_batch(_rotations, v, num_features)
  _, lengths, directions = np.linalg.svd(turns, full_matrices=False)
  largest = np.max(lengths, axis=1, keepdims=True, initial=0.0)
  return directions * (lengths > _SINGULAR * largest)[:, :, None]


def errors(v: np.ndarray, num_features: int) -> np.ndarray:
  """Returns F [S]."""
  return _on_batch(_errors, v, num_features)


def _on_batch(function: Callable, v: np.ndarray, num_features: int):
  """Calls a jitted function on v, padded to a power of two: few programs."""
  size = 2 ** math.ceil(math.log2(max(len(v), 1)))
  padded = jnp.asarray(np.resize(v, (size, v.shape[1])))
  if padded.dtype != jnp.float64:
    raise ValueError('needs float64: enable jax_enable_x64')
  found = function(padded, num_features)
  return jax.tree.map(lambda leaf: np.array(leaf)[: len(v)], found)


@functools.partial(jax.jit, static_argnums=1)
def _derivatives(v: Array, num_features: int) -> tuple[Array, Array]:
  def of_one(v: Array) -> tuple[Array, Array]:
    pattern = pieces.on_pattern(pieces.params_of(v, num_features))
    return pieces.gradient(v, pattern), pieces.hessian(v, pattern)

  return jax.vmap(of_one)(v)


@functools.partial(jax.jit, static_argnums=1)
def _rotations(v: Array, num_features: int) -> Array:
  return jax.vmap(lambda v: pieces.rotations(v, num_features))(v)


@functools.partial(jax.jit, static_argnums=1)
def _errors(v: Array, num_features: int) -> Array:
  return jax.vmap(lambda v: pieces.sse(v, num_features))(v)

"""The chaos map: gradient descent from a nudged symmetric failure.

    symmetric_failure --raise two biases by Δ--> start
    start --SGD with learning rate η--> Dynamics, for `chaos_endings.run`

One run is one point (η, Δ) of the map. The start is the study's failed state:
row 0 dead with b_0 = 1/n, the other n - 1 rows a regular polygon that solves
their features. It is built mirror-symmetric bit for bit about the first hidden
axis, so a run that breaks the mirror does so by rounding alone.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import descent, optimizers
from toyjax.analysis.autoencoder import critical_points
from toyjax.base import Array, Dynamics
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

# What the SSE over n samples is divided by: n², n, 1.
LOSS_REDUCTIONS = ('mean', 'mean_samples', 'sum')


def raised_rows(*, num_features: int, separation: int) -> tuple[int, int]:
  """Returns the two live rows whose biases are raised, mirror images.

  Args:
    num_features: n >= 4.
    separation: corners of the polygon from one to the other; 1 are next
      neighbours, rows 1 and n - 1, with indices next to the dead row's.

  Raises:
    ValueError: unless 1 <= separation <= (n - 1) / 2.
  """
  if not 1 <= separation <= (num_features - 1) // 2:
    raise ValueError(
      f'separation must lie in 1..{(num_features - 1) // 2}: {separation}'
    )
  return 1, num_features - separation


def symmetric_failure(
  *,
  num_features: int,
  separation: int,
  norm_factor: float,
  dtype: jax.typing.DTypeLike,
) -> relu_autoencoder.Params:
  """Builds symmetric failure: row 0 dead, the rest a regular polygon.

  W_0 = 0, b_0 = 1/n; |W_i| = r and b_i = 1 - r² for i = 1..n - 1, in order
  around the circle and turned so that the rows of `raised_rows` mirror each
  other. At the minimum norm neighbours touch their kink, W_iᵀW_j + b_i = 0.

  Args:
    num_features: n >= 4.
    separation: see `raised_rows`.
    norm_factor: r over `critical_points.minimum_radius`, >= 1.
    dtype: of the parameters.

  Returns:
    W [2, N] and b [N], SSE (n - 1) / n.

  Raises:
    ValueError: on a factor below 1, for which the state is not stationary.
  """
  if norm_factor < 1.0:
    raise ValueError(f'norm_factor must be >= 1: {norm_factor}')
  raised_rows(num_features=num_features, separation=separation)
  num_live = num_features - 1
  radius = norm_factor * critical_points.minimum_radius(
    num_live, beside_dead=True
  )
  corners = np.arange(num_live) + separation / 2.0
  # Halves are exact, so opposite corners have exactly opposite angles.
  corners = np.where(corners > num_live / 2.0, corners - num_live, corners)
  angles = corners * (2.0 * math.pi / num_live)
  angles = np.where(corners == num_live / 2.0, math.pi, angles)
  sines = np.where(corners % (num_live / 2.0) == 0.0, 0.0, np.sin(angles))
  weights = np.zeros((2, num_features))
  weights[:, 1:] = radius * np.stack([np.cos(angles), sines])
  bias = np.full(num_features, 1.0 - radius**2)
  bias[0] = 1.0 / num_features
  return relu_autoencoder.Params(
    jnp.asarray(weights, dtype), jnp.asarray(bias, dtype)
  )


def training_map(
  *,
  num_features: int,
  separation: int,
  norm_factor: float,
  loss_reduction: str,
  learning_rate: float | Array,
  delta: float | Array,
  nudge: float | Array,
  keep_mirror: bool,
  dtype: jax.typing.DTypeLike,
) -> Dynamics:
  """Returns one point of the map: SGD on X = I from a raised start.

  Args:
    num_features: n >= 4, on two hidden dimensions.
    separation: see `raised_rows`.
    norm_factor: see `symmetric_failure`.
    loss_reduction: what the SSE over the n samples is divided by: 'mean' n²
      (samples and features), 'mean_samples' n, 'sum' 1. 'mean_samples' trains
      on the sum at a rate n times smaller, so its info.loss is the SSE.
    learning_rate: η > 0, may be traced.
    delta: Δ >= 0, added to the biases of `raised_rows`; may be traced.
    nudge: added to W_1's first entry in units of ε |W_11|, one or two of its
      last places; 0 leaves the mirror symmetry; may be traced.
    keep_mirror: whether the state is projected on the mirror-symmetric ones
      after each step. In exact arithmetic nothing would change (nudge = 0).
    dtype: of everything.

  Returns:
    A `Dynamics` over `descent.DescentState`; it needs no randomness.

  Raises:
    ValueError: on an unknown reduction or a start that does not exist.
  """
  if loss_reduction not in LOSS_REDUCTIONS:
    raise ValueError(
      f'unknown loss_reduction {loss_reduction!r}: choose from '
      f'{", ".join(LOSS_REDUCTIONS)}'
    )
  rate = jnp.asarray(learning_rate, dtype)
  if loss_reduction == 'mean_samples':
    rate = rate / num_features
  toy = relu_autoencoder.make(
    num_features=num_features,
    num_hidden=2,
    sample=sparse_features.one_hot(num_features=num_features, dtype=dtype),
    init='normal',  # Not used: the start is given.
    init_scale=1.0,
    importance_decay=1.0,
    loss_reduction='mean' if loss_reduction == 'mean' else 'sum',
    dtype=dtype,
  )
  params = symmetric_failure(
    num_features=num_features,
    separation=separation,
    norm_factor=norm_factor,
    dtype=dtype,
  )
  raised = np.zeros(num_features)
  rows = raised_rows(num_features=num_features, separation=separation)
  raised[list(rows)] = 1.0
  bias = params.bias + jnp.asarray(raised, dtype) * jnp.asarray(delta, dtype)
  grain = jnp.finfo(dtype).eps * params.weights[0, 1]
  place = np.zeros((2, num_features))
  place[0, 1] = 1.0
  weights = params.weights + jnp.asarray(place, dtype) * (
    grain * jnp.asarray(nudge, dtype)
  )
  start = relu_autoencoder.Params(weights, bias)
  toy = toy._replace(init=lambda key: start)
  optimizer = optimizers.make('sgd', learning_rate=rate, schedule=None)
  dynamics = descent.descend(toy, optimizer)
  if not keep_mirror:
    return dynamics
  mirror = mirror_rows(num_features, separation)

  def step(key, state):
    state, info = dynamics.step(key, state)
    weights, bias = state.params
    params = relu_autoencoder.Params(
      0.5 * (weights + reflect(weights, mirror)), 0.5 * (bias + bias[mirror])
    )
    return state._replace(params=params), info

  return Dynamics(dynamics.init, step)


def mirror_rows(num_features: int, separation: int) -> np.ndarray:
  """Returns for each row the row that is its mirror image, [N].

  Args:
    num_features: n >= 4.
    separation: see `raised_rows`.
  """
  num_live = num_features - 1
  live = 1 + (-np.arange(num_live) - separation) % num_live
  return np.concatenate([[0], live])


def reflect(weights: Array, mirror: np.ndarray) -> Array:
  """Mirrors W [2, N] about the first hidden axis, [2, N].

  Args:
    weights: W [2, N].
    mirror: from `mirror_rows`.
  """
  return weights[:, mirror] * jnp.asarray([[1.0], [-1.0]], weights.dtype)

r"""Remedies against dead features of the ReLU autoencoder, acting on one net.

params, which features failed, a key --a remedy--> params, which rows changed

A feature that is not learned is failed; the others are live. R is the mean norm
of the live rows W_j, and n̂ a random direction of its own for each row. The rows
of W are both encoder and decoder, so that what a remedy for sparse autoencoders
does to an encoder's row and a decoder's row is done to the one row there is.

References:
  Bricken et al. 2023, Towards monosemanticity, "neuron resampling".
"""

import enum
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import THRESHOLDS, Fate, Params


class Method(enum.IntEnum):
  """What is done to a net."""

  NOTHING = 0
  RANDOM = 1  # Failed rows are drawn as at the start, their biases are 0.
  RESAMPLED = 2  # Failed rows point to inputs of large loss, biases 0.
  REPULSED = 3  # Failed rows point away from the live ones, which are raised.
  SCALED = 4  # W is multiplied.
  COPIED = 5  # Failed rows are copies of live ones.
  EQUALIZED = 6  # All rows have the norm and the bias of the regular n-gon.
  STEPPED = 7  # One plain step down the gradient.
  GIVEN = 8  # Weights from elsewhere.


class Numbers(NamedTuple):
  """What the methods are told, each [] and read by the methods named.

  Attributes:
    power: RESAMPLED: an input is drawn with probability ∝ its loss to this.
    norm: RESAMPLED: of the new row, in units of R; 0 for length 1.
    delta: REPULSED: what is added to live biases.
    factor: REPULSED: norm of the new row, in units of R.
    scale: SCALED.
    length: STEPPED: of the step, in all parameters.
    noise: standard deviation, in units of R, of what tells rows apart that
      REPULSED, COPIED and EQUALIZED would make alike.
  """

  power: Array
  norm: Array
  delta: Array
  factor: Array
  scale: Array
  length: Array
  noise: Array


def failed_features(params: Params) -> tuple[Array, Array]:
  """Says which features are to be helped, and which are learned: bool [N] each.

  Of features that are merged with each other the first may stay what it is.

  Args:
    params: W [M, N] and b [N].
  """
  fates = fates_of(params)
  is_learned = fates == Fate.LEARNED
  rows = params.weights.T
  distances = jnp.sum((rows[:, None] - rows[None]) ** 2, axis=2)
  squares = jnp.sum(rows**2, axis=1)
  longer = jnp.maximum(squares[:, None], squares[None, :])
  same = distances <= THRESHOLDS.merged_distance**2 * longer
  earlier = jnp.tril(jnp.ones_like(same), -1)
  is_merged = fates == Fate.MERGED
  follows = jnp.any(same & earlier & is_merged[None, :], axis=1)
  return ~is_learned & (~is_merged | follows), is_learned


def fates_of(params: Params) -> Array:
  """Returns the codes of `Fate` of all features, [N]."""
  return relu_autoencoder.diagnose(
    params,
    earlier_sse=jnp.float32(0.0),  # Fates do not hang on it.
    solved_sse=0.0,
    thresholds=THRESHOLDS,
  ).fates


def apply(
  key: PRNGKey,
  params: Params,
  *,
  method: Array,
  numbers: Numbers,
  given: Params,
) -> tuple[Params, Array]:
  """Returns the net that one method makes, and which rows it set, bool [N].

  Args:
    key: of what is drawn.
    params: W [M, N] and b [N].
    method: [] a code of `Method`, may be traced.
    numbers: of the methods.
    given: what GIVEN gives back.
  """
  failed, _ = failed_features(params)
  keys = dict(zip(Method, jax.random.split(key, len(Method))))
  drawn = {
    Method.NOTHING: params,
    Method.RANDOM: _random(keys[Method.RANDOM], params, failed),
    Method.RESAMPLED: _resampled(
      keys[Method.RESAMPLED], params, failed, numbers
    ),
    Method.REPULSED: _repulsed(keys[Method.REPULSED], params, failed, numbers),
    Method.SCALED: params._replace(weights=params.weights * numbers.scale),
    Method.COPIED: _copied(keys[Method.COPIED], params, failed, numbers),
    Method.EQUALIZED: _equalized(keys[Method.EQUALIZED], params, numbers),
    Method.STEPPED: _stepped(params, numbers),
    Method.GIVEN: given,
  }
  is_on = [method == code for code in Method]
  new = jax.tree.map(lambda *leaves: jnp.select(is_on, leaves), *drawn.values())
  of_failed = (Method.RANDOM, Method.RESAMPLED, Method.REPULSED, Method.COPIED)
  of_all = (Method.EQUALIZED, Method.STEPPED, Method.GIVEN)
  is_set = _is_any(method, of_all) | (_is_any(method, of_failed) & failed)
  return new, is_set


def _is_any(method: Array, codes: tuple[Method, ...]) -> Array:
  return jnp.any(jnp.stack([method == code for code in codes]))


def _mean_norm(params: Params, failed: Array) -> Array:
  """R; 1 where no row is live."""
  norms = jnp.linalg.norm(params.weights, axis=0)
  num_live = jnp.sum(~failed)
  mean = jnp.sum(jnp.where(failed, 0.0, norms)) / jnp.maximum(num_live, 1)
  return jnp.where(num_live > 0, mean, 1.0)


def _unit(columns: Array) -> Array:
  """Returns columns of length 1; what has no direction stays 0."""
  norms = jnp.sqrt(jnp.sum(columns**2, axis=0, keepdims=True))
  return columns / jnp.where(norms > 0.0, norms, 1.0)


def _put(
  params: Params, failed: Array, weights: Array, bias: Array | float
) -> Params:
  return Params(
    jnp.where(failed[None, :], weights, params.weights),
    jnp.where(failed, bias, params.bias),
  )


def _noise(
  key: PRNGKey, params: Params, radius: Array | float, noise: Array
) -> Array:
  normal = jax.random.normal(key, params.weights.shape, params.weights.dtype)
  return noise * radius * normal


def _random(key: PRNGKey, params: Params, failed: Array) -> Params:
  """Glorot's normal start: standard deviation √(2 / (M + N))."""
  deviation = math.sqrt(2.0 / sum(params.weights.shape))
  normal = jax.random.normal(key, params.weights.shape, params.weights.dtype)
  return _put(params, failed, deviation * normal, 0.0)


def _resampled(
  key: PRNGKey, params: Params, failed: Array, numbers: Numbers
) -> Params:
  """Towards the hidden vectors of inputs drawn by their loss."""
  outputs = relu_autoencoder.responses(params)
  num_features = len(outputs)
  identity = jnp.eye(num_features, dtype=outputs.dtype)
  losses = jnp.sum((outputs - identity) ** 2, axis=1)
  tiny = jnp.finfo(losses.dtype).tiny
  logits = numbers.power * jnp.log(jnp.maximum(losses, tiny))
  drawn = jax.random.categorical(key, logits, shape=(num_features,))
  towards = _unit(params.weights) @ (identity[:, drawn])
  norm = numbers.norm * _mean_norm(params, failed)
  norm = jnp.where(numbers.norm > 0.0, norm, 1.0)
  return _put(params, failed, norm * towards, 0.0)


def _repulsed(
  key: PRNGKey, params: Params, failed: Array, numbers: Numbers
) -> Params:
  """W_d = -factor R Σ̂ + noise; b_j + Δ for live j on that side of Σ̂."""
  total = jnp.sum(jnp.where(failed[None, :], 0.0, params.weights), axis=1)
  away = -_unit(total[:, None])
  radius = _mean_norm(params, failed)
  noise = _noise(key, params, radius, numbers.noise)
  new = _put(
    params, failed, numbers.factor * radius * away + noise, params.bias
  )
  is_near = ~failed & (jnp.sum(params.weights * away, axis=0) > 0.0)
  return new._replace(bias=new.bias + jnp.where(is_near, numbers.delta, 0.0))


def _copied(
  key: PRNGKey, params: Params, failed: Array, numbers: Numbers
) -> Params:
  """W_d = W_j + noise and b_d = b_j, j live, drawn for each d.

  Runs that pass a state of merged features go on to solve: here is one.
  """
  choice_key, noise_key = jax.random.split(key)
  logits = jnp.where(failed, -jnp.inf, 0.0)
  # Where no row is live none is copied.
  logits = jnp.where(jnp.all(failed), 0.0, logits)
  drawn = jax.random.categorical(choice_key, logits, shape=failed.shape)
  chosen = jnp.eye(len(failed), dtype=params.bias.dtype)[:, drawn]
  radius = _mean_norm(params, failed)
  noise = _noise(noise_key, params, radius, numbers.noise)
  return _put(
    params, failed, params.weights @ chosen + noise, params.bias @ chosen
  )


def _equalized(key: PRNGKey, params: Params, numbers: Numbers) -> Params:
  """|W_i|² = 1 / (1 - cos 2π/n) and b_i = 1 - |W_i|², along Ŵ_i + noise.

  A valley has a fan of long rows that has closed, a weak row opposite, and half
  a turn free between (see `valleys`): with all norms those of the least regular
  n-gon there is no fan left to close, and the weak row stands where it has
  room.
  """
  num_features = len(params.bias)
  square = 1.0 / (1.0 - math.cos(2.0 * math.pi / num_features))
  noise = _noise(key, params, 1.0, numbers.noise)
  weights = math.sqrt(square) * _unit(_unit(params.weights) + noise)
  return Params(weights, jnp.full_like(params.bias, 1.0 - square))


def _stepped(params: Params, numbers: Numbers) -> Params:
  grads = jax.grad(relu_autoencoder.one_hot_sse)(params)
  square = jnp.sum(grads.weights**2) + jnp.sum(grads.bias**2)
  size = numbers.length / jnp.sqrt(jnp.where(square > 0.0, square, 1.0))
  return jax.tree.map(lambda value, grad: value - size * grad, params, grads)

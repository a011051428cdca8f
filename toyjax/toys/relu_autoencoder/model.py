"""The ReLU autoencoder with tied weights: parameters, model, inits and loss."""

from collections.abc import Callable, Mapping
import math
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey, Toy

LOSS_REDUCTIONS = ('mean', 'sum')


class Params(NamedTuple):
  """Parameters of one autoencoder.

  Attributes:
    weights: W, [M, N]; column i is W_i, the direction of feature i.
    bias: b, [N].
  """

  weights: Array
  bias: Array


def apply(params: Params, x: Array) -> Array:
  """Reconstructs one example: y = ReLU(WᵀWx + b).

  Args:
    params: W [M, N] and b [N].
    x: one example [N].

  Returns:
    y [N], y >= 0.

  References:
    Elhage et al. 2022, Toy models of superposition, section 2.
  """
  chex.assert_rank([params.weights, params.bias, x], [2, 1, 1])
  hidden = params.weights @ x
  return jax.nn.relu(params.weights.T @ hidden + params.bias)


# An init draws (W, b) of one seed: (key, M, N, factor of its scale) -> Params.
Init = Callable[[PRNGKey, int, int, float | Array], Params]


def _glorot_normal(key, num_hidden, num_features, scale):
  std = math.sqrt(2.0 / (num_hidden + num_features))
  weights = jax.random.normal(key, (num_hidden, num_features), jnp.float32)
  return _unbiased(scale * std * weights)


def _glorot_uniform(key, num_hidden, num_features, scale):
  bound = math.sqrt(6.0 / (num_hidden + num_features))
  return _unbiased(scale * _symmetric(key, (num_hidden, num_features), bound))


def _normal(key, num_hidden, num_features, scale):
  weights = jax.random.normal(key, (num_hidden, num_features), jnp.float32)
  return _unbiased(scale * weights)


def _uniform_positive(key, num_hidden, num_features, scale):
  """U[0, 1e-3) for W and b, as the C implementation of the TMS toy starts."""
  weight_key, bias_key = jax.random.split(key)
  shape = (num_hidden, num_features)
  weights = jax.random.uniform(weight_key, shape, jnp.float32)
  bias = jax.random.uniform(bias_key, (num_features,), jnp.float32)
  return Params(scale * 1e-3 * weights, scale * 1e-3 * bias)


def _torch_linear(key, num_hidden, num_features, scale):
  """PyTorch's Linear(N, M) weight and, of the tied Linear(M, N), the bias."""
  weight_key, bias_key = jax.random.split(key)
  shape = (num_hidden, num_features)
  weights = _symmetric(weight_key, shape, 1.0 / math.sqrt(num_features))
  bias = _symmetric(bias_key, (num_features,), 1.0 / math.sqrt(num_hidden))
  return Params(scale * weights, scale * bias)


def _symmetric(key, shape, bound):
  return bound * jax.random.uniform(
    key, shape, jnp.float32, minval=-1.0, maxval=1.0
  )


def _unbiased(weights):
  return Params(weights, jnp.zeros(weights.shape[1], weights.dtype))


INITS: Mapping[str, Init] = {
  'glorot_normal': _glorot_normal,  # W_ki ~ N(0, 2 / (M + N)), b = 0
  'glorot_uniform': _glorot_uniform,  # W_ki ~ U(±√(6 / (M + N))), b = 0
  'normal': _normal,  # W_ki ~ N(0, 1), b = 0
  'uniform_positive': _uniform_positive,  # W_ki, b_i ~ U[0, 1e-3)
  'torch_linear': _torch_linear,  # W_ki ~ U(±1/√N), b_i ~ U(±1/√M)
}


def make(
  *,
  num_features: int,
  num_hidden: int,
  sample: Callable[[PRNGKey], Array],
  init: str,
  init_scale: float | Array,
  importance_decay: float | Array,
  loss_reduction: str,
  dtype: jax.typing.DTypeLike,
  importance: Array | None = None,
) -> Toy:
  """Builds the toy for one seed.

  The loss is the mean (over samples and features) or the sum of
  I_i (y_i - x_i)², with importance I_i = r^i, i = 0..N-1.

  Args:
    num_features: N >= 2.
    num_hidden: M >= 1.
    sample: key -> batch [B, N], from `toyjax.data.sparse_features`.
    init: a name in `INITS`. Its scale belongs to one model and never depends on
      how many are trained at once.
    init_scale: factor of the init's standard deviation; may be traced.
    importance_decay: r > 0; 1 makes all features equal; may be traced.
    loss_reduction: one of `LOSS_REDUCTIONS`.
    dtype: of the parameters. Draws are made in float32 and cast, so that runs
      of different dtypes start from the same weights.
    importance: I [N] in place of r^i; may be traced.

  Returns:
    A `Toy` over `Params` and batches [B, N].

  Raises:
    ValueError: on sizes too small or an unknown name.

  References:
    Elhage et al. 2022, Toy models of superposition, section 2.
  """
  if num_features < 2 or num_hidden < 1:
    raise ValueError(
      'num_features must be >= 2 and num_hidden >= 1: '
      f'{num_features}, {num_hidden}'
    )
  if init not in INITS:
    raise ValueError(f'unknown init {init!r}: choose from {", ".join(INITS)}')
  if loss_reduction not in LOSS_REDUCTIONS:
    raise ValueError(
      f'unknown loss_reduction {loss_reduction!r}: choose from '
      f'{", ".join(LOSS_REDUCTIONS)}'
    )
  reduce = jnp.mean if loss_reduction == 'mean' else jnp.sum

  def draw(key: PRNGKey) -> Params:
    scale = jnp.asarray(init_scale, jnp.float32)
    params = INITS[init](key, num_hidden, num_features, scale)
    return jax.tree.map(lambda leaf: leaf.astype(dtype), params)

  def loss(params: Params, batch: Array) -> Array:
    chex.assert_shape(batch, (None, num_features))
    if importance is None:
      decay = jnp.asarray(importance_decay, dtype)
      scale = decay ** jnp.arange(num_features, dtype=dtype)
    else:
      scale = jnp.broadcast_to(importance, num_features).astype(dtype)
    outputs = jax.vmap(apply, in_axes=(None, 0))(params, batch)
    return reduce(scale[None, :] * (outputs - batch) ** 2)

  return Toy(draw, sample, loss)


def sse_from_one_hot_loss(
  loss: Array, *, num_features: int, loss_reduction: str
) -> Array:
  """Turns the loss on X = I_n at equal importance into the SSE of n samples."""
  return loss * (num_features**2 if loss_reduction == 'mean' else 1)

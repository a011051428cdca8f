"""The update that an article derives by hand, beside the gradient of its loss.

batch, W, b --hand_written, gradient--> loss, and what is taken from W and b

Both act on batches with features first, [N, B], as few features make short
rows.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import chex
import jax
import jax.flatten_util
import jax.numpy as jnp

from toyjax.base import Array, Dynamics, PRNGKey
from toyjax.toys.relu_autoencoder import Params

# (W and b, batch [N, B], importance [N]) -> loss [], what W and b lose at rate
# 1.
Update = Callable[[Params, Array, Array], tuple[Array, Params]]


class _Pass(NamedTuple):
  """What both updates are made of, over a batch of B.

  Attributes:
    hidden: h, [M, B].
    errors: δ = y - x where an output is on and else 0, [N, B].
    decoder: ∂L/∂W through the output layer alone, Σ I_j δ_j h_k / B, [M, N].
    loss: [].
  """

  hidden: Array
  errors: Array
  decoder: Array
  loss: Array


def _pass(params: Params, batch: Array, importance: Array) -> _Pass:
  chex.assert_rank([params.weights, batch, importance], [2, 2, 1])
  hidden = params.weights @ batch
  outputs = params.weights.T @ hidden + params.bias[:, None]
  # The source leaves out what is at zero exactly, too.
  errors = jnp.where(outputs > 0.0, outputs - batch, 0.0)
  missed = jnp.where(outputs > 0.0, 0.0, batch)
  squares = jnp.sum(errors**2 + missed**2, axis=1)
  size = batch.shape[1]
  decoder = hidden @ (importance[:, None] * errors).T / size
  loss = 0.5 * jnp.sum(importance * squares) / size
  return _Pass(hidden, errors, decoder, loss)


def gradient(
  params: Params, batch: Array, importance: Array
) -> tuple[Array, Params]:
  """Returns L and its gradient.

  L = 1/2 mean over samples of Σ_i I_i (y_i - x_i)², with δ_i = y_i - x_i where
  output i is on and else 0:
  ∂L/∂W_kj = mean of I_j δ_j h_k + x_j Σ_i I_i δ_i W_ki, ∂L/∂b_j = mean of
  I_j δ_j.

  Args:
    params: W [M, N] and b [N].
    batch: [N, B], features first.
    importance: I, [N].
  """
  found = _pass(params, batch, importance)
  weighted = importance[:, None] * found.errors
  back = params.weights @ weighted
  weights = found.decoder + back @ batch.T / batch.shape[1]
  return found.loss, Params(weights, jnp.mean(weighted, axis=1))


def hand_written(
  params: Params, batch: Array, importance: Array
) -> tuple[Array, Params]:
  """Returns L and the update that the article derives for it.

  It takes mean I_j δ_j (h_k + W_kj x_j) from W_kj and mean δ_j from b_j. Of the
  sum over outputs i, through which W_kj acts as encoder, it keeps i = j; and
  the bias goes without importance.

  Args:
    params: W [M, N] and b [N].
    batch: [N, B], features first.
    importance: I, [N].

  References:
    Merck 2025, Demonstrating superposition, "Computing the gradient in C".
  """
  found = _pass(params, batch, importance)
  own = importance * jnp.mean(found.errors * batch, axis=1)
  weights = found.decoder + params.weights * own
  return found.loss, Params(weights, jnp.mean(found.errors, axis=1))


UPDATES: Mapping[str, Update] = {
  'hand_written': hand_written,
  'gradient': gradient,
}


def finite_differences(
  params: Params, batch: Array, importance: Array, *, width: float
) -> Params:
  """Returns ∂L/∂W and ∂L/∂b by central differences of L alone.

  Args:
    params: W [M, N] and b [N], in float64 to mean anything.
    batch: [N, B], features first.
    importance: I, [N].
    width: of a difference, on either side.
  """
  flat, unflatten = jax.flatten_util.ravel_pytree(params)

  def loss(shift: Array) -> Array:
    return gradient(unflatten(flat + shift), batch, importance)[0]

  shifts = width * jnp.eye(len(flat), dtype=flat.dtype)
  ahead, behind = (jax.vmap(loss)(sign * shifts) for sign in (1.0, -1.0))
  return unflatten((ahead - behind) / (2.0 * width))


def descend(
  arms: Mapping[str, Update],
  *,
  init: Callable[[PRNGKey], dict[str, Params]],
  sample: Callable[[PRNGKey], Array],
  importance: Array,
  learning_rate: float | Array,
) -> Dynamics:
  """Returns the dynamics of several nets, all of which see the same batches.

  Args:
    arms: name -> what is taken at each step, times the rate.
    init: key -> parameters by the same names.
    sample: key -> batch [N, B], features first.
    importance: I, [N].
    learning_rate: may be traced.

  Returns:
    A `Dynamics` over parameters by name, with each arm's loss before the step.
  """

  def step(
    key: PRNGKey, state: dict[str, Params]
  ) -> tuple[dict[str, Params], dict[str, Array]]:
    batch = sample(key)
    losses, moved = {}, {}
    for name, update in arms.items():
      losses[name], taken = update(state[name], batch, importance)
      moved[name] = jax.tree.map(
        lambda own, less: own - learning_rate * less, state[name], taken
      )
    return moved, losses

  return Dynamics(init, step)

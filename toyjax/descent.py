"""Gradient descent on a `Toy`, as a `Dynamics`, and the loss it leads to."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from toyjax.base import Array, Dynamics, Params, PRNGKey, Toy

# Examples at a time: with 128 seeds of a few features, about the cache of a
# core, and few enough for `lanes` to unroll their sums. On batches of 1,024, 16
# take a few per cent more time, 64 a quarter more, whole batches twice as much.
PART = 32


class DescentState(NamedTuple):
  """What the next step of gradient descent needs.

  Attributes:
    params: the toy's parameters.
    opt_state: the state of the optax optimizer.
  """

  params: Params
  opt_state: optax.OptState


class DescentInfo(NamedTuple):
  """What a step of gradient descent tells.

  Attributes:
    loss: [] loss on the step's batch, *before* its update.
    grads: gradient of that loss, a pytree like the parameters. Costs nothing
      where nobody observes it.
  """

  loss: Array
  grads: Params


def descend(
  toy: Toy, optimizer: optax.GradientTransformation, *, num_parts: int = 1
) -> Dynamics:
  """Returns the dynamics of training `toy` with `optimizer`.

  One step draws one batch and makes one update, θ ← θ + u(∇L(θ; batch)).

  Args:
    toy: what is trained.
    optimizer: any optax gradient transformation; its numbers may be traced.
    num_parts: batches of a step, drawn one after the other, whose losses and
      gradients are averaged: one batch as many times as large, of which no more
      than a part is ever held. Parts that fit the cache are faster; see
      `count_parts`.

  Returns:
    A `Dynamics` over `DescentState` and `DescentInfo`.

  Raises:
    ValueError: on num_parts < 1.
  """
  if num_parts < 1:
    raise ValueError(f'num_parts must be >= 1: {num_parts}')

  def init(key: PRNGKey) -> DescentState:
    params = toy.init(key)
    return DescentState(params, optimizer.init(params))

  def gradient(key: PRNGKey, params: Params) -> tuple[Array, Params]:
    return jax.value_and_grad(toy.loss)(params, toy.sample(key))

  def mean_gradient(key: PRNGKey, params: Params) -> tuple[Array, Params]:
    def add(part: Array, total: tuple[Array, Params]) -> tuple[Array, Params]:
      found = gradient(jax.random.fold_in(key, part), params)
      return jax.tree.map(jnp.add, total, found)

    shapes = jax.eval_shape(gradient, key, params)
    zero = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    total = jax.lax.fori_loop(0, num_parts, add, zero)
    return jax.tree.map(lambda leaf: leaf / num_parts, total)

  def step(
    key: PRNGKey, state: DescentState
  ) -> tuple[DescentState, DescentInfo]:
    take = gradient if num_parts == 1 else mean_gradient
    loss, grads = take(key, state.params)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    return DescentState(params, opt_state), DescentInfo(loss, grads)

  return Dynamics(init, step)


def count_parts(batch_size: int) -> int:
  """Returns the least number of equal parts of at most `PART` examples.

  Args:
    batch_size: of a step, >= 1.
  """
  least = -(-batch_size // PART)
  return next(k for k in range(least, batch_size + 1) if batch_size % k == 0)


def mean_loss(
  toy: Toy, params: Params, key: PRNGKey, *, num_batches: int
) -> Array:
  """Returns the mean loss over fresh batches, one after the other, [].

  Nets that share the key are measured on the same samples, so that chance
  moves their losses together.

  Args:
    toy: whose samples and loss.
    params: of one net.
    key: [] typed key of the batches; none that a training has drawn from.
    num_batches: >= 1.
  """

  def batch_loss(i: Array) -> Array:
    return toy.loss(params, toy.sample(jax.random.fold_in(key, i)))

  total = jax.lax.fori_loop(
    1,
    num_batches,
    lambda i, total: total + batch_loss(i),
    batch_loss(jnp.int32(0)),
  )
  return total / num_batches

"""Gradient descent on a `Toy`, as a `Dynamics`, and the loss it leads to."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax

from toyjax.base import Array, Dynamics, Params, PRNGKey, Toy


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


def descend(toy: Toy, optimizer: optax.GradientTransformation) -> Dynamics:
  """Returns the dynamics of training `toy` with `optimizer`.

  One step draws one batch and makes one update, θ ← θ + u(∇L(θ; batch)).

  Args:
    toy: what is trained.
    optimizer: any optax gradient transformation; its numbers may be traced.

  Returns:
    A `Dynamics` over `DescentState` and `DescentInfo`.
  """

  def init(key: PRNGKey) -> DescentState:
    params = toy.init(key)
    return DescentState(params, optimizer.init(params))

  def step(
    key: PRNGKey, state: DescentState
  ) -> tuple[DescentState, DescentInfo]:
    batch = toy.sample(key)
    loss, grads = jax.value_and_grad(toy.loss)(state.params, batch)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    return DescentState(params, opt_state), DescentInfo(loss, grads)

  return Dynamics(init, step)


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

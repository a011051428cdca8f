"""Gradient descent on a `Toy`, as a `Dynamics`.

toy, optimizer --descend--> dynamics
state of Adam --adam_arrays--> arrays by name --adam_state--> the state again
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
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


def adam_names(params: tuple[str, ...]) -> tuple[str, ...]:
  """Returns the names of `adam_arrays`, of parameters of these names."""
  moments = [f'{moment}_{name}' for moment in ('mu', 'nu') for name in params]
  return (*params, *moments, 'count')


def adam_arrays(state: DescentState) -> dict[str, Array]:
  """Returns a state of Adam or AdamW as arrays by name, to be stored.

  Args:
    state: its parameters are a NamedTuple of arrays.

  Returns:
    Parameter p, its moments `mu_p` and `nu_p`, and Adam's `count` of steps.
  """
  adam = state.opt_state[0]
  leaves = (*state.params, *adam.mu, *adam.nu, adam.count)
  return dict(zip(adam_names(state.params._fields), leaves, strict=True))


def adam_state(like: DescentState, arrays: Mapping[str, Array]) -> DescentState:
  """Returns the state that `adam_arrays` gave.

  Args:
    like: a state of the same training, such as its initial one.
    arrays: by name; others beside them are left alone.
  """
  make = type(like.params)
  fields = like.params._fields
  params, mu, nu = (
    make(*(arrays[f'{moment}{name}'] for name in fields))
    for moment in ('', 'mu_', 'nu_')
  )
  adam, *rest = like.opt_state
  adam = adam._replace(mu=mu, nu=nu, count=arrays['count'])
  return DescentState(params, (adam, *rest))

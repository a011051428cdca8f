"""How fast neighbouring runs of any `Dynamics` part: Lyapunov exponents.

    dynamics --follow--> dynamics that also carries one tangent vector

The tangent goes through the step by forward-mode differentiation and is scaled
back to length 1 at every step, inside the scan; no trajectory is stored.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, Dynamics, Info, PRNGKey, State


class FollowedState(NamedTuple):
  """State of a followed dynamics.

  Attributes:
    inner: state of the dynamics that is followed.
    tangent: unit vector, a pytree like `inner`.
    log_growth: [] ln |J_k ... J_1 v|, v the unit tangent at the start.
  """

  inner: State
  tangent: State
  log_growth: Array


def follow(dynamics: Dynamics, direction: Callable[[State], State]) -> Dynamics:
  """Carries a tangent vector along every run of `dynamics`.

  The largest Lyapunov exponent is λ = lim (1/T) ln |J_T ... J_1 v|, J_k the
  Jacobian of step k: the difference of log_growth between two steps over their
  distance. λ > 0 is chaos, λ = 0 neutral (a continuum of solutions), λ < 0 an
  isolated attractor. At a kink (ReLU) the Jacobian is that of one side.

  Args:
    dynamics: what is followed; it runs unchanged. All leaves of its state must
      be floating point.
    direction: initial state -> tangent of the same shapes, not zero; of any
      length. A generic one turns to the fastest direction by itself.

  Returns:
    A `Dynamics` over `FollowedState`, with the inner dynamics' info.

  Raises:
    ValueError: on a state with leaves that are not floating point.

  References:
    Benettin, Galgani, Giorgilli and Strelcyn 1980, Lyapunov characteristic
    exponents for smooth dynamical systems.
  """

  def init(key: PRNGKey) -> FollowedState:
    inner = dynamics.init(key)
    for leaf in jax.tree.leaves(inner):
      if not jnp.issubdtype(jnp.result_type(leaf), jnp.floating):
        raise ValueError(
          f'only floating point states can be followed: {leaf.dtype}'
        )
    tangent = direction(inner)
    tangent, _ = _normalize(tangent)
    return FollowedState(inner, tangent, jnp.zeros((), _dtype(inner)))

  def step(key: PRNGKey, state: FollowedState) -> tuple[FollowedState, Info]:
    inner, tangent, info = jax.jvp(
      lambda s: dynamics.step(key, s),
      (state.inner,),
      (state.tangent,),
      has_aux=True,
    )
    tangent, length = _normalize(tangent)
    log_growth = state.log_growth + jnp.log(length)
    return FollowedState(inner, tangent, log_growth), info

  return Dynamics(init, step)


def _dtype(tree: State):
  return jnp.result_type(*jax.tree.leaves(tree))


def _normalize(tangent: State) -> tuple[State, Array]:
  """Returns the tangent at length 1, and its length before (never 0)."""
  squares = [jnp.sum(leaf * leaf) for leaf in jax.tree.leaves(tangent)]
  length = jnp.sqrt(sum(squares[1:], squares[0]))
  length = jnp.maximum(length, jnp.finfo(length.dtype).tiny)
  return jax.tree.map(lambda leaf: leaf / length, tangent), length

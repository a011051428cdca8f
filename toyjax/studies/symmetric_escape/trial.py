"""Runs that enter symmetric failure, and how they go on from there.

x (key) --make_search--> the state at the first step in symmetric failure
x (that state, numbers of Adam) --make_go_on--> when it leaves, how it looks
"""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from toyjax import chunks, loops
from toyjax.analysis.autoencoder import events
from toyjax.analysis.autoencoder.events import ESCAPED, Place
from toyjax.base import Array, ArrayTree, Dynamics
from toyjax.descent import DescentState
from toyjax.settings import Values
from toyjax.studies.optimization_failure.trial import make_dynamics
from toyjax.toys import relu_autoencoder
from toyjax.variables import described

# What is known of a state: W, b, both moments of each, and Adam's count.
STATE = ('weights', 'bias', 'mu_w', 'mu_b', 'nu_w', 'nu_b', 'count')
_NUM_SEEN = 40  # Log-spaced steps at which the dead row is looked at.

SEARCH_VARIABLES = {
  **described(
    'hidden',
    'feature',
    weights='W at that step',
    mu_w='first moment of W',
    nu_w='second moment of W',
  ),
  **described(
    'feature',
    bias='b at that step',
    mu_b='first moment of b',
    nu_b='second moment of b',
  ),
  **described(
    count="Adam's number of steps", entry_step='first step in it, or -1'
  ),
}
VARIABLES = {
  **described(
    'step',
    dead_norm='norm of the row that was shortest at entry',
    dead_root_nu='root mean square of the second moment of its weights, √ν̂',
    dead_gradient='norm of the gradient of its weights',
  ),
  **described(
    escape_step='first step outside, or -1',
    solved_step='first step solved, or -1',
  ),
}


def observed(values: Values) -> list[int]:
  """Returns the steps at which the dead row is looked at."""
  return loops.log_spaced(values['num_steps'], _NUM_SEEN)


def _numbers(values: Values) -> dict[str, Any]:
  return {
    'solved_sse': values['solved_sse'],
    'thresholds': relu_autoencoder.THRESHOLDS,
    'near_factor': values['near_factor'],
  }


def _parts(state: DescentState) -> Any:
  """Returns what `STATE` names, as a tree of its leaves in that order."""
  adam = state.opt_state[0]
  return state.params, adam.mu, adam.nu, adam.count


def make_search(values: Values) -> chunks.Trial:
  """Returns the training up to `search_steps` that keeps the state at entry."""
  place = Place[values['place'].upper()]

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    dynamics = loops.track(
      make_dynamics(values, x),
      init=lambda state: (jnp.int32(-1), state),
      update=keep,
    )
    state, _ = loops.unroll(x['key'], dynamics, values['search_steps'])
    entry_step, kept = state.record
    parts = dict(zip(STATE, jax.tree.leaves(_parts(kept))))
    return {'entry_step': entry_step, **parts}

  def keep(record, step, state, info):
    del info
    entry_step, kept = record
    at, _ = events.locate(state.params, **_numbers(values))
    enters = (entry_step < 0) & at[place]
    kept = jax.tree.map(lambda a, b: jnp.where(enters, a, b), state, kept)
    return jnp.where(enters, step, entry_step), kept

  return trial


def make_go_on(values: Values) -> chunks.Trial:
  """Returns the experiment that starts from a state in symmetric failure.

  x holds the state, the numbers of the optimizer from here on, and two
  switches: `reset` starts Adam anew, `freeze` holds its corrected second moment
  at what it was at entry. Where beta 2 changes, the second moment is rescaled
  so that its corrected value does not jump.
  """
  place = ESCAPED.index(Place[values['place'].upper()])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    training = make_dynamics(values, x)
    like = training.init(x['key'])
    params, mu, nu, count = jax.tree.unflatten(
      jax.tree.structure(_parts(like)), [x[name] for name in STATE]
    )
    before = 1.0 - values['adam_b2'][0] ** count.astype(jnp.float32)
    corrected = jax.tree.map(lambda nu: nu / before, nu)

    def correction(count):
      return 1.0 - x['adam_b2'] ** count.astype(jnp.float32)

    def held(count):
      """The second moment whose corrected value is that at entry."""
      return jax.tree.map(lambda nu: correction(count) * nu, corrected)

    def switch(name, on, off):
      return jax.tree.map(lambda a, b: jnp.where(x[name] > 0, a, b), on, off)

    adam, *rest = like.opt_state
    adam = adam._replace(mu=mu, nu=held(count), count=count)
    adam = switch('reset', jax.tree.map(jnp.zeros_like, adam), adam)
    start = DescentState(params, (adam, *rest))
    dead = jnp.argmin(jnp.sum(params.weights**2, axis=0))
    is_dead = jnp.arange(values['num_features']) == dead

    def step(key, state):
      state, info = training.step(key, state)
      adam, *rest = state.opt_state
      adam = adam._replace(nu=switch('freeze', held(adam.count), adam.nu))
      return DescentState(state.params, (adam, *rest)), info

    def see(state, info):
      inner = state.inner
      adam = inner.opt_state[0]

      def dead_sum(rows):
        return jnp.sum(jnp.where(is_dead[None, :], rows, 0.0))

      return {
        'dead_norm': jnp.sqrt(dead_sum(inner.params.weights**2)),
        'dead_root_nu': jnp.sqrt(
          dead_sum(adam.nu.weights)
          / correction(adam.count)
          / values['num_hidden']
        ),
        'dead_gradient': jnp.sqrt(dead_sum(info.grads.weights**2)),
      }

    watched = events.watch(
      Dynamics(lambda key: start, step), **_numbers(values)
    )
    state, series = loops.unroll(
      x['key'],
      watched,
      values['num_steps'],
      observe=see,
      observe_at=observed(values),
    )
    return {
      'escape_step': state.record.escape_step[place],
      'solved_step': state.record.first_step[Place.SOLVED],
      **series,
    }

  return trial

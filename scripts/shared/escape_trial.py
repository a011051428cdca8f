"""Runs that enter symmetric failure, and how they go on from there.

x (key) --search--> the state at the first step in symmetric failure
x (that state, numbers of Adam) --go_on--> when it leaves, what it looks like
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import autoencoder_trial, grids
from toyjax import chunks, loops, store, sweeps
from toyjax.analysis import events
from toyjax.analysis.events import ESCAPED, Place
from toyjax.base import Array, ArrayTree, Dynamics
from toyjax.descent import DescentState
from toyjax.toys import relu_autoencoder

# What is known of a state: W, b, both moments of each, and Adam's count.
STATE = ('weights', 'bias', 'mu_w', 'mu_b', 'nu_w', 'nu_b', 'count')

SEARCH_VARIABLES = {
  'entry_step': store.Variable((), {'long_name': 'first step in it, or -1'}),
  'count': store.Variable((), {'long_name': "Adam's number of steps"}),
  **{
    name: store.Variable(('hidden', 'feature'), {'long_name': text})
    for name, text in (
      ('weights', 'W at that step'),
      ('mu_w', 'first moment of W'),
      ('nu_w', 'second moment of W'),
    )
  },
  **{
    name: store.Variable(('feature',), {'long_name': text})
    for name, text in (
      ('bias', 'b at that step'),
      ('mu_b', 'first moment of b'),
      ('nu_b', 'second moment of b'),
    )
  },
}
SERIES = {
  'dead_norm': 'norm of the row that was shortest at entry',
  'dead_root_nu': 'root mean square of the second moment of its weights, √ν̂',
  'dead_gradient': 'norm of the gradient of its weights',
}
VARIABLES = {
  'escape_step': store.Variable((), {'long_name': 'first step outside, or -1'}),
  'solved_step': store.Variable((), {'long_name': 'first step solved, or -1'}),
  **{
    name: store.Variable(('step',), {'long_name': text})
    for name, text in SERIES.items()
  },
}


def _numbers(settings: Mapping[str, Any]) -> dict[str, Any]:
  return {
    'solved_sse': settings['solved_sse'],
    'thresholds': relu_autoencoder.THRESHOLDS,
    'near_factor': settings['near_factor'],
  }


def _pack(state: DescentState) -> dict[str, Array]:
  adam = state.opt_state[0]
  parts = (state.params, adam.mu, adam.nu)
  leaves = [leaf for part in parts for leaf in part]
  return dict(zip(STATE, (*leaves, adam.count)))


def _unpack(like: DescentState, x: Mapping[str, Array]) -> DescentState:
  adam, *rest = like.opt_state
  params, mu, nu = (
    relu_autoencoder.Params(x[w], x[b])
    for w, b in (('weights', 'bias'), ('mu_w', 'mu_b'), ('nu_w', 'nu_b'))
  )
  adam = adam._replace(mu=mu, nu=nu, count=x['count'])
  return DescentState(params, (adam, *rest))


def make_search(
  static: Mapping[str, Any], settings: Mapping[str, Any]
) -> chunks.Trial:
  """Returns the training up to `search_steps` that keeps the state at entry."""
  place = Place[settings['place'].upper()]

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    dynamics = loops.track(
      autoencoder_trial.make_dynamics(static, settings, x),
      init=lambda state: (jnp.int32(-1), state),
      update=keep,
    )
    state, _ = loops.unroll(x['key'], dynamics, settings['search_steps'])
    entry_step, kept = state.record
    return {'entry_step': entry_step, **_pack(kept)}

  def keep(record, step, state, info):
    del info
    entry_step, kept = record
    at, _ = events.locate(state.params, **_numbers(settings))
    enters = (entry_step < 0) & at[place]
    kept = jax.tree.map(lambda a, b: jnp.where(enters, a, b), state, kept)
    return jnp.where(enters, step, entry_step), kept

  return trial


def going_xs(
  group: grids.Group, states: dict[str, np.ndarray], *, seed: int, dtype: str
) -> dict[str, Any]:
  """Returns the runs that go on: each entered state in every way.

  Args:
    group: whose configurations are the ways.
    states: of the runs that entered, with their 'seed_index', [E, ...].
    seed: of the sweep that they are runs of.
    dtype: precision of the ways' numbers.

  Returns:
    Rows [E C]; a row has the key and the index of the run that it goes on from.
  """
  xs = grids.group_xs(
    group, seed=seed, num_seeds=len(states['seed_index']), dtype=dtype
  )
  repeat = group.num_configurations
  xs |= {name: np.repeat(values, repeat, 0) for name, values in states.items()}
  return xs | {'key': sweeps.seed_keys(seed, xs['seed_index'])}


def make_go_on(
  static: Mapping[str, Any],
  settings: Mapping[str, Any],
  observe_at: Sequence[int],
) -> chunks.Trial:
  """Returns the experiment that starts from a state in symmetric failure.

  x holds the state, the numbers of the optimizer from here on, and two
  switches: `reset` starts Adam anew, `freeze` holds its corrected second moment
  at what it was at entry. Where beta 2 changes, the second moment is rescaled
  so that its corrected value does not jump.
  """
  place = ESCAPED.index(Place[settings['place'].upper()])

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    training = autoencoder_trial.make_dynamics(static, settings, x)
    start = _unpack(training.init(x['key']), x)
    adam, *rest = start.opt_state
    count = x['count'].astype(jnp.float32)
    corrected = jax.tree.map(
      lambda nu: nu / (1.0 - settings['adam_b2'][0] ** count), adam.nu
    )

    def held(
      count,
    ):  # The second moment whose corrected value is that at entry.
      factor = 1.0 - x['adam_b2'] ** count
      return jax.tree.map(lambda nu: factor * nu, corrected)

    adam = adam._replace(nu=held(count))
    fresh = jax.tree.map(jnp.zeros_like, adam)
    adam = jax.tree.map(
      lambda new, old: jnp.where(x['reset'] > 0, new, old), fresh, adam
    )
    start = DescentState(start.params, (adam, *rest))
    dead = jnp.argmin(jnp.sum(start.params.weights**2, axis=0))
    is_dead = jnp.arange(static['num_features']) == dead

    def freeze(key, state):
      del key
      adam, *rest = state.opt_state
      nu = jax.tree.map(
        lambda new, old: jnp.where(x['freeze'] > 0, new, old),
        held(adam.count.astype(jnp.float32)),
        adam.nu,
      )
      return DescentState(state.params, (adam._replace(nu=nu), *rest))

    def see(state, info):
      inner = state.inner
      adam = inner.opt_state[0]
      factor = 1.0 - x['adam_b2'] ** adam.count.astype(jnp.float32)

      def dead_sum(values):
        return jnp.sum(jnp.where(is_dead[None, :], values, 0.0))

      return {
        'dead_norm': jnp.sqrt(dead_sum(inner.params.weights**2)),
        'dead_root_nu': jnp.sqrt(
          dead_sum(adam.nu.weights) / factor / static['num_hidden']
        ),
        'dead_gradient': jnp.sqrt(dead_sum(info.grads.weights**2)),
      }

    def step(key, state):
      state, info = training.step(key, state)
      return freeze(key, state), info

    watched = events.watch(
      Dynamics(lambda key: start, step), **_numbers(settings)
    )
    state, series = loops.unroll(
      x['key'],
      watched,
      settings['num_steps'],
      observe=see,
      observe_at=observe_at,
    )
    return {
      'escape_step': state.record.escape_step[place],
      'solved_step': state.record.first_step[Place.SOLVED],
      **series,
    }

  return trial

"""Sparse autoencoders with dead latents, and how each arm goes on from them.

x (key) --make_search--> the whole state of training, how it stands
x (a state, numbers of an arm) --make_go_on--> latents, features, loss
"""

from collections.abc import Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import adam_states, chunks, descent, loops, optimizer_settings
from toyjax.analysis.features import resampling
from toyjax.analysis.features.resampling import Numbers
from toyjax.base import Array, ArrayTree, Dynamics
from toyjax.data import feature_bank
from toyjax.settings import Values
from toyjax.store import Variable
from toyjax.studies import banks
from toyjax.toys import sparse_autoencoder
from toyjax.toys.sparse_autoencoder import THRESHOLDS, Diagnosis, Params
from toyjax.variables import described

STATE = adam_states.names(Params._fields)
# What is drawn beside the training, for `loops.side_key`.
_BANK, _FRESH, _POOL, _METHOD, _LATER = range(5)
_DIMS = {
  'encoder': ('input', 'latent'),
  'decoder': ('latent', 'input'),
  'encoder_bias': ('latent',),
  'decoder_bias': ('input',),
  'count': (),
}

SEARCH_VARIABLES = {
  **{
    name: Variable(
      _DIMS[name.removeprefix('mu_').removeprefix('nu_')],
      {'long_name': f'{name} of the state'},
    )
    for name in STATE
  },
  **described(
    num_dead='dead latents',
    num_recovered='features that a latent matches',
    explained='share of the variance',
  ),
}
VARIABLES = {
  **described(
    'look', alive='share of the latents dead at the state that are alive'
  ),
  **described(
    num_dead='latents dead at the state',
    num_revived='of these, alive at the end',
    num_died='latents alive at the state and dead at the end',
    num_recovered='features that a latent matches at the end',
    num_before='features that a latent matches at the state',
    num_broken='of these, those that none matches at the end',
    explained='share of the variance, at the end',
    explained_after='share of the variance, right after the method',
  ),
}


def looks(values: Values) -> np.ndarray:
  """Returns the steps after which latents are judged."""
  num_steps = values['num_steps']
  steps = np.linspace(0, num_steps, min(values['num_looks'], num_steps) + 1)
  return np.unique(steps[1:].astype(int))


class _Setup(NamedTuple):
  """What a run trains: its dynamics and its fresh inputs."""

  dynamics: Dynamics
  bank: feature_bank.Bank
  fresh: feature_bank.Samples

  def diagnose(self, params: Params) -> Diagnosis:
    """Says how a run stands, by its own fresh inputs."""
    return sparse_autoencoder.diagnose(
      params,
      features=self.bank.features,
      inputs=self.fresh.x,
      present=self.fresh.amplitudes > 0.0,
      top_k=None,
      thresholds=THRESHOLDS,
    )


def _set_up(values: Values, x: Mapping[str, Array]) -> _Setup:
  given = banks.drawn(values)
  bank = banks.make(
    loops.side_key(x['key'], _BANK), values, values['mean_norm']
  )
  toy = sparse_autoencoder.make(
    num_inputs=values['num_inputs'],
    num_latents=values['num_latents'],
    sample=feature_bank.sampler(bank, batch_size=values['batch_size'], **given),
    l1=values['l1'],
    top_k=None,
    tied=False,
    center=0.0,
    dtype=jnp.dtype(values['dtype']),
  )
  names = ('learning_rate', 'adam_b1', 'adam_b2', 'adam_eps')
  dtype = jnp.dtype(values['dtype'])
  optimizer = optimizer_settings.make(
    'adam',
    {name: jnp.asarray(values[name], dtype) for name in names},
    schedule=None,
    dtype=dtype,
  )
  fresh = feature_bank.draw(
    loops.side_key(x['key'], _FRESH),
    bank,
    batch_size=values['num_fresh'],
    **given,
  )
  return _Setup(descent.descend(toy, optimizer), bank, fresh)


def _with_unit_rows(dynamics: Dynamics) -> Dynamics:
  return loops.intervene(dynamics, None, sparse_autoencoder.unit_rows)


def make_search(values: Values) -> chunks.Trial:
  """Returns the training up to the state."""

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    setup = _set_up(values, x)
    state, _ = loops.unroll(
      x['key'], _with_unit_rows(setup.dynamics), values['state_steps']
    )
    found = setup.diagnose(state.inner.params)
    dead = sparse_autoencoder.is_dead(found.frequencies, THRESHOLDS)
    return {
      **adam_states.arrays_of(state.inner),
      'num_dead': jnp.sum(dead, dtype=jnp.int32),
      'num_recovered': jnp.sum(found.recovered, dtype=jnp.int32),
      'explained': found.explained,
    }

  return trial


def make_go_on(values: Values) -> chunks.Trial:
  """Returns the training from a state that an arm has changed.

  All arms of a state see the same inputs, others than those before it.
  """

  def trial(x: Mapping[str, Array]) -> dict[str, ArrayTree]:
    setup = _set_up(values, x)
    before = adam_states.state_of(setup.dynamics.init(x['key']), x)
    found = setup.diagnose(before.params)
    dead = sparse_autoencoder.is_dead(found.frequencies, THRESHOLDS)
    pool = feature_bank.draw(
      loops.side_key(x['key'], _POOL),
      setup.bank,
      batch_size=values['num_fresh'],
      **banks.drawn(values),
    )
    params, entries = resampling.apply(
      loops.side_key(x['key'], _METHOD),
      before.params,
      method=x['method'],
      numbers=Numbers(*(x[name] for name in Numbers._fields)),
      dead=dead,
      inputs=pool.x,
      top_k=None,
    )

    def forget(moments: Params) -> Params:
      return jax.tree.map(
        lambda moment, is_set: jnp.where(is_set & (x['reset'] > 0), 0, moment),
        moments,
        entries,
      )

    adam, *rest = before.opt_state
    adam = adam._replace(mu=forget(adam.mu), nu=forget(adam.nu))
    start = descent.DescentState(params, (adam, *rest))
    training = _with_unit_rows(Dynamics(lambda key: start, setup.dynamics.step))

    def alive(state, info):
      frequencies = sparse_autoencoder.firing_frequencies(
        state.inner.params, setup.fresh.x, top_k=None
      )
      revived = dead & ~sparse_autoencoder.is_dead(frequencies, THRESHOLDS)
      return jnp.sum(revived) / jnp.maximum(jnp.sum(dead), 1)

    state, seen = loops.unroll(
      loops.side_key(x['key'], _LATER),
      training,
      values['num_steps'],
      observe=alive,
      observe_at=looks(values).tolist(),
    )
    ended = setup.diagnose(state.inner.params)
    is_dead = sparse_autoencoder.is_dead(ended.frequencies, THRESHOLDS)

    def count(which: Array) -> Array:
      return jnp.sum(which, dtype=jnp.int32)

    return {
      'alive': seen,
      'num_dead': count(dead),
      'num_revived': count(dead & ~is_dead),
      'num_died': count(~dead & is_dead),
      'num_recovered': count(ended.recovered),
      'num_before': count(found.recovered),
      'num_broken': count(found.recovered & ~ended.recovered),
      'explained': ended.explained,
      'explained_after': setup.diagnose(params).explained,
    }

  return trial

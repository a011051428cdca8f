"""Every toy and every dynamics through the same tests. A new one adds a row."""

from collections.abc import Callable
import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys import autoencoder, sparse_net, sqrt_net, text_net
from toyjax import descent, loops, optimizers, sweeps
from toyjax.base import Dynamics, PRNGKey, Toy
from toyjax.data import sparse_features
from toyjax.lanes import lanes
from toyjax.toys import relu_autoencoder

NUM_STEPS = 40
NUM_SEEDS = 32


class Row(NamedTuple):
  """One toy of the table.

  Attributes:
    make: data key -> toy; built inside the trial, as a sweep does.
    learning_rate: one at which the loss falls within `NUM_STEPS`.
    data_from_seed: whether two seeds see different data.
  """

  make: Callable[[PRNGKey], Toy]
  learning_rate: float
  data_from_seed: bool


def _autoencoder(sample=None, **changes):
  return autoencoder.make(6, 2, sample, importance_decay=0.9, **changes)


TOYS = {
  **{
    f'autoencoder_one_hot_{init}': Row(
      lambda key, init=init: _autoencoder(init=init), 1e-2, False
    )
    for init in relu_autoencoder.INITS
  },
  'autoencoder_one_hot_sum': Row(
    lambda key: _autoencoder(loss_reduction='sum'), 1e-2, False
  ),
  'autoencoder_sparse': Row(
    lambda key: _autoencoder(autoencoder.sparse(6, 512)), 1e-2, True
  ),
  'autoencoder_fixed_samples': Row(
    lambda key: _autoencoder(
      sparse_features.fixed(autoencoder.sparse(6, 20, normalize=True)(key))
    ),
    1e-2,
    True,
  ),
  'text': Row(lambda key: text_net.make(), 1e-2, False),
  'sqrt_uniform': Row(
    lambda key: sqrt_net.make(
      low=0.25, num_points=6, spacing='uniform', init='flax_dense'
    ),
    1e-2,
    True,
  ),
  **{
    f'sparse_autoencoder_{name}': Row(
      lambda key, given=given: sparse_net.make(key, **given), 1e-2, True
    )
    for name, given in sparse_net.KINDS.items()
  },
}


def _adam(learning_rate):
  return optimizers.make(
    'adam',
    learning_rate=learning_rate,
    schedule=None,
    b1=0.9,
    b2=0.999,
    eps=1e-8,
  )


def _plain(row: Row, key: PRNGKey) -> Dynamics:
  return descent.descend(row.make(key), _adam(row.learning_rate))


def _tracked(row: Row, key: PRNGKey) -> Dynamics:
  return loops.track(
    _plain(row, key),
    init=lambda state: jnp.float32(jnp.inf),
    update=lambda least, step, state, info: jnp.minimum(least, info.loss),
  )


def _intervened(row: Row, key: PRNGKey) -> Dynamics:
  def perturb(key, state):
    leaves, form = jax.tree.flatten(state.params)
    keys = jax.random.split(key, len(leaves))
    moved = [
      leaf + 0.01 * jax.random.normal(k, leaf.shape, leaf.dtype)
      for k, leaf in zip(keys, leaves)
    ]
    return state._replace(params=jax.tree.unflatten(form, moved))

  return loops.intervene(_plain(row, key), [3, 5], perturb)


DYNAMICS = {'descend': _plain, 'track': _tracked, 'intervene': _intervened}


def _trial(row: Row, make_dynamics=_plain):
  def trial(key):
    data_key, run_key = jax.random.split(key)
    return loops.unroll(
      run_key,
      make_dynamics(row, data_key),
      NUM_STEPS,
      observe=lambda state, info: info.loss,
      observe_at=[1, 2, 20, NUM_STEPS],
    )

  return trial


def _keys():
  return sweeps.seed_keys(11, np.arange(NUM_SEEDS))


def _shapes(tree):
  return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), tree)


# Every toy under plain descent; every other dynamics on a toy with fixed data
# and one with random batches.
CASES = {
  f'{name}-{toy}': (TOYS[toy], make_dynamics)
  for name, make_dynamics in DYNAMICS.items()
  for toy in TOYS
  if name == 'descend'
  or toy in ('autoencoder_one_hot_glorot_normal', 'autoencoder_sparse')
}
every_toy = pytest.mark.parametrize('row', TOYS.values(), ids=TOYS)
every_case = pytest.mark.parametrize('case', CASES)
# The cases of plain descent, under the names of their toys.
every_descent = pytest.mark.parametrize(
  'case', [f'descend-{toy}' for toy in TOYS], ids=TOYS
)


# Compiled once for all tests: compiling takes most of their time.
@functools.cache
def _mapped(case):
  """Returns the runs of `NUM_SEEDS` seeds, as a function of their keys."""
  return jax.jit(jax.vmap(_trial(*CASES[case])))


@functools.cache
def _alone(case):
  """Returns a run as a function of its key, and a list of its traces."""
  traces = []
  trial = _trial(*CASES[case])

  @jax.jit
  def run(key):
    traces.append(1)
    return trial(key)

  return run, traces


@every_toy
def test_init_is_finite_and_loss_and_gradient_are(row):
  toy = row.make(jax.random.key(1))
  params = toy.init(jax.random.key(2))
  batch = toy.sample(jax.random.key(3))
  loss, grads = jax.jit(jax.value_and_grad(toy.loss))(params, batch)
  assert loss.shape == ()
  assert loss.dtype == jnp.float32
  for leaf in jax.tree.leaves((params, batch, loss, grads)):
    assert np.all(np.isfinite(leaf))
  assert _shapes(grads) == _shapes(params)
  assert any(np.any(leaf != 0) for leaf in jax.tree.leaves(grads))


@every_case
def test_a_step_keeps_shapes_and_dtypes(case):
  row, make_dynamics = CASES[case]
  dynamics = make_dynamics(row, jax.random.key(1))
  state = dynamics.init(jax.random.key(2))
  following, _ = dynamics.step(jax.random.key(3), state)
  assert _shapes(following) == _shapes(state)


@every_case
def test_lanes_vmap_and_loop_agree(case):
  mapped = jax.tree.map(lambda leaf: leaf[:3], _mapped(case)(_keys()))
  in_lanes = jax.jit(lanes(_trial(*CASES[case])))(_keys()[:3])
  run, _ = _alone(case)
  looped = [run(key) for key in _keys()[:3]]
  stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *looped)
  close = functools.partial(np.testing.assert_allclose, rtol=2e-4, atol=2e-6)
  jax.tree.map(close, mapped, stacked)
  jax.tree.map(close, in_lanes, stacked)


@every_toy
def test_jit_changes_nothing(row):
  toy = row.make(jax.random.key(1))
  params = toy.init(jax.random.key(2))
  batch = toy.sample(jax.random.key(3))
  np.testing.assert_allclose(
    jax.jit(toy.loss)(params, batch), toy.loss(params, batch), rtol=1e-6
  )
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6),
    jax.jit(toy.init)(jax.random.key(2)),
    params,
  )


@every_toy
def test_seeds_differ_in_parameters_and_where_they_should_in_data(row):
  def start(key):
    data_key, init_key, batch_key = jax.random.split(key, 3)
    toy = row.make(data_key)
    return toy.init(init_key), toy.sample(batch_key)

  params, batch = jax.vmap(start)(_keys())
  # Biases may all start at zero: the weights of each seed are its own.
  weights = np.asarray(jax.tree.leaves(params)[0]).reshape(NUM_SEEDS, -1)
  assert len(np.unique(weights, axis=0)) == NUM_SEEDS
  num_batches = len(np.unique(np.asarray(batch).reshape(NUM_SEEDS, -1), axis=0))
  assert num_batches == (NUM_SEEDS if row.data_from_seed else 1)


@every_case
def test_the_same_seed_is_the_same_run_and_others_are_not(case):
  first, second = _mapped(case)(_keys()), _mapped(case)(_keys())
  jax.tree.map(np.testing.assert_array_equal, first, second)
  losses = np.asarray(first[1])
  assert len(np.unique(losses[:4, -1])) == 4


@every_descent
def test_the_loss_falls(case):
  _, losses = _mapped(case)(_keys())
  assert np.mean(losses[:, -1]) < np.mean(losses[:, 0])


@every_descent
def test_the_second_call_does_not_retrace(case):
  run, traces = _alone(case)
  run(jax.random.key(0))
  run(jax.random.key(1))
  assert len(traces) == 1

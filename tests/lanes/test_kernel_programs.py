"""Whole loops as GPU kernels: keys, inputs, limits, training."""

import sys

import jax
from jax import lax
from jax.experimental import pallas
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from tests.compiler import require_conversions
from tests.lanes.interpreted import (
  NUM_SEEDS,
  NUM_STEPS,
  TRAINED_ULPS,
  check,
  count_kernels,
  looped,
  normal,
)
from toyjax import chunks, loops, sweeps
from toyjax.base import Dynamics
from toyjax.data import sparse_features
from toyjax.descent import descend
from toyjax.lanes import kernel_rows, lanes
from toyjax.toys import relu_autoencoder

# ----- random keys -----


def test_draws_have_the_bits_of_jax():
  def fun(key):
    def step(key, index):
      new, other = jax.random.split(jax.random.fold_in(key, index))
      bits = jax.random.bits(other, (3,))
      return new, (bits, jax.random.randint(other, (), 0, 9), key)

    return lax.scan(step, key, jnp.arange(NUM_STEPS))

  check(fun, sweeps.seed_keys(3, np.arange(NUM_SEEDS)), ulps=0)


def test_floats_are_drawn_in_the_loop():
  def fun(key):
    def step(total, index):
      now = jax.random.fold_in(key, index)
      return total + jax.random.normal(now, (2,)), jax.random.uniform(now)

    return lax.scan(step, jnp.zeros(2), jnp.arange(NUM_STEPS))

  check(fun, sweeps.seed_keys(3, np.arange(NUM_SEEDS)))


def test_keys_come_from_numbers_and_go_back():
  def fun(data):
    def step(data):
      key = jax.random.wrap_key_data(data)
      return jax.random.key_data(jax.random.fold_in(key, data[0]))

    return looped(step)(data)

  data = np.arange(2 * NUM_SEEDS, dtype=np.uint32).reshape((-1, 2))
  check(fun, data, ulps=0)


def test_other_keys_stay_in_xla():
  keys = jax.vmap(lambda seed: jax.random.key(seed, impl='rbg'))(
    jnp.arange(NUM_SEEDS)
  )

  def fun(key):
    return looped(lambda key: jax.random.split(key)[0])(key)

  inside = lanes(fun, kernels='interpreted')
  assert count_kernels(jax.make_jaxpr(inside)(keys).jaxpr) == 0


# ----- what enters and leaves -----


@pytest.mark.parametrize('reverse', [False, True])
def test_scanned_arrays(reverse):
  def fun(x, rows, shared):
    return lax.scan(
      lambda c, xs: (c * 0.5 + xs[0] * xs[1], {'seen': c.sum(), 'row': xs[0]}),
      x,
      (rows, shared),
      reverse=reverse,
    )

  check(
    fun,
    normal(NUM_SEEDS, 2),
    normal(NUM_SEEDS, NUM_STEPS, 2),
    normal(NUM_STEPS),
    in_axes=(0, 0, None),
  )


def test_what_all_seeds_share():
  """A constant, a shared argument, a counter that never varies."""

  def fun(x, rate):
    def step(carry, _):
      x, count, decay = carry
      return (x * rate + count, count + 1, decay * rate), count

    return lax.scan(step, (x, jnp.float32(0), jnp.float32(1)), length=NUM_STEPS)

  check(fun, normal(NUM_SEEDS, 2), np.float32(0.7), in_axes=(0, None))


@pytest.mark.parametrize(
  'num_seeds', [1, kernel_rows.BLOCK, kernel_rows.BLOCK + 1]
)
def test_any_number_of_seeds(num_seeds):
  check(looped(lambda x: 0.5 * x + 1), normal(num_seeds, 2))


# ----- what a kernel cannot do -----

OUTSIDE = {
  'sort': looped(lambda x: jnp.sort(x, 0)),
  'look_up_by_seed': looped(lambda x: x[jnp.int32(x[0, 0])][None] + x),
  'no_steps': lambda x: lax.fori_loop(0, 0, lambda i, x: x + 1, x),
  'complex_carry': lambda x: lax.scan(
    lambda c, _: (c * (0.5 + 0.5j), jnp.real(c)), x + 1j, length=NUM_STEPS
  ),
  'complex_within': looped(lambda x: jnp.abs(x + 1j * x)),
  'complex_constant': looped(lambda x: jnp.real(jnp.complex64(1j) * x) + x),
  'eight_bits': lambda x: lax.scan(
    lambda c, _: (c, c), x.astype(jnp.float8_e4m3fn), length=NUM_STEPS
  )[1].astype(jnp.float32),
  'empty_slices': lambda x: lax.scan(
    lambda c, _: (0.5 * c, c[:0]), x, length=NUM_STEPS
  ),
  'empty_carry': lambda x: lax.scan(
    lambda c, _: ((0.5 * c[0], c[1]), c[0]), (x, x[:0]), length=NUM_STEPS
  ),
  'empty_scanned': lambda x: lax.scan(
    lambda c, row: (0.5 * c + jnp.sum(row), c), x, jnp.zeros((NUM_STEPS, 0))
  ),
}


def test_sums_of_halves_and_of_negative_zeros():
  def fun(x):
    halves = x.reshape(-1).astype(jnp.bfloat16)

    def step(carry, _):
      zeros = jnp.where(carry > 1e9, carry, -0.0)
      sums = jnp.sum(zeros), jnp.sum(zeros[:1, :1]), jnp.sum(zeros @ zeros.T)
      angles = jnp.stack([jnp.arctan2(total, -1.0) for total in sums])
      return 0.5 * carry, (angles, jnp.sum(halves), jnp.dot(halves, halves))

    return lax.scan(step, x, length=NUM_STEPS)

  check(fun, normal(NUM_SEEDS, 16, 2))


@pytest.mark.parametrize('name', OUTSIDE)
def test_what_a_kernel_cannot_do_stays_a_loop(name):
  if name == 'eight_bits':
    require_conversions('float8_e4m3fn')
  check(OUTSIDE[name], normal(NUM_SEEDS, 3, 2), num_kernels=0)


def test_a_loop_inside_of_what_stays_outside_is_a_kernel():
  def sort_and_loop(x):
    return lax.fori_loop(0, 2, lambda i, x: 0.5 * x + 1, jnp.sort(x, 0))

  def scan_many_rows(x):
    rows = jnp.arange(99.0)
    return lax.scan(lambda c, row: (c * 0.9 + row, None), x, rows)[0]

  for step in (sort_and_loop, scan_many_rows):
    check(looped(step), normal(NUM_SEEDS, 3, 2))


def test_kernels_must_be_named():
  with pytest.raises(ValueError, match="'fast'"):
    lanes(jnp.sin, kernels='fast')


# ----- training -----


def _autoencoder(sample):
  return relu_autoencoder.make(
    num_features=3,
    num_hidden=2,
    sample=sample,
    init='glorot_normal',
    init_scale=1.0,
    importance_decay=0.9,
    loss_reduction='mean',
    dtype=jnp.float32,
  )


def _train(sample, optimizer, x, observe_at):
  dynamics = loops.track(
    descend(_autoencoder(sample), optimizer),
    init=lambda state: (jnp.float32(jnp.inf), jnp.int32(0)),
    update=lambda record, step, state, info: (
      jnp.minimum(record[0], info.loss),
      jnp.where(info.loss < record[0], step, record[1]),
    ),
  )
  return loops.unroll(
    x,
    dynamics,
    12,
    observe=lambda state, info: info.loss,
    observe_at=observe_at,
  )


@pytest.mark.parametrize('observe_at', [None, [1, 2, 7, 12], [5]])
def test_training_on_all_features(observe_at):
  sample = sparse_features.one_hot(num_features=3, dtype=jnp.float32)

  def trial(x):
    optimizer = optax.adamw(x['rate'], eps=1e-3)
    return _train(sample, optimizer, x['key'], observe_at)

  xs = {
    'key': sweeps.seed_keys(1, np.arange(NUM_SEEDS)),
    'rate': np.linspace(1e-3, 1e-1, NUM_SEEDS).astype(np.float32),
  }
  check(trial, xs, ulps=TRAINED_ULPS)


def test_training_on_random_batches():
  sample = sparse_features.sparse_uniform(
    num_features=3,
    batch_size=2,
    sparsity=0.5,
    normalize=False,
    dtype=jnp.float32,
  )

  def trial(key):
    return _train(sample, optax.sgd(0.1), key, [1, 12])

  keys = sweeps.seed_keys(1, np.arange(NUM_SEEDS))
  check(trial, keys, ulps=TRAINED_ULPS)


def test_a_dynamics_that_branches():
  dynamics = Dynamics(
    lambda key: jax.random.uniform(key, (2,)),
    lambda key, x: (
      lax.cond(
        jnp.sum(x * x) < 1.0,
        lambda x: x @ jnp.asarray([[1.1, 0.3], [-0.3, 1.1]]),
        lambda x: x,
        x,
      ),
      (),
    ),
  )

  def trial(key):
    return loops.unroll(key, dynamics, 9)[0]

  check(trial, sweeps.seed_keys(1, np.arange(NUM_SEEDS)))


def test_a_sweep_runs_in_kernels():
  def trial(key):
    return looped(lambda x: 0.5 * x + 1)(jax.random.normal(key, (2,)))

  keys = sweeps.seed_keys(0, np.arange(300))
  mesh = chunks.local_mesh()
  program = chunks.compile_chunk(trial, keys, mesh, 'kernel')
  assert program.multiple == mesh.size * kernel_rows.BLOCK
  inside = sweeps.sweep(trial, keys, chunk_size=256, map_name='kernel')
  outside = sweeps.sweep(trial, keys, chunk_size=256, map_name='vmap')
  np.testing.assert_allclose(inside, outside, rtol=1e-6)


def test_a_jax_without_the_backend_of_kernels_says_so(monkeypatch):
  monkeypatch.setitem(sys.modules, 'jax.experimental.pallas.triton', None)
  monkeypatch.delattr(pallas, 'triton', raising=False)
  fun = looped(lambda x: 0.5 * x + 1)
  with pytest.raises(
    RuntimeError, match=r'cannot compile kernels.*--map=lanes'
  ):
    jax.make_jaxpr(lanes(fun, kernels='compiled'))(normal(4, 2))
  x = normal(4, 2)
  for kernels in (None, 'interpreted'):
    np.testing.assert_allclose(
      lanes(fun, kernels=kernels)(x), jax.vmap(fun)(x), rtol=1e-6
    )

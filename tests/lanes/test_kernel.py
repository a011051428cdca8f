"""Loops as GPU kernels: interpreted here, and lowered for CUDA."""

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
from jax.sharding import AxisType
import numpy as np
import optax
import pytest

from tests.compiler import FAST
from tests.lanes.agreement import assert_agree
from toyjax import chunks, loops, sweeps
from toyjax.base import Dynamics
from toyjax.data import sparse_features
from toyjax.descent import descend
from toyjax.lanes import cells, kernel, lanes
from toyjax.toys import relu_autoencoder

NUM_SEEDS = 5
NUM_STEPS = 4
# A handful of operations, each rounded.
ULPS = 32
# Steps hand their rounding errors on.
TRAINED_ULPS = 500
# Whose kernels are lowered, with no such device at hand.
H100 = jax.sharding.AbstractMesh(
  (1,),
  ('runs',),
  axis_types=(AxisType.Auto,),
  abstract_device=jax.sharding.AbstractDevice(
    device_kind='NVIDIA H100 80GB HBM3', num_cores=None, platform='gpu'
  ),
)


def _num_kernels(jaxpr):
  found = 0
  for equation in jaxpr.eqns:
    if equation.primitive.name == 'pallas_call':
      found += 1
      continue
    for inner in core.jaxprs_in_params(equation.params):
      found += _num_kernels(inner)
  return found


def _check(fun, *args, in_axes=0, ulps=ULPS, num_kernels=1):
  """Holds the interpreted kernel to jax.vmap, and lowers the compiled one."""
  inside = lanes(fun, in_axes, kernels='interpreted')
  assert _num_kernels(jax.make_jaxpr(inside)(*args).jaxpr) == num_kernels
  found, expected = jax.jit(
    lambda *args: (inside(*args), jax.vmap(fun, in_axes)(*args)),
    compiler_options=FAST,
  )(*args)
  assert_agree(found, expected, ulps=ulps)
  with jax.sharding.use_abstract_mesh(H100):
    compiled = jax.jit(lanes(fun, in_axes, kernels='compiled')).trace(*args)
    lowered = compiled.lower(lowering_platforms=('cuda',))
  assert ('triton' in lowered.as_text()) == bool(num_kernels)


def _normal(*shape, seed=0, dtype=np.float32):
  return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def _looped(step, **options):
  """Makes a step x -> x of one array a loop of `NUM_STEPS`."""
  return lambda x: lax.scan(
    lambda carry, _: (step(carry), None), x, length=NUM_STEPS, **options
  )[0]


# ----- what a step may do -----

FLOATS = {
  'contraction': lambda x: 0.1 * x @ (x.T @ x) + x,
  'batched_contraction': lambda x: jnp.einsum('ij,ij->i', x, x)[:, None] * x,
  'contraction_with_a_constant': lambda x: jnp.eye(3, dtype=x.dtype) @ x,
  'sum': lambda x: (
    x - x.sum() + x.sum(0)[None] * 0.1 + x.mean(1, keepdims=True)
  ),
  'extremes': lambda x: 0.5 * x + x.max(0)[None] - x.min(1)[:, None],
  'product': lambda x: 0.5 * x + jnp.prod(x, 0)[None],
  'cumulative': lambda x: 0.3 * jnp.cumsum(x, 0) + lax.cummax(x, 1, True),
  'cumulative_min': lambda x: (
    0.3 * lax.cummin(x, 0) + 0.1 * lax.cumprod(x, 1, reverse=True)
  ),
  'argmax': lambda x: x * (jnp.argmax(x, 0) + 1)[None] - 0.1 * jnp.argmin(x),
  'shapes': lambda x: (
    jnp.concatenate([x[:, 1:], x[:, :1]], 1).reshape(2, 3).T[::-1]
  ),
  'pad': lambda x: jnp.pad(x, ((1, 0), (0, 1)), constant_values=2.0)[1:, 1:],
  'stack': lambda x: jnp.stack([*x]) + jnp.split(x, 3)[1],
  'look_up': lambda x: x[jnp.asarray([2, 0, 2])] + x.at[1, 0].set(3.0),
  'look_up_outside': lambda x: x[jnp.asarray([2, 7, -1])],
  'dynamic_slice': lambda x: lax.dynamic_update_slice(
    x, lax.dynamic_slice(x, (1, 0), (1, 2)), (2, 0)
  ),
  'scatter_add': lambda x: x.at[jnp.asarray([0, 2, 0])].add(0.1 * x),
  'gradient_of_look_up': jax.grad(
    lambda x: jnp.sum(x[jnp.asarray([0, 0, 2])] ** 2 * 0.1)
  ),
  'select': lambda x: jnp.where(x > 0, 0.5 * x, x * x) + jnp.clip(x, -1, 1),
  'relu': lambda x: jax.nn.relu(x) - 0.1 * jax.nn.softplus(x),
  'relu_gradient': jax.grad(lambda x: jnp.sum(jax.nn.relu(x) ** 2) * 0.3),
  'exponentials': lambda x: jnp.exp(-x * x) + jnp.log1p(jnp.exp2(-(x**2))),
  'logarithms': lambda x: jnp.log(x * x + 1) + jnp.expm1(-jnp.abs(x)),
  'roots': lambda x: jnp.sqrt(x * x + 1) + lax.rsqrt(x * x + 1) - jnp.cbrt(x),
  'angles': lambda x: jnp.sin(x) + jnp.cos(x) * jnp.tan(0.1 * x),
  'arcs': lambda x: jnp.arctan2(x, x * x) + jnp.arcsin(jnp.tanh(x) * 0.9),
  'more_arcs': lambda x: (
    jnp.arccos(jnp.tanh(x) * 0.9) - jnp.arctan(x) + jnp.arcsinh(x)
  ),
  'hyperbolic_arcs': lambda x: (
    jnp.arccosh(x * x + 2) * 0.1 + jnp.arctanh(jnp.tanh(x) * 0.9)
  ),
  'comparisons': lambda x: (
    jnp.where(x >= 0.5, 0.3, 1.0) * x + (x <= 0.1) + jnp.nextafter(x, 9.0)
  ),
  'copies': lambda x: jnp.copy(x) * lax.stop_gradient(0.5 * lax.square(x)),
  'added_gradients': jax.grad(lambda x: jnp.sum(x * jnp.sin(x) * x[0, 0])),
  'new_axis': lambda x: lax.expand_dims(x, (0,))[0] * 0.5,
  'hyperbolic': lambda x: jnp.tanh(x) + jnp.sinh(0.1 * x) / jnp.cosh(x),
  'powers': lambda x: x**3 * 0.01 + jnp.abs(x) ** 0.7 + 1 / (1 + x * x),
  'rounding': lambda x: jnp.floor(x) + jnp.ceil(x) * 0.1 - jnp.sign(x),
  'remainder': lambda x: jnp.remainder(x, 0.7) + jax.nn.sigmoid(x),
  'not_finite': lambda x: jnp.where(jnp.isfinite(x / (x - x)), x, 0.5 * x),
  'softmax': lambda x: jax.nn.log_softmax(x, 0) * 0.5,
  'branch': lambda x: lax.cond(
    x[0, 0] > 0, lambda x: 0.5 * x, lambda x: x + 1.0, x
  ),
  'branches': lambda x: lax.switch(
    jnp.int32(jnp.abs(x[0, 0]) * 3),
    [lambda x: x + 1, lambda x: -x, lambda x: x * 0.5],
    x,
  ),
  'known_branch': lambda x: lax.switch(
    jnp.int32(1), [lambda x: x, lambda x: 0.5 * x], x
  ),
  'inner_loop': lambda x: lax.fori_loop(0, 3, lambda i, x: x * 0.9 + i, x),
  'inner_loop_until': lambda x: lax.while_loop(
    lambda x: jnp.sum(x * x) > 1.0, lambda x: 0.7 * x, x
  ),
  'inner_scan_over_rows': lambda x: lax.scan(
    lambda c, row: (c + row, c * 0.5), x[0], x
  )[1],
  'inner_scan_reversed': lambda x: lax.scan(
    lambda c, row: (c + row, c * 0.5), x[0], x, reverse=True
  )[1],
  'checkpoint': lambda x: jax.checkpoint(jnp.tanh)(x),
}


@pytest.mark.parametrize('name', FLOATS)
def test_steps_of_floats(name):
  _check(_looped(FLOATS[name]), _normal(NUM_SEEDS, 3, 2))


INTEGERS = {
  'arithmetic': lambda x: (x * 5 + 3) % 17 - x // 4,
  'bits': lambda x: (x ^ (x << 1)) & 255 | (x >> 2),
  'shift_out': lambda x: x + lax.shift_left(x, 32) + 1,
  'counts': lambda x: lax.population_count(x) + lax.clz(x) + x,
  'logic': lambda x: jnp.where(
    (x > 3) & ~(x == 5) | jnp.any(x > 99), x + jnp.all(x < 50), x * 2
  ),
  'exclusive_or': lambda x: x ^ lax.reduce_xor(x, (0,))[None],
  'unsigned': lambda x: (
    lax.shift_right_logical(x.astype(jnp.uint32) * 77777777, jnp.uint32(3))
  ).astype(jnp.int32),
  'casts': lambda x: (x.astype(jnp.float32) * 1.5).astype(jnp.int32) + 1,
}


@pytest.mark.parametrize('name', INTEGERS)
def test_steps_of_integers(name):
  start = np.random.default_rng(0).integers(0, 20, (NUM_SEEDS, 3, 2))
  _check(_looped(INTEGERS[name]), start.astype(np.int32))


def test_float64():
  with jax.enable_x64(True):
    x = _normal(NUM_SEEDS, 3, 2, dtype=np.float64)
    _check(_looped(FLOATS['contraction']), x)


def test_booleans_are_carried():
  def fun(x):
    return lax.fori_loop(
      0,
      NUM_STEPS,
      lambda i, c: (c[0] * 0.5, c[1] | (c[0] > 0.4)),
      (x, x > 100),
    )

  _check(fun, _normal(NUM_SEEDS, 2))


# ----- random keys -----


def test_draws_have_the_bits_of_jax():
  def fun(key):
    def step(key, index):
      new, other = jax.random.split(jax.random.fold_in(key, index))
      bits = jax.random.bits(other, (3,))
      return new, (bits, jax.random.randint(other, (), 0, 9), key)

    return lax.scan(step, key, jnp.arange(NUM_STEPS))

  _check(fun, sweeps.seed_keys(3, np.arange(NUM_SEEDS)), ulps=0)


def test_floats_are_drawn_in_the_loop():
  def fun(key):
    def step(total, index):
      now = jax.random.fold_in(key, index)
      return total + jax.random.normal(now, (2,)), jax.random.uniform(now)

    return lax.scan(step, jnp.zeros(2), jnp.arange(NUM_STEPS))

  _check(fun, sweeps.seed_keys(3, np.arange(NUM_SEEDS)))


def test_keys_come_from_numbers_and_go_back():
  def fun(data):
    def step(data):
      key = jax.random.wrap_key_data(data)
      return jax.random.key_data(jax.random.fold_in(key, data[0]))

    return _looped(step)(data)

  data = np.arange(2 * NUM_SEEDS, dtype=np.uint32).reshape((-1, 2))
  _check(fun, data, ulps=0)


def test_other_keys_stay_in_xla():
  keys = jax.vmap(lambda seed: jax.random.key(seed, impl='rbg'))(
    jnp.arange(NUM_SEEDS)
  )

  def fun(key):
    return _looped(lambda key: jax.random.split(key)[0])(key)

  inside = lanes(fun, kernels='interpreted')
  assert _num_kernels(jax.make_jaxpr(inside)(keys).jaxpr) == 0


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

  _check(
    fun,
    _normal(NUM_SEEDS, 2),
    _normal(NUM_SEEDS, NUM_STEPS, 2),
    _normal(NUM_STEPS),
    in_axes=(0, 0, None),
  )


def test_what_all_seeds_share():
  """A constant, a shared argument, a counter that never varies."""

  def fun(x, rate):
    def step(carry, _):
      x, count, decay = carry
      return (x * rate + count, count + 1, decay * rate), count

    return lax.scan(step, (x, jnp.float32(0), jnp.float32(1)), length=NUM_STEPS)

  _check(fun, _normal(NUM_SEEDS, 2), np.float32(0.7), in_axes=(0, None))


@pytest.mark.parametrize('num_seeds', [1, kernel.BLOCK, kernel.BLOCK + 1])
def test_any_number_of_seeds(num_seeds):
  _check(_looped(lambda x: 0.5 * x + 1), _normal(num_seeds, 2))


def test_a_seed_does_not_depend_on_the_others():
  fun = jax.jit(
    lanes(_looped(FLOATS['inner_loop_until']), kernels='interpreted')
  )
  x = _normal(NUM_SEEDS, 3, 2)
  other = np.full_like(x, 50.0)
  other[2] = x[2]
  np.testing.assert_array_equal(fun(x)[2], fun(other)[2])


# ----- what a kernel cannot do -----

OUTSIDE = {
  'sort': _looped(lambda x: jnp.sort(x, 0)),
  'look_up_by_seed': _looped(lambda x: x[jnp.int32(x[0, 0])][None] + x),
  'no_steps': lambda x: lax.fori_loop(0, 0, lambda i, x: x + 1, x),
}


@pytest.mark.parametrize('name', OUTSIDE)
def test_what_a_kernel_cannot_do_stays_a_loop(name):
  _check(OUTSIDE[name], _normal(NUM_SEEDS, 3, 2), num_kernels=0)


def test_a_loop_inside_of_what_stays_outside_is_a_kernel():
  def sort_and_loop(x):
    return lax.fori_loop(0, 2, lambda i, x: 0.5 * x + 1, jnp.sort(x, 0))

  def scan_many_rows(x):
    rows = jnp.arange(99.0)
    return lax.scan(lambda c, row: (c * 0.9 + row, None), x, rows)[0]

  for step in (sort_and_loop, scan_many_rows):
    _check(_looped(step), _normal(NUM_SEEDS, 3, 2))


def test_kernels_must_be_named():
  with pytest.raises(ValueError, match="'fast'"):
    lanes(jnp.sin, kernels='fast')


# Names that the versions of JAX in use do not give to what is tested above.
OTHER_NAMES = {
  'checkpoint', 'closed_call', 'copy', 'copy_p', 'core_call', 'custom_vjp_call',
  'custom_vjp_call_jaxpr', 'expand_dims', 'pjit', 'remat2', 'scatter_add',
  'squeeze', 'stop_gradient', 'unstack',
}  # fmt: skip


def test_every_rule_is_tested():
  met = set()

  def meet(jaxpr):
    for equation in jaxpr.eqns:
      met.add(equation.primitive.name)
      for inner in core.jaxprs_in_params(equation.params):
        meet(inner)

  def draw(data):
    key = jax.random.split(jax.random.wrap_key_data(data))[0]
    key = jax.random.fold_in(key, 1)
    return jax.random.normal(key), jax.random.key_data(key)

  for step in FLOATS.values():
    meet(jax.make_jaxpr(step)(jnp.ones((3, 2))).jaxpr)
  for step in INTEGERS.values():
    meet(jax.make_jaxpr(step)(jnp.ones((3, 2), int)).jaxpr)
  meet(jax.make_jaxpr(draw)(jnp.ones(2, jnp.uint32)).jaxpr)
  # Inside of the random primitives, see the tests of draws.
  met |= {'threefry2x32'}
  assert set(cells.RULES) - met <= OTHER_NAMES


def test_derivative_rules_of_users():
  @jax.custom_vjp
  def half(x):
    return 0.5 * x

  half.defvjp(lambda x: (half(x), x), lambda x, g: (g * x,))
  _check(_looped(lambda x: half(x) + 1), _normal(NUM_SEEDS, 2))
  _check(
    _looped(jax.grad(lambda x: jnp.sum(half(x) ** 2))), _normal(NUM_SEEDS, 2)
  )


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
  _check(trial, xs, ulps=TRAINED_ULPS)


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
  _check(trial, keys, ulps=TRAINED_ULPS)


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

  _check(trial, sweeps.seed_keys(1, np.arange(NUM_SEEDS)))


def test_a_sweep_runs_in_kernels():
  def trial(key):
    return _looped(lambda x: 0.5 * x + 1)(jax.random.normal(key, (2,)))

  keys = sweeps.seed_keys(0, np.arange(300))
  program = chunks.compile_chunk(trial, keys, chunks.local_mesh(), 'kernel')
  assert program.multiple == 2 * kernel.BLOCK
  inside = sweeps.sweep(trial, keys, chunk_size=256, map_name='kernel')
  outside = sweeps.sweep(trial, keys, chunk_size=256, map_name='vmap')
  np.testing.assert_allclose(inside, outside, rtol=1e-6)

"""Steps of loops as GPU kernels: interpreted here, and lowered for CUDA."""

import jax
from jax import lax
from jax.extend import core
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes.interpreted import (
  NUM_SEEDS,
  NUM_STEPS,
  check,
  looped,
  normal,
)
from toyjax.lanes import cells, lanes

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
  'logarithm_to_base_two': lambda x: jnp.log2(x * x + 1) - 0.5 * x,
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
  # Small, or numbers grow and their sines hang on last bits.
  'added_gradients': jax.grad(
    lambda x: 0.1 * jnp.sum(x * jnp.sin(x) * x[0, 0])
  ),
  'new_axis': lambda x: lax.expand_dims(x, (0,))[0] * 0.5,
  'hyperbolic': lambda x: jnp.tanh(x) + jnp.sinh(0.1 * x) / jnp.cosh(x),
  'tanh_gradient': jax.grad(lambda x: jnp.sum(jnp.tanh(x) * x)),
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
  check(looped(FLOATS[name]), normal(NUM_SEEDS, 3, 2))


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
  check(looped(INTEGERS[name]), start.astype(np.int32))


def test_float64():
  with jax.enable_x64(True):
    x = normal(NUM_SEEDS, 3, 2, dtype=np.float64)
    check(looped(FLOATS['contraction']), x)


def test_booleans_are_carried():
  def fun(x):
    return lax.fori_loop(
      0,
      NUM_STEPS,
      lambda i, c: (c[0] * 0.5, c[1] | (c[0] > 0.4)),
      (x, x > 100),
    )

  check(fun, normal(NUM_SEEDS, 2))


def test_a_seed_does_not_depend_on_the_others():
  fun = jax.jit(
    lanes(looped(FLOATS['inner_loop_until']), kernels='interpreted')
  )
  x = normal(NUM_SEEDS, 3, 2)
  other = np.full_like(x, 50.0)
  other[2] = x[2]
  np.testing.assert_array_equal(fun(x)[2], fun(other)[2])


# Names that the versions of JAX in use do not give to what is tested above.
OTHER_NAMES = {
  'checkpoint', 'closed_call', 'copy', 'copy_p', 'core_call', 'custom_vjp_call',
  'custom_vjp_call_jaxpr', 'expand_dims', 'log2', 'one_minus_square', 'pjit',
  'remat2', 'scatter_add', 'squeeze', 'stop_gradient', 'unstack',
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
  check(looped(lambda x: half(x) + 1), normal(NUM_SEEDS, 2))
  check(looped(jax.grad(lambda x: jnp.sum(half(x) ** 2))), normal(NUM_SEEDS, 2))

"""Kernels of Mosaic GPU: interpreted against `jax.vmap`, lowered for Hopper."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.lanes import test_kernel as steps
from tests.lanes.agreement import assert_agree
from tests.lanes.interpreted import (
  NUM_SEEDS,
  NUM_STEPS,
  ULPS,
  looped,
  normal,
)
from tests.lanes.mosaic import (
  check,
  count_kernels,
  has_mosaic,
  interpret,
  lower,
)
from toyjax import sweeps
from toyjax.lanes import cell_mosaic
from toyjax.lanes.kernel_rows import BLOCK

# ----- what a step may do -----

# What Mosaic lacks and is not written with what it has.
OUTSIDE = {
  *('roots', 'arcs', 'more_arcs', 'hyperbolic_arcs', 'comparisons'),
  *('hyperbolic', 'remainder', 'counts'),
}
# They only name cells anew, before anything is compiled.
MOVED = {
  *('added_gradients', 'contraction_with_a_constant', 'dynamic_slice'),
  *('gradient_of_look_up', 'look_up', 'look_up_outside', 'new_axis', 'pad'),
  *('shapes', 'stack'),
}
INTERPRETED = {
  *('argmax', 'branch', 'branches', 'inner_loop', 'inner_scan_reversed'),
  *('powers', 'relu_gradient', 'scatter_add', 'softmax'),
  *('arithmetic', 'bits', 'casts', 'shift_out', 'unsigned'),
}


def _together(names):
  """Makes steps one loop: its kernel is lowered once for all of them."""

  def fun(x, numbers):
    start = {name: x if name in steps.FLOATS else numbers for name in names}
    every = {**steps.FLOATS, **steps.INTEGERS}
    return lax.fori_loop(
      0,
      NUM_STEPS,
      lambda i, carry: {name: every[name](carry[name]) for name in names},
      start,
    )

  return fun


def _starts():
  numbers = np.random.default_rng(0).integers(0, 20, (NUM_SEEDS, 3, 2))
  return normal(NUM_SEEDS, 3, 2), numbers.astype(np.int32)


@has_mosaic
def test_steps_that_it_compiles():
  names = ({*steps.FLOATS} | {*steps.INTEGERS}) - OUTSIDE - MOVED
  text = lower(_together(sorted(names)), *_starts())
  assert count_kernels(text) == 1


STAY = {
  **{
    name: getattr(lax, name)
    for name in 'acos acosh asin asinh atanh cbrt cosh sinh'.split()
  },
  'nextafter': lambda x: lax.nextafter(x, 2 * x),
  'population_count': lambda x: lax.population_count(x.astype(int)) + x,
  'rem': lambda x: lax.rem(x, 2 * x),
  'select_n': lambda x: lax.select_n(jnp.int32(x), x, 0.5 * x, 0.1 * x),
}


@has_mosaic
@pytest.mark.parametrize('name', sorted(STAY))
def test_steps_that_stay_in_xla(name):
  assert count_kernels(lower(looped(STAY[name]), normal(NUM_SEEDS, 2))) == 0


@has_mosaic
def test_steps_in_the_interpreter():
  fun, starts = _together(sorted(INTERPRETED)), _starts()
  found = interpret(fun, *starts)
  assert_agree(found, jax.jit(jax.vmap(fun))(*starts), ulps=ULPS)


@has_mosaic
@pytest.mark.parametrize(
  ('dtype', 'num_kernels'),
  [*((name, 1) for name in ('bfloat16', 'float16')), ('float64', 0)],
)
def test_types_of_floats(dtype, num_kernels):
  with jax.enable_x64(dtype == 'float64'):
    x = normal(NUM_SEEDS, 2).astype(jnp.dtype(dtype))
    fun = looped(lambda x: jnp.floor(x) + 0.5 * jnp.log1p(x * x) + x**2.5)
    assert count_kernels(lower(fun, x)) == num_kernels


@has_mosaic
def test_constants_that_are_chosen_keep_their_type():
  """Mosaic takes chosen integers for unsigned, where they are a constant."""

  def step(x):
    places = jnp.argmax(x[None] * jnp.asarray([[1], [-1]]), 0) - 1
    return jnp.where(x > 3, -1, x) + places - jnp.sign(x)

  check(looped(step), _starts()[1][:, 0])


# ----- what is written with other primitives -----

SPECIAL = np.float32(
  [
    *(0.0, -0.0, 0.3, -0.3, 0.5, -0.5, 0.7, -0.7, 1, -1, 1.5, -1.5, 2.5, -2.5),
    *(1e-8, -1e-8, 1e-3, -1e-3, 0.999999, -0.999999, 88, -88, 120, -120),
    *(8388607.5, 1e10, -1e10, 3e38, -3e38, np.inf, -np.inf, np.nan),
  ]
)
EXPONENTS = np.float32(
  [0.0, -0.0, 0.5, -0.5, 1, -1, 1.5, 2, -2, 3, -3, np.inf, -np.inf, np.nan]
)
BASES, POWERS = (
  np.ravel(grid) for grid in np.meshgrid(SPECIAL, EXPONENTS, indexing='ij')
)
WHOLE = np.clip(np.nan_to_num(POWERS), -9, 9).astype(np.int32)
# (function, ulps): within a few units of the last place of what XLA computes.
WRITTEN = {
  'is_finite': (lambda x, y, n: jnp.isfinite(x), 0),
  'floor': (lambda x, y, n: jnp.floor(x), 0),
  'ceil': (lambda x, y, n: jnp.ceil(x), 0),
  'sign': (lambda x, y, n: jnp.sign(x), 0),
  'log1p': (lambda x, y, n: jnp.log1p(x), 4),
  'expm1': (lambda x, y, n: jnp.expm1(x), 4),
  'tan': (lambda x, y, n: lax.tan(x), 4),
  'atan': (lambda x, y, n: lax.atan(x), 4),
  'erf_inv': (lambda x, y, n: lax.erf_inv(x), 4),
  'convert_element_type': (lambda x, y, n: x.astype(bool), 0),
  'integer_pow': (
    lambda x, y, n: jnp.stack([lax.integer_pow(x, k) for k in range(-3, 4)]),
    4,
  ),
  # The exponent of 2 is rounded: y log2 x is up to 128.
  'pow': (lambda x, y, n: jnp.stack([lax.pow(x, y), lax.pow(x, n)]), 128),
}


@pytest.fixture(scope='module')
def written():
  def fun(x, y, n):
    one = lambda *xs: {name: f(*xs) for name, (f, _) in WRITTEN.items()}
    return lax.scan(lambda c, _: (c, one(c, y, n)), x, length=1)[1]

  assert count_kernels(lower(fun, BASES, POWERS, WHOLE)) == 1
  found = interpret(fun, BASES, POWERS, WHOLE)
  return found, jax.jit(jax.vmap(fun))(BASES, POWERS, WHOLE)


@has_mosaic
@pytest.mark.parametrize('name', WRITTEN)
def test_what_mosaic_lacks(written, name):
  found, expected = (results[name] for results in written)
  assert_agree(found, expected, ulps=WRITTEN[name][1], per_entry=True)
  if found.dtype == np.float32:
    has_sign = ~np.isnan(expected)
    np.testing.assert_array_equal(
      np.signbit(found)[has_sign], np.signbit(expected)[has_sign]
    )


def test_all_that_is_written_is_tested():
  written = {*cell_mosaic.WRITTEN, *cell_mosaic.OWN}
  assert written | cell_mosaic.UNSUPPORTED == {*WRITTEN, *STAY}


@has_mosaic
def test_the_bias_corrections_of_adam():
  def fun(count):
    step = lambda b: 1 - b ** (count + 1)
    return lax.scan(
      lambda c, _: (c, (step(0.9 + c), step(0.999 + c))), 0.0 * count, length=1
    )[1]

  counts = np.arange(2 * BLOCK, dtype=np.int32) * 37
  for found, decay in zip(interpret(fun, counts), (0.9, 0.999)):
    exact = 1 - np.float32(decay).astype(float) ** (counts + 1)
    error = np.abs(found[:, 0] - exact)
    assert np.max(error) < 2 * np.finfo(np.float32).eps


# ----- loops, keys, memory -----


@has_mosaic
def test_while_loops_whose_lanes_stop_apart():
  def fun(x):
    def halve(x):
      return lax.while_loop(
        lambda c: c[0] > 1, lambda c: (0.5 * c[0], c[1] + 1), (x, jnp.int32(0))
      )

    return lax.scan(lambda x, _: (3 * halve(x)[0], halve(x)[1]), x, length=2)

  check(fun, np.float32([0.1, 1, 7, 1000, 1e9, np.inf * 0, -np.inf]))


@has_mosaic
@pytest.mark.parametrize('reverse', [False, True])
def test_scanned_arrays_of_two_blocks(reverse):
  num_seeds = BLOCK + 1

  def fun(x, rows, shared):
    return lax.scan(
      lambda c, xs: (c * 0.5 + xs[0] * xs[1], {'seen': c.sum(), 'row': xs[0]}),
      x,
      (rows, shared),
      reverse=reverse,
    )

  x, rows, shared = normal(num_seeds, 2), normal(num_seeds, 3, 2), normal(3)
  check(fun, x, rows, shared, in_axes=(0, 0, None))


@has_mosaic
def test_keys_and_booleans_have_the_bits_of_jax():
  def fun(key, is_on):
    def step(carry, index):
      key, is_on = carry
      key = jax.random.fold_in(key, index)
      draw = jax.random.bits(key)
      return (key, is_on ^ (draw % 3 == 0)), (draw, is_on)

    return lax.scan(step, (key, is_on), jnp.arange(NUM_STEPS))

  keys = sweeps.seed_keys(3, np.arange(NUM_SEEDS))
  check(fun, keys, np.arange(NUM_SEEDS) % 2 == 0, ulps=0)

"""On a CPU `lanes` computes a loop in blocks of seeds; nobody can tell."""

import jax
from jax import lax
from jax.experimental import io_callback
import jax.numpy as jnp
import numpy as np
import pytest

from tests.sweep_trials import one_device
from toyjax import chunks
from toyjax.lanes import blocks, cpu_compiler_options, lanes

SIZE = blocks.BLOCK + 3


def _loop(x):
  """A few steps of x <- sin(x Wx), and how often a number is positive."""

  def step(carry, _):
    x, count = carry
    x = jnp.sin(x * (jnp.outer(x, x) @ x))
    return (x, count + (x > 0)), x[0]

  return lax.scan(step, (x, jnp.zeros(3, jnp.int32)), length=4)


def _xs(size=SIZE):
  return np.random.default_rng(0).normal(size=(size, 3)).astype(np.float32)


def _scans(fun, *args):
  """Lengths of the outermost scans."""
  equations = jax.make_jaxpr(fun)(*args).jaxpr.eqns
  return [e.params['length'] for e in equations if e.primitive.name == 'scan']


def test_a_loop_is_computed_in_blocks_and_nothing_else_is():
  assert _scans(lanes(_loop), _xs()) == [2]
  assert _scans(lanes(_loop), _xs(blocks.BLOCK)) == [4]
  assert _scans(lanes(jnp.sin), _xs()) == []
  assert _scans(lanes(jnp.sin, block=32), _xs()) == [5]
  assert _scans(lanes(_loop, block=SIZE), _xs()) == [4]


@pytest.mark.parametrize('size', [SIZE, 2 * blocks.BLOCK, 1000])
def test_a_seed_has_the_bits_of_a_sweep_whatever_is_computed_with_it(size):
  xs = _xs(size)
  options = cpu_compiler_options()
  found = jax.jit(lanes(_loop), compiler_options=options)(xs)
  program = chunks.compile_chunk(_loop, xs, one_device(), 'lanes')
  rows = np.minimum(np.arange(1024), size - 1)
  swept = program.run(xs[rows])
  for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(swept)):
    np.testing.assert_array_equal(a, b[:size])


@pytest.mark.parametrize('in_axis', [0, 1, -1])
@pytest.mark.parametrize('out_axes', [0, -1, ((1, 0), 1)])
def test_axes_are_those_of_vmap(in_axis, out_axes):
  xs = np.moveaxis(_xs(), 0, in_axis)

  def fun(scale, x, key):
    noise = jax.random.normal(key, (3,))
    return _loop(scale * x + 0.1 * noise)

  args = (0.5, xs, jax.random.split(jax.random.key(0), SIZE))
  axes = (None, in_axis, 0)
  found = jax.jit(lanes(fun, axes, out_axes))(*args)
  expected = jax.jit(jax.vmap(fun, axes, out_axes))(*args)
  for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected)):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_what_is_the_same_for_all_seeds_has_no_axis():
  def fun(x):
    return _loop(x)[1], lax.fori_loop(0, 3, lambda i, c: c + i, 0)

  _, total = lanes(fun, out_axes=(0, None))(_xs())
  assert total.shape == ()
  assert total == 3


def test_derivatives_go_through_blocks():
  def total(xs, mapped):
    return jnp.sum(mapped(_loop)(xs)[1] ** 2)

  xs = _xs()
  found = jax.grad(total)(xs, lanes)
  np.testing.assert_allclose(
    found, jax.grad(total)(xs, jax.vmap), rtol=1e-4, atol=1e-5
  )
  tangents = [
    jax.jvp(lambda xs, m=mapped: total(xs, m), (xs,), (np.ones_like(xs),))[1]
    for mapped in (lanes, jax.vmap)
  ]
  np.testing.assert_allclose(*tangents, rtol=1e-4)


def test_a_program_that_speaks_to_its_host_is_computed_at_once():
  def fun(x):
    io_callback(lambda x: None, None, x, ordered=False)
    return _loop(x)

  # The callback's own loop is over seeds.
  assert _scans(lanes(fun), _xs()) == [SIZE, 4]


@pytest.mark.parametrize('block', [0, -1])
def test_a_block_holds_a_seed(block):
  with pytest.raises(ValueError, match='block must be >= 1'):
    lanes(_loop, block=block)


def test_a_gpu_takes_all_seeds_at_once(monkeypatch):
  monkeypatch.setattr(jax, 'default_backend', lambda: 'gpu')
  assert _scans(lanes(_loop), _xs()) == [4]

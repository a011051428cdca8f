"""Primitives that draw, branch and loop."""

import jax
from jax import lax
from jax.extend.random import threefry_2x32
import jax.numpy as jnp

from tests.lanes.primitives import (
  WORDS,
  booleans,
  close,
  exact,
  integers,
  keys,
  normal,
  shared,
  special,
  symmetric_positive,
  uniform,
)

RANDOM = {
  'bits': exact(lambda key: jax.random.bits(key, (3,)), keys()),
  'split_key': exact(lambda key: jax.random.split(key, 3), keys()),
  'fold_in': exact(jax.random.fold_in, keys(), integers(0, 99)),
  'fold_in_counter': exact(lambda key: jax.random.fold_in(key, 3), keys()),
  'threefry': exact(
    lambda words: threefry_2x32((words[0], words[1]), words[2:]), WORDS(6)
  ),
  'key_data': exact(
    lambda key: jax.random.wrap_key_data(jax.random.key_data(key)), keys(2)
  ),
  'make_key': exact(jax.random.key, integers(0, 99)),
  'index_keys': exact(
    lambda key, i: jax.random.split(key, 4)[i], keys(), integers(0, 4)
  ),
  'uniform_normal': exact(
    lambda key: (
      jax.random.uniform(key, (3,), jnp.float32),
      jax.random.normal(key, (2, 2), jnp.float32),
    ),
    keys(),
  ),
  'draw_integers': exact(
    lambda key: jax.random.randint(key, (4,), 0, 9), keys()
  ),
  'permutation': exact(lambda key: jax.random.permutation(key, 6), keys()),
  'choice': exact(
    lambda key, p: jax.random.categorical(key, p), keys(), normal(4)
  ),
  'bernoulli': exact(
    lambda key, p: jax.random.bernoulli(key, p, (4,)), keys(), uniform(0, 1)
  ),
  'draw_under_a_cond': exact(
    lambda key, b: lax.cond(
      b, lambda k: jax.random.split(k)[0], lambda k: k, key
    ),
    keys(),
    booleans(),
  ),
}


@jax.custom_jvp
def custom_jvp(x):
  return jnp.sin(x)


custom_jvp.defjvp(lambda primals, tangents: (jnp.sin(primals[0]), tangents[0]))


@jax.custom_vjp
def custom_vjp(x):
  return jnp.sin(x)


custom_vjp.defvjp(lambda x: (jnp.sin(x), x), lambda x, g: (g * 3 + x,))


def _switch(index, x, y):
  branches = [
    lambda x, y: (x + y, x),
    lambda x, y: (x * y, y),
    lambda x, y: (x, jnp.ones_like(y)),
  ]
  return lax.switch(index, branches, x, y)


def _collatz(start):
  """Each seed stops at a step of its own."""
  return lax.while_loop(
    lambda c: c[0] > 1,
    lambda c: (jnp.where(c[0] % 2 == 0, c[0] // 2, 3 * c[0] + 1), c[1] + 1),
    (start, 0),
  )


def _nested(x):
  def outer(i, x):
    def inner(carry):
      j, y = carry
      return j + 1, y * 0.9 + jnp.float32(i).astype(x.dtype)

    return lax.while_loop(lambda c: c[0] < i, inner, (0, x))[1]

  return lax.fori_loop(0, 4, outer, x)


def _scan_parts(x, ys, constant):
  """A carry that varies, one that comes to vary, one that never does."""

  def body(carry, y):
    count, late, early = carry
    following = (count + 1, early * constant, early * 0.5 + y)
    return following, (count, late, constant * 2, y)

  return lax.scan(body, (0, jnp.zeros_like(x), x), ys)


def _draws(key):
  def body(key, index):
    key, draw_key = jax.random.split(key)
    return key, jax.random.uniform(draw_key, (), jnp.float32) + index

  return lax.scan(body, key, jnp.arange(3, dtype=jnp.float32))


CONTROL = {
  'jit': exact(jax.jit(lambda x: jnp.sin(x) + 1), normal(3)),
  'checkpoint': exact(jax.checkpoint(lambda x: jnp.sin(x) + 1), normal(3)),
  'custom_jvp': exact(custom_jvp, normal(3)),
  'custom_vjp': exact(custom_vjp, normal(3)),
  'custom_jvp_within': exact(
    jax.grad(lambda x: jnp.sum(custom_jvp(x) ** 2)), normal(3)
  ),
  'custom_vjp_within': exact(
    jax.grad(lambda x: jnp.sum(custom_vjp(x) ** 2)), normal(3)
  ),
  'relu_at_zero_within': exact(
    jax.grad(lambda x: jnp.sum(jax.nn.relu(x))), special(5)
  ),
  'hessian': close(
    jax.hessian(lambda x: jnp.sum(jnp.tanh(x) ** 2) * x[0]), normal(3)
  ),
  'jvp': exact(lambda x, t: jax.jvp(jnp.sin, (x,), (t,)), normal(3), normal(3)),
  'linear_solve': close(
    lambda a, b: jax.scipy.linalg.solve(a, b, assume_a='pos'),
    symmetric_positive(2),
    normal(2),
  ),
  'cond': exact(
    lambda b, x: lax.cond(b, lambda x: x * 2, lambda x: x - 1, x),
    booleans(),
    normal(3),
  ),
  'cond_shared': exact(
    lambda b, x: lax.cond(b, lambda x: x * 2, lambda x: x - 1, x),
    shared(booleans()),
    normal(3),
  ),
  'cond_constant_branch': exact(
    lambda b, x: lax.cond(b, lambda x: (x, 1.0), lambda x: (x * 0, 2.0), x),
    booleans(),
    normal(3),
  ),
  'cond_shared_constant_branch': exact(
    lambda b, x: lax.cond(
      b, lambda x: (x, 1.0), lambda x: (jnp.ones_like(x), 2.0), x
    ),
    shared(booleans()),
    normal(3),
  ),
  'switch': exact(_switch, integers(0, 3), normal(3), normal(3)),
  'switch_shared': exact(_switch, shared(integers(0, 3)), normal(3), normal(3)),
  'switch_clamped': exact(_switch, integers(-4, 8), normal(3), normal(3)),
  'while_apart': exact(_collatz, integers(1, 30)),
  'while_apart_of_arrays': exact(
    lambda x, limit: lax.while_loop(
      lambda c: jnp.sum(c[1]) < limit,
      lambda c: (c[0] + 1, c[1] * 2, c[2]),
      (0, x, jnp.zeros((2, 3))),
    ),
    uniform(0.5, 1, 2, 2),
    uniform(2, 40),
  ),
  'while_together': exact(
    lambda x, n: lax.while_loop(
      lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * 0.5), (0, x)
    ),
    normal(2),
    shared(integers(0, 5)),
  ),
  'while_never': exact(
    lambda x: lax.while_loop(lambda c: c[0] > 1e9, lambda c: c * 2, x),
    normal(2),
  ),
  'while_keys': exact(
    lambda key, n: lax.while_loop(
      lambda c: c[1] < n,
      lambda c: (jax.random.fold_in(c[0], c[1]), c[1] + 1),
      (key, 0),
    ),
    keys(),
    integers(0, 5),
  ),
  'fori': exact(
    lambda x: lax.fori_loop(0, 4, lambda i, c: c * 0.5 + i, x), normal(2)
  ),
  'fori_own_length': exact(
    lambda n, x: lax.fori_loop(0, n, lambda i, c: c * 0.5 + i, x),
    integers(0, 5),
    normal(2),
  ),
  'nested_loops': exact(_nested, normal(2)),
  'scan_all_varies': exact(_scan_parts, normal(), normal(4), normal()),
  'scan_shared_xs': exact(_scan_parts, normal(), shared(normal(4)), normal()),
  'scan_shared_carry': exact(
    _scan_parts, shared(normal()), normal(4), shared(normal())
  ),
  'scan_shared_but_constant': exact(
    _scan_parts, shared(normal()), shared(normal(4)), normal()
  ),
  'scan_reverse': exact(
    lambda x, ys: lax.scan(
      lambda c, y: (c * 0.5 + y, c), x, ys, reverse=True, unroll=2
    ),
    normal(2),
    normal(5, 2),
  ),
  'scan_of_nothing': exact(
    lambda x, ys: lax.scan(lambda c, y: (c + y, c), x, ys), normal(), normal(0)
  ),
  'scan_in_scan': close(
    lambda x: lax.scan(
      lambda c, _: lax.scan(lambda d, y: (d * 0.9 + y, d), c, x),
      x.sum(),
      length=3,
    ),
    normal(3),
  ),
  'scan_random': exact(_draws, keys()),
  'grad_of_scan': close(
    jax.grad(
      lambda x, ys: lax.scan(lambda c, y: (jnp.sin(c * y), None), x, ys)[0]
    ),
    normal(),
    normal(4),
  ),
  'map': exact(lambda x: lax.map(jnp.sin, x), normal(4)),
}

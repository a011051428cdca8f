"""Numbers of few bits, and signs of zero."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.compiler import require_conversions
from tests.lanes.agreement import assert_agree
from toyjax.lanes import lanes

# ----- indices -----

# The ends of each type, and places in and out of the table.
INDICES = {
  'int8': [-128, -7, 0, 100, 127],
  'uint8': [0, 7, 100, 200, 255],
  'int16': [-(2**15), -7, 0, 100, 2**15 - 1],
  'uint16': [0, 7, 100, 199, 2**16 - 1],
  'int32': [-(2**31), -7, 0, 100, 2**31 - 1],
  'uint32': [0, 7, 100, 199, 2**32 - 1],
  'int64': [-(2**63), -7, 2**32, 100, 2**63 - 1],
  'uint64': [0, 7, 2**32, 199, 2**64 - 1],
}
USES = {
  'read': lambda i, t: lax.dynamic_slice(t, (i,), (2,)),
  'take': lambda i, t: jnp.take(t[:100], i, mode='clip'),
  'fill': lambda i, t: t[:100].at[i].get(mode='fill'),
  'drop': lambda i, t: t[:100].at[i].set(-7.0, mode='drop'),
  'add': lambda i, t: t[:100].at[i].add(-7.0, mode='clip'),
  'read_square': lambda i, t: lax.dynamic_slice(
    t[:12].reshape(3, 4), (i, i), (2, 1)
  ),
  'one_hot': lambda i, t: jax.nn.one_hot(i, 5),
}


@pytest.mark.parametrize('dtype', INDICES)
def test_indices(dtype):
  with jax.enable_x64(dtype.endswith('64')):
    index = jnp.asarray(np.array(INDICES[dtype], dtype))

    def run(mapper, index):
      return [
        mapper(use, (0, None))(index, jnp.arange(length, dtype=jnp.float32))
        for use in USES.values()
        # In a table of few places, each is compared with the index.
        for length in (12, 200)
      ]

    found, expected = jax.jit(
      lambda index: [run(mapper, index) for mapper in (lanes, jax.vmap)],
    )(index)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


@pytest.mark.parametrize('of_all_seeds', [True, False])
@pytest.mark.parametrize('dtype', INDICES)
def test_writing(dtype, of_all_seeds):
  """Held to NumPy: some versions of XLA lose writes at int8 indices."""
  length = 200
  indices = np.array(INDICES[dtype], dtype)
  with np.errstate(over='ignore'):
    # Negative places count from the end, in the index's own type.
    wrapped = indices + np.array(length).astype(dtype)
  places = np.clip(
    np.where(indices < 0, wrapped, indices).astype(object), 0, length - 1
  ).astype(int)
  with jax.enable_x64(dtype.endswith('64')):
    table = jnp.zeros(length, jnp.float32)

    def write(table, index):
      return lax.dynamic_update_slice(table, table[:1] + 1, (index,))

    if of_all_seeds:
      mapped = jax.jit(lanes(write, (0, None)))
      found = [mapped(table[None], index)[0] for index in jnp.asarray(indices)]
    else:
      found = lanes(write, (None, 0))(table, jnp.asarray(indices))
  np.testing.assert_array_equal(found, np.eye(length)[places])


# ----- sums of 16 bits -----

HALVES = {
  'sum': jnp.sum,
  'reduce': lambda a: lax.reduce(a, a.dtype.type(0), lax.add, (0,)),
  'dot': lambda a: jnp.dot(a, a[::-1]),
  'square': lambda a: a.reshape(10, -1) @ a.reshape(-1, 10),
  'wide_result': lambda a: jnp.dot(a, a, preferred_element_type=jnp.float32),
  'narrow_result': lambda a: jnp.dot(
    a.astype(jnp.float32) + 1e-3,
    a.astype(jnp.float32),
    preferred_element_type=a.dtype,
  ),
  'wide_operand': lambda a: jnp.dot(a, a.astype(jnp.float32)),
  'slope_of_a_scalar': lambda a: jax.grad(
    lambda s: jnp.sum((a * s).astype(jnp.float32))
  )(a[0]),
}


@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
@pytest.mark.parametrize('name', HALVES)
def test_sums_of_halves_are_rounded_once(name, dtype):
  require_conversions(dtype)
  rng = np.random.default_rng(3)
  x = jnp.asarray(rng.normal(size=(8, 100)), dtype)
  found = lanes(HALVES[name])(x)
  with jax.enable_x64(True):
    truth = np.stack(
      [HALVES[name](row.astype(jnp.float64)) for row in x]
    ).astype(np.float64)
  scale = np.max(np.abs(truth), axis=tuple(range(1, truth.ndim)), keepdims=True)
  # Half a unit of the result's own last place, and float32's 100 roundings.
  eps = float(jnp.finfo(found.dtype).eps)
  error = np.abs(np.asarray(found, np.float64) - truth)
  assert np.all(error <= eps / 2 * np.abs(truth) + 1e-4 * scale)


# ----- signs of zero -----

ZEROS = {
  'angle': lambda a: jnp.arctan2(jnp.sum(a), -1.0),
  'mean': jnp.mean,
  'dot': lambda a: jnp.dot(a, jnp.ones(3)),
  'matrices': lambda a: jnp.outer(a, jnp.ones(3)) @ jnp.ones((3, 2)),
  'one_term': lambda a: (jnp.sum(a[:1]), jnp.dot(a[:1], jnp.ones(1))),
  'no_term': lambda a: (jnp.sum(a[:0]), jnp.dot(a[:0], a[:0])),
  'cumsum': jnp.cumsum,
  'long': lambda a: jnp.sum(jnp.tile(a, 20)),
  'long_dot': lambda a: jnp.dot(jnp.tile(a, 20), jnp.ones(60)),
  'max': jnp.max,
  'halves': lambda a: jnp.sum(a.astype(jnp.bfloat16)),
}


@pytest.mark.parametrize('compiled', [True, False])
@pytest.mark.parametrize('name', ZEROS)
def test_signs_of_zero(name, compiled):
  x = jnp.asarray([[-0.0] * 3, [0.0] * 3, [1.0, -1.0, -0.0]])

  def run(x):
    return lanes(ZEROS[name])(x), jax.vmap(ZEROS[name])(x)

  found, expected = (jax.jit(run) if compiled else run)(x)
  assert_agree(found, expected, ulps=8)
  signs = jax.tree.map(jnp.signbit, (found, expected))
  jax.tree.map(np.testing.assert_array_equal, *signs)

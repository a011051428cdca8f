"""A small program, and how `lanes` and `jax.vmap` of it are compared."""

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from tests.lanes.agreement import assert_agree
from toyjax.lanes import lanes

# A handful of operations, and sums of at most 16 terms.
ULPS = 32


def normal(*shape, seed=0):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.normal(size=shape), jnp.float32)


def small(x, y):
  """Of x [3] and y [2, 3]: contractions, a loop, a reduction."""
  hidden = jnp.tanh(y @ x)
  final, seen = lax.scan(
    lambda c, row: (0.5 * c + row * hidden[0], c.sum()), x, y
  )
  return {'final': final, 'seen': (seen, jnp.sum(hidden**2))}


def loss(x, y):
  return sum(map(jnp.sum, jax.tree.leaves(small(x, y))))


def check_compiled(make, *args):
  """As `check`, for programs of many steps: compiled, and as one."""
  found, expected = jax.jit(
    lambda *args: [make(mapper)(*args) for mapper in (lanes, jax.vmap)],
  )(*args)
  assert_agree(found, expected, ulps=ULPS)


def check(make, *args):
  assert_agree(make(lanes)(*args), make(jax.vmap)(*args), ulps=ULPS)


X, Y = normal(4, 3), normal(4, 2, 3, seed=1)

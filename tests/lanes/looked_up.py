"""Tables and indices, and how reading and writing them is compared."""

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.lanes import lanes

NUM_SEEDS = 5
MODES = ['clip', 'fill', 'promise_in_bounds']
DTYPES = ['float32', 'float64', 'int32', 'uint8', 'bool']
WRITES = ['set', 'add', 'subtract', 'min', 'max', 'multiply']


def numbers(dtype, *shape, seed=0):
  """Numbers of a few bits, so that sums of them are exact."""
  rng = np.random.default_rng(seed)
  dtype = np.dtype(dtype)
  low, high = {'b': (0, 2), 'u': (0, 5)}.get(dtype.kind, (-4, 5))
  return jnp.asarray(rng.integers(low, high, (NUM_SEEDS, *shape)), dtype)


def indices_of(low, high, *shape, seed=1, dtype=np.int32):
  rng = np.random.default_rng(seed)
  return jnp.asarray(rng.integers(low, high, (NUM_SEEDS, *shape)), dtype)


def assert_equal(function, *arguments):
  """Holds lanes to the very numbers of vmap, NaN included.

  Whichever arguments are mapped, and both maps in one program: it compiles
  faster than many.
  """
  choices = [c for c in np.ndindex((2,) * len(arguments)) if any(c)]

  def run(mapper, arguments):
    return [
      mapper(function, in_axes=tuple(0 if m else None for m in mapped))(
        *(a if m else a[0] for a, m in zip(arguments, mapped))
      )
      for mapped in choices
    ]

  actual, expected = jax.jit(
    lambda arguments: [run(mapper, arguments) for mapper in (lanes, jax.vmap)],
  )(arguments)
  assert jax.tree.structure(actual) == jax.tree.structure(expected)
  for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(expected)):
    assert a.dtype == b.dtype
    np.testing.assert_array_equal(a, b)

"""When two results are the same up to the last bits."""

import jax
import jax.numpy as jnp
import numpy as np


def assert_agree(actual, expected, *, ulps, per_entry=False):
  """Holds two pytrees of arrays to one structure, type and value.

  Integers, booleans and keys are equal. A float differs by at most `ulps` units
  in the last place of the array's largest finite entry, since sums that cancel
  are added in another order; of the entry itself where `per_entry`. NaN and
  infinities stand at the same places.
  """
  assert jax.tree.structure(actual) == jax.tree.structure(expected)
  for a, b in zip(jax.tree.leaves(actual), jax.tree.leaves(expected)):
    _assert_leaf_agrees(a, b, ulps, per_entry)


def _assert_leaf_agrees(actual, expected, ulps, per_entry):
  assert actual.shape == expected.shape
  assert actual.dtype == expected.dtype
  if jnp.issubdtype(actual.dtype, jax.dtypes.prng_key):
    actual, expected = map(jax.random.key_data, (actual, expected))
  if not jnp.issubdtype(actual.dtype, jnp.inexact):
    np.testing.assert_array_equal(actual, expected)
    return
  info = jnp.finfo(actual.dtype)
  wide = complex if jnp.iscomplexobj(actual) else float
  actual, expected = (np.asarray(x).astype(wide) for x in (actual, expected))
  tolerance = ulps * float(info.eps)
  largest = np.max(np.abs(expected), where=np.isfinite(expected), initial=0.0)
  np.testing.assert_allclose(
    actual,
    expected,
    rtol=tolerance,
    # Denormals may be flushed to zero.
    atol=float(info.tiny) + (0.0 if per_entry else tolerance * largest),
  )

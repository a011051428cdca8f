"""Random words for large batches, at a tenth of the usual cost.

key --words--> uint32 [...]; words --unit_interval--> float32 (0, 1]

Training on fresh data draws far more than it multiplies. `jax.random.bits`
makes one word of each hash of threefry2x32, which has two, and on a CPU it runs
the hash's rounds as a loop over arrays. Here a hash gives two words, and its
rounds are written out so that they become one loop over the entries: the words
are those of `jax.extend.random.threefry_2x32` for the counts 0, 1, 2, ...
"""

from collections.abc import Sequence
import math
from typing import Any

import jax
from jax import lax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def words(key: PRNGKey, shape: Sequence[int]) -> Array:
  """Returns independent random words, uint32 [*shape].

  Args:
    key: [] typed key of threefry2x32. Nothing else may be drawn from it.
    shape: of at most 2^32 words; the words of one shape are no beginning of
      those of another.

  Raises:
    ValueError: on a key of another kind, or too many words.

  References:
    Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3.
  """
  if jax.random.key_impl(key) != 'threefry2x32':
    raise ValueError(
      f'keys must be of threefry2x32: {jax.random.key_impl(key)}'
    )
  size = math.prod(shape)
  if size > 2**32:
    raise ValueError(f'more than 2^32 words of one key: {tuple(shape)}')
  num_hashes = (size + 1) // 2
  first = lax.iota(jnp.uint32, num_hashes)
  data = jax.random.key_data(key)
  key0, key1 = (jnp.broadcast_to(data[i], first.shape) for i in range(2))
  hashes = threefry_rounds(key0, key1, first, first + np.uint32(num_hashes))
  return jnp.concatenate(hashes)[:size].reshape(shape)


def unit_interval(bits: Array) -> Array:
  """Returns words as uniform float32 numbers in (0, 1], 31 bits of each.

  Small numbers keep all their bits, so that those below a density of 1e-4 still
  have 2e5 values.
  """
  # A signed word becomes a float in one instruction, an unsigned one does not.
  counts = lax.bitcast_convert_type(bits >> 1, jnp.int32)
  return (counts.astype(jnp.float32) + 1.0) * np.float32(2.0**-31)


def threefry_rounds(
  key0: Any, key1: Any, x0: Any, x1: Any
) -> tuple[Array, Array]:
  """Returns Threefry-2x32 with 20 rounds: Salmon et al. 2011, section 3.3.

  Args:
    key0: first half of the key, uint32, of the shape of all four.
    key1: second half.
    x0: first half of the counter.
    x1: second half.
  """

  def constant(number: int) -> Any:
    # A known scalar stays one.
    word = np.uint32(number)
    return lax.full_like(key0, word) if np.ndim(key0) else word

  key2 = lax.bitwise_xor(lax.bitwise_xor(key0, key1), constant(0x1BD11BDA))
  keys = (key0, key1, key2)
  x0, x1 = lax.add(x0, key0), lax.add(x1, key1)
  for group in range(5):
    for rotation in _ROTATIONS[group % 2]:
      x0 = lax.add(x0, x1)
      left = lax.shift_left(x1, constant(rotation))
      right = lax.shift_right_logical(x1, constant(32 - rotation))
      x1 = lax.bitwise_xor(lax.bitwise_or(left, right), x0)
    x0 = lax.add(x0, keys[(group + 1) % 3])
    x1 = lax.add(x1, keys[(group + 2) % 3])
    x1 = lax.add(x1, constant(group + 1))
  return x0, x1

"""Random words: those of JAX's own hash, and what is refused."""

import jax
from jax.extend import random as jax_random
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax import lanes, random_words, seed_keys


@pytest.mark.parametrize('shape', [(2,), (1000,), (3, 8), (64, 5, 2)])
def test_words_are_those_of_the_hash(shape):
  key = jax.random.key(7)
  counts = np.arange(np.prod(shape), dtype=np.uint32)
  expected = jax_random.threefry_2x32(jax.random.key_data(key), counts)
  found = random_words.words(key, shape)
  assert found.dtype == jnp.uint32
  np.testing.assert_array_equal(found, expected.reshape(shape))


@pytest.mark.parametrize('size', [0, 1, 3, 4097])
def test_an_odd_number_of_words_leaves_out_the_last(size):
  key = jax.random.key(8)
  even = random_words.words(key, (size + size % 2,))
  np.testing.assert_array_equal(random_words.words(key, (size,)), even[:size])


def test_every_bit_is_even_and_independent_of_the_others():
  found = np.asarray(random_words.words(jax.random.key(9), (1 << 16,)))
  bits = (found[:, None] >> np.arange(32, dtype=np.uint32)) & 1
  bar = 5.0 * 0.5 / np.sqrt(len(found))
  assert np.abs(bits.mean(0) - 0.5).max() < bar
  correlations = np.corrcoef(bits.T) - np.eye(32)
  assert np.abs(correlations).max() < 5.0 / np.sqrt(len(found))


def test_words_are_the_same_mapped_over_seeds():
  keys = seed_keys(0, np.arange(5))
  alone = np.stack([random_words.words(key, (3, 7)) for key in keys])
  for map_over in (jax.vmap, lanes.lanes):
    mapped = jax.jit(map_over(lambda key: random_words.words(key, (3, 7))))
    np.testing.assert_array_equal(mapped(keys), alone)


def test_the_unit_interval_is_reached_at_one_and_never_at_zero():
  extremes = jnp.asarray([0, 2**32 - 1], jnp.uint32)
  np.testing.assert_array_equal(
    random_words.unit_interval(extremes), np.float32([2.0**-31, 1.0])
  )


def test_other_keys_and_too_many_words_are_refused():
  with pytest.raises(ValueError, match='threefry2x32: rbg'):
    random_words.words(jax.random.key(0, impl='rbg'), (2,))
  with pytest.raises(ValueError, match=r'2\^32'):
    random_words.words(jax.random.key(0), (2**17, 2**17))

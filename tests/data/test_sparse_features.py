"""Sparse features: their law, their keys, and what is refused."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.toys.autoencoder import TOLERANCES
from toyjax.data import sparse_features

# Seed and step of four draws.
PAIRS = ((0, 0), (0, 1), (1, 0), (1, 1))


def sparse(sparsity, *, normalize=False, dtype=jnp.float32, batch_size=5000):
  return sparse_features.sparse_uniform(
    num_features=6,
    batch_size=batch_size,
    sparsity=sparsity,
    normalize=normalize,
    dtype=dtype,
  )


@pytest.mark.parametrize('sparsity', [0.0, 0.3, 0.95, 1.0])
def test_features_are_absent_with_probability_s_else_uniform(sparsity):
  batch = np.asarray(sparse(sparsity)(jax.random.key(12)), float)
  present = batch > 0.0
  bar = 5.0 * np.sqrt(sparsity * (1.0 - sparsity) / 5000)
  np.testing.assert_allclose(
    1.0 - present.mean(axis=0), sparsity, atol=bar, rtol=0
  )
  assert batch.min() >= 0.0
  assert batch.max() <= 1.0
  values = batch[present]
  for power in (1, 2) if sparsity < 1.0 else ():
    mean = 1.0 / (power + 1)
    sigma = np.sqrt((1.0 / (2 * power + 1) - mean**2) / len(values))
    assert abs((values**power).mean() - mean) < 5.0 * sigma


def test_features_are_independent():
  present = np.asarray(sparse(0.5)(jax.random.key(13))) > 0.0
  correlations = np.corrcoef(present.T) - np.eye(6)
  assert np.abs(correlations).max() < 5.0 / np.sqrt(5000)


def test_each_feature_may_have_its_own_sparsity():
  sparsity = np.asarray([0.0, 0.2, 0.5, 0.9, 0.99, 1.0])
  present = np.asarray(sparse(sparsity)(jax.random.key(17))) > 0.0
  bars = 5.0 * np.sqrt(sparsity * (1.0 - sparsity) / 5000)
  assert (np.abs(1.0 - present.mean(axis=0) - sparsity) <= bars).all()


def test_rare_features_have_many_values_and_never_exceed_one():
  draw = jax.jit(sparse_features.present_uniform, static_argnums=1)
  for density in (1e-3, 1e-2, 0.3, 1.0):
    values = np.asarray(draw(jax.random.key(18), (1 << 21,), density))
    values = values[values > 0.0]
    assert len(np.unique(values)) > 0.99 * min(len(values), 1e4)
    assert values.max() <= 1.0
    # The Kolmogorov-Smirnov distance from the uniform law; 2.3 is p = 5e-5.
    ranks = np.arange(len(values)) / len(values)
    distance = np.abs(np.sort(values) - ranks).max()
    assert distance < 2.3 / np.sqrt(len(values))


def test_no_two_examples_seeds_or_steps_share_a_mask():
  """A known implementation has one mask for all examples of a batch."""
  sample = sparse(0.5, batch_size=64)
  keys = [jax.random.fold_in(jax.random.key(seed), k) for seed, k in PAIRS]
  masks = np.concatenate([np.asarray(sample(key)) > 0.0 for key in keys])
  # 2^-6 of all pairs of rows agree by chance.
  same = (masks[:, None] == masks[None]).all(-1)
  others = ~np.eye(len(masks), dtype=bool)
  assert 0.5 / 64 < same[others].mean() < 2.0 / 64
  for first, second in itertools.combinations(np.split(masks, len(PAIRS)), 2):
    agree = (first == second).mean()
    assert abs(agree - 0.5) < 5.0 * 0.5 / np.sqrt(first.size)


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_normalized_rows_have_unit_length_and_empty_rows_stay_zero(dtype):
  key = jax.random.key(14)
  with jax.enable_x64(dtype == 'float64'):
    plain = np.asarray(sparse(0.8, dtype=dtype)(key))
    batch = sparse(0.8, normalize=True, dtype=dtype)(key)
    assert batch.dtype == dtype
  empty = ~plain.any(axis=1)
  assert 0 < empty.sum() < 5000  # .8^6 = .26 of the rows.
  batch = np.asarray(batch, float)
  np.testing.assert_array_equal(batch[empty], 0.0)
  lengths = np.linalg.norm(batch[~empty], axis=1)
  np.testing.assert_allclose(lengths, 1.0, rtol=TOLERANCES[dtype])
  directions = (
    plain / np.where(empty, 1.0, np.linalg.norm(plain, axis=1))[:, None]
  )
  np.testing.assert_allclose(batch, directions, atol=1e-6)


def test_sparse_batches_depend_on_the_key_alone_and_sparsity_may_be_traced():
  key, other_key = jax.random.split(jax.random.key(15))
  draw = jax.jit(lambda key, sparsity: sparse(sparsity)(key))
  batch = sparse(0.5)(key)
  np.testing.assert_array_equal(batch, sparse(0.5)(key))
  np.testing.assert_array_equal(batch, draw(key, 0.5))
  other = sparse(0.5)(other_key)
  assert np.mean((batch == other) & (batch > 0.0)) < 1e-3
  # Sparser data lose features; the rest grow to the same law.
  sparser = np.asarray(draw(key, 0.8))
  kept = sparser > 0.0
  np.testing.assert_allclose(sparser[kept], batch[kept] * 2.5, rtol=1e-6)


def test_fixed_data_ignore_the_key():
  keys = jax.random.split(jax.random.key(16))
  samples = np.arange(12.0, dtype=np.float32).reshape(4, 3)
  for key in keys:
    np.testing.assert_array_equal(sparse_features.fixed(samples)(key), samples)
    np.testing.assert_array_equal(
      sparse_features.one_hot(num_features=5, dtype=jnp.float32)(key),
      np.eye(5),
    )


@pytest.mark.parametrize('shape', [(3,), (2, 3, 4)])
def test_fixed_data_must_be_a_matrix(shape):
  with pytest.raises(ValueError, match=r'\[T, N\]'):
    sparse_features.fixed(np.zeros(shape, np.float32))


def test_single_features_are_each_as_frequent_and_uniform():
  batch = np.asarray(
    sparse_features.single_uniform(
      num_features=6, batch_size=60_000, dtype=jnp.float32
    )(jax.random.key(4))
  )
  there = batch > 0.0
  assert (there.sum(axis=1) == 1).all()
  bar = 5.0 * np.sqrt(60_000 * 5.0 / 36.0)
  assert (np.abs(there.sum(axis=0) - 10_000) < bar).all()
  values = np.sort(batch.max(axis=1))
  distance = np.abs(values - np.arange(60_000) / 60_000).max()
  assert distance < 2.3 / np.sqrt(60_000)

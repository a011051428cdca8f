"""Batches of sparse features, the synthetic data of the superposition studies.

Each function returns a sampler key -> batch [B, N], to be a toy's `sample`.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey

Sampler = Callable[[PRNGKey], Array]


def one_hot(*, num_features: int, dtype: jax.typing.DTypeLike) -> Sampler:
  """Each feature alone and once, X = I_n: the full batch, whatever the key."""
  return fixed(np.eye(num_features, dtype=dtype))


def fixed(samples: Array | np.ndarray) -> Sampler:
  """Always the same samples [T, N]; the key is ignored.

  Draw them once, in the trial, from a data key of their own:
  `fixed(sparse_uniform(batch_size=T, ...)(data_key))`.
  """
  samples = jnp.asarray(samples)
  if samples.ndim != 2:
    raise ValueError(f'samples must have shape [T, N]: {samples.shape}')

  def sample(key: PRNGKey) -> Array:
    del key
    return samples

  return sample


def sparse_uniform(
  *,
  num_features: int,
  batch_size: int,
  sparsity: float | Array,
  normalize: bool,
  dtype: jax.typing.DTypeLike,
) -> Sampler:
  """Independent features: x_i = 0 with probability S, else uniform in (0, 1].

  Args:
    num_features: N.
    batch_size: B.
    sparsity: S in [0, 1], the probability that a feature is absent; may be
      traced.
    normalize: whether rows are scaled to unit length (Henighan et al. 2023). A
      row without any feature stays zero.
    dtype: of the batch. Draws are made in float32 and cast.

  Returns:
    key -> batch [B, N].

  References:
    Elhage et al. 2022, Toy models of superposition, section 2.
    Henighan et al. 2023, Superposition, memorization, and double descent.
  """
  shape = (batch_size, num_features)

  def sample(key: PRNGKey) -> Array:
    value_key, present_key = jax.random.split(key)
    # 1 - [0, 1) is (0, 1]: a present feature is never zero.
    values = 1.0 - jax.random.uniform(value_key, shape, jnp.float32)
    # uniform < S exactly never at S = 0 and always at S = 1.
    absent = jax.random.uniform(present_key, shape, jnp.float32) < sparsity
    batch = jnp.where(absent, 0.0, values).astype(dtype)
    if normalize:
      lengths = jnp.linalg.norm(batch, axis=1, keepdims=True)
      batch = batch / jnp.where(lengths > 0.0, lengths, 1.0)
    return batch

  return sample

"""Batches of sparse features, the synthetic data of the superposition studies.

Each function returns a sampler key -> batch [B, N], to be a toy's `sample`.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import random_words
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


def single_uniform(
  *, num_features: int, batch_size: int, dtype: jax.typing.DTypeLike
) -> Sampler:
  """One feature at a time: x = μ e_i, i any of N with 1/N, μ ~ U(0, 1].

  Args:
    num_features: N.
    batch_size: B.
    dtype: of the batch. Draws are made in float32 and cast.

  Returns:
    key -> batch [B, N].

  References:
    Chen et al. 2023, Dynamical versus Bayesian phase transitions in a toy model
    of superposition.
  """

  def sample(key: PRNGKey) -> Array:
    uniform = random_words.unit_interval(
      random_words.words(key, (batch_size, 2))
    )
    # In (0, N]; the first feature has (0, 1].
    place = uniform[:, :1] * num_features
    above = jnp.arange(num_features, dtype=jnp.float32)[None]
    is_there = (place > above) & (place <= above + 1.0)
    return jnp.where(is_there, uniform[:, 1:], 0.0).astype(dtype)

  return sample


def present_uniform(
  key: PRNGKey, shape: Sequence[int], density: float | Array
) -> Array:
  """Each entry is 0, or with probability p uniform in (0, 1]: float32.

  One random word an entry says both: u in (0, 1] is present where u <= p, and
  is then u / p.

  Args:
    key: nothing else may be drawn from it.
    shape: of the entries.
    density: p in [0, 1], broadcast against them; may be traced.
  """
  uniform = random_words.unit_interval(random_words.words(key, shape))
  density = jnp.broadcast_to(jnp.asarray(density, jnp.float32), tuple(shape))
  return jnp.where(uniform <= density, uniform / density, 0.0)


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
    sparsity: S in [0, 1], the probability that a feature is absent, [] of all
      or [N] of each; may be traced.
    normalize: whether rows are scaled to unit length (Henighan et al. 2023). A
      row without any feature stays zero.
    dtype: of the batch. Draws are made in float32 and cast.

  Returns:
    key -> batch [B, N].

  References:
    Elhage et al. 2022, Toy models of superposition, section 2.
    Henighan et al. 2023, Superposition, memorization, and double descent.
  """

  def sample(key: PRNGKey) -> Array:
    shape = (batch_size, num_features)
    batch = present_uniform(key, shape, 1.0 - sparsity).astype(dtype)
    if normalize:
      lengths = jnp.linalg.norm(batch, axis=1, keepdims=True)
      batch = batch / jnp.where(lengths > 0.0, lengths, 1.0)
    return batch

  return sample


def correlated_pairs(
  *,
  num_pairs: int,
  batch_size: int,
  sparsity: float | Array,
  dtype: jax.typing.DTypeLike,
) -> Sampler:
  """Features 2k and 2k + 1 are both absent with probability S, else both there.

  Their values are independent and uniform in (0, 1], as are different pairs.

  Args:
    num_pairs: N / 2.
    batch_size: B.
    sparsity: S in [0, 1], the probability that a pair is absent; may be traced.
    dtype: of the batch. Draws are made in float32 and cast.

  Returns:
    key -> batch [B, N].

  References:
    Elhage et al. 2022, Toy models of superposition, section "Correlated and
    anticorrelated features".
  """

  def sample(key: PRNGKey) -> Array:
    density = jnp.stack([1.0 - jnp.asarray(sparsity, jnp.float32), 1.0])
    values = present_uniform(key, (batch_size, num_pairs, 2), density)
    values = jnp.where(values[..., :1] > 0.0, values, 0.0)
    return values.reshape(batch_size, 2 * num_pairs).astype(dtype)

  return sample


def anticorrelated_pairs(
  *,
  num_pairs: int,
  batch_size: int,
  sparsity: float | Array,
  dtype: jax.typing.DTypeLike,
) -> Sampler:
  """Of features 2k and 2k + 1 exactly one is there, or with probability S none.

  Which one is fair chance, so that a feature has the density (1 - S) / 2; its
  value is uniform in (0, 1]. Pairs are independent.

  Args:
    num_pairs: N / 2.
    batch_size: B.
    sparsity: S in [0, 1], the probability that a pair is absent; may be traced.
    dtype: of the batch. Draws are made in float32 and cast.

  Returns:
    key -> batch [B, N].

  References:
    Elhage et al. 2022, Toy models of superposition, section "Correlated and
    anticorrelated features".
  """

  def sample(key: PRNGKey) -> Array:
    # One word says whether, which, and how much.
    value = present_uniform(key, (batch_size, num_pairs), 1.0 - sparsity)
    is_second = value > 0.5
    first = jnp.where(is_second, 0.0, 2.0 * value)
    second = jnp.where(is_second, 2.0 * value - 1.0, 0.0)
    pairs = jnp.stack([first, second], axis=-1)
    return pairs.reshape(batch_size, 2 * num_pairs).astype(dtype)

  return sample

"""A bank of sparse features in superposition, with the truth beside each x.

key --make--> Bank --draw--> Samples (x, z, s); sampler: key -> x
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.data.sparse_features import Sampler

AMPLITUDES = ('one', 'exponential')


class Bank(NamedTuple):
  """Features that inputs are made of.

  Attributes:
    features: F, [N, D], rows of unit length, the most frequent first.
    frequencies: p, [N], how often each feature is present.
    mean: μ, [D], what every input has.
  """

  features: Array
  frequencies: Array
  mean: Array


class Samples(NamedTuple):
  """Inputs and what they were made of.

  Attributes:
    x: inputs [B, D].
    amplitudes: z, [B, N], 0 where a feature is absent.
    scales: s, [B].
  """

  x: Array
  amplitudes: Array
  scales: Array


def make(
  key: PRNGKey,
  *,
  num_features: int,
  num_inputs: int,
  first_frequency: float | Array,
  decay: float | Array,
  mean_norm: float | Array,
  dtype: jax.typing.DTypeLike,
) -> Bank:
  """Draws a bank: directions evenly from the sphere, p_i = p_1 i^-γ.

  Args:
    key: of the bank.
    num_features: N >= 1.
    num_inputs: D >= 1.
    first_frequency: p_1 in (0, 1]; may be traced, as the others below.
    decay: γ >= 0; 0 makes all features equally frequent.
    mean_norm: |μ| >= 0; its direction is random.
    dtype: of the arrays. Draws are made in float32 and cast.

  Raises:
    ValueError: on sizes below 1.
  """
  if num_features < 1 or num_inputs < 1:
    raise ValueError(
      f'num_features and num_inputs must be >= 1: {num_features}, {num_inputs}'
    )
  shape = (num_features + 1, num_inputs)
  rows = jax.random.normal(key, shape, jnp.float32)
  rows /= jnp.sqrt(jnp.sum(rows**2, axis=1, keepdims=True))
  ranks = jnp.arange(1, num_features + 1, dtype=jnp.float32)
  frequencies = jnp.asarray(first_frequency) * ranks ** -jnp.asarray(decay)
  mean = jnp.asarray(mean_norm) * rows[-1]
  return Bank(*(a.astype(dtype) for a in (rows[:-1], frequencies, mean)))


def parents_of(num_features: int) -> list[int]:
  """Returns the feature that contains each one, itself where none does.

  The feature of rank r = 2, 6, 10, ... is contained in that of rank r / 2: it
  is present only where that one is. A quarter of all has such a parent, none of
  them has children, and P(child | parent) = 2^-γ.
  """
  ranks = range(1, num_features + 1)
  return [(rank // 2 if rank % 4 == 2 else rank) - 1 for rank in ranks]


def draw(
  key: PRNGKey,
  bank: Bank,
  *,
  batch_size: int,
  amplitude: str,
  nested: bool,
  noise: float | Array,
  log_scale: float | Array,
) -> Samples:
  """Draws x = s (μ + Σ_i z_i f_i) + ε, z_i = Bernoulli(p_i) A_i, s = exp(ς g).

  Args:
    key: of the batch.
    bank: what is drawn from.
    batch_size: B.
    amplitude: 'one', A = 1, or 'exponential', A ~ Exp(1).
    nested: whether features are contained in others, see `parents_of`;
      frequencies stay the same.
    noise: standard deviation of ε in each input, >= 0; may be traced. A plain 0
      draws nothing.
    log_scale: ς >= 0, of g ~ N(0, 1); may be traced. A plain 0 draws nothing.

  Returns:
    `Samples` of the bank's dtype.

  Raises:
    ValueError: on an unknown amplitude.
  """
  if amplitude not in AMPLITUDES:
    raise ValueError(
      f'unknown amplitude {amplitude!r}: choose from {", ".join(AMPLITUDES)}'
    )
  feature_key, noise_key, scale_key = jax.random.split(key, 3)
  num_features, num_inputs = bank.features.shape
  dtype = bank.features.dtype
  shape = (batch_size, num_features)
  limits = bank.frequencies.astype(jnp.float32)
  if nested:
    parents = jnp.asarray(parents_of(num_features))
    has_parent = parents != jnp.arange(num_features)
    limits = jnp.where(has_parent, limits / limits[parents], limits)
  # One number says whether a feature is present and, being uniform below p
  # where it is, how strong: -log(u / p) ~ Exp(1).
  uniforms = 1.0 - jax.random.uniform(feature_key, shape, jnp.float32)
  present = uniforms <= limits[None, :]
  values = jnp.ones(shape, jnp.float32)
  if amplitude == 'exponential':
    # The ends of a cell of the draw would give 0 and infinity.
    ratios = jnp.minimum(uniforms / limits[None, :], 1.0)
    values = jnp.maximum(-jnp.log(ratios), jnp.finfo(jnp.float32).tiny)
  if nested:
    present &= present[:, parents]
  amplitudes = jnp.where(present, values, 0.0).astype(dtype)
  scales = jnp.ones(batch_size, dtype)
  x = amplitudes @ bank.features + bank.mean[None, :]
  if not _is_zero(log_scale):
    normals = jax.random.normal(scale_key, (batch_size,), jnp.float32)
    scales = jnp.exp(log_scale * normals).astype(dtype)
    x = scales[:, None] * x
  if not _is_zero(noise):
    normals = jax.random.normal(noise_key, (batch_size, num_inputs))
    x += (noise * normals).astype(dtype)
  return Samples(x, amplitudes, scales)


def _is_zero(value: float | Array) -> bool:
  return isinstance(value, int | float) and value == 0


def sampler(bank: Bank, **given) -> Sampler:
  """Returns key -> x [B, D], the `sample` of a toy, of what `draw` takes."""
  return lambda key: draw(key, bank, **given).x

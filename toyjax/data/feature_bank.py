"""A bank of sparse features in superposition, with the truth beside each x.

key --make--> Bank --draw--> Samples (x, z, s); sampler: key -> x
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.base import Array, PRNGKey
from toyjax.data.sparse_features import Sampler, present_uniform

# Uniform in (0, 1] -> how strong a feature is that is present.
_AMPLITUDES: Mapping[str, Callable[[Array], Array]] = {
  'one': jnp.ones_like,
  'uniform': lambda uniform: uniform,
  # A present feature is never 0, as -log(1) is.
  'exponential': lambda uniform: jnp.maximum(
    -jnp.log(uniform), jnp.finfo(uniform.dtype).tiny
  ),
}
AMPLITUDES = tuple(_AMPLITUDES)


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
  frequencies = power_law(num_features, first_frequency, decay)
  mean = jnp.asarray(mean_norm) * rows[-1]
  return Bank(*(a.astype(dtype) for a in (rows[:-1], frequencies, mean)))


def power_law(number: int, first: float | Array, decay: float | Array) -> Array:
  """Returns p_i = p_1 i^-γ for i = 1..number, float32."""
  ranks = jnp.arange(1, number + 1, dtype=jnp.float32)
  return jnp.asarray(first) * ranks ** -jnp.asarray(decay)


def polygon(
  *,
  num_features: int,
  frequency: float | Array,
  mean_norm: float | Array,
  dtype: jax.typing.DTypeLike,
) -> Bank:
  """Returns equally frequent features around a regular polygon in the plane.

  With amplitudes uniform in (0, 1] they are the hidden layer Wx of a toy
  autoencoder that has solved its task with rows of unit length.

  Args:
    num_features: N >= 2.
    frequency: p in (0, 1]; may be traced.
    mean_norm: |μ| >= 0, between the first two features; may be traced.
    dtype: of the arrays.
  """
  angles = 2.0 * jnp.pi * jnp.arange(num_features) / num_features
  rows = jnp.stack([jnp.cos(angles), jnp.sin(angles)], axis=1)
  half = jnp.pi / num_features
  mean = mean_norm * jnp.stack([jnp.cos(half), jnp.sin(half)])
  frequencies = power_law(num_features, frequency, 0.0)
  return Bank(*(a.astype(dtype) for a in (rows, frequencies, mean)))


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
    amplitude: 'one', A = 1; 'uniform' in (0, 1]; 'exponential', A ~ Exp(1).
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
    parents = np.asarray(parents_of(num_features))
    has_parent = parents != np.arange(num_features)
    limits = jnp.where(has_parent, limits / limits[parents], limits)
  strengths = present_uniform(feature_key, shape, limits)
  present = strengths > 0.0
  if nested:
    present &= present[:, parents]
  amplitudes = _AMPLITUDES[amplitude](strengths)
  amplitudes = jnp.where(present, amplitudes, 0.0).astype(dtype)
  scales = jnp.ones(batch_size, dtype)
  x = amplitudes @ bank.features + bank.mean[None, :]
  if not _is_zero(log_scale):
    normals = jax.random.normal(scale_key, (batch_size,), jnp.float32)
    scales = jnp.exp(log_scale * normals).astype(dtype)
    x = scales[:, None] * x
  if not _is_zero(noise):
    normals = jax.random.normal(
      noise_key, (batch_size, num_inputs), jnp.float32
    )
    x += (noise * normals).astype(dtype)
  return Samples(x, amplitudes, scales)


def _is_zero(value: float | Array) -> bool:
  return isinstance(value, int | float) and value == 0


def sampler(bank: Bank, **given: Any) -> Sampler:
  """Returns key -> x [B, D], the `sample` of a toy, of what `draw` takes."""
  return lambda key: draw(key, bank, **given).x


# E[A] and E[A²] of each amplitude.
_MOMENTS = {
  'one': (1.0, 1.0),
  'uniform': (1.0 / 2.0, 1.0 / 3.0),
  'exponential': (1.0, 2.0),
}


def moments(
  bank: Bank,
  *,
  amplitude: str,
  nested: bool,
  noise: float | Array,
  log_scale: float | Array,
) -> tuple[Array, Array]:
  """Returns the mean [D] and the covariance [D, D] of x, see `draw`.

  With y = μ + Σ_i z_i f_i,

      E[x] = e^(ς²/2) E[y],  Cov[x] = e^(2ς²) E[yyᵀ] - e^(ς²) E[y]E[y]ᵀ + σ²I
      Var[z_i] = p_i E[A²] - p_i² E[A]²,  Cov[z_c, z_p] = p_c (1 - p_p) E[A]²

  the last for a feature and the one that contains it.
  """
  first, second = _MOMENTS[amplitude]
  p, features = bank.frequencies, bank.features
  spread = jnp.diag(p * second - (p * first) ** 2)
  if nested:
    parents = np.asarray(parents_of(len(features)))
    (children,) = np.nonzero(parents != np.arange(len(features)))
    above = parents[children]
    shared = p[children] * (1.0 - p[above]) * first**2
    spread = spread.at[children, above].set(shared)
    spread = spread.at[above, children].set(shared)
  mean = bank.mean + (first * p) @ features
  outer = mean[:, None] * mean[None, :]
  square = jnp.exp(jnp.asarray(log_scale) ** 2)
  around = square**2 * (features.T @ spread @ features + outer)
  around += noise**2 * jnp.eye(len(mean), dtype=mean.dtype)
  return jnp.sqrt(square) * mean, around - square * outer

r"""Remedies against dead latents of a sparse autoencoder, acting on one run.

params, which latents are dead, inputs, a key --apply--> params, what was set

R is the mean norm of the encoder's columns of latents that are alive.

References:
  Bricken et al. 2023, Towards monosemanticity, "neuron resampling".
"""

import enum
from typing import NamedTuple

import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey
from toyjax.toys import sparse_autoencoder
from toyjax.toys.sparse_autoencoder import Params


class Method(enum.IntEnum):
  """What is done to the dead latents."""

  NOTHING = 0
  RANDOM = 1  # Decoder row from the sphere, W_e = W_dᵀ: as at the start.
  RESAMPLED = 2  # Decoder row towards an input drawn by its loss.
  ALIGNED = 3  # The decoder's row is kept, the encoder's column is set to it.


class Numbers(NamedTuple):
  """What the methods are told, each [].

  Attributes:
    power: RESAMPLED: an input is drawn with probability ∝ its loss to this.
    norm: RESAMPLED: of the encoder's column, in units of R; 0 for length 1.
    subtract: RESAMPLED: times b_d is taken off the input: 0 in the source.
    center: whether b_d becomes the mean of the inputs, before all else.
  """

  power: Array
  norm: Array
  subtract: Array
  center: Array


def apply(
  key: PRNGKey,
  params: Params,
  *,
  method: Array,
  numbers: Numbers,
  dead: Array,
  inputs: Array,
  top_k: int | None,
) -> tuple[Params, Params]:
  """Returns the parameters that one method makes, and which entries it set.

  Args:
    key: of what is drawn.
    params: untied, of D inputs and M latents.
    method: [] a code of `Method`, may be traced.
    numbers: of the methods.
    dead: bool [M], which latents are.
    inputs: x [B, D], of the data.
    top_k: as in training.

  Returns:
    The parameters, and bools of the same shapes, for Adam's moments.
  """
  row_key, input_key = jax.random.split(key)
  is_centered = numbers.center > 0
  params = params._replace(
    decoder_bias=jnp.where(
      is_centered, jnp.mean(inputs, axis=0), params.decoder_bias
    )
  )
  normal = jax.random.normal(row_key, params.decoder.shape, inputs.dtype)
  towards = _drawn_by_loss(input_key, params, numbers, inputs, top_k)
  is_on = [method == code for code in Method]
  rows = jnp.select(
    is_on, [params.decoder, _unit(normal), towards, params.decoder]
  )
  encoder = sparse_autoencoder.encoder_of(params)
  norms = jnp.linalg.norm(encoder, axis=0)
  alive = ~dead
  mean_norm = jnp.sum(norms * alive) / jnp.maximum(jnp.sum(alive), 1)
  resampled = jnp.where(numbers.norm > 0, numbers.norm * mean_norm, 1.0)
  length = jnp.where(method == Method.RESAMPLED, resampled, 1.0)
  is_set = dead & (method != Method.NOTHING)
  new = Params(
    encoder=jnp.where(is_set[None, :], length * rows.T, encoder),
    decoder=jnp.where(is_set[:, None], rows, params.decoder),
    encoder_bias=jnp.where(is_set, 0.0, params.encoder_bias),
    decoder_bias=params.decoder_bias,
  )
  entries = Params(
    encoder=jnp.broadcast_to(is_set[None, :], encoder.shape),
    decoder=jnp.broadcast_to(is_set[:, None], new.decoder.shape),
    encoder_bias=is_set,
    decoder_bias=jnp.broadcast_to(is_centered, new.decoder_bias.shape),
  )
  return new, entries


def _drawn_by_loss(
  key: PRNGKey,
  params: Params,
  numbers: Numbers,
  inputs: Array,
  top_k: int | None,
) -> Array:
  """Returns unit vectors [M, D] along inputs drawn by their loss."""
  outputs = jax.vmap(
    lambda x: sparse_autoencoder.apply(params, x, top_k=top_k)
  )(inputs)
  losses = jnp.sum((inputs - outputs) ** 2, axis=1)
  tiny = jnp.finfo(losses.dtype).tiny
  # The inverse of the distribution: one uniform number a latent.
  weights = jnp.exp(
    numbers.power * jnp.log(jnp.maximum(losses / jnp.max(losses), tiny))
  )
  ends = jnp.cumsum(weights)
  uniform = jax.random.uniform(key, (len(params.decoder),), losses.dtype)
  drawn = jnp.searchsorted(ends, uniform * ends[-1])
  drawn = jnp.minimum(drawn, len(inputs) - 1)
  return _unit(inputs[drawn] - numbers.subtract * params.decoder_bias[None, :])


def _unit(rows: Array) -> Array:
  """Returns rows of length 1; what has no direction stays 0."""
  norms = jnp.sqrt(jnp.sum(rows**2, axis=1, keepdims=True))
  return rows / jnp.where(norms > 0.0, norms, 1.0)

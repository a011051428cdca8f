"""The sparse autoencoder: parameters, model, loss, and rows of unit length."""

from collections.abc import Callable
from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from toyjax.base import Array, PRNGKey, Toy
from toyjax.descent import DescentState


class Params(NamedTuple):
  """Parameters of one sparse autoencoder.

  Attributes:
    encoder: W_e, [D, M]; column i is what latent i reads. None where it is tied
      to the decoder, W_e = W_dᵀ.
    decoder: W_d, [M, D]; row i, at unit length, is what latent i writes.
    encoder_bias: b_e, [M].
    decoder_bias: b_d, [D], taken off before and put back after.
  """

  encoder: Array | None
  decoder: Array
  encoder_bias: Array
  decoder_bias: Array


def directions(params: Params) -> Array:
  """Returns the decoder's rows at unit length, [M, D]; zero rows stay zero.

  The model uses these alone, so that no gradient has a component along a row.
  """
  lengths = jnp.sqrt(jnp.sum(params.decoder**2, axis=1, keepdims=True))
  return params.decoder / jnp.where(lengths > 0.0, lengths, 1.0)


def encoder_of(params: Params) -> Array:
  """Returns W_e [D, M], tied or not."""
  return directions(params).T if params.encoder is None else params.encoder


def encode(params: Params, x: Array, *, top_k: int | None) -> Array:
  """Returns the latents of one example, f = ReLU((x - b_d) W_e + b_e).

  Args:
    params: of D inputs and M latents.
    x: one example [D].
    top_k: how many of the largest latents stay, the others become 0; None
      keeps all.

  Returns:
    f [M], f >= 0.

  References:
    Bricken et al. 2023, Towards monosemanticity, "Feature learning".
    Gao et al. 2024, Scaling and evaluating sparse autoencoders, section 2.3.
  """
  chex.assert_rank([params.encoder_bias, params.decoder, x], [1, 2, 1])
  encoder = encoder_of(params)
  # (x - b) W as x W - b W: the second product is one for a whole batch.
  offset = params.encoder_bias - params.decoder_bias @ encoder
  latents = jax.nn.relu(x @ encoder + offset)
  if top_k is None:
    return latents
  return jnp.where(_among_largest(latents, top_k), latents, 0.0)


def _among_largest(latents: Array, number: int) -> Array:
  """Returns which latents [M], f >= 0, are the largest ones, as many as asked.

  Of those that agree but for the last bits (log2 M of them) any may be taken.
  """
  # Rounds of one maximum each take less than half the time of `jax.lax.top_k`.
  # It is found by its place, not by its value: a compiler may compute a value
  # twice, with other last bits. As integers floats >= 0 keep their order; the
  # last bits hold the place.
  num_bits = (len(latents) - 1).bit_length()
  word = jnp.dtype(f'int{8 * latents.dtype.itemsize}')
  places = jnp.arange(len(latents), dtype=word)
  words = jax.lax.bitcast_convert_type(jax.lax.stop_gradient(latents), word)
  words = (words >> num_bits << num_bits) | places
  found = jnp.zeros(latents.shape, bool)
  for _ in range(number):
    largest = places == jnp.max(words) & (2**num_bits - 1)
    found |= largest
    words = jnp.where(largest, -1, words)
  return found


def decode(params: Params, latents: Array) -> Array:
  """Returns x̂ [D] = f W_d + b_d of latents f [M], the rows at unit length."""
  return latents @ directions(params) + params.decoder_bias


def apply(params: Params, x: Array, *, top_k: int | None) -> Array:
  """Reconstructs one example, [D] to [D]; see `encode` and `decode`."""
  return decode(params, encode(params, x, top_k=top_k))


def make(
  *,
  num_inputs: int,
  num_latents: int,
  sample: Callable[[PRNGKey], Array],
  l1: float | Array,
  top_k: int | None,
  tied: bool,
  center: float | Array,
  dtype: jax.typing.DTypeLike,
) -> Toy:
  """Builds the toy for one seed.

  The loss is the mean over the batch of |x - x̂|² + λ Σ_i f_i. Rows of the
  decoder are used at unit length: that is the gradient without its component
  along a row, and with `unit_rows` after each step the training of Bricken et
  al. At the start W_e = W_dᵀ, with rows drawn evenly from the unit sphere, and
  b_e = 0.

  Args:
    num_inputs: D >= 1.
    num_latents: M >= 1.
    sample: key -> batch [B, D], such as that of `toyjax.data.feature_bank`.
    l1: λ >= 0; may be traced.
    top_k: 1 <= k <= M, or None; see `encode`.
    tied: whether W_e = W_dᵀ throughout.
    center: b_d at the start, [] or [D]; 0, or the mean of the data. May be
      traced.
    dtype: of the parameters. Draws are made in float32 and cast.

  Returns:
    A `Toy` over `Params` and batches [B, D].

  Raises:
    ValueError: on sizes that do not fit.

  References:
    Bricken et al. 2023, Towards monosemanticity, appendix "Advice for training
    sparse autoencoders".
  """
  if num_inputs < 1 or num_latents < 1:
    raise ValueError(
      f'num_inputs and num_latents must be >= 1: {num_inputs}, {num_latents}'
    )
  if top_k is not None and not 1 <= top_k <= num_latents:
    raise ValueError(f'top_k must lie in 1..{num_latents}: {top_k}')

  def init(key: PRNGKey) -> Params:
    shape = (num_latents, num_inputs)
    rows = jax.random.normal(key, shape, jnp.float32)
    start = Params(
      None,
      rows.astype(dtype),
      jnp.zeros(num_latents, dtype),
      jnp.broadcast_to(jnp.asarray(center, dtype), (num_inputs,)),
    )
    start = start._replace(decoder=directions(start))
    return start if tied else start._replace(encoder=start.decoder.T)

  def loss(params: Params, batch: Array) -> Array:
    chex.assert_shape(batch, (None, num_inputs))
    latents = jax.vmap(lambda x: encode(params, x, top_k=top_k))(batch)
    outputs = jax.vmap(decode, in_axes=(None, 0))(params, latents)
    errors = jnp.sum((outputs - batch) ** 2, axis=1)
    penalty = jnp.asarray(l1, dtype) * jnp.sum(latents, axis=1)
    return jnp.mean(errors + penalty)

  return Toy(init, sample, loss)


def unit_rows(key: PRNGKey, state: DescentState) -> DescentState:
  """Sets the decoder's rows to unit length, after every step.

  To be the change of `loops.intervene(dynamics, None, unit_rows)`. It changes
  no output of the model; without it rows grow, since steps across a row make
  it longer, and so learn ever more slowly.
  """
  del key
  params = state.params._replace(decoder=directions(state.params))
  return state._replace(params=params)

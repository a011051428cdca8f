"""The tiny text net: embedding, ReLU layers, logits; its inits and its loss.

token --Embed--> e --Dense--> z1 --ReLU--> ... --Dense--> logits [V]
"""

from collections.abc import Callable, Mapping, Sequence
import itertools
import math
from typing import Any, NamedTuple

import chex
from flax import linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax

from toyjax.base import Array, PRNGKey, Toy


class Layer(NamedTuple):
  """One dense layer, z = a K + b.

  Attributes:
    kernel: K, [inputs, outputs], the transpose of PyTorch's weight.
    bias: b, [outputs].
  """

  kernel: Array
  bias: Array


class Params(NamedTuple):
  """Parameters of one net.

  Attributes:
    embedding: [V, E], row i is the vector of token i.
    layers: hidden layers, then the one that gives the logits.
  """

  embedding: Array
  layers: tuple[Layer, ...]


class Activations(NamedTuple):
  """What a net computes on the way from one token to its logits.

  Attributes:
    embedding: [E].
    pre_activations: z of each hidden layer, [M_k]; a_k = ReLU(z_k).
    logits: [V].
  """

  embedding: Array
  pre_activations: tuple[Array, ...]
  logits: Array


# An init draws one seed: (key, V, E, widths of the layers after it) -> Params.
Init = Callable[[PRNGKey, int, int, Sequence[int]], Params]


def _torch(key, vocabulary_size, embed_dim, widths):
  embedding_key, layer_key = jax.random.split(key)
  embedding = jax.random.normal(
    embedding_key, (vocabulary_size, embed_dim), jnp.float32
  )
  draws = jax.random.uniform(
    layer_key, (_num_draws(embed_dim, widths),), jnp.float32, -1.0, 1.0
  )
  return Params(embedding, _cut(draws, embed_dim, widths, _torch_bound))


def _flax(key, vocabulary_size, embed_dim, widths):
  embedding_key, layer_key = jax.random.split(key)
  embedding = jax.random.normal(
    embedding_key, (vocabulary_size, embed_dim), jnp.float32
  ) / math.sqrt(embed_dim)
  draws = jax.random.truncated_normal(
    layer_key, -2.0, 2.0, (_num_draws(embed_dim, widths),), jnp.float32
  )
  layers = _cut(draws, embed_dim, widths, _lecun_factor)
  return Params(
    embedding,
    tuple(layer._replace(bias=jnp.zeros_like(layer.bias)) for layer in layers),
  )


def _torch_bound(num_inputs: int) -> float:
  return 1.0 / math.sqrt(num_inputs)


def _lecun_factor(num_inputs: int) -> float:
  # A standard normal cut at ±2 has this standard deviation.
  return 1.0 / math.sqrt(num_inputs) / 0.87962566103423978


def _num_draws(embed_dim: int, widths: Sequence[int]) -> int:
  return sum((a + 1) * b for a, b in itertools.pairwise((embed_dim, *widths)))


def _cut(
  draws: Array,
  embed_dim: int,
  widths: Sequence[int],
  factor: Callable[[int], float],
) -> tuple[Layer, ...]:
  """Cuts one draw into layers: a draw for each would take long to compile."""
  layers, start = [], 0
  for num_inputs, num_outputs in itertools.pairwise((embed_dim, *widths)):
    stop = start + num_inputs * num_outputs
    scale = factor(num_inputs)
    kernel = scale * draws[start:stop].reshape(num_inputs, num_outputs)
    start = stop + num_outputs
    layers.append(Layer(kernel, scale * draws[stop:start]))
  return tuple(layers)


INITS: Mapping[str, Init] = {
  # Embedding N(0, 1), K and b ~ U(±1/√fan_in): nn.Embedding and nn.Linear.
  'torch': _torch,
  # Embedding N(0, 1/E), K ~ N(0, 1/fan_in) cut at 2 standard deviations of the
  # normal it comes from, b = 0: the defaults of nn.Embed and nn.Dense.
  'flax': _flax,
}


class TextMlp(nn.Module):
  """The net as a flax module: token, int [] -> `Activations`.

  Attributes:
    vocabulary_size: V.
    embed_dim: E.
    hidden_dims: widths M_k of the ReLU layers.
  """

  vocabulary_size: int
  embed_dim: int
  hidden_dims: tuple[int, ...]

  @nn.compact
  def __call__(self, token: Array) -> Activations:
    """Returns the `Activations` of one token."""
    embedding = nn.Embed(
      self.vocabulary_size, self.embed_dim, name='embedding'
    )(token)
    x, pre_activations = embedding, []
    for k, width in enumerate((*self.hidden_dims, self.vocabulary_size)):
      x = nn.Dense(width, name=f'layer_{k + 1}')(x if k == 0 else nn.relu(x))
      pre_activations.append(x)
    *hidden, logits = pre_activations
    return Activations(embedding, tuple(hidden), logits)


def to_flax(params: Params) -> dict[str, Any]:
  """Returns the parameters as variables of the flax module `TextMlp`."""
  layers = {
    f'layer_{k + 1}': layer._asdict() for k, layer in enumerate(params.layers)
  }
  return {'params': {'embedding': {'embedding': params.embedding}, **layers}}


def activate(params: Params, token: Array | int) -> Activations:
  """Returns every intermediate value of one token.

  e = E[token]; z_1 = e K_1 + b_1; z_k = ReLU(z_{k-1}) K_k + b_k; the last z are
  the logits.

  Args:
    params: of any sizes.
    token: int [], in 0..V-1; another gives NaN.

  Returns:
    `Activations` of one token; map it for more.
  """
  chex.assert_rank(token, 0)
  module = TextMlp(
    vocabulary_size=params.embedding.shape[0],
    embed_dim=params.embedding.shape[1],
    hidden_dims=tuple(len(layer.bias) for layer in params.layers[:-1]),
  )
  activations: Any = module.apply(to_flax(params), jnp.asarray(token))
  return activations


def apply(params: Params, token: Array | int) -> Array:
  """Returns the logits [V] of one token; see `activate`."""
  return activate(params, token).logits


def logit_table(params: Params) -> Array:
  """Returns the logits of every token, [V, V], row i those of token i."""
  tokens = jnp.arange(params.embedding.shape[0])
  return jax.vmap(apply, in_axes=(None, 0))(params, tokens)


def check_pairs(pairs: np.ndarray, vocabulary_size: int) -> np.ndarray:
  """Returns pairs as int32 [P, 2].

  Raises:
    ValueError: on another shape, no pair, or a token outside 0..V-1.
  """
  pairs = np.asarray(pairs)
  if pairs.ndim != 2 or pairs.shape[1] != 2 or not len(pairs):
    raise ValueError(f'pairs must have shape [P >= 1, 2]: {pairs.shape}')
  if pairs.min() < 0 or pairs.max() >= vocabulary_size:
    raise ValueError(
      f'tokens must lie in 0..{vocabulary_size - 1}: {pairs.tolist()}'
    )
  return pairs.astype(np.int32)


def make(
  *,
  vocabulary_size: int,
  pairs: np.ndarray,
  embed_dim: int,
  hidden_dims: Sequence[int],
  batch_size: int,
  init: str,
  dtype: jax.typing.DTypeLike,
) -> Toy:
  """Builds the toy for one seed.

  The loss is the mean cross entropy over the batch,
  L = -1/B Σ_b log softmax(logits(input_b))[output_b], in nats.

  `sample` gives the full batch where B = P, in the order of the list; else B
  different pairs drawn by its key, one pair at B = 1. For passes over all pairs
  in shuffled mini-batches see `descend_in_epochs`.

  Args:
    vocabulary_size: V >= 2.
    pairs: int [P, 2], indices of inputs and outputs.
    embed_dim: E >= 1; 2 in the source.
    hidden_dims: widths >= 1 of the ReLU layers; (2, 2) in the source.
    batch_size: B in 1..P.
    init: a name in `INITS`.
    dtype: of the parameters. Draws are made in float32 and cast, so that runs
      of different dtypes start from the same weights.

  Returns:
    A `Toy` over `Params` and batches int32 [B, 2].

  Raises:
    ValueError: on sizes too small, tokens outside the vocabulary or an unknown
      name.
  """
  sizes = (embed_dim, *hidden_dims)
  if vocabulary_size < 2 or not hidden_dims or min(sizes) < 1:
    raise ValueError(
      'vocabulary_size must be >= 2, embed_dim >= 1 and hidden_dims one or '
      f'more >= 1: {vocabulary_size}, {embed_dim}, {tuple(hidden_dims)}'
    )
  pairs = check_pairs(pairs, vocabulary_size)
  if not 1 <= batch_size <= len(pairs):
    raise ValueError(f'batch_size must lie in 1..{len(pairs)}: {batch_size}')
  if init not in INITS:
    raise ValueError(f'unknown init {init!r}: choose from {", ".join(INITS)}')
  widths = (*hidden_dims, vocabulary_size)

  def draw(key: PRNGKey) -> Params:
    params = INITS[init](key, vocabulary_size, embed_dim, widths)
    return jax.tree.map(lambda leaf: leaf.astype(dtype), params)

  def sample(key: PRNGKey) -> Array:
    if batch_size == len(pairs):
      return jnp.asarray(pairs)
    order = jax.random.permutation(key, len(pairs))
    return jnp.asarray(pairs)[order[:batch_size]]

  return Toy(draw, sample, mean_cross_entropy)


def mean_cross_entropy(params: Params, batch: Array) -> Array:
  """Returns -1/B Σ_b log softmax(logits(input_b))[output_b], [] nats.

  Args:
    params: of one net.
    batch: int [B, 2], inputs and outputs.
  """
  chex.assert_shape(batch, (None, 2))
  logits = jax.vmap(apply, in_axes=(None, 0))(params, batch[:, 0])
  return jnp.mean(
    optax.softmax_cross_entropy_with_integer_labels(logits, batch[:, 1])
  )

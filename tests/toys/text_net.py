"""The text net as its tests make it."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np

from toyjax.data import word_pairs
from toyjax.toys import text_mlp

SIX = word_pairs.get('six')


def make(**changes):
  settings = {
    'vocabulary_size': 7,
    'pairs': SIX.pairs,
    'embed_dim': 2,
    'hidden_dims': (2, 2),
    'batch_size': 6,
    'init': 'torch',
    'dtype': jnp.float32,
  }
  return text_mlp.make(**(settings | changes))


def random_params(seed, vocabulary_size=7, embed_dim=3, hidden_dims=(4, 2)):
  """Parameters that are exact in float32."""
  rng = np.random.default_rng(seed)

  def draw(*shape):
    return rng.normal(size=shape).astype(np.float32)

  widths = (embed_dim, *hidden_dims, vocabulary_size)
  return text_mlp.Params(
    draw(vocabulary_size, embed_dim),
    tuple(
      text_mlp.Layer(draw(num_inputs, num_outputs), draw(num_outputs))
      for num_inputs, num_outputs in itertools.pairwise(widths)
    ),
  )


def from_torch_layout(embedding, layers):
  """Params of lists in PyTorch's layout, weights [outputs][inputs]."""
  return text_mlp.Params(
    np.asarray(embedding),
    tuple(
      text_mlp.Layer(np.asarray(weight).T, np.asarray(bias))
      for weight, bias in layers
    ),
  )


def to_torch_layout(params):
  """The embedding and (weight, bias) of each layer, as lists of floats."""
  lists = jax.tree.map(lambda leaf: np.asarray(leaf, float), params)
  return lists.embedding.tolist(), [
    (layer.kernel.T.tolist(), layer.bias.tolist()) for layer in lists.layers
  ]

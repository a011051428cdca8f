"""The trials that large_trials measures, and how toyjax trains them.

Nets of 10^3 to 10^5 weights under Adam, each with a data set that all seeds
share and batches that each seed draws by its own keys. All peers start from the
initial weights that are drawn here, and see the same batches.
"""

from collections.abc import Callable, Mapping
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from toyjax import chunks, descent, loops, sweeps
from toyjax.base import Array, Dynamics, Params, PRNGKey, Toy

LEARNING_RATE, BETAS, EPS = 1e-3, (0.9, 0.999), 1e-8
L1_PENALTY = 1e-3
MODULUS = 23  # p of a + b mod p.
NUM_HEADS = 4
NUM_TOKENS = 3  # a, b and '='.

Loss = Callable[[Params, Any], Array]


class Problem(NamedTuple):
  """What is trained.

  Attributes:
    shapes: of the weights, by name. Those of one axis start at zero, others
      normal over the square root of their axis before the last.
    batch_size: B, examples of a step.
    data: an array or several, [D, ...], of which a batch takes rows.
    loss: (params, batch) -> [], of one seed.
    products: multiplications in the matrix products of a forward pass.
    input_products: those among them whose one factor is data, which has no
      gradient.
  """

  shapes: Mapping[str, tuple[int, ...]]
  batch_size: int
  data: tuple[np.ndarray, ...]
  loss: Loss
  products: int
  input_products: int

  def flops(self) -> int:
    """Returns the operations of a step's products, a multiply-add being two.

    A product has two factors, each with a gradient that is one such product.
    """
    return 2 * (3 * self.products - self.input_products)

  def num_weights(self) -> int:
    """Returns the number of weights of one seed."""
    return sum(map(math.prod, self.shapes.values()))


def mlp_loss(params: Params, batch: tuple[Array, Array]) -> Array:
  """Cross entropy of a net with two hidden layers, inputs [B, N]."""
  x, labels = batch
  x = jax.nn.relu(x @ params['w1'] + params['b1'])
  x = jax.nn.relu(x @ params['w2'] + params['b2'])
  logits = x @ params['w3'] + params['b3']
  losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
  return jnp.mean(losses)


def _mlp(num_hidden: int, batch_size: int) -> Problem:
  num_inputs, num_classes = 16, 10
  rng = np.random.default_rng(0)
  x = rng.standard_normal((1024, num_inputs), np.float32)
  teacher = rng.standard_normal((num_inputs, num_classes))
  labels = np.argmax(np.abs(x @ teacher), axis=1).astype(np.int32)
  sizes = (num_inputs, num_hidden, num_hidden, num_classes)
  shapes: dict[str, tuple[int, ...]] = {}
  for i in range(3):
    shapes[f'w{i + 1}'] = sizes[i : i + 2]
    shapes[f'b{i + 1}'] = (sizes[i + 1],)
  products = [batch_size * sizes[i] * sizes[i + 1] for i in range(3)]
  return Problem(
    shapes, batch_size, (x, labels), mlp_loss, sum(products), products[0]
  )


def transformer_loss(params: Params, batch: tuple[Array, Array]) -> Array:
  """Cross entropy of one layer of attention and an MLP, tokens [B, T]."""
  tokens, labels = batch
  x = params['embedding'][tokens] + params['positions']
  num_batch, num_tokens, width = x.shape
  heads = (num_batch, num_tokens, NUM_HEADS, width // NUM_HEADS)
  queries = (x @ params['queries']).reshape(heads)
  keys = (x @ params['keys']).reshape(heads)
  values = (x @ params['values']).reshape(heads)
  scores = jnp.einsum('bqhd,bkhd->bhqk', queries, keys) / math.sqrt(heads[-1])
  seen = jnp.tril(jnp.ones((num_tokens, num_tokens), bool))
  attention = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf))
  mixed = jnp.einsum('bhqk,bkhd->bqhd', attention, values)
  x = x + mixed.reshape(x.shape) @ params['mix']
  x = x + jax.nn.relu(x @ params['up'] + params['up_bias']) @ params['down']
  logits = x[:, -1] @ params['unembedding']
  losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
  return jnp.mean(losses)


def _transformer(batch_size: int) -> Problem:
  width, num_hidden = 32, 128
  a, b = np.divmod(np.arange(MODULUS**2, dtype=np.int32), MODULUS)
  tokens = np.stack([a, b, np.full_like(a, MODULUS)], axis=1)
  square = (width, width)
  shapes = {
    'embedding': (MODULUS + 1, width),
    'positions': (NUM_TOKENS, width),
    **dict.fromkeys(('queries', 'keys', 'values', 'mix'), square),
    'up': (width, num_hidden),
    'up_bias': (num_hidden,),
    'down': (num_hidden, width),
    'unembedding': (width, MODULUS),
  }
  num_rows = batch_size * NUM_TOKENS
  products = num_rows * width * (4 * width + 2 * num_hidden)
  products += 2 * num_rows * NUM_TOKENS * width  # Scores, and their mixture.
  products += batch_size * width * MODULUS
  labels = (a + b) % MODULUS
  return Problem(
    shapes, batch_size, (tokens, labels), transformer_loss, products, 0
  )


def autoencoder_loss(params: Params, batch: tuple[Array]) -> Array:
  """Squared error and an L1 penalty on the latents, activations [B, N]."""
  (x,) = batch
  # Of (x - bias) @ encoder, so that no gradient of x is taken for the bias.
  bias = params['encoder_bias'] - params['decoder_bias'] @ params['encoder']
  latents = jax.nn.relu(x @ params['encoder'] + bias)
  decoded = latents @ params['decoder'] + params['decoder_bias']
  errors = jnp.sum(jnp.square(decoded - x), axis=1)
  return jnp.mean(errors + L1_PENALTY * jnp.sum(latents, axis=1))


def _sparse_autoencoder(batch_size: int) -> Problem:
  width, num_latents = 64, 512
  rng = np.random.default_rng(0)
  features = rng.standard_normal((256, width)) / math.sqrt(width)
  active = rng.random((4096, 256)) < 0.02
  x = (active * rng.random((4096, 256)) @ features).astype(np.float32)
  shapes = {
    'encoder': (width, num_latents),
    'encoder_bias': (num_latents,),
    'decoder': (num_latents, width),
    'decoder_bias': (width,),
  }
  products = batch_size * width * num_latents
  return Problem(
    shapes, batch_size, (x,), autoencoder_loss, 2 * products, products
  )


PROBLEMS: Mapping[str, Callable[[], Problem]] = {
  'mlp_32': lambda: _mlp(32, 32),
  'mlp_64': lambda: _mlp(64, 64),
  'transformer': lambda: _transformer(128),
  'autoencoder': lambda: _sparse_autoencoder(128),
}


def draw(
  problem: Problem, *, num_seeds: int, seed: int
) -> dict[str, np.ndarray]:
  """Returns the initial weights of all seeds, each [S, ...]."""
  rng = np.random.default_rng(seed)
  params = {}
  for name, shape in problem.shapes.items():
    if len(shape) == 1:
      params[name] = np.zeros((num_seeds, *shape), np.float32)
    else:
      normal = rng.standard_normal((num_seeds, *shape), np.float32)
      params[name] = normal / np.float32(math.sqrt(shape[-2]))
  return params


def make_trial(problem: Problem, num_steps: int) -> chunks.Trial:
  """Returns the training of one seed, x -> final weights.

  Its x holds `key` and `params`, the initial weights.
  """
  data = [jnp.asarray(part) for part in problem.data]

  def trial(x: dict[str, Any]) -> Params:
    toy = Toy(
      lambda key: x['params'],
      lambda key: tuple(part[_rows(problem, key)] for part in data),
      problem.loss,
    )
    optimizer = optax.adam(LEARNING_RATE, *BETAS, EPS)
    dynamics = descent.descend(toy, optimizer)
    state, _ = loops.unroll(x['key'], dynamics, num_steps)
    return state.params

  return trial


def batch_rows(
  problem: Problem, *, num_seeds: int, num_steps: int
) -> np.ndarray:
  """Returns the rows of the data that each batch takes, int32 [S, steps, B]."""
  recorded = Dynamics(
    lambda key: jnp.zeros(problem.batch_size, jnp.int32),
    lambda key, state: (_rows(problem, key), ()),
  )

  def one_seed(key: PRNGKey) -> Array:
    _, rows = loops.unroll(
      key, recorded, num_steps, observe=lambda state, info: state
    )
    return rows

  keys = sweeps.seed_keys(0, np.arange(num_seeds))
  return np.asarray(jax.jit(jax.vmap(one_seed))(keys))


def _rows(problem: Problem, key: PRNGKey) -> Array:
  shape = (problem.batch_size,)
  return jax.random.randint(key, shape, 0, len(problem.data[0]))


def make_xs(params: dict[str, np.ndarray]) -> dict[str, Any]:
  """Returns the runs that start from given weights."""
  num_seeds = len(next(iter(params.values())))
  return {
    'key': sweeps.seed_keys(0, np.arange(num_seeds)),
    'params': {name: jnp.asarray(leaf) for name, leaf in params.items()},
  }

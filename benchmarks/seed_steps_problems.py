"""The toys that seed_steps trains, and how toyjax trains them.

All peers start from the initial weights that are drawn here.
"""

from collections.abc import Callable
import math
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks import adamw_runs
from toyjax import chunks, descent, loops, sweeps
from toyjax.base import Array, Dynamics, Params, PRNGKey, Toy
from toyjax.data import sparse_features
from toyjax.toys import relu_autoencoder

TEXT = 'text'
VOCABULARY_SIZE = 7
EMBEDDING_SIZE = 2
TEXT_LEARNING_RATE = 0.1
# Six tokens and what follows each.
TEXT_PAIRS = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6))

# Work of a chunk, in multiplications of one forward pass: a few seconds for the
# slowest peer.
_MAX_PRODUCTS = 2e9
_MAX_SEED_STEPS = 4e6
_MAX_LARGE_SEEDS = 256  # A larger toy's vmap holds [S, N, N] several times.
_LARGE_PRODUCTS = 1e5


class Problem(NamedTuple):
  """What is trained.

  Attributes:
    name: 'n:m', or 'text'.
    num_features: N; the vocabulary's size of the text MLP.
    num_hidden: M; the width of the text MLP.
  """

  name: str
  num_features: int
  num_hidden: int

  def products(self) -> int:
    """Returns the multiplications of a forward pass of one seed."""
    return self.num_features**2 * self.num_hidden

  def fit_seeds(self, num_seeds: int) -> int:
    """Returns how many of the seeds fit into memory."""
    if self.products() < _LARGE_PRODUCTS:
      return num_seeds
    return min(num_seeds, _MAX_LARGE_SEEDS)

  def fit_steps(self, num_seeds: int) -> int:
    """Returns a number of steps that no peer is too slow for, 10 to 100."""
    most = min(_MAX_SEED_STEPS, _MAX_PRODUCTS / self.products())
    return int(np.clip(most / num_seeds, 10, 100))


class Program(NamedTuple):
  """A training that is ready to run, again and again.

  Attributes:
    run: trains from the initial weights to the end; the final weights, in the
      order of `draw`, as arrays of the peer's own kind. Rows past the number of
      seeds are padding.
    compile_seconds: what it took to get there.
  """

  run: Callable[[], Any]
  compile_seconds: float


def parse_problem(name: str) -> Problem:
  """Reads 'n:m' or 'text'; raises ValueError on anything else."""
  if name == TEXT:
    return Problem(name, VOCABULARY_SIZE, EMBEDDING_SIZE)
  try:
    num_features, num_hidden = map(int, name.split(':'))
  except ValueError:
    raise ValueError(f'{name!r} is neither n:m, as in 7:2, nor text') from None
  if num_features < 2 or num_hidden < 1:
    raise ValueError(f'{name!r}: n must be >= 2 and m >= 1')
  return Problem(name, num_features, num_hidden)


def draw(problem: Problem, *, num_seeds: int, seed: int) -> list[np.ndarray]:
  """Draws the initial weights of all seeds, each on its own scale.

  Returns:
    Glorot-normal W [S, M, N] and zero b [S, N]; or the embedding [S, V, M],
    then for three layers weights [S, inputs, outputs] and bias [S, outputs].
  """
  rng = np.random.default_rng(seed)
  n, m = problem.num_features, problem.num_hidden
  if problem.name != TEXT:
    weights = rng.standard_normal((num_seeds, m, n), np.float32)
    weights *= math.sqrt(2.0 / (n + m))
    return [weights, np.zeros((num_seeds, n), np.float32)]
  arrays = [rng.standard_normal((num_seeds, n, m), np.float32)]
  bound = 1.0 / math.sqrt(m)
  for outputs in (m, m, n):
    for shape in ((num_seeds, m, outputs), (num_seeds, outputs)):
      arrays.append(rng.uniform(-bound, bound, shape).astype(np.float32))
  return arrays


def _text_loss(params: Params, batch: tuple[Array, Array]) -> Array:
  embedding, *layers = params
  tokens, next_tokens = batch
  x = embedding[tokens]
  x = jax.nn.relu(x @ layers[0] + layers[1])
  x = jax.nn.relu(x @ layers[2] + layers[3])
  logits = x @ layers[4] + layers[5]
  losses = optax.softmax_cross_entropy_with_integer_labels(logits, next_tokens)
  return jnp.mean(losses)


def make_dynamics(problem: Problem, params: list[Array]) -> Dynamics:
  """Returns the training of one seed that starts from given weights."""
  if problem.name == TEXT:
    tokens, next_tokens = np.asarray(TEXT_PAIRS, np.int32).T
    batch = jnp.asarray(tokens), jnp.asarray(next_tokens)
    toy = Toy(lambda key: params, lambda key: batch, _text_loss)
    return descent.descend(toy, optax.sgd(TEXT_LEARNING_RATE))
  toy = relu_autoencoder.make(
    num_features=problem.num_features,
    num_hidden=problem.num_hidden,
    sample=sparse_features.one_hot(
      num_features=problem.num_features, dtype=jnp.float32
    ),
    init='glorot_normal',
    init_scale=1.0,
    importance_decay=1.0,
    loss_reduction='mean',
    dtype=jnp.float32,
  )

  def init(key: PRNGKey) -> relu_autoencoder.Params:
    del key
    return relu_autoencoder.Params(*params)

  optimizer = optax.adamw(
    adamw_runs.LEARNING_RATE,
    b1=adamw_runs.BETAS[0],
    b2=adamw_runs.BETAS[1],
    eps=adamw_runs.EPS,
    weight_decay=adamw_runs.WEIGHT_DECAY,
  )
  return descent.descend(Toy(init, toy.sample, toy.loss), optimizer)


def _trial(
  problem: Problem, params: list[np.ndarray], num_steps: int
) -> tuple[chunks.Trial, dict[str, Any]]:
  """Returns the training of one seed, and the seeds."""

  def trial(x: dict[str, Any]) -> list[Array]:
    dynamics = make_dynamics(problem, x['params'])
    state, _ = loops.unroll(x['key'], dynamics, num_steps)
    return jax.tree.leaves(state.params)

  return trial, {
    'key': sweeps.seed_keys(0, np.arange(len(params[0]))),
    'params': [jnp.asarray(leaf) for leaf in params],
  }


def one_line_program(
  problem: Problem,
  params: list[np.ndarray],
  num_steps: int,
  line: Callable[[chunks.Trial], Callable[[Any], Any]],
) -> Program:
  """Returns toyjax's training as an importer calls it.

  Args:
    problem: what is trained.
    params: the initial weights.
    num_steps: number of steps.
    line: trial -> xs [R, ...] -> results, such as `map_runs`.
  """
  trial, xs = _trial(problem, params, num_steps)
  mapped = line(trial)
  start = time.perf_counter()
  jax.block_until_ready(mapped(xs))
  compile_seconds = time.perf_counter() - start
  return Program(lambda: jax.block_until_ready(mapped(xs)), compile_seconds)


def jax_program(
  problem: Problem, params: list[np.ndarray], num_steps: int, map_name: str
) -> Program:
  """Returns toyjax's training, as a sweep runs it, on all devices."""
  trial, xs = _trial(problem, params, num_steps)
  num_seeds = len(params[0])
  mesh = chunks.local_mesh()
  program = chunks.compile_chunk(trial, xs, mesh, map_name)
  padded = math.ceil(num_seeds / program.multiple) * program.multiple
  rows = np.minimum(np.arange(padded), num_seeds - 1)
  spec = jax.sharding.PartitionSpec(chunks.RUNS)
  xs = jax.device_put(
    jax.tree.map(lambda leaf: leaf[rows], xs),
    jax.sharding.NamedSharding(mesh, spec),
  )
  jax.block_until_ready(xs)
  start = time.perf_counter()
  compiled = program.run.lower(xs).compile()
  compile_seconds = time.perf_counter() - start
  # Trimming the padding on the device would cost a chunk of its own time.
  return Program(lambda: jax.block_until_ready(compiled(xs)), compile_seconds)

"""toyjax's runs of the tiny text net, and its labels of anybody's weights.

configuration --train--> parameters at epochs --diagnose, follow--> Fates
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import text_fates
from toyjax import chunks, loops, sweeps
from toyjax.base import Array
from toyjax.data import word_pairs
from toyjax.parsers import Choice, Number
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies.text_failure import STUDY
from toyjax.studies.text_failure.settings import parse_batches
from toyjax.studies.text_failure.trial import make_dynamics
from toyjax.toys import text_mlp

NUM_HIDDEN_LAYERS = 2
DTYPE = 'float32'
OPTIMIZERS = ('sgd', 'adam')
CHUNK_SIZE = 1024


class Configuration(NamedTuple):
  """What is compared.

  Attributes:
    pairs: six or four.
    embed_dim: E.
    hidden_dim: M of both hidden layers.
    optimizer: sgd or adam.
    learning_rate: > 0.
    batches: full, shuffled1, ..., see `settings.parse_batches`.
  """

  pairs: str
  embed_dim: int
  hidden_dim: int
  optimizer: str
  learning_rate: float
  batches: str

  def __str__(self) -> str:
    return ':'.join(map(str, self))


def parse_configuration(text: str) -> Configuration:
  """Reads pairs:embed:hidden:optimizer:rate:batches, else ValueError."""
  fields = text.split(':')
  if len(fields) != 6:
    raise ValueError(
      f'{text!r} is not pairs:embed:hidden:optimizer:rate:batches, as in '
      'six:2:2:sgd:0.1:full'
    )
  size = Number(int, 1)
  pairs, embed_dim, hidden_dim, optimizer, rate, batches = fields
  return Configuration(
    Choice(tuple(word_pairs.BUILT_IN))(pairs),
    size(embed_dim),
    size(hidden_dim),
    Choice(OPTIMIZERS)(optimizer),
    Number(float, 0.0, exclusive=True)(rate),
    parse_batches(batches),
  )


class Labels(NamedTuple):
  """What toyjax says of parameters.

  Attributes:
    params: those it speaks of.
    diagnosis: their diagnosis.
    logits: [V, V], those after each token.
  """

  params: text_mlp.Params
  diagnosis: text_mlp.Diagnosis
  logits: Array


def label(params: text_mlp.Params, pairs: np.ndarray) -> Labels:
  """Labels one net."""
  return Labels(
    params,
    text_mlp.diagnose(params, pairs=pairs),
    text_mlp.logit_table(params),
  )


def label_torch(params: Sequence[np.ndarray], pairs: np.ndarray) -> Labels:
  """Labels PyTorch's nets [S, K, ...], in the order of `torch_text_models`."""
  embedding, *leaves = map(jnp.asarray, params)
  layers = tuple(map(text_mlp.Layer, leaves[::2], leaves[1::2]))
  many = jax.vmap(jax.vmap(lambda net: label(net, pairs)))
  return jax.device_get(jax.jit(many)(text_mlp.Params(embedding, layers)))


def stage_of(configuration: Configuration, *, seed: int = 0) -> Stage:
  """Returns the sweep's stage; its other numbers are PyTorch's defaults."""
  values = STUDY.resolve(
    **configuration._asdict(),
    num_hidden_layers=NUM_HIDDEN_LAYERS,
    dtype=DTYPE,
    seed=seed,
  )
  (stage,) = STUDY.stages(values)
  return stage


def make_trial(values: Values, epochs: Sequence[int]) -> chunks.Trial:
  """Returns the training of one seed, labelled before it and at epochs > 0.

  Args:
    values: of a stage.
    epochs: increasing.
  """
  pairs = word_pairs.get(values['pairs']).pairs

  def trial(x: Mapping[str, Array]) -> dict[str, Any]:
    dynamics = make_dynamics(values, x)
    start, _ = loops.unroll(x['key'], dynamics, 0)
    _, params = loops.unroll(
      x['key'],
      dynamics,
      epochs[-1],
      observe=lambda state, info: state.params,
      observe_at=epochs,
    )
    labels = jax.vmap(lambda net: label(net, pairs))(params)
    first = label(start.params, pairs)
    return jax.tree.map(
      lambda a, b: jnp.concatenate([a[None], b]), first, labels
    )._asdict()

  return trial


def train(
  configuration: Configuration,
  epochs: Sequence[int],
  *,
  num_seeds: int,
  seed: int,
) -> Labels:
  """Trains with toyjax.

  Args:
    configuration: what is trained.
    epochs: increasing, > 0.
    num_seeds: S.
    seed: of all runs.

  Returns:
    `Labels` [S, 1 + K, ...], before training and after each of the epochs.
  """
  stage = stage_of(configuration, seed=seed)
  trial = make_trial(stage.values, epochs)
  xs = stage.xs(num_seeds)
  return Labels(**sweeps.sweep(trial, xs, chunk_size=CHUNK_SIZE))


def judge(
  labels: Labels, k: int, words: word_pairs.WordPairs
) -> text_fates.Fates:
  """Returns toyjax's view of the runs at the k-th epoch, as `Fates`."""
  diagnosis = jax.tree.map(lambda leaf: leaf[:, k], labels.diagnosis)
  start, loop, end = (
    words.vocabulary.index(word)
    for word in (
      text_fates.START_WORD,
      text_fates.LOOP_WORD,
      text_fates.END_WORD,
    )
  )
  ends = jax.vmap(lambda p: text_mlp.follow(p, end=end))(diagnosis.predictions)
  in_loop = (ends.cycle_length[:, start] == 1) & (
    ends.cycle_members[:, start, loop]
  )
  return text_fates.Fates(
    outcome=diagnosis.outcome,
    gaps=text_fates.top_gaps(np.asarray(labels.logits[:, k])),
    tied=diagnosis.tied.any(axis=1),
    dead_layers=diagnosis.dead_layers,
    correct=diagnosis.correct,
    ending=np.where(ends.ends[:, start], 0, np.where(in_loop, 1, 2)),
  )

"""One tiny text net: trained as the sweep trains it, followed, sampled.

seed index --train--> Trained: weights, labels and losses at observed epochs
Trained --sample--> for each temperature: exact chances beside sampled walks
"""

from collections.abc import Mapping, Sequence
import itertools
import math
from typing import Any, NamedTuple

from absl import flags
import jax
import jax.numpy as jnp
import numpy as np

from scripts.shared import grids, one_run, text_trial
from toyjax import chunks, statistics, sweeps
from toyjax.analysis import token_chains
from toyjax.data import word_pairs
from toyjax.toys import text_mlp

flags.disclaim_key_flags()


class Trained(NamedTuple):
  """One net and its way there.

  Attributes:
    words: the vocabulary and the pairs.
    epochs: int [T], observed epochs, from 0 (before training) to the last.
    losses: [T], mean cross entropy in nats.
    labels: what the trial says at each epoch of `epochs[1:]`, by the names of
      `text_mlp.Diagnosis`.
    embeddings: [T, V, E].
    params: `text_mlp.Params` of NumPy arrays after the last epoch.
    logit_table: [V, V], in float64; row i the logits after token i.
  """

  words: word_pairs.WordPairs
  epochs: np.ndarray
  losses: np.ndarray
  labels: dict[str, np.ndarray]
  embeddings: np.ndarray
  params: text_mlp.Params
  logit_table: np.ndarray

  @property
  def outcome(self) -> text_mlp.Outcome:
    """How the run ended."""
    return text_mlp.Outcome(int(self.labels['outcome'][-1]))

  @property
  def is_finite(self) -> bool:
    """Whether weights, loss and the logits after every token are finite."""
    has_diverged = self.outcome == text_mlp.Outcome.DIVERGED
    return not has_diverged and bool(np.isfinite(self.logit_table).all())

  @property
  def inputs(self) -> list[int]:
    """The tokens that are inputs of pairs, in the order of the list."""
    return list(dict.fromkeys(self.words.pairs[:, 0].tolist()))

  def outputs(self, token: int) -> list[int]:
    """The tokens that shall follow a token; none for one that is no input."""
    return [int(b) for a, b in self.words.pairs if a == token]

  def greedy_path(self, start: int, end: int) -> list[int]:
    """Returns greedy generation up to the end, or once around its cycle."""
    predictions = self.labels['predictions'][-1]
    path = [start]
    while path[-1] != end and path[-1] not in path[:-1]:
      path.append(int(predictions[path[-1]]))
    return path


class Sampled(NamedTuple):
  """Walks at one temperature, exactly and sampled.

  Attributes:
    temperature: T.
    exact_lengths: [L + 1], chance of each length 0..L from the start.
    prob_ends: chance to end at all.
    expected_length: mean length to the end; inf where it may never come.
    deviation_length: standard deviation of the length; inf likewise.
    ended: sampled share of walks that end within L tokens, with its interval.
    length_counts: int [L + 1], sampled walks that end with each length.
    mean_cut: sampled mean of min(length, L).
    error_mean_cut: its standard error.
  """

  temperature: float
  exact_lengths: np.ndarray
  prob_ends: float
  expected_length: float
  deviation_length: float
  ended: statistics.Interval
  length_counts: np.ndarray
  mean_cut: float
  error_mean_cut: float

  @property
  def prob_within(self) -> float:
    """P(end within L tokens), exactly."""
    return float(self.exact_lengths.sum())

  @property
  def expected_cut(self) -> float:
    """The exact mean of min(length, L)."""
    most = len(self.exact_lengths) - 1
    return float(
      np.arange(most + 1) @ self.exact_lengths + most * (1.0 - self.prob_within)
    )


def stride(num_epochs: int) -> int:
  """Returns after how many epochs a loss is printed: 100 for 501 epochs.

  The least of 1, 2, 5, 10, 20, ... that gives ten of them or fewer.
  """
  steps = (digit * 10**k for k in itertools.count() for digit in (1, 2, 5))
  return next(step for step in steps if num_epochs <= 10 * step)


def observed(num_epochs: int) -> list[int]:
  """Returns the epochs to observe: ten for each printed one, and the last."""
  step = max(stride(num_epochs) // 10, 1)
  return [*range(step, num_epochs, step), num_epochs]


def make_trial(group: grids.Group, settings: Mapping[str, Any]) -> chunks.Trial:
  """Returns the training of one net, with its way through the epochs."""
  epochs = observed(settings['num_epochs'])
  return text_trial.make_trial(
    group.static, {**settings, 'observe_epochs': epochs}, with_path=True
  )


def train(
  group: grids.Group,
  settings: Mapping[str, Any],
  *,
  seed_index: int,
  map_name: str,
) -> Trained:
  """Trains one net, bit for bit the run of that seed index in a sweep.

  Args:
    group: of one configuration.
    settings: all scientific flags of the text net, see `text_trial`.
    seed_index: of the run.
    map_name: see `chunks.compile_chunk`.
  """
  epochs = observed(settings['num_epochs'])
  trial = make_trial(group, settings)
  xs = one_run.x_of(group, settings, seed_index)
  results = jax.tree.map(
    lambda leaf: leaf[0], sweeps.sweep(trial, xs, map_name=map_name)
  )
  path = text_trial.unflatten(results['path'], group.static, settings)
  params = text_trial.unflatten(results['weights'], group.static, settings)
  return Trained(
    words=text_trial.make_toy(group.static, settings)[1],
    epochs=np.asarray([0, *epochs]),
    losses=np.append(results['initial_loss'], results['loss']),
    labels={name: results[name] for name in text_mlp.Diagnosis._fields},
    embeddings=np.asarray(path.embedding),
    params=params,
    logit_table=np.asarray(
      jax.jit(text_mlp.logit_table)(jax.tree.map(jnp.asarray, params)),
      np.float64,
    ),
  )


# Training takes fold_in(key, 0) and fold_in(key, 1) of a run's key, as split.
_SAMPLING = 2


def sample(
  trained: Trained,
  *,
  key: jax.Array,
  start: int,
  end: int,
  temperatures: Sequence[float],
  top_k: int | None,
  max_tokens: int,
  num_samples: int,
) -> list[Sampled]:
  """Follows walks at each temperature, exactly and by drawing them.

  Args:
    trained: a net whose logits are finite.
    key: [] of the run.
    start: the first token.
    end: the token where a walk ends.
    temperatures: each > 0.
    top_k: k in 1..V, or None for all.
    max_tokens: L >= 1.
    num_samples: walks drawn at each temperature.
  """
  table = jnp.asarray(trained.logit_table, trained.params.embedding.dtype)

  @jax.jit
  def draw(
    walk_keys: jax.Array, temperature: jax.Array
  ) -> tuple[jax.Array, jax.Array]:
    def one(walk_key: jax.Array) -> tuple[jax.Array, jax.Array]:
      walk = text_mlp.generate(
        walk_key,
        table,
        start=start,
        end=end,
        temperature=temperature,
        top_k=top_k,
        max_tokens=max_tokens,
      )
      return walk.num_tokens, walk.ended

    return jax.vmap(one)(walk_keys)

  found = []
  for place, temperature in enumerate(temperatures):
    transitions = token_chains.transition_matrix(
      trained.logit_table, temperature=temperature, top_k=top_k
    )
    absorbed = token_chains.absorb(transitions, end=end)
    walk_keys = jax.random.split(
      jax.random.fold_in(key, _SAMPLING + place), num_samples
    )
    lengths, ended = map(
      np.asarray, draw(walk_keys, jnp.asarray(temperature, table.dtype))
    )
    found.append(
      Sampled(
        temperature=temperature,
        exact_lengths=token_chains.length_distribution(
          transitions, end=end, max_tokens=max_tokens
        )[:, start],
        prob_ends=float(absorbed.prob_ends[start]),
        expected_length=float(absorbed.expected_length[start]),
        deviation_length=float(np.sqrt(absorbed.variance_length[start])),
        ended=statistics.wilson(int(ended.sum()), num_samples),
        length_counts=np.bincount(lengths[ended], minlength=max_tokens + 1),
        mean_cut=float(lengths.mean()),
        error_mean_cut=float(lengths.std() / math.sqrt(num_samples)),
      )
    )
  return found

"""One tiny text net: trained as the sweep trains it, followed, sampled.

values of one net --train--> Trained: weights, labels, losses on its way
Trained --sample--> for each temperature: exact chances beside sampled walks
"""

import functools
import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import flat_params, loops, sweeps
from toyjax.analysis.nets import token_chains
from toyjax.data.word_pairs import WordPairs
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies import running, text_failure
from toyjax.studies.text_failure import trial
from toyjax.studies.text_failure.settings import start_of, words_of
from toyjax.toys import text_mlp


class Trained(NamedTuple):
  """One net and its way there.

  Attributes:
    run: the run alone, observed on its way.
    embeddings: [1 + K, V, E], before training and at the K observed epochs.
    params: `text_mlp.Params` of NumPy arrays after the last epoch.
    logit_table: [V, V], in float64; row i the logits after token i.
  """

  run: Runs
  embeddings: np.ndarray
  params: text_mlp.Params
  logit_table: np.ndarray

  @property
  def values(self) -> Values:
    """All settings, each with the one value of the net."""
    return self.run.values

  @property
  def words(self) -> WordPairs:
    """The vocabulary and the pairs."""
    return words_of(self.values)

  @property
  def epochs(self) -> list[int]:
    """[1 + K], from 0 (before training) to the last."""
    return [0, *self.values['observe_epochs']]

  @property
  def losses(self) -> np.ndarray:
    """[1 + K], mean cross entropy in nats."""
    return np.append(self.run.data['initial_loss'], self.run.data['loss'])

  def last(self, name: str) -> np.ndarray:
    """Returns a field of `text_mlp.Diagnosis` after the last epoch."""
    return self.run.last(name)[0]

  @property
  def outcome(self) -> str:
    """How the run ended, in words."""
    name = text_mlp.Outcome(int(self.last('outcome'))).name
    return name.lower().replace('_', ' ')

  @property
  def is_finite(self) -> bool:
    """Whether weights, loss and the logits after every token are finite."""
    has_diverged = self.last('outcome') == text_mlp.Outcome.DIVERGED
    return not has_diverged and bool(np.isfinite(self.logit_table).all())

  @property
  def inputs(self) -> list[int]:
    """The tokens that are inputs of pairs, in the order of the list."""
    return list(dict.fromkeys(self.words.pairs[:, 0].tolist()))

  def outputs(self, token: int) -> list[int]:
    """Returns what shall follow a token; nothing for one that is no input."""
    return [int(b) for a, b in self.words.pairs if a == token]


class Sampled(NamedTuple):
  """Walks at one temperature, exactly and sampled.

  Attributes:
    temperature: T.
    exact_lengths: [1 + L], chance of each length 0..L from the start.
    absorbed: [V], whether and when walks from each token end, without a limit.
    lengths: int [N], those of the sampled walks, cut at L.
    ended: bool [N], whether they ended within L tokens.
  """

  temperature: float
  exact_lengths: np.ndarray
  absorbed: token_chains.Absorption
  lengths: np.ndarray
  ended: np.ndarray

  @property
  def length_counts(self) -> np.ndarray:
    """Sampled walks that end with each length, int [1 + L]."""
    return np.bincount(
      self.lengths[self.ended], minlength=len(self.exact_lengths)
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


def make_stage(values: Values) -> Stage:
  """Returns the stage of the sweep that the net is of, seen on its way."""
  epochs = observed(values['num_epochs'])
  (stage,) = text_failure.STUDY.stages({**values, 'observe_epochs': epochs})
  with_path = functools.partial(trial.make_trial, with_path=True)
  return stage._replace(make_trial=with_path)


def train(values: Values) -> Trained:
  """Trains one net, bit for bit the run of its seed index in a sweep.

  Args:
    values: of all settings of the walk.
  """
  run = running.run_one(
    text_failure.STUDY._replace(stages=lambda values: [make_stage(values)]),
    values,
    seed_index=values['seed_index'],
    map_name=values['map'],
  )
  toy = trial.make_toy(run.values)
  path, params = (
    flat_params.unflatten(run.data[name][0], toy)
    for name in ('path', 'weights')
  )
  table = jax.jit(text_mlp.logit_table)(jax.tree.map(jnp.asarray, params))
  return Trained(
    run, np.asarray(path.embedding), params, np.asarray(table, np.float64)
  )


def sample(trained: Trained) -> list[Sampled]:
  """Follows walks at each temperature, exactly and by drawing them.

  Args:
    trained: a net whose logits are finite. Of its settings: start, end,
      temperature, top_k, max_tokens, num_samples, seed and seed_index.
  """
  values, vocabulary = trained.values, trained.words.vocabulary
  start = vocabulary.index(start_of(values))
  end = vocabulary.index(values['end'])
  top_k, most = values['top_k'] or None, values['max_tokens']
  table = jnp.asarray(trained.logit_table, trained.params.embedding.dtype)
  (key,) = sweeps.seed_keys(values['seed'], np.asarray([values['seed_index']]))

  def generate(walk_key: jax.Array, temperature: jax.Array) -> text_mlp.Walk:
    return text_mlp.generate(
      walk_key,
      table,
      start=start,
      end=end,
      temperature=temperature,
      top_k=top_k,
      max_tokens=most,
    )

  draw = jax.jit(jax.vmap(lambda *args: generate(*args)[1:], in_axes=(0, None)))
  found = []
  for place, temperature in enumerate(values['temperature']):
    transitions = token_chains.transition_matrix(
      trained.logit_table, temperature=temperature, top_k=top_k
    )
    walk_keys = jax.random.split(
      loops.side_key(key, place), values['num_samples']
    )
    lengths, ended = draw(walk_keys, jnp.asarray(temperature, table.dtype))
    exact_lengths = token_chains.length_distribution(
      transitions, end=end, max_tokens=most
    )
    found.append(
      Sampled(
        temperature,
        exact_lengths[:, start],
        token_chains.absorb(transitions, end=end),
        np.asarray(lengths),
        np.asarray(ended),
      )
    )
  return found

"""Rows of the text net's tables, from runs made by hand."""

import numpy as np
import pytest

from scripts.shared import (
  flat_params,
  grids,
  text_counts,
  text_flags,
  text_runs,
  text_tables,
)
from toyjax import statistics
from toyjax.data import word_pairs
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome

SETTINGS = {
  'words': text_flags.read_words(['six', 'four']),
  'num_hidden_layers': 1,
  'dtype': 'float32',
  'temperature': [1.0],
  'max_tokens': [4],
  'top_k': 0,
}


def net(words, embedding):
  """A net whose logits are its embedding, but for the last unit."""
  size = len(words.vocabulary)
  return text_mlp.Params(
    embedding.astype(np.float32),
    (
      text_mlp.Layer(np.eye(2, dtype=np.float32), np.zeros(2, np.float32)),
      text_mlp.Layer(
        np.eye(2, size, dtype=np.float32), np.zeros(size, np.float32)
      ),
    ),
  )


def configuration(pairs, outcomes, **runs):
  words = word_pairs.get(pairs)
  outcome = np.asarray(outcomes)[:, None]
  num_runs, size = len(outcome), len(words.vocabulary)
  found = {
    'outcome': outcome,
    'loss': np.ones((num_runs, 1)),
    'initial_loss': np.ones(num_runs),
    'predictions': np.zeros((num_runs, 1, size), np.int32),
    'tied': np.zeros((num_runs, 1, size), bool),
    'correct': np.zeros((num_runs, 1, len(words.pairs)), bool),
    'seed_index': np.arange(num_runs),
  }
  static = {
    'pairs': pairs,
    'embed_dim': 2,
    'hidden_dim': 2,
    'optimizer': 'sgd',
    'batches': 'full',
    'init': 'torch',
  }
  return text_runs.Configuration(
    label=pairs,
    flags={'pairs': pairs},
    group=grids.Group('', static, {'learning_rate': np.asarray([0.1])}),
    words=words,
    start='hello',
    end='!',
    runs={**found, **runs},
  )


def test_other_lists_and_sizes_are_compared_seed_by_seed():
  learned, partly = Outcome.LEARNED_ALL, Outcome.PARTLY_LEARNED
  here = [learned] * 40 + [partly] * 60
  there = [learned] * 30 + [partly] * 60 + [learned] * 5
  (row,) = text_tables.difference_rows(
    [configuration('six', here), configuration('four', there)], [501]
  )
  gap = statistics.paired_difference(30, 5, 10, 50)
  assert row['num_pairs'] == 95
  assert (row['learned'], row['learned_less']) == (35, 40)
  assert (row['difference'], row['lower'], row['upper']) == gap


def test_a_run_that_diverged_has_no_finite_loss():
  found = configuration(
    'six',
    [Outcome.DIVERGED, Outcome.PARTLY_LEARNED],
    loss=np.asarray([[0.1], [0.5]]),
  )
  assert text_tables.all_losses(found).tolist() == [[1, np.inf], [1, 0.5]]
  assert text_tables.best_row(found)['seed_index'] == 1


def test_a_net_with_infinite_logits_is_set_apart_and_counted():
  words = word_pairs.get('six')
  tame, wild = np.ones((2, 7, 2))
  # Of '!', which is the input of no pair, so that the loss stays finite.
  wild[words.vocabulary.index('!')] = 3e38
  nets = [net(words, tame), net(words, wild)]
  # The first unit doubles what comes in, and 6e38 is infinite in float32.
  for each in nets:
    each.layers[0].kernel[0, 0] = 2.0
  found = configuration(
    'six',
    [Outcome.PARTLY_LEARNED] * 2,
    weights=np.stack([np.asarray(flat_params.flatten(each)) for each in nets]),
  )
  (row,) = text_tables.temperature_rows(found, SETTINGS)
  assert (row['total'], row['num_diverged']) == (1, 1)
  # The logits 2, 1 and five zeros after every word but the last.
  chance = 1.0 / (np.exp(2.0) + np.exp(1.0) + 5.0)
  assert row['mean_prob_end'] == pytest.approx(1.0 - (1.0 - chance) ** 4)


def test_exchange_where_every_run_is_tied():
  found = configuration(
    'six', [Outcome.TIED] * 3, tied=np.ones((3, 1, 7), bool)
  )
  rows = list(text_counts.exchange_rows(found, 501))
  assert {row['runs']: row['total'] for row in rows} == {'all': 3, 'untied': 0}

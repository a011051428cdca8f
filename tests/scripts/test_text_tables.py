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
  text_trial,
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


def configuration(pairs, outcomes, *, start='hello', **runs):
  words = word_pairs.get(pairs)
  outcome = np.asarray(outcomes).reshape(len(outcomes), -1)
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
    start=start,
    end='!',
    runs={**found, **runs},
  )


def test_other_lists_and_sizes_are_compared_seed_by_seed():
  learned, partly = Outcome.LEARNED_ALL, Outcome.PARTLY_LEARNED
  here = [learned] * 40 + [partly] * 60
  there = [learned] * 30 + [partly] * 60 + [learned] * 5
  sides = []
  for pairs, last in (('six', here), ('four', there)):
    first = [learned] + [partly] * (len(last) - 1)
    sides.append(configuration(pairs, list(zip(first, last))))
  early, row = text_tables.difference_rows(sides, [100, 501])
  assert (early['learned'], early['learned_less']) == (1, 1)
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


def test_greedy_groups_are_those_of_their_nets_and_the_start_is_its_own():
  words = word_pairs.get('six')
  # Logits (4, 0, 0, ...) after every word but dog, there (0, 4, 0, ...).
  embedding = np.zeros((7, 2))
  embedding[:, 0] = 4.0
  embedding[words.vocabulary.index('dog')] = (0.0, 40.0)
  ending = np.full((1, 7), words.vocabulary.index('!'), np.int32)
  stuck = np.full((1, 7), words.vocabulary.index('dog'), np.int32)
  nets = [net(words, 0.0 * embedding), net(words, embedding)]
  found = configuration(
    'six',
    [Outcome.PARTLY_LEARNED] * 2,
    start='dog',
    predictions=np.stack([ending, stuck]),
    weights=np.stack([np.asarray(flat_params.flatten(each)) for each in nets]),
  )
  (row,) = text_tables.temperature_rows(found, {**SETTINGS, 'max_tokens': [1]})
  assert row['greedy_ends_total'] == row['greedy_never_ends_total'] == 1
  assert row['greedy_ends_mean_prob_end'] == pytest.approx(1.0 / 7.0)
  assert row['greedy_never_ends_mean_prob_end'] == pytest.approx(
    np.exp(-40.0), rel=1e-5
  )


def test_a_run_that_diverged_leads_nowhere_and_tied_runs_are_counted():
  words = word_pairs.get('six')
  dog, end = (words.vocabulary.index(word) for word in ('dog', '!'))
  predictions = np.full((3, 1, 7), end, np.int32)
  predictions[2] = dog
  tied = np.zeros((3, 1, 7), bool)
  tied[2, 0, dog] = True
  # A tie after '!' is one after no input.
  tied[1, 0, end] = True
  found = configuration(
    'six',
    [Outcome.DIVERGED, Outcome.PARTLY_LEARNED, Outcome.TIED],
    predictions=predictions,
    tied=tied,
  )
  counts = {
    row['class']: (row['count'], row['count_tied'])
    for row in text_counts.generation_rows(found, 501)
    if row['start'] == 'hello'
  }
  assert counts == {
    '!': (1, 0),
    'never !': (2, 1),
    'dog->dog': (1, 1),
    'diverged': (1, 0),
  }


def test_runs_are_untied_by_the_last_epoch():
  tied = np.zeros((2, 2, 7), bool)
  tied[1, 0] = tied[0, 1] = True
  correct = np.zeros((2, 2, 6), bool)
  correct[1, 1, 0] = True
  both = [Outcome.PARTLY_LEARNED] * 2
  found = configuration('six', [both, both], tied=tied, correct=correct)
  row = next(
    row
    for row in text_counts.exchange_rows(found, 501)
    if (row['runs'], row['pair_a']) == ('untied', 'hello->world')
  )
  assert (row['total'], row['wrong_only_a'], row['wrong_only_b']) == (1, 0, 1)
  assert row['z'] == -1.0


def test_a_loss_as_low_as_the_printed_one_counts():
  found = configuration(
    'six', [Outcome.PARTLY_LEARNED] * 3, loss=np.asarray([[0.5], [0.25], [1.0]])
  )
  _, row = text_tables.loss_rows(found, [501], {501: 0.5})
  assert row['count_at_most_printed'] == 2


def test_finite_weights_with_infinite_logits_have_no_chance():
  words = word_pairs.get('six')
  static = {'pairs': 'six', 'embed_dim': 2, 'hidden_dim': 2, 'init': 'torch'}
  settings = {
    'words': {'six': words._asdict()},
    'num_hidden_layers': 2,
    'dtype': 'float32',
    'temperature': [1.0],
    'max_tokens': [5],
    'top_k': 0,
  }
  weights = np.zeros((2, 47), np.float32)
  index = text_trial.unflatten(np.arange(47.0)[None], static, settings)
  # One net overflows, and only after '!', which is no input of a pair.
  end = words.vocabulary.index('!')
  weights[1, np.asarray(index.embedding)[0, end].astype(int)] = 1e30
  for layer in index.layers:
    weights[1, np.asarray(layer.kernel).ravel().astype(int)] = 1e30
  configuration = text_runs.Configuration(
    label='',
    flags={},
    group=grids.Group('six', static, {}),
    words=words,
    start='hello',
    end='!',
    runs={
      'outcome': np.full((2, 1), Outcome.PARTLY_LEARNED),
      'predictions': np.zeros((2, 1, 7), int),
      'weights': weights,
    },
  )
  (row,) = text_tables.temperature_rows(configuration, settings)
  assert (row['total'], row['num_diverged']) == (1, 1)
  assert row['mean_prob_end'] == pytest.approx(1.0 - (6 / 7) ** 5)


@pytest.mark.parametrize('end', ['!', 'diverged', 'a->a'])
def test_no_word_that_ends_texts_counts_other_endings_as_its_own(end):
  words = word_pairs.WordPairs(('a', end), np.asarray([[0, 1]], dtype=np.int32))
  own = configuration(
    'six',
    [Outcome.PARTLY_LEARNED, Outcome.DIVERGED, Outcome.LEARNED_ALL],
    predictions=np.asarray([[[0, 1]], [[1, 1]], [[1, 1]]], np.int32),
  )._replace(words=words, start='a', end=end)
  (found,) = text_runs.endings(own, 0, ['a'])
  assert found.which.tolist().count(0) == 1
  assert found.which[2] == 0
  assert len(set(found.names)) == len(found.names) == 3

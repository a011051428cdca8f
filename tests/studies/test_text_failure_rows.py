"""Rows of the text net's tables, from runs made by hand."""

import numpy as np
import pytest

from toyjax import flat_params, statistics
from toyjax.data import word_pairs
from toyjax.runs import Runs
from toyjax.statistics import Interval
from toyjax.studies import text_failure
from toyjax.studies.text_failure import counts, endings, rows, trial
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome

VALUES = text_failure.STUDY.resolve(
  pairs=['six', 'four'],
  num_hidden_layers=1,
  observe_epochs=[501],
  temperature=[1.0],
  max_tokens=[4],
)
SIX = word_pairs.get('six')


def made(outcomes, *, pairs='six', **data):
  """Runs of these outcomes [S] or [S, K], and of what else is given."""
  values = {**VALUES, 'pairs': pairs, 'embed_dim': 2, 'hidden_dim': 2}
  values['init'] = 'torch'
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
  return Runs(pairs, {}, values, '', {**found, **data})


def having(runs, **values):
  return runs._replace(values={**runs.values, **values})


def stacked(*embeddings, first_unit=1.0):
  """Weights of nets whose logits are the embedding, but for the first unit."""
  kernel = np.diag([first_unit, 1.0])
  rows = []
  for embedding in embeddings:
    layers = (
      text_mlp.Layer(kernel, np.zeros(2)),
      text_mlp.Layer(np.eye(2, len(embedding)), np.zeros(len(embedding))),
    )
    params = text_mlp.Params(embedding, layers)
    rows.append(np.asarray(flat_params.flatten(params), np.float32))
  return np.stack(rows)


def test_other_lists_and_sizes_are_compared_seed_by_seed():
  learned, partly = Outcome.LEARNED_ALL, Outcome.PARTLY_LEARNED
  here = [learned] * 40 + [partly] * 60
  there = [learned] * 30 + [partly] * 60 + [learned] * 5
  sides = []
  for pairs, last in (('six', here), ('four', there)):
    first = [learned] + [partly] * (len(last) - 1)
    runs = made(list(zip(first, last)), pairs=pairs)
    sides.append(having(runs, observe_epochs=[100, 501]))
  early, row = rows.difference_rows(sides)
  assert (early['learned'], early['learned_less']) == (1, 1)
  assert row['num_pairs'] == 95
  assert (row['learned'], row['learned_less']) == (35, 40)
  assert row['difference'] == statistics.paired_difference(30, 5, 10, 50)


def test_a_run_that_diverged_has_no_finite_loss():
  found = made(
    [Outcome.DIVERGED, Outcome.PARTLY_LEARNED], loss=np.asarray([[0.1], [0.5]])
  )
  assert rows.losses(found).tolist() == [[1, np.inf], [1, 0.5]]
  assert rows.best_row(found)['seed_index'] == 1


def test_a_net_with_infinite_logits_is_set_apart_and_counted():
  tame, wild = np.ones((2, 7, 2))
  # Of '!', which is the input of no pair, so that the loss stays finite. The
  # first unit doubles what comes in, and 6e38 is infinite in float32.
  wild[SIX.vocabulary.index('!')] = 3e38
  weights = stacked(tame, wild, first_unit=2.0)
  found = made([Outcome.PARTLY_LEARNED] * 2, weights=weights)
  (row,) = rows.temperature_rows(found)
  assert (row['total'], row['num_diverged']) == (1, 1)
  # The logits 2, 1 and five zeros after every word but the last.
  chance = 1.0 / (np.exp(2.0) + np.exp(1.0) + 5.0)
  expected = 1.0 - (1.0 - chance) ** 4
  assert row['mean_prob_end'].estimate == pytest.approx(expected)
  # Of one net the interval is infinite, but a chance is not.
  assert row['mean_prob_end'][1:] == (0.0, 1.0)


def test_exchange_where_every_run_is_tied():
  found = made([Outcome.TIED] * 3, tied=np.ones((3, 1, 7), bool))
  totals = {row['runs']: row['total'] for row in counts.exchange_rows(found)}
  assert totals == {'all': 3, 'untied': 0}


def test_greedy_groups_are_those_of_their_nets_and_the_start_is_its_own():
  # Logits (4, 0, 0, ...) after every word but dog, there (0, 4, 0, ...).
  embedding = np.zeros((7, 2))
  embedding[:, 0] = 4.0
  embedding[SIX.vocabulary.index('dog')] = (0.0, 40.0)
  ending, stuck = (
    np.full((1, 7), SIX.vocabulary.index(word), np.int32)
    for word in ('!', 'dog')
  )
  found = made(
    [Outcome.PARTLY_LEARNED] * 2,
    predictions=np.stack([ending, stuck]),
    weights=stacked(0.0 * embedding, embedding),
  )
  found = having(found, start='dog', max_tokens=[1])
  (row,) = rows.temperature_rows(found)
  assert row['greedy_ends_total'] == row['greedy_never_ends_total'] == 1
  ends, never = (
    row[f'greedy_{name}:mean_prob_end'].estimate
    for name in ('ends', 'never_ends')
  )
  assert ends == pytest.approx(1.0 / 7.0)
  assert never == pytest.approx(np.exp(-40.0), rel=1e-5)


def test_a_run_that_diverged_leads_nowhere_and_tied_runs_are_counted():
  dog, end = (SIX.vocabulary.index(word) for word in ('dog', '!'))
  predictions = np.full((3, 1, 7), end, np.int32)
  predictions[2] = dog
  tied = np.zeros((3, 1, 7), bool)
  tied[2, 0, dog] = True
  # A tie after '!' is one after no input.
  tied[1, 0, end] = True
  found = made(
    [Outcome.DIVERGED, Outcome.PARTLY_LEARNED, Outcome.TIED],
    predictions=predictions,
    tied=tied,
  )
  assert {
    row['class']: (row[''].count, row['count_tied'])
    for row in counts.generation_rows(found)
    if row['start'] == 'hello'
  } == {'!': (1, 0), 'never !': (2, 1), 'dog->dog': (1, 1), 'diverged': (1, 0)}


def test_runs_are_untied_by_the_last_epoch():
  tied = np.zeros((2, 2, 7), bool)
  tied[1, 0] = tied[0, 1] = True
  correct = np.zeros((2, 2, 6), bool)
  correct[1, 1, 0] = True
  both = [Outcome.PARTLY_LEARNED] * 2
  row = next(
    row
    for row in counts.exchange_rows(
      made([both, both], tied=tied, correct=correct)
    )
    if (row['runs'], row['pair_a']) == ('untied', 'hello->world')
  )
  assert (row['total'], row['wrong_only_a'], row['wrong_only_b']) == (1, 0, 1)
  assert row['z'] == -1.0


def test_a_loss_as_low_as_the_printed_one_counts():
  losses = np.asarray([[0.5], [0.25], [1.0]])
  found = made([Outcome.PARTLY_LEARNED] * 3, loss=losses)
  _, row = rows.loss_rows(found, {501: 0.5})
  assert row['count_at_most_printed'] == 2


def test_finite_weights_with_infinite_logits_have_no_chance():
  found = made([Outcome.PARTLY_LEARNED] * 2)
  found = having(found, num_hidden_layers=2, max_tokens=[5])
  weights = np.zeros((2, 47), np.float32)
  index = flat_params.unflatten(np.arange(47), trial.make_toy(found.values))
  # One net overflows, and only after '!', which is no input of a pair.
  weights[1, index.embedding[SIX.vocabulary.index('!')]] = 1e30
  for layer in index.layers:
    weights[1, layer.kernel.ravel()] = 1e30
  found = found._replace(data={**found.data, 'weights': weights})
  (row,) = rows.temperature_rows(found)
  assert (row['total'], row['num_diverged']) == (1, 1)
  expected = Interval(pytest.approx(1.0 - (6 / 7) ** 5), 0.0, 1.0)
  assert row['mean_prob_end'] == expected


@pytest.mark.parametrize('end', ['!', 'diverged', 'a->a'])
def test_no_word_that_ends_texts_counts_other_endings_as_its_own(end):
  found = made(
    [Outcome.PARTLY_LEARNED, Outcome.DIVERGED, Outcome.LEARNED_ALL],
    predictions=np.asarray([[[0, 1]], [[1, 1]], [[1, 1]]], np.int32),
  )
  words = {'six': {'vocabulary': ['a', end], 'pairs': [[0, 1]]}}
  (ends,) = endings.follow(having(found, words=words, end=end), 0, ['a'])
  assert ends.which.tolist().count(0) == 1
  assert ends.which[2] == 0
  assert len(set(ends.names)) == len(ends.names) == 3

"""The sweep of the tiny text net, its tables checked against its own runs."""

import numpy as np
import pytest

from tests import references_text_mlp
from toyjax import statistics, studies
from toyjax.analysis.nets import token_chains
from toyjax.data import word_pairs
from toyjax.studies import text_failure
from toyjax.toys.text_mlp import Outcome

STUDY = text_failure.STUDY
NUM_SEEDS = 24
SMALL = {
  'num_epochs': 60,
  'observe_epochs': [10, 60],
  'optimizer': 'adam',
  'temperature': [0.7, 2.0],
  'max_tokens': [3, 9],
  'printed_losses': ['0:1.9', '60:0.5'],
}
WORDS = (
  word_pairs.get('six'),
  word_pairs.WordPairs(('hello', '!', 'you'), np.asarray([[0, 2], [2, 1]])),
)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  path = tmp_path_factory.mktemp('text') / 'mine.txt'
  path.write_text('vocabulary: hello ! you\nhello -> you\nyou -> !\n')
  values = STUDY.resolve(pairs=['six', str(path)], **SMALL)
  assert [*values['words']] == ['six', 'mine']
  assert str(path) not in str(values['words'])
  found = studies.run(STUDY, values, num_seeds=NUM_SEEDS)
  return found, STUDY.report(found, values), values


@pytest.fixture(params=[0, 1], ids=['six', 'mine'])
def one(request, finished):
  """One configuration, its words, and the rows of a table that are its own."""
  found, report, _ = finished
  runs = found[request.param]

  def select(name, **wanted):
    wanted['pairs'] = runs.label
    return [
      row
      for row in report.table(name).records()
      if all(row[key] == value for key, value in wanted.items())
    ]

  return runs, WORDS[request.param], select


def tied(runs, words, k=-1):
  return runs.data['tied'][:, k, words.pairs[:, 0]].any(axis=1)


def test_it_says_what_stands_at_the_end(finished):
  _, report, _ = finished
  text = report.table('summary').text()
  assert text.startswith('After 60 epochs')
  assert 'argmax takes the lower index' in text
  assert 'learned' not in [line.split()[1] for line in text.split('\n')[4:]]
  assert 'nearest to the printed one' in report.parts[6]


def test_labels_are_those_of_the_stored_weights_in_float64(one):
  runs, words, _ = one
  size, pairs = len(words.vocabulary), words.pairs.tolist()
  num_checked = 0
  for run in range(NUM_SEEDS):
    flat = runs.data['weights'][run].astype(float)
    ends = np.cumsum([2 * size, 4, 2, 4, 2, 2 * size, size])
    parts = np.split(flat, ends[:-1])
    assert ends[-1] == len(flat)
    layers = [
      (kernel.reshape(2, -1).T.tolist(), bias.tolist())
      for kernel, bias in zip(parts[1::2], parts[2::2])
    ]
    embedding = parts[0].reshape(size, 2).tolist()
    loss = references_text_mlp.loss(embedding, layers, pairs)
    names = ('loss', 'dead_layers', 'predictions', 'tied')
    last = {name: runs.last(name)[run] for name in names}
    # A float32 loss is a difference of logits near 10: rounding is 1e-6.
    assert last['loss'] == pytest.approx(loss, rel=1e-4, abs=3e-6)
    logits = [
      references_text_mlp.forward(embedding, layers, token)[1]
      for token in range(size)
    ]
    for layer in (0, 1):
      off = [max(logits[i][layer]) <= 0 for i, _ in pairs]
      assert last['dead_layers'][layer] == all(off)
    for token in range(size):
      order = np.argsort(logits[token][-1])
      if logits[token][-1][order[-1]] - logits[token][-1][order[-2]] > 1e-4:
        assert last['predictions'][token] == order[-1]
        assert not last['tied'][token]
        num_checked += 1
  assert num_checked > NUM_SEEDS


@pytest.mark.parametrize('k', [0, 1])
def test_the_summary_counts_every_run_once(one, k):
  runs, words, select = one
  own = select('summary', epoch=(10, 60)[k])
  counts = {(row['measure'], row['class']): row['count'] for row in own}
  assert len(counts) == len(own)
  assert {row['total'] for row in own} == {NUM_SEEDS}
  for code in Outcome:
    expected = np.sum(runs.data['outcome'][:, k] == code)
    assert counts['outcome', code.name] == expected
  assert counts['tie', 'after an input'] == tied(runs, words, k).sum()
  dead = runs.data['dead_layers'][:, k]
  assert counts['dead layer', '2'] == dead[:, 1].sum()
  assert counts['dead layer', 'any'] == dead.any(axis=1).sum()
  assert counts['learned', 'hello->' + words.vocabulary[words.pairs[0, 1]]] == (
    runs.data['correct'][:, k, 0].sum()
  )
  interval = statistics.wilson(own[0]['count'], NUM_SEEDS)
  assert own[0]['upper'] == interval.upper


def test_generation_is_followed_by_hand(one):
  runs, words, select = one
  for start in set(words.vocabulary) - {'!'}:
    ended, cycles = 0, {}
    for following in runs.last('predictions'):
      path = [words.vocabulary.index(start)]
      while path[-1] != words.vocabulary.index('!'):
        token = int(following[path[-1]])
        if token in path:
          cycle = frozenset(path[path.index(token) :])
          cycles[cycle] = cycles.get(cycle, 0) + 1
          break
        path.append(token)
      else:
        ended += 1
    found = {
      row['class']: row['count'] for row in select('generation', start=start)
    }
    assert found.pop('!') == ended
    assert found.pop('never !') == NUM_SEEDS - ended
    by_members = {}
    for name, count in found.items():
      names = name.split('->')
      assert names[0] == names[-1]
      members = frozenset(words.vocabulary.index(w) for w in names)
      by_members[members] = by_members.get(members, 0) + count
    assert by_members == cycles


def test_sets_of_wrong_pairs_cover_all_runs(one):
  runs, words, select = one
  own = select('wrong')
  expected = {}
  for right in runs.last('correct'):
    name = ' '.join(
      f'{words.vocabulary[a]}->{words.vocabulary[b]}'
      for (a, b), is_right in zip(words.pairs, right)
      if not is_right
    )
    expected[name or 'none'] = expected.get(name or 'none', 0) + 1
  assert {row['wrong']: row['count'] for row in own} == expected
  counts = [row['count'] for row in own]
  assert counts == sorted(counts, reverse=True)
  assert sum(row['count_tied'] for row in own) == tied(runs, words).sum()


def test_mirrored_pairs_are_compared_on_the_same_runs(one):
  runs, words, select = one
  names = ['->'.join(words.vocabulary[i] for i in pair) for pair in words.pairs]
  own, right = select('exchange', runs='all'), runs.last('correct')
  assert len(own) == (7 if len(names) == 6 else 1)
  for row in own:
    a, b = names.index(row['pair_a']), names.index(row['pair_b'])
    assert row['wrong_only_a'] == np.sum(~right[:, a] & right[:, b])
    assert row['wrong_only_b'] == np.sum(right[:, a] & ~right[:, b])
  untied = {row['total'] for row in select('exchange', runs='untied')}
  assert untied == {np.sum(~tied(runs, words))}


def test_losses_are_quantiles_and_counts(one):
  runs, _, select = one
  own, initial = select('losses'), runs.data['initial_loss']
  assert [row['epoch'] for row in own] == [0, 10, 60]
  for row, losses in zip(own, [initial, *runs.data['loss'].T]):
    assert row['lowest'] == losses.min()
    assert row['q50'] == np.sort(losses)[11]
  assert own[1]['printed'] is own[1]['count_at_most_printed'] is None
  assert own[0]['count_at_most_printed'] == np.sum(initial <= 1.9)
  (best,) = select('best')
  assert best['seed_index'] == runs.last('loss').argmin()


def test_chances_are_means_over_the_nets(one):
  runs, words, select = one
  size, end = len(words.vocabulary), words.vocabulary.index('!')
  rows = select('temperatures')
  assert len(rows) == 4
  for row in rows:
    chances = []
    for weights in runs.data['weights'].astype(float):
      parts = np.split(weights, np.cumsum([2 * size, 4, 2, 4, 2, 2 * size]))
      a = parts[0].reshape(size, 2)
      for k, (kernel, bias) in enumerate(zip(parts[1::2], parts[2::2])):
        a = (np.maximum(a, 0) if k else a) @ kernel.reshape(2, -1) + bias
      chain = token_chains.transition_matrix(
        a, temperature=row['temperature'], top_k=None
      )
      sizes = token_chains.length_distribution(
        chain, end=end, max_tokens=row['max_tokens']
      )
      chances.append(sizes.sum(axis=0)[0])
    assert row['mean_prob_end'] == pytest.approx(np.mean(chances), abs=1e-5)
    parts = row['greedy_ends_total'], row['greedy_never_ends_total']
    assert sum(parts) == row['total']

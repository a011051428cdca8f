"""One tiny text net is the run of the sweep; it is followed and sampled."""

import pathlib

import numpy as np
import pytest

from toyjax import flat_params, statistics, studies
from toyjax.data import word_pairs
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.studies import text_failure, walk_text
from toyjax.studies.walk_text import net as nets
from toyjax.studies.walk_text.report import (
  describe_greedy,
  describe_walks,
  describe_weights,
)
from toyjax.toys import text_mlp

STUDY = walk_text.STUDY
NET = {
  'pairs': 'four',
  'num_hidden_layers': 1,
  'hidden_dim': 1,
  'optimizer': 'momentum',
  'learning_rate': 0.05,
  'num_epochs': 23,
  'seed': 3,
}


def test_it_is_bit_for_bit_the_run_of_the_sweep():
  sweep = text_failure.STUDY
  (swept,) = studies.run(
    sweep,
    sweep.resolve(**NET, observe_epochs=[7, 23]),
    num_seeds=300,
    chunk_size=128,
  )
  seed_index = 291
  alone = nets.train(STUDY.resolve(**NET, seed_index=seed_index))
  weights = np.asarray(flat_params.flatten(alone.params))
  assert weights.tobytes() == swept.data['weights'][seed_index].tobytes()
  assert alone.losses[0] == swept.data['initial_loss'][seed_index]
  at = alone.epochs.index(7) - 1
  for name in text_mlp.Diagnosis._fields:
    np.testing.assert_array_equal(
      alone.run.data[name][0, [at, -1]], swept.data[name][seed_index]
    )
  np.testing.assert_array_equal(alone.embeddings[-1], alone.params.embedding)
  assert np.ptp(alone.embeddings[0] - alone.embeddings[-1]) > 0.0


def test_observed_epochs_hold_those_that_are_printed():
  assert nets.stride(501) == 100
  assert nets.stride(2000) == 200
  for num_epochs in (1, 9, 10, 11, 12, 60, 501, 5000, 10_000):
    stride = nets.stride(num_epochs)
    observed = nets.observed(num_epochs)
    assert set(range(stride, num_epochs, stride)) < set(observed)
    assert num_epochs // stride <= 10
  assert nets.observed(501)[:2] == [10, 20]
  assert nets.observed(501)[-2:] == [500, 501]
  assert nets.observed(3) == [1, 2, 3]
  assert nets.observed(1) == [1]


# ----- The whole task -----


@pytest.fixture(scope='module')
def plan():
  values = STUDY.resolve(
    pairs='four',
    num_epochs=20,
    num_hidden_layers=1,
    num_samples=2000,
    temperature=[0.6, 1.5],
    seed_index=4,
    max_tokens=5,
    digits=3,
    map='vmap',
  )
  return STUDY.prepare(values)


def test_its_folder_and_its_manifest_say_which_net_it_is(plan):
  own = (
    'pairs=four_num_hidden_layers=1_num_epochs=20_seed_index=4_temperature='
    '0.6,1.5_max_tokens=5_num_samples=2000_digits=3_map=vmap'
  )
  assert plan.folder == pathlib.Path('runs/walk_text') / own
  assert plan.science['seed_index'] == 4
  assert plan.science['start'] == 'hello'
  assert plan.layout == {'map': 'vmap'}
  plan.check()


def test_it_says_writes_and_draws_all_of_it(plan, tmp_path):
  found = plan.run(None)
  text, missing = found.parts
  assert missing == ''
  found.files['walk.txt'](tmp_path / 'walk.txt')
  assert (tmp_path / 'walk.txt').read_text('utf-8') == f'{text}\n'
  lines = text.split('\n')
  assert lines[0] == (
    'four: 4 pairs over 5 words (hello world cat dog !); net 2-2-5, init '
    'torch, float32; sgd, learning rate 0.1, batches full, 20 epochs; seed 0, '
    'index 4'
  )
  epochs = [int(line.split()[0]) for line in lines[4:15]]
  assert epochs == [*range(0, 21, 2)]
  for title in ('outcome: ', 'exact ties (argmax takes the lower index): '):
    assert sum(line.startswith(title) for line in lines) == 1
  assert [line for line in lines if line.startswith('input ')] == [
    f"input       '{word}'" for word in ('hello', 'cat', 'dog', 'world')
  ]
  names = [line.split()[0] for line in lines if line]
  walk = [name for name in names if name in ('z1', 'a1', 'logits')]
  assert walk[-3:] == ['z1', 'a1', 'logits']
  assert 'at temperature' in text
  assert 'P(end within 5 tokens), exact' in text
  assert '  of 2,000 sampled' in text


def test_a_net_that_diverged_is_said_to_be_so():
  values = STUDY.resolve(
    pairs='four', num_epochs=5, num_hidden_layers=1, learning_rate=1e38
  )
  found = STUDY.prepare(values).run(None)
  assert 'outcome: diverged; 0 of 4 pairs are right' in found.parts[0]
  assert found.parts[1] == 'no map and no lengths: its numbers are not finite'
  assert not found.sheets


@pytest.mark.parametrize(
  ('content', 'given', 'message'),
  [
    ('vocabulary: a b !\na -> c', {}, "line 2: unknown token 'c'"),
    ('\n', {}, 'no pair in this file'),
    (None, {}, 'words.txt: cannot be read: No such file'),
    ('a b\nb c', {}, "--end: '!' is not in the vocabulary: a b c"),
    ('a b\nb !', {'start': 'hello'}, "--start: 'hello' is not in the"),
    ('a b\nb !', {'walk_words': ['a', 'x']}, "--walk_words: 'x' is not in the"),
    ('a b\nb !', {'embed_dim': [2, 4]}, '--embed_dim=2,4 holds 2 values'),
    ('', {'pairs': ['six', 'four']}, '--pairs=six,four holds 2 values'),
    ('a b\nb !', {'top_k': 4}, '--top_k=4: the vocabulary has 3 words'),
    ('a b\nb !', {'temperature': [0.6, 'nan']}, '--temperature: nan must be'),
  ],
)
def test_what_cannot_be_used_is_named(tmp_path, content, given, message):
  path = tmp_path / 'words.txt'
  if content is not None:
    path.write_text(content)
  with pytest.raises(SettingError) as error:
    STUDY.resolve(**{'pairs': str(path), **given})
  assert message in str(error.value)


# ----- Text and samples of a net that is given -----


@pytest.fixture(scope='module')
def net():
  """A net on the four pairs: hello -> world -> !, cat -> dog -> dog -> ..."""
  words = word_pairs.get('four')
  size = len(words.vocabulary)
  # Asymmetric, so that a kernel that is not transposed gives another walk.
  predictions = np.asarray([1, 4, 3, 3, 0])
  layers = [
    text_mlp.Layer(kernel.astype(np.float32), np.zeros(size, np.float32))
    for kernel in (np.eye(size), 2.0 * np.eye(size)[predictions])
  ]
  params = text_mlp.Params(np.eye(size, dtype=np.float32), tuple(layers))
  labels = {
    'outcome': text_mlp.Outcome.PARTLY_LEARNED,
    'predictions': predictions,
    'tied': np.zeros(size, bool),
    'correct': predictions[words.pairs[:, 0]] == words.pairs[:, 1],
    'num_dead_units': [0],
    'dead_layers': [False],
  }
  data = {name: np.asarray([[value]]) for name, value in labels.items()}
  values = STUDY.resolve(pairs='four', num_hidden_layers=1, digits=2)
  values |= {'pairs': 'four', 'observe_epochs': [10]}
  return nets.Trained(
    run=Runs('', {}, values, '', data),
    embeddings=np.zeros((2, size, size)),
    params=params,
    logit_table=np.asarray(text_mlp.logit_table(params), np.float64),
  )


def changed(net, values=None, **labels):
  data = {**net.run.data}
  data |= {name: np.asarray([[value]]) for name, value in labels.items()}
  values = {**net.run.values, **(values or {})}
  return net._replace(run=net.run._replace(values=values, data=data))


def test_walks_take_kernels_as_the_toy_does(net):
  some = changed(net, {'walk_words': ['hello', 'dog']})
  hello, dog = describe_walks(some).split('\n\n')
  assert 'logits      [0.00, 2.00, 0.00, 0.00, 0.00]' in hello
  assert "margin 2 over 'hello'; to be learned 'world': right" in hello
  assert "margin 2 over 'hello'; to be learned '!': wrong" in dog
  assert 'last bits' not in hello + dog


def test_a_walk_that_is_not_that_of_training_says_so(net):
  text = describe_walks(changed(net, predictions=[2, 4, 3, 3, 0]))
  assert "in training it was 'cat': the last bits differ" in text


def test_a_net_is_finite_where_all_its_logits_are(net):
  assert net.is_finite
  table = net.logit_table.copy()
  table[2, 1] = np.inf
  assert not net._replace(logit_table=table).is_finite
  assert not changed(net, outcome=text_mlp.Outcome.DIVERGED).is_finite


def test_weights_are_the_equations_of_the_walk(net):
  text = describe_weights(changed(net, {'digits': 1}))
  assert '  world  [ 2.0,  0.0,  0.0,  0.0,  0.0] . a1 + 0.0' in text
  assert text.count(' . e ') == 5


def test_greedy_generation_is_followed_to_its_end_or_cycle(net):
  lines = describe_greedy(net).split('\n')
  assert lines[2].split(maxsplit=1)[1].startswith('hello -> world -> !')
  assert lines[2].endswith('ends after 2 tokens')
  assert 'cat -> dog -> dog -> ...' in lines[4]
  assert lines[4].endswith('never ends: cycle dog->dog of length 1')
  assert lines[6].endswith('ends after 0 tokens')


@pytest.mark.parametrize(
  ('start', 'top_k', 'ends'), [('hello', 0, True), ('cat', 1, False)]
)
def test_sampled_texts_agree_with_the_chain(net, start, top_k, ends):
  values = {'start': start, 'top_k': top_k, 'temperature': [0.8, 3.0]}
  values |= {'max_tokens': 6, 'num_samples': 20_000, 'seed_index': 5}
  found = nets.sample(changed(net, values))
  assert [each.temperature for each in found] == [0.8, 3.0]
  place = net.words.vocabulary.index(start)
  for each in found:
    within = each.exact_lengths.sum()
    wide = statistics.wilson(int(each.ended.sum()), 20_000, confidence=1 - 1e-6)
    assert wide.lower <= within <= wide.upper
    cut = np.arange(7) @ each.exact_lengths + 6 * (1.0 - within)
    error = each.lengths.std() / np.sqrt(20_000)
    assert abs(each.lengths.mean() - cut) <= 5 * error
    for count, chance in zip(each.length_counts, each.exact_lengths):
      deviation = np.sqrt(20_000 * chance * (1 - chance))
      assert abs(count - 20_000 * chance) <= 5 * deviation
    assert each.absorbed.prob_ends[place] == float(ends)
    assert np.isfinite(each.absorbed.expected_length[place]) == ends
  one, other = (each.length_counts for each in found)
  assert np.array_equal(one, other) != ends

"""One tiny text net is the run of the sweep; it is followed and sampled."""

import numpy as np
import pytest

from scripts.shared import (
  sweep_script,
  text_flags,
  text_trial,
  walked_net,
  walked_report,
)
from toyjax import statistics, sweeps
from toyjax.data import word_pairs
from toyjax.toys import text_mlp

SETTINGS = {
  'pairs': ['tiny'],
  'words': {'tiny': {'vocabulary': list('ab!'), 'pairs': [[0, 1], [1, 2]]}},
  'embed_dim': [2],
  'hidden_dim': [1],
  'optimizer': ['momentum'],
  'learning_rate': [0.05],
  'batches': ['full'],
  'init': ['torch'],
  'weight_decay': [1e-2],
  'adam_eps': [1e-8],
  'adam_b1': [0.9],
  'adam_b2': [0.999],
  'momentum': [0.9],
  'rmsprop_decay': [0.99],
  'num_hidden_layers': 1,
  'num_epochs': 23,
  'seed': 3,
  'dtype': 'float32',
}


def test_it_is_bit_for_bit_the_run_of_the_sweep():
  (group,) = text_flags.make_groups(SETTINGS)
  swept = sweeps.sweep(
    text_trial.make_trial(
      group.static, {**SETTINGS, 'observe_epochs': [7, 23]}
    ),
    sweep_script.group_xs(group, SETTINGS, 300),
    chunk_size=128,
  )
  seed_index = 291
  alone = walked_net.train(
    group, SETTINGS, seed_index=seed_index, map_name='lanes'
  )
  weights = np.asarray(text_trial.flatten(alone.params))
  assert weights.tobytes() == swept['weights'][seed_index].tobytes()
  assert alone.losses[0] == swept['initial_loss'][seed_index]
  at = alone.epochs.tolist().index(7) - 1
  for name in text_mlp.Diagnosis._fields:
    np.testing.assert_array_equal(
      alone.labels[name][[at, -1]], swept[name][seed_index]
    )
  np.testing.assert_array_equal(alone.embeddings[-1], alone.params.embedding)
  assert np.ptp(alone.embeddings[0] - alone.embeddings[-1]) > 0.0


def test_observed_epochs_hold_those_that_are_printed():
  assert walked_net.stride(501) == 100
  assert walked_net.stride(2000) == 200
  for num_epochs in (1, 9, 10, 11, 12, 60, 501, 5000, 10_000):
    stride = walked_net.stride(num_epochs)
    observed = walked_net.observed(num_epochs)
    assert set(range(stride, num_epochs, stride)) < set(observed)
    assert num_epochs // stride <= 10
  assert walked_net.observed(501)[:2] == [10, 20]
  assert walked_net.observed(501)[-2:] == [500, 501]
  assert walked_net.observed(3) == [1, 2, 3]
  assert walked_net.observed(1) == [1]


# ----- Text and samples of a net that is given -----


def _net(*layers, predictions, tied=None):
  """A net on the four pairs whose embedding has the tokens' directions."""
  words = word_pairs.get('four')
  size = len(words.vocabulary)
  params = text_mlp.Params(
    np.eye(size, dtype=np.float32),
    tuple(
      text_mlp.Layer(*(np.asarray(a, np.float32) for a in each))
      for each in layers
    ),
  )
  predictions = np.asarray(predictions)
  correct = predictions[words.pairs[:, 0]] == words.pairs[:, 1]
  labels = {
    'outcome': [text_mlp.Outcome.PARTLY_LEARNED],
    'predictions': [predictions],
    'tied': [np.zeros(size, bool) if tied is None else np.asarray(tied)],
    'correct': [correct],
    'num_dead_units': [[0]],
    'dead_layers': [[False]],
  }
  return walked_net.Trained(
    words=words,
    epochs=np.asarray([0, 10]),
    losses=np.asarray([1.5, 0.5]),
    labels={name: np.asarray(values) for name, values in labels.items()},
    embeddings=np.zeros((2, size, size)),
    params=params,
    logit_table=np.asarray(text_mlp.logit_table(params), np.float64),
  )


@pytest.fixture(scope='module')
def net():
  # hello -> world -> !, cat -> dog -> dog -> ...; asymmetric matrices, so that
  # a kernel that is not transposed gives another walk.
  following = np.eye(5)[[1, 4, 3, 3, 0]]
  return _net(
    (np.eye(5), np.zeros(5)),
    (2.0 * following, np.zeros(5)),
    predictions=[1, 4, 3, 3, 0],
  )


def test_walks_take_kernels_as_the_toy_does(net):
  text = walked_report.describe_walks(net, [0, 3], digits=2)
  hello, dog = text.split('\n\n')
  assert 'logits      [0.00, 2.00, 0.00, 0.00, 0.00]' in hello
  assert "margin 2 over 'hello'; to be learned 'world': right" in hello
  assert "margin 2 over 'hello'; to be learned '!': wrong" in dog
  assert 'last bits' not in text


def test_a_walk_that_is_not_that_of_training_says_so(net):
  labels = {**net.labels, 'predictions': np.asarray([[2, 4, 3, 3, 0]])}
  text = walked_report.describe_walks(
    net._replace(labels=labels), [0], digits=2
  )
  assert "in training it was 'cat': the last bits differ" in text


def test_a_net_is_finite_where_all_its_logits_are(net):
  assert net.is_finite
  table = net.logit_table.copy()
  table[2, 1] = np.inf
  assert not net._replace(logit_table=table).is_finite
  labels = {**net.labels, 'outcome': [text_mlp.Outcome.DIVERGED]}
  assert not net._replace(labels=labels).is_finite


def test_weights_are_the_equations_of_the_walk(net):
  text = walked_report.describe_weights(net, digits=1)
  assert '  world  [ 2.0,  0.0,  0.0,  0.0,  0.0] . a1 + 0.0' in text
  assert text.count(' . e ') == 5


def test_greedy_generation_is_followed_to_its_end_or_cycle(net):
  lines = walked_report.describe_greedy(net, end=4).split('\n')
  assert lines[2].split(maxsplit=1)[1].startswith('hello -> world -> !')
  assert lines[2].endswith('ends after 2 tokens')
  assert 'cat -> dog -> dog -> ...' in lines[4]
  assert lines[4].endswith('never ends: cycle dog->dog of length 1')
  assert lines[6].endswith('ends after 0 tokens')


@pytest.mark.parametrize(
  ('start', 'top_k', 'ends'), [(0, None, True), (2, 1, False)]
)
def test_sampled_texts_agree_with_the_chain(net, start, top_k, ends):
  found = walked_net.sample(
    net,
    key=sweeps.seed_keys(0, np.asarray([5]))[0],
    start=start,
    end=4,
    temperatures=[0.8, 3.0],
    top_k=top_k,
    max_tokens=6,
    num_samples=20_000,
  )
  assert [each.temperature for each in found] == [0.8, 3.0]
  for each in found:
    wide = statistics.wilson(
      int(each.length_counts.sum()), 20_000, confidence=1 - 1e-6
    )
    assert wide.lower <= each.prob_within <= wide.upper
    assert abs(each.mean_cut - each.expected_cut) <= 5 * each.error_mean_cut
    for count, chance in zip(each.length_counts, each.exact_lengths):
      deviation = np.sqrt(20_000 * chance * (1 - chance))
      assert abs(count - 20_000 * chance) <= 5 * deviation
    assert each.prob_ends == float(ends)
    assert np.isfinite(each.expected_length) == ends
  one, other = (each.length_counts for each in found)
  assert np.array_equal(one, other) != ends

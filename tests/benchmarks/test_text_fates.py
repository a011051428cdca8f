"""Counts from logits in NumPy, against hand-made tables and toyjax's labels."""

import jax
import numpy as np
import pytest

from benchmarks import text_fates, text_runs
from tests.toys import text_net
from toyjax.toys import text_mlp

SIX = text_net.SIX
ALIVE = np.zeros((1, 2), bool)
FINITE = np.ones(1, bool)
RIGHT = [1, 4, 3, 4, 0, 3, 2]  # hello world cat dog ! silly cute


def _judge(logits, dead=ALIVE, finite=FINITE):
  return text_fates.judge(
    np.asarray(logits)[None],
    dead,
    finite,
    vocabulary=SIX.vocabulary,
    pairs=SIX.pairs,
  )


def _outcome(fates):
  return text_fates.OUTCOMES[fates.outcome[0]]


def _table(successors):
  return np.eye(7)[np.asarray(successors)]


def test_outcomes_have_the_names_and_order_of_toyjax():
  assert tuple(code.name for code in text_mlp.Outcome) == text_fates.OUTCOMES


@pytest.mark.parametrize(
  ('successors', 'outcome', 'ending'),
  [
    (RIGHT, 'LEARNED_ALL', 0),
    ([1, 4, 3, 3, 0, 3, 2], 'PARTLY_LEARNED', 0),
    ([3, 3, 3, 3, 3, 3, 3], 'PARTLY_LEARNED', 1),
    ([2, 4, 3, 3, 0, 3, 2], 'PARTLY_LEARNED', 1),
    ([2, 4, 3, 2, 0, 3, 2], 'PARTLY_LEARNED', 2),
    ([0, 0, 0, 0, 0, 0, 0], 'ALL_WRONG', 2),
  ],
)
def test_hand_made_tables(successors, outcome, ending):
  fates = _judge(_table(successors))
  assert _outcome(fates) == outcome
  assert fates.ending[0] == ending
  inputs, outputs = SIX.pairs.T
  np.testing.assert_array_equal(
    fates.correct[0], np.asarray(successors)[inputs] == outputs
  )
  assert not fates.tied[0]


def test_ties_dead_layers_and_what_is_not_finite():
  logits = _table(RIGHT)
  logits[3, 6] = 1.0  # After dog: '!' (4), and cute (6), which is higher.
  fates = _judge(logits)
  assert _outcome(fates) == 'TIED'
  assert fates.correct.all()
  assert fates.gaps[0, 3] == 0.0
  after_end = _table(RIGHT)
  after_end[4, 6] = 1.0  # '!' is no input of a pair.
  fates = _judge(after_end)
  assert _outcome(fates) == 'LEARNED_ALL'
  assert fates.tied[0]
  dead = np.asarray([[False, True]])
  assert _outcome(_judge(_table([3] * 7), dead)) == 'DEAD_LAYER'
  assert _outcome(_judge(_table(RIGHT), ALIVE, ~FINITE)) == 'DIVERGED'
  assert not _judge(_table(RIGHT), ALIVE, ~FINITE).correct.any()


def test_near_ties_are_set_apart():
  logits = _table(RIGHT)
  logits[3, 6] = 1.0 - 1e-4
  fates = _judge(logits)
  inputs = SIX.pairs[:, 0]
  apart = text_fates.set_apart(fates, inputs=inputs, tolerance=2e-4)
  assert _outcome(fates) == 'LEARNED_ALL'
  assert _outcome(apart) == 'TIED'
  assert apart.tied[0]
  assert not apart.correct.any()
  assert apart.ending[0] == -1
  same = text_fates.set_apart(fates, inputs=inputs, tolerance=5e-5)
  assert not text_fates.differ(fates, same).any()
  assert text_fates.differ(fates, apart).all()
  diverged = _judge(logits, ALIVE, ~FINITE)
  apart = text_fates.set_apart(diverged, inputs=inputs, tolerance=2e-4)
  assert _outcome(apart) == 'DIVERGED'
  assert not apart.tied[0]


def test_counts_name_pairs_and_add_up():
  sides = [_judge(_table(table)) for table in (RIGHT, [3] * 7)]
  fates = text_fates.Fates(*map(np.concatenate, zip(*sides)))
  counts = text_fates.count(fates, SIX.vocabulary, SIX.pairs)
  assert sum(counts[name] for name in text_fates.OUTCOMES) == 2
  assert sum(counts[name] for name in text_fates.ENDINGS) == 2
  assert counts['hello falls into dog->dog'] == 1
  assert counts['right: cat->dog'] == 2
  assert counts['right: dog->!'] == 1
  assert counts['layer 2 dead'] == 0


def _forward(params):
  """Logits [V, V] and dead layers [L] of one net, in NumPy."""
  x, dead = np.asarray(params.embedding), []
  for layer in params.layers[:-1]:
    z = x @ np.asarray(layer.kernel) + np.asarray(layer.bias)
    dead.append((z[SIX.pairs[:, 0]] <= 0).all())
    x = np.maximum(z, 0)
  kernel, bias = params.layers[-1]
  return x @ np.asarray(kernel) + np.asarray(bias), np.asarray(dead)


def test_toyjax_says_the_same_of_the_same_nets():
  nets = []
  for seed in range(300):
    net = text_net.random_params(seed, embed_dim=2, hidden_dims=(2, 2))
    hidden, last = net.layers[1], net.layers[-1]
    bias = np.round(last.bias) if seed % 3 else last.bias  # Many ties.
    if seed % 4:  # Many dead layers.
      hidden = hidden._replace(bias=hidden.bias - np.float32(seed % 4))
    layers = (net.layers[0], hidden, last._replace(bias=bias))
    nets.append(net._replace(layers=layers))
  many = jax.tree.map(lambda *leaves: np.stack(leaves)[:, None], *nets)
  labels = text_runs.label_torch(jax.tree.leaves(many), SIX.pairs)
  logits, dead = map(np.stack, zip(*map(_forward, nets)))
  here = text_fates.judge(
    logits,
    dead,
    np.ones(len(nets), bool),
    vocabulary=SIX.vocabulary,
    pairs=SIX.pairs,
  )
  there = text_runs.judge(labels, 0, SIX)
  assert len(set(here.outcome.tolist())) >= 4
  assert set(here.ending.tolist()) == {0, 1, 2}
  assert not text_fates.differ(here, there).any()


def test_the_trial_is_that_of_text_failure():
  configuration = text_runs.parse_configuration('four:2:3:adam:0.01:full')
  stage = text_runs.stage_of(configuration)
  x = jax.tree.map(lambda leaf: leaf[0], stage.xs(1))
  mine = jax.jit(text_runs.make_trial(stage.values, [1, 3]))(x)
  short = {**stage.values, 'num_epochs': 3, 'observe_epochs': [1, 3]}
  theirs = jax.jit(stage.make_trial(short))(x)
  loss = mine['diagnosis'].loss
  np.testing.assert_allclose(loss[0], theirs['initial_loss'], rtol=1e-6)
  np.testing.assert_allclose(loss[1:], theirs['loss'], rtol=1e-5)
  assert loss[2] < loss[0]


@pytest.mark.parametrize(
  ('text', 'message'),
  [
    ('six:2:2', 'pairs:embed:hidden'),
    ('seven:2:2:sgd:0.1:full', 'seven'),
    ('six:0:2:sgd:0.1:full', '0'),
    ('six:2:2:rmsprop:0.1:full', 'rmsprop'),
    ('six:2:2:sgd:-1:full', '-1'),
    ('six:2:2:sgd:0.1:half', 'half'),
  ],
)
def test_a_wrong_configuration_is_named(text, message):
  with pytest.raises(ValueError, match=message):
    text_runs.parse_configuration(text)


def test_a_configuration_reads_back():
  text = 'six:4:8:adam:0.01:shuffled1'
  assert str(text_runs.parse_configuration(text)) == text

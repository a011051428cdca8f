"""Outcomes of the text net: hand-made nets, trained nets and symmetry."""

import functools
import itertools

import jax
import numpy as np
import pytest

from tests.toys import text_net
from toyjax import descent, loops, optimizers, statistics, sweeps
from toyjax.data import word_pairs
from toyjax.toys import text_mlp
from toyjax.toys.text_mlp import Outcome

PAIRS = text_net.SIX.pairs
diagnose = jax.jit(functools.partial(text_mlp.diagnose, pairs=PAIRS))


def _lookup(successors, height=5.0):
  """A net that passes the token through: logits are a table of our choice."""
  eye, zeros = np.eye(7, dtype=np.float32), np.zeros(7, np.float32)
  table = height * eye[np.asarray(successors)]
  through = text_mlp.Layer(eye, zeros)
  return text_mlp.Params(eye, (through, through, text_mlp.Layer(table, zeros)))


RIGHT = [1, 4, 3, 4, 0, 3, 2]  # hello world cat dog ! silly cute


def test_a_net_that_knows_all_pairs():
  found = diagnose(_lookup(RIGHT))
  assert found.outcome == Outcome.LEARNED_ALL
  np.testing.assert_array_equal(found.predictions, RIGHT)
  np.testing.assert_array_equal(found.correct, True)
  np.testing.assert_array_equal(found.tied, False)
  # Unit 4 is on for '!' alone, which is no input of a pair.
  np.testing.assert_array_equal(found.num_dead_units, [1, 1])
  np.testing.assert_array_equal(found.dead_layers, False)
  expected = np.log(np.exp(5.0) + 6.0) - 5.0
  assert float(found.loss) == pytest.approx(expected, rel=1e-5)


def test_wrong_pairs_are_named():
  found = diagnose(_lookup([1, 4, 3, 3, 0, 3, 2]))
  assert found.outcome == Outcome.PARTLY_LEARNED
  np.testing.assert_array_equal(found.correct, [1, 1, 0, 1, 1, 1])
  found = diagnose(_lookup([0, 0, 0, 0, 0, 0, 0]))
  assert found.outcome == Outcome.ALL_WRONG


def test_a_tie_takes_the_lower_index_and_is_set_apart():
  params = _lookup(RIGHT)
  kernel = np.array(params.layers[-1].kernel)
  kernel[3, 6] = kernel[3, 4]  # After dog: "!" (4) and cute (6).
  tied = params._replace(
    layers=(*params.layers[:2], params.layers[-1]._replace(kernel=kernel))
  )
  found = diagnose(tied)
  assert found.outcome == Outcome.TIED
  np.testing.assert_array_equal(found.correct, True)  # By the tie rule.
  np.testing.assert_array_equal(found.tied, np.arange(7) == 3)
  kernel[3, 2] = kernel[3, 4]  # cat (2) stands before "!".
  assert not diagnose(tied).correct[2]
  # One bit less is no tie.
  kernel[3, [2, 6]] = np.nextafter(np.float32(5.0), np.float32(0.0))
  assert diagnose(tied).outcome == Outcome.LEARNED_ALL
  # A tie after a token that is no input of a pair sets no run apart.
  kernel[4] = 0.0
  found = diagnose(tied)
  assert found.outcome == Outcome.LEARNED_ALL
  assert found.tied[4]


@pytest.mark.parametrize('layer', [0, 1])
def test_a_dead_layer_says_the_same_after_every_input(layer):
  params = _lookup(RIGHT)
  layers = list(params.layers)
  layers[layer] = layers[layer]._replace(bias=np.full(7, -1.0, np.float32))
  layers[2] = layers[2]._replace(bias=np.arange(7, dtype=np.float32))
  found = diagnose(params._replace(layers=tuple(layers)))
  assert found.outcome == Outcome.DEAD_LAYER
  assert found.num_dead_units[layer] == 7
  assert found.dead_layers[layer]
  assert len(set(np.asarray(found.predictions).tolist())) == 1


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_what_is_not_finite_diverged(bad):
  params = _lookup(RIGHT)
  embedding = np.array(params.embedding)
  embedding[4, 0] = bad  # '!' is in no loss.
  found = diagnose(params._replace(embedding=embedding))
  assert found.outcome == Outcome.DIVERGED
  assert not np.any(found.correct)
  assert not np.any(found.tied)
  assert not np.any(found.num_dead_units)
  assert text_mlp.Outcome(0).name == 'DIVERGED'


def test_renaming_tokens_renames_the_diagnosis():
  """Inputs and outputs renamed apart, together with the pairs."""
  rng = np.random.default_rng(3)
  inputs, outputs = rng.permutation(7), rng.permutation(7)
  renamed = np.stack([inputs[PAIRS[:, 0]], outputs[PAIRS[:, 1]]], axis=1)
  diagnose_renamed = jax.jit(
    functools.partial(text_mlp.diagnose, pairs=renamed)
  )
  for seed in range(5):
    params = text_net.random_params(seed)
    back_in, back_out = np.argsort(inputs), np.argsort(outputs)
    last = params.layers[-1]
    moved = text_mlp.Params(
      params.embedding[back_in],
      (
        *params.layers[:-1],
        text_mlp.Layer(last.kernel[:, back_out], last.bias[back_out]),
      ),
    )
    found, other = diagnose(params), diagnose_renamed(moved)
    assert found.outcome == other.outcome
    np.testing.assert_array_equal(found.correct, other.correct)
    np.testing.assert_array_equal(found.num_dead_units, other.num_dead_units)
    np.testing.assert_array_equal(
      outputs[np.asarray(found.predictions)],
      np.asarray(other.predictions)[inputs],
    )
    assert float(other.loss) == pytest.approx(float(found.loss), rel=1e-5)


@pytest.fixture(scope='module')
def trained():
  """4,096 nets of the source's size and training, as a sweep runs them."""

  def trial(x):
    dynamics = descent.descend(
      text_net.make(),
      optimizers.make('sgd', learning_rate=0.1, schedule=None),
    )
    state, loss = loops.unroll(
      x['key'],
      dynamics,
      501,
      observe=lambda state, info: info.loss,
      observe_at=[1, 501],
    )
    found = text_mlp.diagnose(state.params, pairs=PAIRS)
    table = text_mlp.logit_table(state.params)
    return {**found._asdict(), 'first_and_last_loss': loss, 'logits': table}

  xs = sweeps.seeds_by_grid(seed=0, num_seeds=4096, configurations={})
  return sweeps.sweep(trial, xs, chunk_size=1024)


def test_trained_nets_end_in_several_ways(trained):
  counts = statistics.counts(trained['outcome'], len(Outcome))
  assert counts[Outcome.DIVERGED] == 0
  for outcome in (
    Outcome.LEARNED_ALL,
    Outcome.TIED,
    Outcome.DEAD_LAYER,
    Outcome.PARTLY_LEARNED,
  ):
    assert counts[outcome] > 100, outcome
  first, last = trained['first_and_last_loss'].T
  assert np.mean(last < first) > 0.99
  learned = trained['outcome'] == Outcome.LEARNED_ALL
  assert np.all(trained['correct'][learned])
  assert not np.any(
    np.all(trained['correct'], axis=1)
    & ~learned
    & ~np.any(trained['tied'], axis=1)
  )


def test_labels_are_those_of_the_logits(trained):
  logits = trained['logits']
  np.testing.assert_array_equal(trained['predictions'], logits.argmax(axis=2))
  best = np.sort(logits, axis=2)
  np.testing.assert_array_equal(trained['tied'], best[..., -1] == best[..., -2])
  inputs = PAIRS[:, 0]
  dead = np.any(trained['dead_layers'], axis=1)
  same = np.all(logits[:, inputs] == logits[:, inputs[:1]], axis=(1, 2))
  np.testing.assert_array_equal(dead, dead & same)
  assert np.any(dead)


def test_pairs_that_play_the_same_part_are_learned_equally_often(trained):
  """Without tied runs; differences are of the same runs, so paired."""
  free = ~np.any(trained['tied'][:, PAIRS[:, 0]], axis=1)
  correct = trained['correct'][free].astype(float)
  groups = word_pairs.exchangeable_pairs(PAIRS)
  for group in groups:
    for one, two in itertools.pairwise(group):
      difference = correct[:, one] - correct[:, two]
      bar = 4.5 * difference.std() / np.sqrt(len(difference))
      assert abs(difference.mean()) < bar, (one, two)
  # The groups themselves differ, or this would show nothing.
  rates = [correct[:, list(group)].mean() for group in groups]
  assert abs(rates[0] - rates[1]) > 0.1

"""The hand-written update against plain loops, the gradient against the toy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references
from toyjax import loops
from toyjax.analysis.autoencoder import hand_written
from toyjax.toys.relu_autoencoder import Params

_N, _B, _R = 4, 9, 0.7
_IMPORTANCE = _R ** np.arange(_N)


def _state(seed):
  draw = np.random.default_rng(seed)
  params = Params(draw.normal(size=(2, _N)), 0.5 * draw.normal(size=_N))
  batch = draw.uniform(size=(_N, _B)) * (draw.uniform(size=(_N, _B)) > 0.5)
  return params, batch


def _by_loops(params, batch):
  """The article's formulas, sample by sample and entry by entry."""
  weights, bias = (np.asarray(leaf) for leaf in params)
  taken = Params(np.zeros((2, _N)), np.zeros(_N))
  for x in batch.T:
    hidden = [sum(weights[k, i] * x[i] for i in range(_N)) for k in range(2)]
    for j in range(_N):
      y = bias[j] + sum(hidden[k] * weights[k, j] for k in range(2))
      if y <= 0.0:
        continue
      delta = y - x[j]
      taken.bias[j] += delta / _B
      for k in range(2):
        own = hidden[k] + weights[k, j] * x[j]
        taken.weights[k, j] += _IMPORTANCE[j] * delta * own / _B
  return taken


@pytest.mark.parametrize('seed', range(3))
def test_the_update_is_the_article_s(seed):
  params, batch = _state(seed)
  _, taken = hand_written.hand_written(params, batch, _IMPORTANCE)
  for own, expected in zip(taken, _by_loops(params, batch)):
    np.testing.assert_allclose(own, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('seed', range(3))
def test_loss_and_gradient_are_those_of_the_toy(seed):
  params, batch = _state(seed)
  loss, slope = hand_written.gradient(params, batch, _IMPORTANCE)
  given = {'importance_decay': _R, 'reduction': 'sum'}
  # Half of the mean over samples, not over samples and features.
  expected = references.loss(*params, batch.T, **given) / (2 * _B)
  np.testing.assert_allclose(loss, expected, rtol=1e-5)
  both = references.gradient(*params, batch.T, **given)
  for own, sums in zip(slope, both):
    np.testing.assert_allclose(own, sums / (2 * _B), rtol=1e-4, atol=1e-6)


def test_differences_tell_which_update_is_the_gradient():
  off = hand_written.misses(_IMPORTANCE, sparsity=0.5, num_states=8, seed=0)
  for part in Params._fields:
    assert off['gradient', part].max() < 1e-6
    assert np.median(off['hand_written', part]) > 0.1


def test_both_are_one_update_for_a_single_feature_of_importance_1():
  # Nothing else to encode to, and no importance to forget.
  params, batch = Params(np.ones((2, 1)), np.ones(1)), np.ones((1, 3))
  by_hand, true = (
    update(params, batch, np.ones(1))[1]
    for update in hand_written.UPDATES.values()
  )
  for a, b in zip(by_hand, true):
    np.testing.assert_allclose(a, b, rtol=1e-6)


def test_updates_turn_with_the_plane():
  params, batch = _state(0)
  turn = np.asarray([[0.6, -0.8], [0.8, 0.6]])
  for update in hand_written.UPDATES.values():
    _, taken = update(params, batch, _IMPORTANCE)
    turned = Params(turn @ params.weights, params.bias)
    _, again = update(turned, batch, _IMPORTANCE)
    np.testing.assert_allclose(
      again.weights, turn @ taken.weights, rtol=1e-4, atol=1e-6
    )
    np.testing.assert_allclose(again.bias, taken.bias, rtol=1e-4, atol=1e-6)


def test_arms_see_one_batch_and_averages_follow_their_losses():
  params, _ = _state(1)
  params = jax.tree.map(jnp.float32, params)
  arms = {'a': hand_written.gradient, 'b': hand_written.gradient}
  dynamics = hand_written.averaged(
    hand_written.descend(
      arms,
      init=lambda key: dict.fromkeys(arms, params),
      sample=lambda key: jax.random.uniform(key, (_N, _B)),
      importance=jnp.asarray(_IMPORTANCE, jnp.float32),
      learning_rate=0.1,
    ),
    4.0,
  )
  _, (info, records) = loops.unroll(
    jax.random.key(0),
    dynamics,
    3,
    observe=lambda state, info: (info, state.record),
  )
  np.testing.assert_array_equal(info['a'], info['b'])
  average = float(info['a'][0])
  for loss, record in zip(info['a'], records['a']):
    average += (float(loss) - average) / 4.0
    np.testing.assert_allclose(record, average, rtol=1e-5)


def test_arms_are_moved_apart_by_nothing():
  params, _ = _state(2)
  params = jax.tree.map(jnp.float32, params)
  arms = hand_written.jittered(
    jax.random.key(0), {'a': params, 'b': params}, 0.1
  )
  for a, b, before in zip(arms['a'], arms['b'], params):
    np.testing.assert_array_equal(a, b)
    assert 0.0 < np.abs(a - before).max() < 1.0

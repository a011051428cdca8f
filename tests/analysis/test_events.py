"""Events of trajectories made by hand, step by step, and of training."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_weights as references
from tests.toys import autoencoder
from toyjax import descent, loops, optimizers, sweeps
from toyjax.analysis.autoencoder import events
from toyjax.analysis.autoencoder.events import Place
from toyjax.base import Dynamics
from toyjax.descent import DescentState
from toyjax.toys import relu_autoencoder

N = 7
NUMBERS = {
  'solved_sse': 1e-2,
  'thresholds': relu_autoencoder.THRESHOLDS,
  'near_factor': 4.0,
}


def _tilted(norm):
  """Symmetric failure whose dead row, the last, has grown to a norm."""
  weights, bias = references.symmetric_failure(N)
  return np.concatenate([weights[:, :-1], [[norm], [0.0]]], axis=1), bias


def _broken():
  weights, bias = references.collapsed(N)
  return weights * np.nan, bias


BY_FEATURE = ('first_learned', 'last_unlearned', 'times_lost', 'is_learned')

# Steps 0, 1, 2 ... of one run, with what holds at each.
WALK = [
  (references.collapsed(N), set()),
  (references.merged_pair(N), {'MERGED'}),
  (references.merged_pair(N), {'MERGED'}),
  (references.collapsed(N), set()),
  (
    references.symmetric_failure(N, num_dead=2),
    {'SYMMETRIC', 'NEAR_SYMMETRIC', 'ON_FOR_ALL'},
  ),
  (
    references.symmetric_failure(N),
    {'SYMMETRIC', 'ONE_DEAD', 'NEAR_SYMMETRIC', 'ON_FOR_ALL'},
  ),
  (_tilted(0.055), {'NEAR_SYMMETRIC', 'ON_FOR_ALL'}),
  (
    references.symmetric_failure(N),
    {'SYMMETRIC', 'ONE_DEAD', 'NEAR_SYMMETRIC', 'ON_FOR_ALL'},
  ),
  (references.dead_and_irregular(N), {'ON_FOR_ALL'}),
  (references.regular_polygon(N), {'SOLVED'}),
  (references.regular_polygon(N), {'SOLVED'}),
  (_broken(), {'DIVERGED'}),
]


@jax.jit
def _watch(weights, biases):
  """Events of a dynamics that goes through parameters [T, ...]."""

  def state(index):
    params = relu_autoencoder.Params(weights[index], biases[index])
    return DescentState(params, index)

  def step(key, old):
    del key
    return state(old.opt_state + 1), ()

  dynamics = Dynamics(lambda key: state(jnp.int32(0)), step)
  watched = events.watch(dynamics, **NUMBERS)
  return loops.unroll(jax.random.key(0), watched, len(weights) - 1)[0].record


def _events(transform=lambda weights, bias: (weights, bias), stop=None):
  """Events of `WALK`, which stays where it is from step `stop` on."""
  stop = len(WALK) if stop is None else stop
  states = [transform(*params) for params, _ in WALK]
  states = states[:stop] + [states[stop - 1]] * (len(WALK) - stop)
  weights, biases = (np.asarray(leaf, np.float32) for leaf in zip(*states))
  return jax.tree.map(np.asarray, _watch(weights, biases))


@pytest.fixture(scope='module')
def walked():
  return _events()


def test_places_are_seen_when_they_are_there(walked):
  at = {
    place: [k for k, (_, names) in enumerate(WALK) if place.name in names]
    for place in Place
  }
  for place, steps in at.items():
    assert walked.first_step[place] == steps[0], place
    assert walked.last_step[place] == steps[-1], place
    assert walked.num_steps[place] == len(steps), place
  stays = dict(
    SYMMETRIC=2, ONE_DEAD=1, NEAR_SYMMETRIC=4, ON_FOR_ALL=5, MERGED=2, SOLVED=2
  )
  for name, longest in stays.items():
    assert walked.longest_stay[Place[name]] == longest, name
  assert walked.stay[Place.DIVERGED] == 1
  assert walked.stay[Place.SOLVED] == 0


def test_a_run_escapes_when_it_is_not_even_near(walked):
  # Step 6 is no symmetric failure, but near; step 8 is neither.
  np.testing.assert_array_equal(walked.escape_step, [8, 8])
  before = _events(stop=8)
  np.testing.assert_array_equal(before.escape_step, [-1, -1])


def test_divergence_is_no_escape():
  weights, bias = references.symmetric_failure(N)
  factors = np.where(np.arange(len(WALK)) < 2, 1.0, np.nan)[:, None]
  seen = _watch(
    np.float32(factors[:, :, None] * weights[None]),
    np.float32(factors * bias[None]),
  )
  np.testing.assert_array_equal(seen.escape_step, [-1, -1])
  assert seen.first_step[Place.DIVERGED] == 2


def test_features_are_learned_lost_and_learned_again(walked):
  # The first row is merged, learned from step 4 on and lost at the end.
  weights, biases = zip(*(params for params, _ in WALK))
  _, learned = jax.jit(
    jax.vmap(lambda params: events.locate(params, **NUMBERS))
  )(relu_autoencoder.Params(np.float32(weights), np.float32(biases)))
  learned = np.asarray(learned)
  for i in range(N):
    steps = np.flatnonzero(learned[:, i])
    assert walked.first_learned[i] == steps[0]
    assert walked.last_unlearned[i] == np.flatnonzero(~learned[:, i])[-1]
    assert walked.times_lost[i] == np.sum(learned[:-1, i] & ~learned[1:, i])
  assert walked.times_lost.sum() > N  # Each is lost at the end, some before.


@pytest.mark.parametrize('seed', range(3))
def test_order_and_orientation_change_nothing(walked, seed):
  rng = np.random.default_rng(seed)
  order, angle = rng.permutation(N), rng.uniform(0.0, 2.0 * np.pi)
  turn = np.array(
    [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
  )
  flip = np.diag([1.0, rng.choice([-1.0, 1.0])])
  found = _events(lambda w, b: (flip @ turn @ w[:, order], b[order]))
  for name in events.Events._fields:
    expected = getattr(walked, name)
    if name in BY_FEATURE:
      expected = expected[order]
    np.testing.assert_array_equal(getattr(found, name), expected, name)


def test_recovery_and_waits():
  first = np.full((4, len(Place)), -1)
  first[:, Place.SYMMETRIC] = [5, 5, -1, 5]
  first[:, Place.SOLVED] = [9, -1, 9, 4]
  np.testing.assert_array_equal(
    events.recovered_asymmetrically(first, Place.SYMMETRIC, 10),
    [True, False, False, False],
  )
  assert not events.recovered_asymmetrically(first, Place.SYMMETRIC, 8).any()
  times, observed = events.waits(
    np.asarray([2, 2, 2]), np.asarray([7, -1, 11]), 10
  )
  np.testing.assert_array_equal(times, [5, 8, 8])
  np.testing.assert_array_equal(observed, [True, False, False])


def test_near_symmetric_only_widens():
  with pytest.raises(ValueError, match='factor'):
    events.near_symmetric(relu_autoencoder.THRESHOLDS, 0.5)
  same = events.near_symmetric(relu_autoencoder.THRESHOLDS, 1.0)
  assert same == relu_autoencoder.THRESHOLDS


def test_what_is_seen_in_training_is_what_a_trajectory_shows():
  num_steps = 400

  adam = optimizers.make(
    'adam', learning_rate=1e-2, schedule=None, b1=0.9, b2=0.999, eps=1e-8
  )
  inner = descent.descend(autoencoder.make(), adam)

  def trial(x):
    def locate(state, info):
      del info
      return events.locate(state.inner.params, **NUMBERS)

    dynamics = events.watch(inner, **NUMBERS)
    state, located = loops.unroll(x['key'], dynamics, num_steps, observe=locate)
    return state.record, located

  xs = {'key': sweeps.seed_keys(0, np.arange(64))}
  seen, (at, learned) = sweeps.sweep(trial, xs, chunk_size=64, map_name='vmap')
  steps = np.arange(1, num_steps + 1)
  for place in (Place.SYMMETRIC, Place.ON_FOR_ALL, Place.SOLVED):
    here = at[:, :, place]
    first = np.where(here.any(1), steps[here.argmax(1)], -1)
    np.testing.assert_array_equal(seen.first_step[:, place], first)
    np.testing.assert_array_equal(seen.num_steps[:, place], here.sum(1))
  first = np.where(learned.any(1), steps[learned.argmax(1)], -1)
  fresh = seen.first_learned > 0  # Not at the initial weights already.
  np.testing.assert_array_equal(seen.first_learned[fresh], first[fresh])
  assert (seen.first_step[:, Place.SOLVED] > 0).any()

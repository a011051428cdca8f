"""The single-change model against enumeration, and its active runs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint as references
from toyjax.inference import changepoint
from toyjax.lanes import lanes

pytestmark = pytest.mark.usefixtures('float64')

BEFORE, AFTER = (2.0, 2.0), (1.0, 19.0)
PRIORS = {
  'published': (BEFORE, AFTER, (1, 1, 1, 1, 1, 1)),
  'jeffreys': ((0.5, 0.5), (0.5, 0.5), (1, 1, 1, 1, 1, 1)),
  'weighted': ((3.0, 1.5), (1.0, 4.0), (1, 2, 0, 5, 0.5, 1)),
  'one_position': (BEFORE, AFTER, (1,)),
}


def _prior(name, dtype=np.float64):
  before, after, weights = PRIORS[name]
  return changepoint.make_prior(
    before=before, after=after, weights=np.asarray(weights, dtype)
  )


def _rollouts(name, num=14, seed=0):
  """Rollouts at allowed positions, succeeding before the middle."""
  rng = np.random.default_rng(seed)
  weights = np.asarray(PRIORS[name][2])
  positions = rng.choice(np.flatnonzero(weights), num)
  chances = np.where(positions < len(weights) // 2, 0.8, 0.15)
  return [
    (int(t), int(y)) for t, y in zip(positions, rng.random(num) < chances)
  ]


def _follow(prior, rollouts):
  state = changepoint.init(prior)
  for position, success in rollouts:
    state = changepoint.update(state, position, success)
  return state


def _problem(name):
  before, after, weights = PRIORS[name]
  return weights, before, after


@pytest.mark.parametrize('name', PRIORS)
@pytest.mark.parametrize('num', [0, 1, 14])
def test_posterior_evidence_and_trajectory(name, num):
  rollouts = _rollouts(name, num)
  state = _follow(_prior(name), rollouts)
  joint = references.log_joint(rollouts, *_problem(name))
  np.testing.assert_allclose(state.log_joint, joint, rtol=1e-12, atol=1e-12)
  np.testing.assert_allclose(
    changepoint.posterior(state),
    references.posterior(rollouts, *_problem(name)),
    rtol=1e-12,
  )
  evidence = sum(np.exp(joint))
  found = changepoint.log_evidence_nats(state)
  np.testing.assert_allclose(found, np.log(evidence), atol=1e-12)
  chances = [
    references.chance(rollouts, *_problem(name), t) for t in range(len(joint))
  ]
  np.testing.assert_allclose(
    changepoint.mean_trajectory(state), chances, rtol=1e-12
  )


@pytest.mark.parametrize('name', PRIORS)
def test_counts_at_once_are_rollouts_one_by_one(name):
  rollouts = _rollouts(name)
  size = len(PRIORS[name][2])
  successes = np.bincount([t for t, y in rollouts if y], minlength=size).astype(
    float
  )
  failures = np.bincount(
    [t for t, y in rollouts if not y], minlength=size
  ).astype(float)
  followed = _follow(_prior(name), rollouts)
  counts = changepoint.Beta(jnp.asarray(successes), jnp.asarray(failures))
  conditioned = changepoint.condition(_prior(name), counts)
  jax.tree.map(
    functools.partial(np.testing.assert_allclose, rtol=1e-12, atol=1e-12),
    followed,
    conditioned,
  )
  found = changepoint.counts_by_position(followed)
  np.testing.assert_array_equal(found.successes, successes)
  np.testing.assert_array_equal(found.failures, failures)


@pytest.mark.parametrize('name', PRIORS)
@pytest.mark.parametrize('num', [0, 3, 14])
def test_information_gain_is_its_definition(name, num):
  rollouts = _rollouts(name, num, seed=num)
  gains = changepoint.information_gains_nats(_follow(_prior(name), rollouts))
  for position, weight in enumerate(PRIORS[name][2]):
    if weight == 0:
      assert gains[position] == -np.inf
      continue
    expected = references.information_gain(rollouts, *_problem(name), position)
    np.testing.assert_allclose(gains[position], expected, rtol=0, atol=1e-12)


def test_padding_changes_nothing():
  short = _prior('published')
  weights = changepoint.uniform_weights(6, 9, jnp.float64)
  padded = changepoint.make_prior(before=BEFORE, after=AFTER, weights=weights)
  a, b = (_follow(p, _rollouts('published')) for p in (short, padded))
  for function in (changepoint.posterior, changepoint.information_gains_nats):
    np.testing.assert_allclose(function(a), function(b)[:6], rtol=1e-12)
  assert not np.any(changepoint.posterior(b)[6:])
  assert changepoint.select(a) == changepoint.select(b)


def test_costs_move_the_choice():
  state = _follow(_prior('published'), _rollouts('published'))
  free = int(changepoint.select(state))
  costs = np.ones(6)
  costs[free] = 1e6
  assert changepoint.select(state, costs) != free
  gains = np.asarray(changepoint.information_gains_nats(state))
  assert changepoint.select(state, costs) == np.argmax(gains / costs)


@pytest.mark.parametrize('dtype', [np.float32, np.float64])
def test_dtypes_and_transformations(dtype):
  """float32 stays float32; jit, vmap, lanes and a loop agree."""
  prior = _prior('published', dtype)

  def active(key):
    return changepoint.run(
      key,
      prior,
      lambda key, t: jax.random.uniform(key, dtype=dtype) < 0.8 - 0.1 * t,
      12,
    )

  keys = jax.random.split(jax.random.key(0), 5)
  looped = [active(key) for key in keys]
  stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *looped)
  assert stacked[0].log_joint.dtype == dtype
  tolerance = 50 * float(jnp.finfo(dtype).eps)
  for mapped in (jax.vmap(active), lanes(active)):
    found = jax.jit(mapped)(keys)
    jax.tree.map(
      functools.partial(
        np.testing.assert_allclose, rtol=tolerance, atol=tolerance
      ),
      found,
      stacked,
    )


def test_an_active_run_is_its_rollouts_in_order():
  prior = _prior('published')
  state, rollouts = changepoint.run(
    jax.random.key(1), prior, lambda key, t: t < 3, 20
  )
  again = changepoint.init(prior)
  for position, success in zip(*rollouts):
    assert position == changepoint.select(again)
    assert success == (position < 3)
    again = changepoint.update(again, position, success)
  np.testing.assert_allclose(state.log_joint, again.log_joint, rtol=1e-12)
  assert changepoint.most_probable_position(state) == 3
  assert changepoint.guilty_sentence(3) == 2
  assert changepoint.guilty_sentence(0) == -1


def test_the_posterior_is_calibrated():
  """Ranks of the true τ are uniform when p₁, p₂, τ come from the prior.

  With one rollout of the posterior's own each, P(rank < k) = k / T up to the
  standard error of 4,000 sequences (5 sigma).
  """
  size, num = 8, 4000
  prior = changepoint.make_prior(
    before=BEFORE, after=AFTER, weights=np.ones(size)
  )

  def one(key):
    keys = jax.random.split(key, 5)
    first = jax.random.randint(keys[0], (), 0, size)
    p1 = jax.random.beta(keys[1], *BEFORE, dtype=jnp.float64)
    p2 = jax.random.beta(keys[2], *AFTER, dtype=jnp.float64)
    state, _ = changepoint.run(
      keys[3],
      prior,
      lambda key, t: jax.random.uniform(key) < jnp.where(t < first, p1, p2),
      10,
    )
    probs = changepoint.posterior(state)
    below = jnp.sum(jnp.where(jnp.arange(size) < first, probs, 0.0))
    return below + jax.random.uniform(keys[4]) * probs[first]

  ranks = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(2), num))
  for level in (0.1, 0.25, 0.5, 0.75, 0.9):
    share = np.mean(np.asarray(ranks) < level)
    assert abs(share - level) < 5 * np.sqrt(level * (1 - level) / num)


def test_errors_name_what_is_wrong():
  with pytest.raises(ValueError, match='-1'):
    changepoint.make_prior(before=(2, -1), after=AFTER, weights=np.ones(3))
  with pytest.raises(ValueError, match='int64'):
    changepoint.make_prior(before=BEFORE, after=AFTER, weights=np.arange(3))
  with pytest.raises(ValueError, match=r'\(2, 3\)'):
    changepoint.make_prior(before=BEFORE, after=AFTER, weights=np.ones((2, 3)))

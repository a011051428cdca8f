"""Several changes against enumeration of all of them."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_segments as reference
from tests.inference.segment_models import (
  COUNTS,
  MODELS,
  ONE_SHAPE,
  PUBLISHED,
  counts_of,
  infer,
  model,
  prior_of,
)
from toyjax.inference import changepoint
from toyjax.inference.changepoint import Beta, segments
from toyjax.inference.changepoint import segments_active as active
from toyjax.inference.changepoint import segments_posterior as posterior

pytestmark = pytest.mark.usefixtures('float64')


@pytest.mark.parametrize('name', MODELS)
def test_posterior_is_that_of_enumeration(name):
  facts = MODELS[name]
  n = facts['n']
  expected = reference.infer(facts, COUNTS)
  result = infer(prior_of(facts), counts_of())
  found = result.posterior
  close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10)
  close(found.log_evidence_nats, math.log(expected['evidence']))
  by_number = np.exp(np.asarray(found.log_evidence_by_number_nats))
  possible = np.asarray(facts['num_weights']) > 0
  close(
    by_number[possible], np.asarray(expected['evidence_by_number'])[possible]
  )
  close(found.num_segments_probs, expected['num_segments'])
  close(found.change_probs[:n], expected['changes'])
  assert not np.asarray(found.change_probs[n:]).any()
  close(found.mean_rates[:n], expected['means'])
  close(
    result.predictive[:n],
    expected['probs'] @ expected['predictive'],
  )

  best = expected['ways'][int(np.argmax(expected['probs']))]
  starts = [start for start, _ in best]
  absent = [n] * (len(possible) - len(best))
  assert result.best.num_segments == len(best)
  assert result.best.starts.tolist() == starts + absent


@pytest.mark.parametrize('name', MODELS)
def test_gains_are_those_of_their_definition(name):
  facts = MODELS[name]
  if facts['concentration']:
    facts = facts | {'n': 4}
  gains = infer(prior_of(facts), counts_of()).gains
  expected = reference.information_gains(facts, COUNTS)
  n = facts['n']
  np.testing.assert_allclose(
    gains[:n], expected, atol=1e-8 if facts['concentration'] else 1e-12
  )
  assert np.all(np.asarray(gains[n:]) == -np.inf)


def test_the_next_rollout_is_the_most_informative_at_its_cost():
  state = infer(prior_of(MODELS['plain']), counts_of()).state
  gains = reference.information_gains(MODELS['plain'], COUNTS)
  assert active.select(state) == np.argmax(gains)
  costs = np.where(np.arange(8) == np.argmax(gains), 9.0, 1.0)
  assert active.select(state, jnp.asarray(costs)) == np.argmax(gains / costs)
  assert np.argmax(gains / costs) != np.argmax(gains)


def test_two_segments_of_the_published_kind_are_the_single_change_model():
  weights = jnp.asarray([1.0, 2.0, 1.0, 0.5, 1.0, 1.0, 1.0, 3.0])

  @jax.jit
  def infer_one(counts):
    prior = changepoint.make_prior(
      before=PUBLISHED[0], after=PUBLISHED[1], weights=weights
    )
    state = changepoint.condition(prior, counts)
    return (
      changepoint.log_evidence_nats(state),
      changepoint.posterior(state),
      changepoint.mean_trajectory(state),
      changepoint.information_gains_nats(state),
    )

  log_evidence, probs, means, gains = infer_one(counts_of())
  several = infer(
    prior_of(model(shapes=PUBLISHED, numbers=(0.0, 1.0), weights=weights)),
    counts_of(),
  )
  found = several.posterior
  close = lambda a, b: np.testing.assert_allclose(a, b, atol=1e-11)
  close(found.log_evidence_nats, log_evidence)
  close(found.change_probs, probs)
  close(found.mean_rates, means)
  close(several.gains, gains)
  assert several.best.starts[1] == np.argmax(probs)


@pytest.mark.parametrize('name', ['plain', 'empty first', 'dispersed'])
def test_one_rollout_at_a_time_ends_where_all_at_once_does(name):
  prior = prior_of(MODELS[name])
  state = jax.jit(segments.init)(prior)
  tell = jax.jit(segments.update)
  counts = np.zeros((2, 8))
  rng = np.random.default_rng(0)
  for _ in range(25):
    position, success = rng.integers(6), rng.integers(2)
    counts[1 - success, position] += 1
    state = tell(state, position, success)
  expected = infer(prior, counts_of(counts)).state
  for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(expected)):
    np.testing.assert_allclose(a, b, atol=1e-11)


@pytest.mark.parametrize('name', ['by index', 'dispersed'])
def test_a_mask_is_a_slice(name):
  long = MODELS[name] | {'n': 5}
  short = long | {'change_weights': long['change_weights'][:5]}
  cut = [count[:5] for count in COUNTS]
  found = infer(prior_of(long), counts_of())
  expected = infer(prior_of(short), counts_of(cut))
  for a, b in zip(found.posterior, expected.posterior):
    np.testing.assert_allclose(a[:5] if a.ndim else a, b, atol=1e-12)
  np.testing.assert_allclose(found.gains[:5], expected.gains, atol=1e-12)
  assert found.best.starts.tolist() == expected.best.starts.tolist()


def test_lengths_are_traced_and_mapped():
  def infer_length(num_positions, counts):
    prior = segments.make_prior(
      shapes=ONE_SHAPE,
      num_segments_weights=jnp.ones(3),
      change_weights=segments.uniform_change_weights(num_positions, 8, float),
      num_positions=num_positions,
      concentration=math.inf,
    )
    return posterior.posterior(segments.condition(prior, counts))

  lengths = jnp.asarray([3, 8, 5])
  rng = np.random.default_rng(1)
  counts = counts_of(rng.integers(0, 4, (2, 3, 8)))
  mapped = jax.jit(jax.vmap(infer_length))(lengths, counts)
  one = jax.jit(infer_length)
  for i, length in enumerate(lengths):
    alone = one(int(length), Beta(*(count[i] for count in counts)))
    for a, b in zip(mapped, alone):
      np.testing.assert_allclose(a[i], b, atol=1e-12)


def test_reversed_time_reverses_the_changes():
  prior = prior_of(MODELS['plain'])
  forth = infer(prior, counts_of()).posterior
  back = infer(prior, counts_of([count[::-1] for count in COUNTS])).posterior
  np.testing.assert_allclose(
    forth.change_probs[1:], back.change_probs[1:][::-1], atol=1e-12
  )
  np.testing.assert_allclose(
    forth.mean_rates, back.mean_rates[::-1], atol=1e-12
  )


def test_without_rollouts_the_prior_stands():
  facts = MODELS['plain']
  found = infer(prior_of(facts), counts_of(np.zeros((2, 8)))).posterior
  np.testing.assert_allclose(found.log_evidence_nats, 0.0, atol=1e-12)
  np.testing.assert_allclose(found.num_segments_probs, facts['num_weights'])
  # K - 1 changes, all placements on 7 places equally likely.
  mean_changes = sum(k * p for k, p in enumerate(facts['num_weights']))
  np.testing.assert_allclose(found.change_probs[1:], mean_changes / 7)
  np.testing.assert_allclose(found.mean_rates, 0.5)


@pytest.mark.parametrize('name', ['by index', 'dispersed'])
def test_float32_agrees_with_float64(name):
  rng = np.random.default_rng(2)
  wins = rng.binomial(60, [0.8, 0.8, 0.8, 0.2, 0.2, 0.2, 0.6, 0.6])
  results = {}
  for dtype in ('float32', 'float64'):
    with jax.enable_x64(dtype == 'float64'):
      prior = prior_of(MODELS[name], dtype)
      results[dtype] = infer(prior, counts_of((wins, 60 - wins), dtype))
      assert {leaf.dtype.name for leaf in results[dtype].posterior} == {dtype}
  a, b = results.values()
  for single, double in zip(a.posterior[2:], b.posterior[2:]):
    np.testing.assert_allclose(single, double, atol=1e-3)
  n = MODELS[name]['n']
  np.testing.assert_allclose(a.gains[:n], b.gains[:n], atol=1e-4)
  assert a.best.starts.tolist() == b.best.starts.tolist()


def test_priors_are_compared_side_by_side():
  several = [MODELS[name] for name in ('plain', 'jeffreys', 'zero weight')]
  priors = [prior_of(facts) for facts in several]
  table = jax.jit(posterior.compare_priors)(priors, counts_of())
  for i, facts in enumerate(several):
    expected = reference.infer(facts, COUNTS)
    np.testing.assert_allclose(
      table.num_segments_probs[i], expected['num_segments'], atol=1e-10
    )
    np.testing.assert_allclose(
      table.change_probs[i], expected['changes'], atol=1e-10
    )


def test_wrong_priors_are_refused_by_their_values():
  good = {
    'shapes': ONE_SHAPE,
    'num_segments_weights': jnp.ones(3),
    'change_weights': jnp.ones(4),
    'num_positions': 4,
    'concentration': math.inf,
  }
  for wrong, message in (
    ({'change_weights': jnp.ones((2, 4))}, r'floats \[T\].*2, 4'),
    ({'change_weights': jnp.ones(4, int)}, 'int64'),
    ({'shapes': PUBLISHED}, '2 shapes'),
    ({'shapes': [(2.0, 0.0)]}, '0.0'),
    ({'concentration': -1.0}, '-1.0'),
    ({'concentration': 3.0}, 'num_nodes'),
    ({'concentration': 3.0, 'num_nodes': 1}, 'at least 2: 1'),
  ):
    with pytest.raises(ValueError, match=message):
      segments.make_prior(**(good | wrong))

"""Drops, dispersion and active runs of the model of several changes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from tests import references_changepoint_segments as reference
from tests.inference.segment_models import (
  COUNTS,
  INNER,
  MODELS,
  counts_of,
  infer,
  model,
  prior_of,
)
from toyjax.inference import changepoint
from toyjax.inference.changepoint import rate_grid, segments
from toyjax.inference.changepoint import segments_active as active
from toyjax.inference.changepoint import segments_drops as drops
from toyjax.inference.changepoint import segments_falls as falls
from toyjax.inference.changepoint import segments_posterior as posterior

pytestmark = pytest.mark.usefixtures('float64')

FALLS = {
  'plain': model(n=5),
  'one segment': model(n=5, numbers=(1.0,)),
  'by index': model(
    shapes=[(2, 2), (1, 19), (5, 1)],
    numbers=(0.2, 0.4, 0.4),
    weights=[1.0] * 8,
    n=5,
  ),
  'dispersed': model(n=4, numbers=(0.3, 0.3, 0.4), rho=6.0),
}


infer_falls = jax.jit(falls.infer_falls)


@pytest.mark.parametrize('smallest_fall', [0.0, 0.2])
@pytest.mark.parametrize('name', FALLS)
def test_falls_are_those_of_enumeration(name, smallest_fall):
  facts = FALLS[name]
  n = facts['n']
  at, first = reference.falls(facts, COUNTS, smallest_fall)
  state = infer(prior_of(facts), counts_of()).state
  grid = rate_grid.make_grid(100, 'float64')
  found = infer_falls(state, grid, smallest_fall=smallest_fall)
  np.testing.assert_allclose(found.falls[:n], at, atol=3e-4)
  np.testing.assert_allclose(found.first[:n], first[:n], atol=3e-4)
  np.testing.assert_allclose(found.first[-1], first[n], atol=3e-4)
  np.testing.assert_allclose(jnp.sum(found.first), 1.0, atol=1e-12)
  assert not np.asarray(found.falls[n:]).any()


def test_a_rise_is_no_drop_and_a_drop_is_one():
  rise = ([0, 0, 0, 0, 20, 20, 20, 20], [20, 20, 20, 20, 0, 0, 0, 0])
  grid = rate_grid.make_grid(64, 'float64')
  prior = prior_of(model(numbers=(0.5, 0.5)))
  for counts, place in ((rise, -1), (rise[::-1], 4)):
    found = infer(prior, counts_of(counts))
    first = infer_falls(found.state, grid, smallest_fall=0.1).first
    assert first[place] > 0.999
    assert found.posterior.change_probs[4] > 0.999


def test_places_of_drops_follow_their_definitions():
  rng = np.random.default_rng(0)
  locate = jax.jit(drops.locate_drops)
  seen = set()
  for _ in range(300):
    num = int(rng.integers(1, 6))
    starts = np.sort(rng.choice(np.arange(1, 9), num - 1, replace=False))
    starts = [0, *starts.tolist()]
    rates = rng.random(num)
    recovery = float(rng.choice([0.3, 0.8, 1.0]))
    smallest_fall = float(rng.choice([0.0, 0.15]))
    pad = 5 - num
    found = locate(
      drops.Segmentation(jnp.asarray(num), jnp.asarray(starts + [9] * pad)),
      jnp.asarray([*rates, *rng.random(pad)]),
      smallest_fall=smallest_fall,
      recovery=recovery,
    )
    expected = reference.locate_drops(starts, rates, smallest_fall, recovery)
    assert tuple(map(int, found)) == expected
    seen.add(len(set(expected)))
  assert seen == {1, 2, 3}


def test_the_three_drops_differ_where_they_should():
  segmentation = drops.Segmentation(
    jnp.asarray(5), jnp.asarray([0, 2, 4, 5, 7])
  )
  rates = jnp.asarray([0.9, 0.7, 0.95, 0.1, 0.8])
  found = drops.locate_drops(
    segmentation, rates, smallest_fall=0.1, recovery=1.0
  )
  # .9 to .7 is regained by .95; .95 to .1 is not regained by .8.
  assert tuple(map(int, found)) == (2, 5, 5)
  half = drops.locate_drops(
    segmentation, rates, smallest_fall=0.1, recovery=0.5
  )
  assert tuple(map(int, half)) == (2, 5, -1)


@pytest.mark.parametrize('name', ['empty first', 'dispersed'])
def test_draws_follow_the_exact_posterior(name):
  facts = MODELS[name] | {'n': 5}
  num_draws = 8000
  state = infer(prior_of(facts), counts_of()).state
  sample = jax.jit(drops.sample_drops, static_argnums=2)
  found = sample(
    jax.random.key(3), state, num_draws, smallest_fall=0.1, recovery=0.7
  )
  exact = reference.infer(facts, COUNTS)
  absent = len(facts['num_weights'])
  rows, counts = np.unique(
    np.asarray(found.segmentations.starts), axis=0, return_counts=True
  )
  share = {tuple(row): c / num_draws for row, c in zip(rows.tolist(), counts)}
  for ways, prob in zip(exact['ways'], exact['probs']):
    starts = [start for start, _ in ways]
    starts += [5] * (absent - len(starts))
    error = np.sqrt(prob * (1 - prob) / num_draws)
    assert abs(share.pop(tuple(starts), 0.0) - prob) < 5 * error + 1e-4
  assert not share  # No draw is a segmentation of probability zero.

  trajectories = np.asarray(drops.rate_trajectories(found, 8))[:, :5]
  error = trajectories.std(axis=0) / np.sqrt(num_draws)
  bias = np.abs(trajectories.mean(axis=0) - exact['means'])
  # Draws from cells are right to second order in the grid's width.
  slack = 0.0 if facts['concentration'] is None else 2e-3
  assert np.all(bias < 5 * error + slack)

  grid = rate_grid.make_grid(80, 'float64')
  first = infer_falls(state, grid, smallest_fall=0.1).first
  gap = np.abs(np.asarray(found.first.probs - first))
  assert np.all(gap < 5 * np.asarray(found.first.standard_errors) + 5e-4)
  for shares in found[:3]:
    np.testing.assert_allclose(jnp.sum(shares.probs), 1.0, atol=1e-12)
    assert np.all(np.asarray(shares.standard_errors) > 0)
  # A last unrecovered drop exists only where a drop does.
  assert found.last_unrecovered.probs[-1] >= found.first.probs[-1]
  assert found.largest.probs[-1] == found.first.probs[-1]


def test_single_draws_are_the_samples_of_the_posterior_too():
  result = infer(prior_of(MODELS['plain']), counts_of())
  keys = jax.random.split(jax.random.key(0), 4000)
  draw = jax.jit(jax.vmap(drops.draw_segmentation, in_axes=(0, None)))
  found = draw(keys, result.state)
  probs = np.asarray(result.posterior.num_segments_probs)
  share = np.bincount(np.asarray(found.num_segments), minlength=5)[1:] / 4000
  assert np.all(np.abs(share - probs) < 5 * np.sqrt(probs * (1 - probs) / 4000))
  with pytest.raises(ValueError, match='num_draws must be at least 1: 0'):
    drops.sample_drops(
      keys[0], result.state, 0, smallest_fall=0.0, recovery=1.0
    )


@pytest.mark.parametrize('rho', [0.5, 8.0, 1e3])
def test_position_likelihood_is_the_beta_binomial(rho):
  grid = rate_grid.make_grid(12, 'float64')
  found = rate_grid.log_likelihoods(grid, counts_of(), jnp.asarray(rho))
  for t, (s, f) in enumerate(zip(*COUNTS)):
    expected = [
      reference.beta_binomial_log_prob(s, f, p, rho)
      for p in np.asarray(grid.successes)
    ]
    np.testing.assert_allclose(found[t], expected, atol=1e-9)


@pytest.mark.parametrize('shapes', [[(2.0, 2.0)], [(0.5, 0.5)], [(1.0, 19.0)]])
def test_much_concentration_is_the_plain_model(shapes):
  plain = prior_of(model(shapes=shapes))
  tight = prior_of(model(shapes=shapes, rho=1e7))
  scattered = prior_of(model(shapes=shapes, rho=2.0))
  a, b, c = (
    infer(prior, counts_of()).posterior for prior in (plain, tight, scattered)
  )
  np.testing.assert_allclose(a.change_probs, b.change_probs, atol=1e-5)
  np.testing.assert_allclose(a.mean_rates, b.mean_rates, atol=1e-5)
  np.testing.assert_allclose(a.log_evidence_nats, b[0], atol=1e-4)
  assert np.abs(np.asarray(a.change_probs - c.change_probs)).max() > 0.01


@pytest.mark.parametrize(('wins', 'losses'), [(0, 1000), (300, 700), (900, 3)])
def test_five_nodes_per_root_rollout_are_enough(wins, losses):
  num_nodes = int(5 * np.sqrt(wins + losses))
  counts = counts_of(([wins], [losses]))
  shapes = changepoint.Beta(*jnp.asarray([[1.0, 2.0, 0.5], [19.0, 2.0, 0.5]]))
  grid = rate_grid.make_grid(num_nodes, 'float64')
  found, means = jax.jit(rate_grid.segment_marginals)(
    grid,
    rate_grid.log_prior(grid, shapes),
    rate_grid.log_likelihoods(grid, counts, None),
  )
  exact = [
    scipy.special.betaln(a + wins, b + losses) - scipy.special.betaln(a, b)
    for a, b in zip(*map(np.asarray, shapes))
  ]
  np.testing.assert_allclose(found[:, 0, 1], exact, atol=1e-7)
  expected = (shapes.successes + wins) / (sum(shapes) + wins + losses)
  np.testing.assert_allclose(means[:, 0, 1], expected, rtol=1e-7)


def test_scatter_is_read_as_changes_by_the_plain_model_alone():
  rng = np.random.default_rng(5)
  wins = rng.binomial(200, rng.beta(6.0, 4.0, 8))
  counts = counts_of((wins, 200 - wins))
  facts = model(numbers=(0.25, 0.25, 0.25, 0.25))
  plain, dispersed = (
    infer(prior_of(facts | rho), counts).posterior
    for rho in ({}, {'concentration': 10.0})
  )
  assert plain.num_segments_probs[0] < 1e-6
  assert dispersed.num_segments_probs[0] > 0.2
  assert dispersed.log_evidence_nats > plain.log_evidence_nats + 5.0


def test_an_active_run_learns_more_than_uniform_rollouts():
  lengths = jnp.asarray([17, 11, 20])
  rates = jnp.repeat(jnp.asarray([0.9, 0.1, 0.8]), lengths)
  facts = model(
    numbers=(0.25, 0.25, 0.25, 0.25), weights=[0.0] + [1.0] * 47, n=48
  )
  prior = prior_of(facts)

  def roll_out(key, position):
    return jax.random.bernoulli(key, rates[position])

  def learn(key, is_informed):
    """Returns ln p(true segmentation | outcomes), by its definition."""

    def policy(key, state):
      uniform = jax.random.randint(key, (), 0, state.prior.num_positions)
      best = active.by_information(key, state)
      return jnp.where(is_informed, best, uniform.astype(best.dtype))

    state, rollouts = active.run(key, prior, roll_out, 100, policy)
    tables = state.log_marginals[0]
    log_joint = tables[0, 17] + tables[17, 28] + tables[28, 48]
    log_joint += segments.log_stops(prior)[2]
    log_evidence = posterior.infer(state).log_evidence
    return log_joint - log_evidence, rollouts, state.counts

  keys = jax.random.split(jax.random.key(7), 24)
  learn_all = jax.jit(jax.vmap(learn, in_axes=(0, None)))
  results = [learn_all(keys, is_informed) for is_informed in (True, False)]
  gap = np.asarray(results[0][0] - results[1][0])
  assert gap.mean() > 5 * gap.std() / np.sqrt(len(gap))
  for log_prob, rollouts, counts in results:
    assert np.all(np.asarray(log_prob) < 0.0)
    assert rollouts.position.shape == (24, 100)
    np.testing.assert_array_equal(
      counts.successes.sum(1), rollouts.success.sum(1)
    )
    np.testing.assert_array_equal(sum(counts).sum(1), 100)


def test_a_run_repeats_itself_and_can_be_empty():
  prior = prior_of(model(weights=INNER))
  always = lambda key, position: position < 4
  run = jax.jit(active.run, static_argnums=(2, 3))
  first, rollouts = run(jax.random.key(0), prior, always, 12)
  second, _ = run(jax.random.key(0), prior, always, 12)
  assert jax.tree.all(jax.tree.map(jnp.array_equal, first, second))
  again = jax.jit(segments.init)(prior)
  select, update = jax.jit(active.select), jax.jit(segments.update)
  for position, success in zip(*rollouts):
    assert position == select(again)
    again = update(again, position, success)
  none, nothing = run(jax.random.key(0), prior, always, 0)
  assert nothing.position.shape == (0,)
  assert sum(map(jnp.sum, none.counts)) == 0

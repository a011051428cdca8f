"""Credible sets against every interval and subset, bands against SciPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests import references_changepoint_evidence as references
from toyjax.inference import changepoint
from toyjax.inference.changepoint import intervals

LEVELS = (0.05, 0.5, 0.8, 0.95)
BEFORE, AFTER = (2.0, 2.0), (1.0, 19.0)

condition = jax.jit(changepoint.condition)
trajectory_band = jax.jit(intervals.trajectory_band)


def random_posteriors(size, num_posteriors, seed):
  """Returns uneven posteriors, some with positions without mass."""
  rng = np.random.default_rng(seed)
  probs = rng.dirichlet(np.full(size, 0.5), num_posteriors)
  probs[::2] *= rng.random((len(probs[::2]), size)) < 0.7
  probs[:, size // 2] += 1e-3
  return probs / probs.sum(axis=1, keepdims=True)


@pytest.mark.parametrize('level', LEVELS)
def test_central_is_the_shortest_of_all_intervals(level):
  with jax.enable_x64(True):
    for probs in random_posteriors(7, 20, seed=1):
      found = intervals.central_interval(jnp.asarray(probs), level=level)
      lower, upper = references.shortest_central(probs, level)
      assert (found.lower, found.upper) == (lower, upper)
      np.testing.assert_allclose(
        found.probability, probs[lower : upper + 1].sum(), rtol=1e-12
      )
      assert found.probability >= level - 1e-12
      mirrored = intervals.central_interval(
        jnp.asarray(probs[::-1]), level=level
      )
      assert (6 - mirrored.upper, 6 - mirrored.lower) == (lower, upper)


@pytest.mark.parametrize('level', LEVELS)
def test_highest_density_is_the_best_of_all_subsets(level):
  with jax.enable_x64(True):
    for probs in random_posteriors(7, 20, seed=2):
      found = intervals.highest_density(jnp.asarray(probs), level=level)
      members, mass = references.fewest_positions(probs, level)
      np.testing.assert_array_equal(found.members, members)
      np.testing.assert_allclose(found.probability, mass, rtol=1e-12)
      where = np.flatnonzero(members)
      lower, upper = where[0], where[-1]
      assert (found.hull.lower, found.hull.upper) == (lower, upper)
      np.testing.assert_allclose(
        found.hull.probability, probs[lower : upper + 1].sum(), rtol=1e-12
      )


def test_a_known_posterior():
  probs = jnp.asarray([0.1, 0.0, 0.5, 0.05, 0.35])
  central = intervals.central_interval(probs, level=0.6)
  assert (central.lower, central.upper) == (2, 4)
  members = intervals.highest_density(probs, level=0.6).members
  np.testing.assert_array_equal(members, [False, False, True, False, True])
  # Limits .2 and .8; the positions lie at .1 u, .1 + .5 u, .6 + .05 u, .65 +
  # .35 u: position 2 is in from u = .2 on, the last one below u = 3/7.
  for uniform, ends in ((0.1, (3, 4)), (0.3, (2, 4)), (0.5, (2, 3))):
    found = intervals.randomised_interval(probs, uniform, level=0.6)
    assert (found.lower, found.upper) == ends, uniform


@pytest.mark.parametrize('dtype', ['float32', 'float64'])
def test_the_whole_level_takes_all_mass_and_nothing_else(dtype):
  probs = np.asarray([0.0, 0.2, 0.0, 0.7, 0.1, 0.0], dtype)
  with jax.enable_x64(dtype == 'float64'):
    central = intervals.central_interval(jnp.asarray(probs), level=1.0)
    highest = intervals.highest_density(jnp.asarray(probs), level=1.0)
    assert (central.lower, central.upper) == (1, 4)
    np.testing.assert_array_equal(highest.members, probs > 0)
    assert central.probability.dtype == highest.probability.dtype == dtype
    random = intervals.randomised_interval(
      jnp.asarray(probs), jnp.asarray(0.999, dtype), level=1.0
    )
    assert (random.lower, random.upper) == (1, 4)


@pytest.mark.parametrize('level', LEVELS)
def test_randomised_holds_the_level_exactly_on_average(level):
  # The mass as a function of u is a step function with at most two steps a
  # position; the midpoints of a fine grid integrate it to T/size.
  size = 20_000
  uniforms = (np.arange(size) + 0.5) / size
  posteriors = [
    *random_posteriors(6, 4, seed=3),
    np.eye(6)[2],
    np.full(6, 1 / 6),
  ]
  with jax.enable_x64(True):
    for probs in posteriors:
      found = jax.vmap(
        lambda u, p: intervals.randomised_interval(p, u, level=level),
        in_axes=(0, None),
      )(jnp.asarray(uniforms), jnp.asarray(probs))
      assert abs(np.mean(found.probability) - level) <= 12 / size
      is_empty = np.asarray(found.upper < found.lower)
      assert np.all(np.asarray(found.probability)[is_empty] == 0.0)
      assert np.all(np.asarray(found.probability)[~is_empty] > 0.0)


def random_counts(size, seed, largest=6):
  rng = np.random.default_rng(seed)
  return rng.integers(0, largest, size), rng.integers(0, largest, size)


def conditioned(successes, failures, dtype, weights=None):
  size = len(successes)
  weights = np.ones(size) if weights is None else weights
  prior = changepoint.make_prior(
    before=BEFORE, after=AFTER, weights=jnp.asarray(weights, dtype)
  )
  counts = changepoint.Beta(
    jnp.asarray(successes, dtype), jnp.asarray(failures, dtype)
  )
  return condition(prior, counts)


@pytest.mark.parametrize(
  ('dtype', 'tolerance'),
  [
    ('float32', 2e-4),
    ('float64', 1e-7),
  ],
)
def test_the_band_cuts_the_right_mass_off_the_mixture(dtype, tolerance):
  successes, failures = random_counts(5, seed=4)
  weights = [1.0, 2.0, 0.0, 1.0, 3.0]
  with jax.enable_x64(dtype == 'float64'):
    state = conditioned(successes, failures, dtype, weights)
    band = trajectory_band(state, level=0.8)
    assert band.lower.dtype == band.upper.dtype == dtype
  logs = references.log_joint(successes, failures, BEFORE, AFTER, weights)
  for end, probability in ((band.lower, 0.1), (band.upper, 0.9)):
    for position in range(5):
      reached = references.trajectory_cdf(
        float(end[position]), position, logs, successes, failures, BEFORE, AFTER
      )
      assert abs(reached - probability) <= tolerance


def test_padding_changes_neither_band_nor_sets():
  successes, failures = random_counts(4, seed=5)
  alone = conditioned(successes, failures, 'float32')
  padded = conditioned(
    np.append(successes, [0, 0]),
    np.append(failures, [0, 0]),
    'float32',
    [1.0, 1.0, 1.0, 1.0, 0.0, 0.0],
  )
  for find in (intervals.central_interval, intervals.highest_density):
    one = find(changepoint.posterior(alone), level=0.8)
    other = find(changepoint.posterior(padded), level=0.8)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other)):
      np.testing.assert_allclose(a, b[:4] if b.ndim else b, rtol=1e-6)
  one = trajectory_band(alone, level=0.8)
  other = trajectory_band(padded, level=0.8)
  for a, b in zip(one, other):
    np.testing.assert_allclose(a, b[:4], rtol=1e-5)


def test_vmap_is_a_loop():
  posteriors = jnp.asarray(random_posteriors(6, 5, seed=6), 'float32')
  uniforms = jnp.linspace(0.0, 0.9, 5)

  def all_sets(probs, uniform):
    return (
      intervals.central_interval(probs, level=0.8),
      intervals.highest_density(probs, level=0.8),
      intervals.randomised_interval(probs, uniform, level=0.8),
    )

  together = jax.jit(jax.vmap(all_sets))(posteriors, uniforms)
  for i in range(5):
    alone = all_sets(posteriors[i], uniforms[i])
    for a, b in zip(jax.tree.leaves(alone), jax.tree.leaves(together)):
      np.testing.assert_allclose(a, b[i], rtol=1e-6)


def test_coverage_where_the_data_come_from_the_prior():
  """Active rollouts do not disturb it: the posterior is exact all the same."""
  num_positions, num_rollouts, num_traces, level = 8, 25, 3000, 0.8
  prior = changepoint.make_prior(
    before=BEFORE, after=AFTER, weights=jnp.ones(num_positions)
  )

  @jax.jit
  @jax.vmap
  def trace(key):
    keys = jax.random.split(key, 5)
    change = jax.random.randint(keys[0], (), 0, num_positions)
    first, last = (
      jax.random.beta(k, *shapes)
      for k, shapes in ((keys[1], BEFORE), (keys[2], AFTER))
    )
    rates = jnp.where(jnp.arange(num_positions) < change, first, last)
    state, _ = changepoint.run(
      keys[3],
      prior,
      lambda key, t: jax.random.uniform(key) < rates[t],
      num_rollouts,
    )
    probs = changepoint.posterior(state)
    highest = intervals.highest_density(probs, level=level)
    found = [
      intervals.central_interval(probs, level=level),
      highest.hull,
      intervals.randomised_interval(
        probs, jax.random.uniform(keys[4]), level=level
      ),
    ]
    inside = [(s.lower <= change) & (change <= s.upper) for s in found]
    held = [s.probability for s in found]
    inside.append(highest.members[change])
    held.append(highest.probability)
    return state, rates, jnp.stack(inside), jnp.stack(held)

  keys = jax.random.split(jax.random.key(7), num_traces)
  states, rates, inside, held = trace(keys)
  inside, held = np.asarray(inside, float), np.asarray(held)
  # Given the outcomes each set is hit with the mass it says it holds.
  excess = inside - held
  bars = 5.0 * excess.std(axis=0) / np.sqrt(num_traces)
  assert np.all(np.abs(excess.mean(axis=0)) <= bars)
  bar = 5.0 * np.sqrt(level * (1.0 - level) / num_traces)
  central, hull, randomised, highest = inside.mean(axis=0)
  assert abs(randomised - level) <= bar
  # The others cover too often, by more than chance.
  assert min(central, hull) > level + bar
  assert highest > level
  num_bands = 300
  states, rates = jax.tree.map(lambda x: x[:num_bands], (states, rates))
  band = jax.vmap(lambda state: trajectory_band(state, level=level))(states)
  covered = np.asarray((band.lower <= rates) & (rates <= band.upper))
  bar = 5.0 * np.sqrt(level * (1.0 - level) / num_bands)
  assert np.all(np.abs(covered.mean(axis=0) - level) <= bar)


@pytest.mark.parametrize('level', [0.0, 1.5, -0.1])
def test_impossible_levels_are_refused(level):
  probs = jnp.ones(3) / 3.0
  for find in (
    intervals.central_interval,
    intervals.highest_density,
    functools.partial(intervals.randomised_interval, uniform=0.5),
  ):
    with pytest.raises(ValueError, match=f'level.*{level}'):
      find(probs, level=level)
  with pytest.raises(ValueError, match='probability'):
    intervals.trajectory_quantile(
      conditioned([1], [1], 'float32'), probability=level
    )

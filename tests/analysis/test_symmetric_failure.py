"""Symmetric failure, its way out, the tilt condition, the frozen row."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import (
  critical_points,
  decayed_failure,
  frozen,
  pieces,
  polishing,
  symmetric_failure,
  tilt,
)
from toyjax.toys import relu_autoencoder
from toyjax.toys.relu_autoencoder import Outcome, Params

pytestmark = pytest.mark.usefixtures('float64')


def _norm(num_features, factor):
  return factor * critical_points.minimum_radius(
    num_features - 1, beside_dead=True
  )


def _make(num_features, factor, num_dead=1):
  return symmetric_failure.make(
    num_features=num_features,
    num_dead=num_dead,
    norm=jnp.asarray(_norm(num_features - num_dead + 1, factor)),
  )


@pytest.mark.parametrize('num_features', [3, 5, 7, 12])
@pytest.mark.parametrize('factor', [1.0, 1.3])
def test_it_is_a_critical_point_at_its_level(num_features, factor):
  params = _make(num_features, factor)
  level = symmetric_failure.level(num_features=num_features, num_dead=1)
  assert float(relu_autoencoder.one_hot_sse(params)) == pytest.approx(level)
  assert params.bias[0] == pytest.approx(1 / num_features)
  v = pieces.vector(params)
  z = pieces.preactivations(params)
  # The piece with the kinks off, in spite of rounding.
  slope = pieces.gradient(v, z > 1e-9)
  assert float(jnp.linalg.norm(slope)) < 1e-12
  off = np.asarray(z)[:, 1:][~np.eye(num_features, dtype=bool)[:, 1:]]
  assert off.max() <= 1e-12
  assert (abs(off.max()) < 1e-12) == (factor == 1.0)


def test_two_dead_rows_have_twice_the_level_and_the_label():
  params = _make(8, 1.1, num_dead=2)
  level = symmetric_failure.level(num_features=8, num_dead=2)
  assert float(relu_autoencoder.one_hot_sse(params)) == pytest.approx(level)
  classify = functools.partial(
    relu_autoencoder.classify,
    earlier_sse=jnp.asarray(level),
    solved_sse=1e-2,
    thresholds=relu_autoencoder.THRESHOLDS,
  )
  code = jax.jit(classify)(params)
  assert code == Outcome.SYMMETRIC_FAILURE


def test_published_coefficients_of_the_dead_row():
  for num_features, expected in ((5, 0.40), (6, 1.95), (7, 4.29), (8, 7.55)):
    norm = _norm(num_features, 1.0)
    found = symmetric_failure.dead_row_coefficient(
      num_features=num_features, norm=norm
    )
    assert found == pytest.approx(expected, abs=5e-3)
    # Within the piece: at n = 5 the kinks of the dead input would add to it.
    norm = _norm(num_features, 1.1)
    found = symmetric_failure.dead_row_coefficient(
      num_features=num_features, norm=norm
    )
    params = _make(num_features, 1.1)
    moved = params._replace(weights=params.weights.at[:, 0].set([3e-4, -4e-4]))
    rise = relu_autoencoder.one_hot_sse(moved) - (1 - 1 / num_features)
    assert float(rise) / 25e-8 == pytest.approx(found, abs=1e-5)


@pytest.mark.parametrize('num_features', [4, 7])
def test_the_lowest_curvature_has_a_closed_form(num_features):
  params = _make(num_features, 1.1)
  hessian = pieces.hessian(pieces.vector(params), pieces.on_pattern(params))
  expected = np.linalg.eigvalsh(hessian)[0]
  assert symmetric_failure.lowest_curvature(
    num_features=num_features, norm=_norm(num_features, 1.1)
  ) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize('num_features', range(3, 13))
@pytest.mark.parametrize('factor', [1.0, 1.1])
def test_there_is_a_way_down_on_both_sides_of_the_kinks(num_features, factor):
  norm = _norm(num_features, factor)
  path = symmetric_failure.descent_path(num_features=num_features, norm=norm)
  assert path.rate < 0.0
  start = pieces.vector(_make(num_features, factor))
  level = symmetric_failure.level(num_features=num_features, num_dead=1)
  for size in (1e-3, 1e-4):
    params = symmetric_failure.along_path(
      path, size, num_features=num_features, norm=norm
    )
    z = np.asarray(pieces.preactivations(params))
    live = z[:, 1:][~np.eye(num_features, dtype=bool)[:, 1:]]
    assert live.max() < 0.0  # Every kink is off.
    fall = float(relu_autoencoder.one_hot_sse(params)) - level
    assert fall < 0.0
    square = float(jnp.sum((pieces.vector(params) - start) ** 2))
    assert fall / square == pytest.approx(path.rate, rel=200 * size)


def test_impossible_polygons_are_refused():
  with pytest.raises(ValueError, match='2 rows or more'):
    critical_points.minimum_radius(1, beside_dead=True)
  with pytest.raises(ValueError, match='dead row: 0'):
    symmetric_failure.make(num_features=7, num_dead=0, norm=2.0)
  with pytest.raises(ValueError, match='norm must be at least'):
    symmetric_failure.descent_path(num_features=7, norm=1.0)


def test_descents_leave_the_saddle_and_stay_at_a_solution():
  saddle = pieces.vector(_make(6, 1.1))
  kick = 1e-3 * jax.random.normal(jax.random.key(0), (4, 18))
  descend = functools.partial(
    polishing.descend, num_features=6, tolerance=1e-12, max_steps=60
  )
  ends = descend(saddle[None] + kick)
  assert np.all(ends.sse < 5 / 6 - 1e-3)
  np.testing.assert_allclose(
    ends.sse, jax.vmap(lambda v: pieces.sse(v, 6))(ends.v), rtol=1e-12
  )
  angles = 2 * np.pi * np.arange(6) / 6
  hexagon = 1.6 * jnp.asarray([np.cos(angles), np.sin(angles)])
  solved = pieces.vector(Params(hexagon, jnp.full(6, 1 - 1.6**2)))
  assert np.all(descend(np.tile(solved, (4, 1))).sse < 1e-25)


@jax.jit
def _tilts(states):
  rows = jnp.arange(6)

  def each(params):
    return jax.vmap(
      lambda row: (
        tilt.general(params, row),
        tilt.special(params, row),
        tilt.norm_rate(params, row),
        jnp.linalg.norm(params.weights[:, row]),
      )
    )(rows)

  return jax.vmap(each)(states)


def test_the_general_tilt_condition_is_the_gradient_of_the_norm():
  rng = np.random.default_rng(0)
  states = Params(
    jnp.asarray(rng.normal(size=(200, 3, 6))),
    jnp.asarray(rng.normal(size=(200, 6))),
  )
  general, special, rate, norm = _tilts(states)
  np.testing.assert_allclose(
    2 * norm * (general.gain - general.cost), rate, atol=1e-11
  )
  wrong = (special.gain > special.cost) != (rate > 0)
  assert 0.01 < np.mean(wrong) < 0.5


def test_the_special_tilt_condition_holds_under_its_assumptions():
  params = _make(6, 1.1)
  weights = params.weights.at[:, 0].set([0.01, 0.02])
  states = jax.tree.map(lambda a: a[None], params._replace(weights=weights))
  general, special, _, _ = _tilts(states)
  np.testing.assert_allclose(general.gain[0, 0], special.gain[0, 0])
  np.testing.assert_allclose(general.cost[0, 0], special.cost[0, 0], rtol=1e-9)


def test_a_frozen_dead_row_goes_where_it_is_said_to_go():
  params = _make(7, 1.1)
  # Rows 1 and 6 shorter by a thousandth, each still right for its own input.
  shorter = jnp.asarray([1, 0.999, 1, 1, 1, 1, 0.999])
  weights = params.weights * shorter[None]
  bias = params.bias.at[1:].set(1 - jnp.sum(weights[:, 1:] ** 2, axis=0))
  held = Params(weights, bias)
  found = jax.jit(lambda p: frozen.relax(p, 0, num_iterations=12))(held)
  predicted = frozen.predict(held, 0)
  np.testing.assert_allclose(found.weights, predicted, rtol=1e-4)
  assert float(found.slope) < 1e-7  # The error is known to rounding.
  # On the side of the shorter rows, along their sum.
  neighbours = weights[:, 1] + weights[:, 6]
  epsilon = float(found.weights @ neighbours / (neighbours @ neighbours))
  coefficient = symmetric_failure.dead_row_coefficient(
    num_features=7, norm=_norm(7, 1.1)
  )
  assert epsilon == pytest.approx(1e-3 / (7 * coefficient), rel=0.02)
  np.testing.assert_allclose(found.weights, epsilon * neighbours, atol=1e-12)
  # Nothing near it is lower, and the profile has its least value there.
  around = found.weights[None] + 1e-4 * jnp.asarray(
    [[1, 0], [0, 1], [-1, 0], [0, -1.0]]
  )
  levels = frozen.profile(held, 0, around)
  assert np.all(levels > found.sse)
  np.testing.assert_allclose(
    frozen.profile(held, 0, found.weights[None])[0], found.sse, rtol=1e-12
  )


def test_an_equal_polygon_leaves_the_frozen_row_at_rest():
  params = _make(7, 1.0)
  raised = params._replace(bias=params.bias.at[jnp.asarray([1, 6])].add(0.1))
  assert float(jnp.linalg.norm(frozen.predict(raised, 0))) < 1e-15
  stiffness = np.linalg.eigvalsh(frozen.stiffness(raised, 0))
  np.testing.assert_allclose(
    stiffness,
    symmetric_failure.dead_row_coefficient(num_features=7, norm=_norm(7, 1.0)),
    rtol=1e-9,
  )


def test_decay_makes_it_a_minimum_behind_its_kinks():
  found = decayed_failure.settle(
    num_features=6, decay=1e-4, num_iterations=12, zero_tolerance=1e-9
  )
  assert float(found.slope) < 1e-12
  assert float(found.least_kink) > 0
  assert found.spectrum.num_negative == found.spectrum.num_zero == 0
  v = pieces.vector(found.params)
  directions = jax.random.normal(jax.random.key(0), (50, len(v)))
  turning = pieces.rotations(v, 6)[0]
  turning /= jnp.linalg.norm(turning)
  directions -= jnp.outer(directions @ turning, turning)

  def error(v):
    return pieces.sse(v, 6) + 1e-4 * jnp.sum(v**2)

  moved = jax.vmap(error)(v[None] + 1e-5 * directions)
  rises = np.asarray(moved - error(v))
  least = np.sum(np.asarray(directions) ** 2, axis=1) * 1e-10 / 2
  assert np.all(rises > 0.5 * float(found.spectrum.eigenvalues[0]) * least)

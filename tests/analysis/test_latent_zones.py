"""Zones of features against closed forms, brute force and invariances."""

import math

import numpy as np
import pytest

from toyjax.analysis.autoencoder import critical_points, latent_zones
from toyjax.toys import relu_autoencoder


def _polygon(num_corners, radius):
  angles = 2.0 * np.pi * np.arange(num_corners) / num_corners
  return radius * np.stack([np.cos(angles), np.sin(angles)])


def _solution(num_features):
  radius = critical_points.minimum_radius(num_features)
  return _polygon(num_features, radius), np.full(num_features, 1 - radius**2)


def _random(seed, num_features=7):
  rng = np.random.default_rng(seed)
  return rng.normal(size=(2, num_features)), rng.normal(size=num_features) / 2


@pytest.mark.parametrize('n', [3, 4, 5, 8, 12])
def test_zones_of_the_regular_solution_are_its_ears(n):
  weights, bias = _solution(n)
  found = latent_zones.find_zones(weights, bias)
  radius, angle = critical_points.minimum_radius(n), 2.0 * math.pi / n
  # The edge runs through both neighbours: a zone is the triangle they cut off.
  ear = radius**2 * (math.sin(angle) - 0.5 * math.sin(2.0 * angle))
  hull = 0.5 * n * radius**2 * math.sin(angle)
  np.testing.assert_allclose(found.shares, ear / hull, rtol=1e-9)
  np.testing.assert_allclose(np.diag(found.activations), 1.0, rtol=1e-12)
  np.testing.assert_allclose(np.diag(found.depths), 1.0 / radius, rtol=1e-12)
  np.testing.assert_allclose(
    np.diag(np.roll(found.activations, 1, 1)), 0, atol=1e-12
  )


@pytest.mark.parametrize('seed', range(5))
def test_shares_are_those_of_random_points(seed):
  weights, bias = _random(seed)
  found = latent_zones.find_zones(weights, bias)
  rng = np.random.default_rng(100 + seed)
  low, high = found.hull.min(axis=0), found.hull.max(axis=0)
  points = rng.uniform(low, high, (20_000, 2))
  sides = np.roll(found.hull, -1, axis=0) - found.hull
  away = points[:, None] - found.hull
  cross = sides[:, 0] * away[..., 1] - sides[:, 1] * away[..., 0]
  points = points[(cross >= 0).all(axis=1)]
  on = (points @ weights + bias > 0).mean(axis=0)
  error = np.sqrt(np.maximum(found.shares * (1 - found.shares), 1e-4))
  assert (np.abs(on - found.shares) < 5 * error / np.sqrt(len(points))).all()
  assert latent_zones.area(found.hull) == pytest.approx(
    len(points) / 20_000 * np.prod(high - low), rel=0.05
  )


@pytest.mark.parametrize('seed', range(5))
def test_zones_turn_with_the_plane_and_follow_the_features(seed):
  weights, bias = _random(seed)
  found = latent_zones.find_zones(weights, bias)
  turn = np.asarray(
    [[math.cos(1.0), -math.sin(1.0)], [math.sin(1.0), math.cos(1.0)]]
  )
  order = np.random.default_rng(seed).permutation(len(bias))
  moved = latent_zones.find_zones((turn @ weights)[:, order], bias[order])
  np.testing.assert_allclose(moved.shares, found.shares[order], atol=1e-12)
  np.testing.assert_allclose(
    moved.depths, found.depths[np.ix_(order, order)], atol=1e-12
  )


def test_activations_are_the_responses_of_the_toy():
  weights, bias = _random(3)
  params = relu_autoencoder.Params(np.float32(weights), np.float32(bias))
  found = latent_zones.find_zones(weights, bias)
  np.testing.assert_allclose(
    np.maximum(found.activations, 0),
    relu_autoencoder.responses(params),
    atol=1e-5,
  )


@pytest.mark.parametrize('bias', [0.2, -0.2, 0.0])
def test_a_dead_row_is_on_everywhere_or_nowhere(bias):
  weights, biases = _solution(5)
  weights = np.concatenate([weights, np.zeros((2, 1))], axis=1)
  found = latent_zones.find_zones(weights, [*biases, bias])
  assert found.shares[-1] == (1.0 if bias > 0 else 0.0)
  assert (found.depths[:, -1] == (np.inf if bias > 0 else -np.inf)).all()
  assert len(found.hull) == 5


def test_two_features_lie_on_a_segment():
  found = latent_zones.find_zones([[1.0, -1.0], [0.0, 0.0]], [-0.5, 0.25])
  np.testing.assert_allclose(sorted(found.hull[:, 0]), [-1, 1])
  np.testing.assert_allclose(sorted(found.zones[0][:, 0]), [0.5, 1])
  np.testing.assert_allclose(sorted(found.zones[1][:, 0]), [-1, 0.25])
  assert np.isnan(found.shares).all()


@pytest.mark.parametrize('angle', [0.0, 0.3, 1.2, math.pi / 2])
def test_collinear_points_have_two_ends(angle):
  direction = np.asarray([math.cos(angle), math.sin(angle)])
  places = np.asarray([0.3, -1.0, 2.0, 1.1])
  hull = latent_zones.convex_hull(places[:, None] * direction)
  assert len(hull) == 2
  np.testing.assert_allclose(sorted(hull @ direction), [-1, 2])


def test_coinciding_points_have_one_corner():
  found = latent_zones.find_zones(np.ones((2, 3)), [-1.0, -2.0, -3.0])
  assert [len(zone) for zone in found.zones] == [1, 0, 0]
  assert len(latent_zones.convex_hull(np.zeros((4, 2)))) == 1


def test_halves_add_up_and_touching_is_not_on():
  square = np.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
  for normal, offset in (([1, 0], 0.5), ([1, 2], -0.3), ([3, -1], 0.0)):
    part = latent_zones.clip(square, normal, offset)
    rest = latent_zones.clip(square, -np.asarray(normal), -offset)
    assert latent_zones.area(part) + latent_zones.area(rest) == pytest.approx(4)
  assert len(latent_zones.clip(square, [1, 0], -1.0)) == 0
  assert len(latent_zones.clip(square, [1, 0], 1.0)) == 4
  assert len(latent_zones.clip(np.zeros((0, 2)), [1, 0], 1.0)) == 0


def test_edges_end_at_the_window():
  square = np.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
  ends = latent_zones.edge([2.0, 0.0], -1.0, square)
  np.testing.assert_allclose(ends[:, 0], 0.5)
  np.testing.assert_allclose(sorted(ends[:, 1]), [-1, 1])
  diagonal = latent_zones.edge([1.0, -1.0], 0.0, square)
  np.testing.assert_allclose(np.abs(diagonal), 1.0)
  assert len(latent_zones.edge([1.0, 0.0], 5.0, square)) == 0
  assert len(latent_zones.edge([0.0, 0.0], 1.0, square)) == 0


@pytest.mark.parametrize(
  ('weights', 'bias'),
  [
    (np.ones((3, 4)), np.ones(4)),
    (np.ones((2, 4)), np.ones(3)),
    (np.full((2, 4), np.nan), np.ones(4)),
  ],
)
def test_other_shapes_and_nan_are_refused(weights, bias):
  with pytest.raises(ValueError, match=r'shape|fit|finite'):
    latent_zones.find_zones(weights, bias)

"""Cells and zones of a net with two inputs, against walks at random points."""

import itertools

import numpy as np
import pytest

from toyjax.analysis.autoencoder import latent_zones
from toyjax.analysis.nets import argmax_map, walking

WINDOW = np.asarray([[-3.0, -2.0], [3.0, -2.0], [3.0, 2.0], [-3.0, 2.0]])


def _net(seed, sizes=(2, 4, 3, 5)):
  rng = np.random.default_rng(seed)
  return [
    (rng.normal(size=(n, m)), rng.normal(size=n))
    for m, n in itertools.pairwise(sizes)
  ]


def _holds(corners, point):
  sides = np.roll(corners, -1, axis=0) - corners
  away = point - corners
  return (sides[:, 0] * away[:, 1] >= sides[:, 1] * away[:, 0]).all()


@pytest.mark.parametrize('seed', range(3))
def test_each_point_lies_in_the_zone_of_its_answer(seed):
  net = _net(seed)
  cells = argmax_map.linear_cells(net, window=WINDOW)
  zones = argmax_map.argmax_zones(cells)
  whole = latent_zones.area(WINDOW)
  for parts in (cells, zones):
    areas = [latent_zones.area(part.corners) for part in parts]
    assert sum(areas) == pytest.approx(whole, rel=1e-12)
  points = np.random.default_rng(seed).uniform([-3, -2], [3, 2], (100, 2))
  for point in points:
    walked = walking.walk(net, point)
    (zone,) = [z for z in zones if _holds(z.corners, point)]
    cell = cells[zone.cell]
    assert zone.answer == walked.prediction
    assert not zone.tied
    np.testing.assert_allclose(
      cell.weight @ point + cell.bias, walked.values[-1].numbers, atol=1e-12
    )
    hidden = [value.numbers > 0 for value in walked.values[:-1:2]]
    for on, z_on in zip(cell.pattern, hidden, strict=True):
      np.testing.assert_array_equal(on, z_on)


def test_one_layer_of_lines_through_a_point_makes_twice_as_many_cells():
  angles = np.pi * np.arange(5) / 5 + 0.1
  directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
  net = [(directions, np.zeros(5)), (np.ones((2, 5)), np.zeros(2))]
  assert len(argmax_map.linear_cells(net, window=WINDOW)) == 10


def test_lines_in_general_position_make_the_published_number_of_cells():
  # n lines cut the plane in 1 + n + n(n - 1) / 2 (Steiner 1826).
  net = _net(5, (2, 6, 2))
  wide = 1e4 * WINDOW
  assert len(argmax_map.linear_cells(net, window=wide)) == 1 + 6 + 15


def test_a_dead_layer_gives_one_zone_and_ties_go_to_the_first():
  dead = (np.zeros((2, 2)), -np.ones(2))
  last = (np.ones((3, 2)), np.asarray([0.0, 1.0, 1.0]))
  cells = argmax_map.linear_cells([dead, last], window=WINDOW)
  (zone,) = argmax_map.argmax_zones(cells)
  assert len(cells) == 1
  assert zone.answer == 1
  assert zone.tied
  higher = (last[0], np.asarray([2.0, 1.0, 1.0]))
  cells = argmax_map.linear_cells([dead, higher], window=WINDOW)
  (zone,) = argmax_map.argmax_zones(cells)
  assert (zone.answer, zone.tied) == (0, False)


def test_wrong_nets_and_windows_are_refused():
  with pytest.raises(ValueError, match='takes 1 inputs, not 2'):
    argmax_map.linear_cells([(np.ones((2, 1)), np.ones(2))], window=WINDOW)
  with pytest.raises(ValueError, match='polygon'):
    argmax_map.linear_cells(_net(0), window=WINDOW[:2])

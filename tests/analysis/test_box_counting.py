"""Dimensions of sets whose dimension is known, and of pure noise."""

import math

import numpy as np
import pytest

from toyjax.analysis.chaos import box_counting

SIZES = [1, 2, 4, 8, 16, 32, 64]


def _half_plane(slope, size=1024):
  rows, columns = np.mgrid[:size, :size] - size / 2
  return columns > slope * rows + 0.3


def _disc(size=1024):
  rows, columns = np.mgrid[:size, :size] - size / 2
  return rows**2 + columns**2 < (0.4 * size) ** 2


def _weierstrass(dimension, size=2048):
  """Below the graph of Σ aᵏ cos(2π 2ᵏ x), whose dimension is 2 + log₂ a."""
  a = 2.0 ** (dimension - 2.0)
  x = np.arange(size) / size
  heights = sum(
    a**k * np.cos(2.0 * np.pi * 2.0**k * x + k * k) for k in range(24)
  )
  heights = (heights - heights.min()) / np.ptp(heights)
  return np.arange(size)[:, None] / size < 0.1 + 0.8 * heights[None, :]


def _koch(levels=8):
  """Points of the Koch curve, dense for an image of 2187 pixels."""
  points = np.asarray([0.0, 1.0], complex)
  turn = np.exp(1j * math.pi / 3.0)
  for _ in range(levels):
    start, step = points[:-1], np.diff(points) / 3.0
    corners = [
      start,
      start + step,
      start + step + step * turn,
      start + 2 * step,
    ]
    points = np.append(np.stack(corners, axis=1).ravel(), 1.0)
  return points


@pytest.mark.parametrize('slope', [0.0, 0.3, 1.0, 7.0])
def test_a_straight_edge_has_dimension_one(slope):
  mask = _half_plane(slope)
  assert box_counting.box_dimension(mask, SIZES) == pytest.approx(1.0, abs=0.03)
  assert box_counting.uncertainty_dimension(mask, SIZES) == pytest.approx(
    1.0, abs=0.02
  )


@pytest.mark.parametrize('transform', [np.transpose, np.flipud, np.invert])
def test_a_circle_has_dimension_one_however_it_is_turned(transform):
  mask = _disc()
  measured = box_counting.box_dimension(mask, SIZES)
  assert measured == pytest.approx(1.0, abs=0.05)
  turned = box_counting.box_dimension(transform(mask), SIZES)
  assert turned == pytest.approx(measured, abs=0.01)


def test_sierpinskis_triangle_is_exact():
  rows, columns = np.mgrid[:512, :512]
  triangle = (rows & columns) == 0
  scaling = box_counting.count_boxes(triangle, [1, 2, 4, 8])
  np.testing.assert_array_equal(scaling.values, [3**9, 3**8, 3**7, 3**6])
  assert -box_counting.slope(scaling) == pytest.approx(math.log2(3.0))


def test_the_koch_curve():
  points, size = _koch(), 3**7
  image = np.zeros((size, size), bool)
  rows = np.minimum(points.imag * size, size - 1).astype(int)
  columns = np.minimum(points.real * size, size - 1).astype(int)
  image[rows, columns] = True
  measured = -box_counting.slope(box_counting.count_boxes(image, [1, 3, 9, 27]))
  assert measured == pytest.approx(math.log(4.0) / math.log(3.0), abs=0.03)


@pytest.mark.parametrize('dimension', [1.3, 1.5, 1.7])
def test_weierstrass_graphs(dimension):
  mask = _weierstrass(dimension)
  measured = box_counting.uncertainty_dimension(mask, SIZES)
  assert measured == pytest.approx(dimension, abs=0.06)
  # Boxes err low on steep graphs, whose jumps between columns are lines.
  boxes = box_counting.box_dimension(mask, SIZES)
  assert dimension - 0.25 < boxes < dimension


def test_noise_fills_the_plane_and_shuffling_makes_noise_of_a_line():
  rng = np.random.default_rng(1)
  noise = rng.random((512, 512)) < 0.3
  assert box_counting.uncertainty_dimension(noise, SIZES) == pytest.approx(
    2.0, abs=0.01
  )
  assert box_counting.box_dimension(noise, [2, 4, 8, 16]) == pytest.approx(
    2.0, abs=0.02
  )
  line = _half_plane(1.0, 512)
  mixed = box_counting.shuffled(line, seed=0)
  np.testing.assert_array_equal(mixed.sum(axis=0), line.sum(axis=0))
  assert box_counting.box_dimension(mixed, SIZES) > 1.7


def test_chance_is_what_independent_labels_do():
  rng = np.random.default_rng(2)
  rates = np.linspace(0.0, 1.0, 300)[None, :]
  a = rng.random((500, 300)) < rates
  b = rng.random((500, 300)) < rates
  expected = box_counting.chance_changes(a, b)
  assert np.mean(a != b) == pytest.approx(
    expected, abs=5 * math.sqrt(0.25 / a.size)
  )
  assert box_counting.chance_changes(rates > 0.5, rates > 0.5) == 0.0


def test_edges_by_hand():
  mask = np.zeros((4, 4), bool)
  mask[0, 0] = True
  edges = box_counting.edge_pixels(mask)
  assert edges.shape == (3, 3)
  np.testing.assert_array_equal(np.argwhere(edges), [[0, 0]])
  scaling = box_counting.label_changes(np.eye(5, dtype=bool), [1])
  assert scaling.values[0] == pytest.approx(20 / 36)


def test_without_an_edge_there_is_no_dimension():
  mask = np.zeros((32, 32), bool)
  assert math.isnan(box_counting.box_dimension(mask, [1, 2, 4]))
  assert math.isnan(box_counting.uncertainty_dimension(mask, [1, 2, 4]))


def test_the_interval_is_that_of_the_mean_and_leaves_nothing_else_out():
  interval = box_counting.mean_interval([1.0, 2.0, float('nan')])
  assert interval.estimate == 1.5
  # Student's t with one degree of freedom: 12.706 standard errors of 1/2.
  assert interval.upper == pytest.approx(1.5 + 0.5 * 12.706, rel=1e-4)
  assert math.isinf(box_counting.mean_interval([1.0]).upper)
  assert math.isnan(box_counting.mean_interval([]).estimate)


@pytest.mark.parametrize(
  ('call', 'message'),
  [
    (lambda: box_counting.edge_pixels(np.zeros(3, bool)), 'two axes'),
    (lambda: box_counting.count_boxes(np.eye(9), [2, 3]), 'nest'),
    (lambda: box_counting.count_boxes(np.eye(3), [4]), 'nest'),
    (lambda: box_counting.label_changes(np.eye(4), [2]), 'fit'),
  ],
)
def test_what_cannot_be_measured_is_refused(call, message):
  with pytest.raises(ValueError, match=message):
    call()

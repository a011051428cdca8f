"""The valleys of endless descent: infimum, rate, stability, weight decay."""

import numpy as np
import pytest

from toyjax.analysis.autoencoder import (
  batches,
  catalogue,
  pieces,
  polishing,
  valleys,
)

pytestmark = pytest.mark.usefixtures('float64')


def _floor(num_features, num_weak, radius):
  """Returns the relaxed valley at a radius of its fan, and that radius."""
  start = valleys.fan(
    num_features=num_features, num_weak=num_weak, radius=radius
  )
  floor = polishing.relax(
    np.asarray(pieces.vector(start))[None],
    num_features=num_features,
    tolerance=1e-11,
    max_steps=300,
  )
  weights = floor.v[0, :-num_features].reshape(2, num_features)
  return floor, np.linalg.norm(weights, axis=0).max()


def _across(floor, num_features):
  """Returns the curvatures across the valley, beside rotation and radius."""
  at = batches.tangential(floor.v, num_features)
  turns = batches.rotations(floor.v, num_features)
  beside = np.concatenate([turns, at.normal[:, None]], axis=1)[0]
  hessian = at.hessian[0] + 1e6 * beside.T @ beside
  return np.linalg.eigvalsh(hessian), at.slope[0]


@pytest.mark.parametrize(
  ('num_features', 'num_weak'), [(7, 1), (8, 1), (8, 2), (9, 3), (10, 1)]
)
def test_the_error_falls_to_the_infimum_at_the_derived_rate(
  num_features, num_weak
):
  sizes = {'num_features': num_features, 'num_weak': num_weak}
  excess = []
  for radius in (10.0, 20.0):
    floor, radius = _floor(num_features, num_weak, radius)
    assert floor.gradient_norm[0] < 1e-9
    sse = floor.sse[0]
    assert sse > valleys.infimum(num_weak=num_weak)
    excess.append((sse - valleys.infimum(num_weak=num_weak)) * radius**2)
    curvatures, slope = _across(floor, num_features)
    assert slope < 0.0
    assert curvatures[0] > 0.15
  rate = valleys.rate(**sizes)
  # The next term is O(1/R²): twice the radius leaves a quarter of the error.
  assert abs(excess[1] - rate) < abs(excess[0] - rate) / 3.0
  assert excess[1] == pytest.approx(rate, rel=6e-3)
  assert curvatures[0] == pytest.approx(
    valleys.least_curvature(**sizes), rel=4e-3
  )


def test_one_weak_row_has_the_rate_of_the_derivation():
  for n in range(5, 12):
    written = 4 / 3 * ((n - 4) / (3 * np.sqrt(2)) - 1 / 9)
    assert valleys.rate(num_features=n, num_weak=1) == pytest.approx(written)
  assert valleys.infimum(num_weak=1) == pytest.approx(2 / 3)
  assert valleys.infimum(num_weak=2) == pytest.approx(3 / 2)


@pytest.mark.parametrize('num_features', [5, 6])
def test_short_fans_spread_until_the_run_solves(num_features):
  """Fans of fewer than four rows hold no run: n = 5 and 6 always solve."""
  start = np.asarray(
    pieces.vector(
      valleys.fan(num_features=num_features, num_weak=1, radius=4.0)
    )
  )[None]
  floor = polishing.relax(
    start, num_features=num_features, tolerance=1e-11, max_steps=300
  )
  assert floor.sse[0] < 1e-15


def test_weight_decay_makes_a_minimum_at_finite_norm():
  """F + λ|W|² along the valley is least near R⁴ = c / (λ k)."""
  num_features, decay = 8, 1e-5
  rate = valleys.rate(num_features=num_features, num_weak=1)
  balance = (rate / (decay * 5)) ** 0.25
  radii = balance * np.asarray([0.7, 0.95, 1.05, 1.4])
  norms, penalised = [], []
  for radius in radii:
    floor, _ = _floor(num_features, 1, radius)
    norm = np.linalg.norm(floor.v[0, :-num_features])
    norms.append(norm)
    penalised.append(floor.sse[0] + decay * norm**2)
  assert max(penalised[1:3]) < min(penalised[0], penalised[3])


def test_the_fan_of_a_norm_has_that_norm():
  for norm in (8.0, 40.0):
    v = valleys.fan_of_norm(num_features=8, num_weak=1, norm=norm)
    assert np.linalg.norm(v[:-8]) == pytest.approx(norm, rel=0.01)
  floor = catalogue.relax_fan(
    np.asarray([8.0, 40.0]),
    num_features=8,
    num_weak=1,
    tolerance=1e-11,
    max_steps=200,
  )
  norms = np.linalg.norm(floor.v[:, :-8], axis=1)
  np.testing.assert_allclose(norms, [8.0, 40.0], rtol=1e-14)
  assert floor.sse[0] > floor.sse[1] > 2 / 3


@pytest.mark.parametrize(('num_features', 'num_weak'), [(3, 1), (5, 3), (8, 0)])
def test_a_valley_needs_rows(num_features, num_weak):
  with pytest.raises(ValueError, match='num_weak'):
    valleys.fan(num_features=num_features, num_weak=num_weak, radius=3.0)

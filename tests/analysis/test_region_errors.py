"""Integrals over straight pieces against quadrature, and surrogates."""

import math

import numpy as np
import pytest
import scipy.integrate

from toyjax.analysis.nets import linear_regions, region_errors

RNG = np.random.default_rng(7)
NET = [
  (RNG.normal(size=(4, 1)), RNG.normal(size=4)),
  (RNG.normal(size=(3, 4)), RNG.normal(size=3)),
  (RNG.normal(size=(1, 3)), RNG.normal(size=1)),
]
TARGETS = {
  'sqrt': (math.sqrt, 0.0, ()),
  'log': (math.log, 0.1, ()),
  'sin': (math.sin, -7.0, ()),
  'polynomial': (lambda x: 1 - 2 * x + x**3 / 2, -2.0, (1, -2, 0, 0.5)),
}


@pytest.mark.parametrize('target', TARGETS)
def test_integrals_are_those_of_quadrature(target):
  function, low, coefficients = TARGETS[target]
  regions = linear_regions.linear_regions_1d(NET, low=low, high=3.0)
  assert len(regions) > 1

  def squared(x, slope, intercept):
    return (slope * x + intercept - function(x)) ** 2

  expected = [
    scipy.integrate.quad(
      squared,
      float(region.left),
      float(region.right),
      args=(float(region.slope), float(region.intercept)),
      epsabs=1e-13,
      epsrel=1e-12,
    )[0]
    for region in regions
  ]
  found = region_errors.integrated_squared_errors(
    regions, target=target, coefficients=coefficients
  )
  np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


def test_the_best_line_of_the_root_on_the_unit_interval():
  # Var √x - Cov(x, √x)² / Var x = 1/18 - (1/15)² · 12 = 1/450.
  line = [(np.asarray([[0.8]]), np.asarray([4 / 15]))]
  regions = linear_regions.linear_regions_1d(line, low=0.0, high=1.0)
  (error,) = region_errors.integrated_squared_errors(regions, target='sqrt')
  assert error == pytest.approx(1 / 450, rel=1e-14)


def test_a_chord_as_short_as_it_gets_keeps_all_digits():
  # On [c, c + h] a chord of f leaves f''² h⁵ / 120: here 1e-31, of terms near
  # h = 1e-6.
  center, width = 2.0, 2.0**-20
  ends = np.asarray([center, center + width])
  slope = (math.log1p(width / center)) / width
  line = [(np.asarray([[slope]]), np.asarray([math.log(2.0) - 2.0 * slope]))]
  regions = linear_regions.linear_regions_1d(line, low=ends[0], high=ends[1])
  (error,) = region_errors.integrated_squared_errors(regions, target='log')
  assert error == pytest.approx(width**5 / 16 / 120, rel=0.05)


def test_log_is_integrable_down_to_zero():
  line = [(np.asarray([[0.0]]), np.asarray([0.0]))]
  regions = linear_regions.linear_regions_1d(line, low=0.0, high=1.0)
  (error,) = region_errors.integrated_squared_errors(regions, target='log')
  assert error == pytest.approx(2.0, rel=1e-15)


def test_wrong_targets_and_intervals_are_refused():
  below = linear_regions.linear_regions_1d(NET, low=-1.0, high=3.0)
  everywhere = linear_regions.linear_regions_1d(NET)
  with pytest.raises(ValueError, match='unknown target'):
    region_errors.integrated_squared_errors(below, target='tan')
  with pytest.raises(ValueError, match='not defined below 0'):
    region_errors.integrated_squared_errors(below, target='sqrt')
  with pytest.raises(ValueError, match='finite'):
    region_errors.integrated_squared_errors(everywhere, target='sin')
  with pytest.raises(ValueError, match='finite'):
    region_errors.surrogate_polynomial(everywhere, degree=2)
  with pytest.raises(ValueError, match='degree'):
    region_errors.surrogate_polynomial(below, degree=-1)


@pytest.mark.parametrize('degree', [0, 1, 3, 6])
def test_surrogates_are_the_best_polynomials_and_know_their_error(degree):
  regions = linear_regions.linear_regions_1d(NET, low=-2.0, high=3.0)
  found = region_errors.surrogate_polynomial(regions, degree=degree)
  x = np.linspace(-2.0, 3.0, 20_001)
  x = (x[1:] + x[:-1]) / 2
  y = np.asarray([linear_regions.evaluate(regions, place) for place in x])
  best = np.polynomial.Polynomial.fit(x, y, degree).convert()
  np.testing.assert_allclose(found.polynomial.coef, best.coef, atol=1e-5)
  errors = found.polynomial(x) - y
  assert found.rmse == pytest.approx(np.sqrt(np.mean(errors**2)), rel=1e-5)
  assert np.abs(errors).max() <= found.max_error + 1e-12
  assert np.abs(errors).max() == pytest.approx(found.max_error, rel=1e-2)


def test_a_line_is_its_own_surrogate():
  line = [(np.asarray([[-0.5]]), np.asarray([2.0]))]
  regions = linear_regions.linear_regions_1d(line, low=1.0, high=3.0)
  found = region_errors.surrogate_polynomial(regions, degree=1)
  np.testing.assert_allclose(found.polynomial.coef, [2.0, -0.5], rtol=1e-13)
  assert found.rmse < 1e-14
  assert found.max_error < 1e-14

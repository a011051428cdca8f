"""What a straight-line formula leaves of its target: exact integrals.

    ∫ (s x + c - f(x))² dx  over each region, f = √x, log x, sin x or Σ c_k x^k

Expanded, the integral is a difference of antiderivatives that cancel nearly all
of each other where the fit is good. They are taken with `DIGITS` decimal
digits, so that the result is right to the last bits of a float64.
"""

from collections.abc import Sequence
import decimal
from decimal import Decimal
from fractions import Fraction
import math
from typing import NamedTuple

import numpy as np
from numpy.polynomial import Polynomial

from toyjax.analysis.nets.linear_regions import End, Region

DIGITS = 80  # A relative error of 1e-30 leaves 50 of them after cancelling.
TARGETS = ('sqrt', 'log', 'sin', 'polynomial')


def integrated_squared_errors(
  regions: Sequence[Region], *, target: str, coefficients: Sequence[float] = ()
) -> np.ndarray:
  """Returns ∫ (y(x) - f(x))² dx over each region, [regions].

  Args:
    regions: from `linear_regions_1d`, on a finite interval.
    target: f, a name in `TARGETS`.
    coefficients: of the polynomial Σ_k c_k x^k, c_0 first; else empty.

  Returns:
    Their sum over right - left is the mean squared error on the interval.

  Raises:
    ValueError: on an unknown target, an infinite interval, or one outside the
      target's domain.
  """
  if target not in TARGETS:
    raise ValueError(
      f'unknown target {target!r}: choose from {", ".join(TARGETS)}'
    )
  low, high = regions[0].left, regions[-1].right
  if not (isinstance(low, Fraction) and isinstance(high, Fraction)):
    raise ValueError(f'the interval must be finite: {low}, {high}')
  if target in ('sqrt', 'log') and low < 0:
    raise ValueError(f'{target} is not defined below 0: {float(low)}')
  if target == 'polynomial':
    return np.asarray([_polynomial_error(r, coefficients) for r in regions])
  with decimal.localcontext(prec=DIGITS):
    moments = {'sqrt': _sqrt_moments, 'log': _log_moments, 'sin': _sin_moments}
    ends = [_decimal(region.left) for region in regions] + [_decimal(high)]
    at_ends = [moments[target](x) for x in ends]
    errors = []
    for k, region in enumerate(regions):
      slope, intercept = _decimal(region.slope), _decimal(region.intercept)
      start, end = ends[k], ends[k + 1]
      with_x, alone, square = (
        after - before for before, after in zip(at_ends[k], at_ends[k + 1])
      )
      line = (
        slope**2 * (end**3 - start**3) / 3
        + slope * intercept * (end**2 - start**2)
        + intercept**2 * (end - start)
      )
      errors.append(
        float(line - 2 * (slope * with_x + intercept * alone) + square)
      )
  return np.asarray(errors)


def _decimal(number: End) -> Decimal:
  exact = Fraction(number)
  return Decimal(exact.numerator) / Decimal(exact.denominator)


def _polynomial_error(region: Region, coefficients: Sequence[float]) -> float:
  """Returns the integral by exact fractions."""
  differences = [Fraction(float(c)) for c in coefficients]
  differences += [Fraction(0)] * (2 - len(differences))
  differences[0] -= region.intercept
  differences[1] -= region.slope
  total = Fraction(0)
  left, right = Fraction(region.left), Fraction(region.right)
  for j, a in enumerate(differences):
    for k, b in enumerate(differences):
      power = j + k + 1
      total += a * b * (right**power - left**power) / power
  return float(total)


# The antiderivatives of x f(x), f(x) and f(x)².
Moments = tuple[Decimal, Decimal, Decimal]


def _sqrt_moments(x: Decimal) -> Moments:
  root = x.sqrt()
  return 2 * x * x * root / 5, 2 * x * root / 3, x * x / 2


def _log_moments(x: Decimal) -> Moments:
  if not x:
    return Decimal(0), Decimal(0), Decimal(0)  # The limits: x log x → 0.
  log = x.ln()
  return (
    x * x * (2 * log - 1) / 4,
    x * (log - 1),
    x * (log * log - 2 * log + 2),
  )


def _sin_moments(x: Decimal) -> Moments:
  sin, cos = _sin_cos(x)
  return sin - x * cos, -cos, (x - sin * cos) / 2


def _sin_cos(x: Decimal) -> tuple[Decimal, Decimal]:
  """Returns sin x and cos x by their series, x cut down by halves."""
  halvings = max(0, math.ceil(math.log2(abs(float(x)) + 1.0)))
  small = x / 2**halvings
  sin, cos, term, k = Decimal(0), Decimal(0), Decimal(1), 0
  while term and term.adjusted() > -DIGITS - 10:
    sign = -1 if k % 4 >= 2 else 1
    if k % 2:
      sin += sign * term
    else:
      cos += sign * term
    k += 1
    term = term * abs(small) / k
  sin = sin if small >= 0 else -sin
  for _ in range(halvings):
    sin, cos = 2 * sin * cos, 2 * cos * cos - 1
  return sin, cos


class Surrogate(NamedTuple):
  """A polynomial in place of a net on an interval.

  Attributes:
    polynomial: its `coef` are c_0, c_1, ... of Σ_k c_k x^k.
    rmse: root mean squared difference from the net over the interval.
    max_error: the largest difference from the net, in size.
  """

  polynomial: Polynomial
  rmse: float
  max_error: float


def surrogate_polynomial(
  regions: Sequence[Region], *, degree: int
) -> Surrogate:
  """Returns the polynomial nearest to a net in the mean square.

  The net's part along the k-th Legendre polynomial is an integral of a
  polynomial over each region, which Gauss's rule gives without error. The
  largest difference lies at an end of a region or where p' equals the slope.

  Args:
    regions: from `linear_regions_1d`, on a finite interval.
    degree: >= 0; beyond 20 powers of x lose digits.

  Raises:
    ValueError: on an infinite interval or a negative degree.

  References:
    numpy.polynomial.legendre.
  """
  low, high = float(regions[0].left), float(regions[-1].right)
  if degree < 0 or not math.isfinite(high - low):
    raise ValueError(
      f'degree must be >= 0 and the interval finite: {degree}, [{low}, {high}]'
    )
  # The integrand's degree is 2 degree at most: degree + 2 nodes are exact.
  nodes, node_weights = np.polynomial.legendre.leggauss(degree + 2)
  lefts = np.asarray([float(region.left) for region in regions])
  rights = np.asarray([float(region.right) for region in regions])
  slopes = np.asarray([float(region.slope) for region in regions])
  offsets = np.asarray([float(region.intercept) for region in regions])
  halves = (rights - lefts) / 2
  x = (lefts + halves)[:, None] + halves[:, None] * nodes
  shares = 2 * halves[:, None] * node_weights / (high - low)
  y = slopes[:, None] * x + offsets[:, None]
  t = (2 * x - low - high) / (high - low)
  basis = np.polynomial.legendre.legvander(t, degree)
  parts = np.einsum('rn,rn,rnk->k', shares, y, basis)
  parts *= (2 * np.arange(degree + 1) + 1) / 2
  series = np.polynomial.Legendre(parts, domain=[low, high])
  rmse = math.sqrt(np.sum(shares * (y - series(x)) ** 2) / 2)
  errors = []
  for slope, offset, left, right in zip(slopes, offsets, lefts, rights):
    turns = (series.deriv() - slope).roots() if degree > 1 else np.zeros(0)
    inside = np.clip(turns.real, left, right)  # Any point there is a bound.
    places = np.asarray([left, right, *inside])
    errors.append(np.abs(slope * places + offset - series(places)).max())
  polynomial = series.convert(kind=Polynomial, domain=[-1, 1], window=[-1, 1])
  return Surrogate(polynomial, rmse, float(max(errors)))

"""The log Beta function, accurate to rounding in float32 and in float64.

`jax.scipy.special.betaln` (0.10.2 and 0.11.2) is off by up to 1.3e-6 where an
argument is 8 or more, in float64 too: its `algdiv` sets x = h / (1 + h) where
the series it takes from [1] has x = 1 / (1 + h).

References:
  [1] DiDonato and Morris 1992, Algorithm 708: significant digit computation
      of the incomplete beta function ratios.
"""

import math

from jax import lax
import jax.numpy as jnp

from toyjax.base import Array

# B_2k / (2k (2k - 1)) for k = 1..7: Stirling's series, good to 1e-15 from 8 on.
_STIRLING = (
  1 / 12,
  -1 / 360,
  1 / 1260,
  -1 / 1680,
  1 / 1188,
  -691 / 360360,
  1 / 156,
)
_LARGE = 8.0


def log_beta(a: Array, b: Array) -> Array:
  """Returns ln B(a, b) = ln Γ(a) + ln Γ(b) - ln Γ(a + b), elementwise.

  With Δ(x) = ln Γ(x) - (x - 1/2) ln x + x - ln(2π) / 2, a <= b and n = a + b:

    a, b >= 8:  (a - 1/2) ln(a / n) - b ln(1 + a / b) - ln(b) / 2 + ln(2π) / 2
                + Δ(a) + Δ(b) - Δ(n)
    b >= 8:     ln Γ(a) - (b - 1/2) ln(1 + a / b) - a (ln n - 1)
                + Δ(b) - Δ(n)

  so that no large terms cancel.

  Args:
    a: > 0, any shape.
    b: > 0, the same shape.
  """
  a, b = jnp.minimum(a, b), jnp.maximum(a, b)
  total = a + b
  correction = _stirling_rest(b) - _stirling_rest(total)
  log_ratio = jnp.log1p(a / b)
  both = (
    (a - 0.5) * jnp.log(a / total)
    - b * log_ratio
    - 0.5 * jnp.log(b)
    + 0.5 * math.log(2.0 * math.pi)
    + _stirling_rest(a)
    + correction
  )
  one = (
    lax.lgamma(a)
    - (b - 0.5) * log_ratio
    - a * (jnp.log(total) - 1.0)
    + correction
  )
  none = lax.lgamma(a) + (lax.lgamma(b) - lax.lgamma(total))
  return jnp.where(a >= _LARGE, both, jnp.where(b >= _LARGE, one, none))


def _stirling_rest(x: Array) -> Array:
  """Returns Δ(x) where x >= 8, and something finite elsewhere."""
  inverse = 1.0 / jnp.maximum(x, _LARGE)
  square = inverse * inverse
  rest = jnp.zeros_like(inverse)
  for coefficient in reversed(_STIRLING):
    rest = rest * square + coefficient
  return rest * inverse

r"""The valleys along which the error of X = I_n falls towards an infimum.

A run of the ReLU autoencoder (M = 2) that fails for good does not stop at a
critical point. It creeps along the floor of a valley while its norms grow:

* a fan of k = n - d - 2 learned rows of norm R on an arc, neighbours W_i, W_j
  just not on for each other: R² (1 - cos δ) = 1;
* two learned rows of norm about 1, each at a right angle to the nearer end of
  the fan, one on either side;
* d weak rows opposite the fan, of length 1/(gR), just long enough to be off for
  the fan. Each is shared over g = d + 2 inputs: the weak ones and the two.

As R grows the fan closes, the two rows stand opposite each other, the weak rows
vanish, and each weak output is left with g inputs that it cannot tell apart:

    F = d (1 - 1/g) + c / R² + o(1/R²),
    c = d [ 2√2 (k - 1) - 2 (1 - 1/g) + 2 (d - 1)/g ] / g².

Derivation. With the rest learned, F is the error of the weak outputs, each
(1 - |W|² - b)² + Σ_on (b + a)² over the g - 1 other inputs, a = W·W_j: a = |W|²
for a weak one, and for the two rows a = |W| cos(π/2 - φ), φ = (k - 1) δ / 2 the
half-angle of the fan, δ = √2/R, |W| = b/R. At b = 1/g each error is 1 - 1/g, b
is stationary there, so to first order F changes by -2 (1 - 1/g) |W|² +
(2/g) [(d - 1) |W|² + 2 |W| φ], which is c / (d R²) for |W| = 1/(gR). For d = 1,
g = 3 that is 2/3 + (4/3) [(n - 4)/(3√2) - 1/9] / R².

The infimum is not attained: along the valley F stays above it. Gradient flow
with dR/dt ~ R⁻³ takes it down like t^(-1/2); weight decay λ |W|² stops it where
c / R² and λ k R² balance, a true minimum at finite norm.
"""

import math

import jax
import jax.numpy as jnp

from toyjax.analysis.autoencoder import pieces
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params

_WIDEST_FAN = 2.8  # Radians; a fan of half a turn leaves no room for the rest.


def fan(*, num_features: int, num_weak: int, radius: float | Array) -> Params:
  """Returns the floor of the valley to leading order in 1/R.

  The weak rows come first, then the two of norm about 1, then the fan.
  `polishing.relax` takes it to the floor itself.

  Args:
    num_features: N = n >= d + 3.
    num_weak: d >= 1.
    radius: R > 1, norm of the rows of the fan; may be traced.

  Returns:
    W [2, N] and b [N] in the default float dtype.

  Raises:
    ValueError: where no row is left for the fan.
  """
  num_fan = _num_fan(num_features, num_weak)
  radius = jnp.asarray(radius, jnp.result_type(float))
  spacing = jnp.arccos(1.0 - 1.0 / radius**2)
  half_angle = (num_fan - 1) / 2.0 * spacing
  level = 1.0 / (num_weak + 2)
  weak = level / (radius * jnp.cos(half_angle))
  side = math.pi / 2.0 - half_angle
  lean = weak * jnp.cos(side)
  unit = jnp.sqrt(1.0 + lean)
  norms = jnp.concatenate(
    [
      jnp.full(num_weak, weak),
      jnp.full(2, unit),
      jnp.full(num_fan, radius),
    ]
  )
  offsets = jnp.arange(num_fan) - (num_fan - 1) / 2.0
  angles = jnp.concatenate(
    [
      jnp.zeros(num_weak),
      jnp.stack([side, -side]),
      math.pi + offsets * spacing,
    ]
  )
  weights = norms[None, :] * jnp.stack([jnp.cos(angles), jnp.sin(angles)])
  shared = level * (1.0 - num_weak * weak**2 - 2.0 * lean)
  is_weak = jnp.arange(num_features) < num_weak
  return Params(weights, jnp.where(is_weak, shared, 1.0 - norms**2))


def fan_of_norm(
  *, num_features: int, num_weak: int, norm: float | Array
) -> Array:
  """Returns `fan` with |W|_F = norm as a vector [3N].

  Args:
    num_features: N.
    num_weak: d >= 1.
    norm: |W|_F; may be traced. Below the norm of a fan of nearly half a turn it
      is that fan, which is no valley any more.
  """
  num_fan = _num_fan(num_features, num_weak)
  widest = _WIDEST_FAN / max(num_fan - 1, 1)
  least = 1.0 / math.sqrt(1.0 - math.cos(min(widest, 1.0)))
  norm = jnp.asarray(norm, jnp.result_type(float))

  def closer(radius: Array, _: None) -> tuple[Array, None]:
    found = fan(num_features=num_features, num_weak=num_weak, radius=radius)
    others = jnp.sum(found.weights[:, : num_weak + 2] ** 2)
    square = (norm**2 - others) / num_fan
    return jnp.sqrt(jnp.maximum(square, least**2)), None

  start = norm / jnp.sqrt(jnp.asarray(num_fan, norm.dtype))
  radius, _ = jax.lax.scan(closer, jnp.maximum(start, least), length=8)
  return pieces.vector(
    fan(num_features=num_features, num_weak=num_weak, radius=radius)
  )


def infimum(*, num_weak: int) -> float:
  """Returns d (1 - 1/g), g = d + 2: what F falls to as R grows."""
  return num_weak * (1.0 - 1.0 / (num_weak + 2))


def rate(*, num_features: int, num_weak: int) -> float:
  """Returns c of F = infimum + c / R² + o(1/R²)."""
  num_fan = _num_fan(num_features, num_weak)
  num_inputs = num_weak + 2
  bracket = (
    2.0 * math.sqrt(2.0) * (num_fan - 1)
    - 2.0 * (1.0 - 1.0 / num_inputs)
    + 2.0 * (num_weak - 1) / num_inputs
  )
  return num_weak * bracket / num_inputs**2


def least_curvature(*, num_features: int, num_weak: int) -> float:
  """Returns 2 - 2 cos(π/k), the fan's least curvature across the valley.

  The least eigenvalue of the Hessian of F on the sphere |W|_F = const, beside
  rotation, as R grows, for one weak row: that of the Laplacian of a path of k
  rows, each in touch with its neighbours. Measured, not proved.
  """
  num_fan = _num_fan(num_features, num_weak)
  return 2.0 - 2.0 * math.cos(math.pi / num_fan)


def _num_fan(num_features: int, num_weak: int) -> int:
  num_fan = num_features - num_weak - 2
  if num_weak < 1 or num_fan < 1:
    raise ValueError(
      'a valley has num_weak >= 1 weak rows, two rows of norm 1 and a fan: '
      f'num_features={num_features}, num_weak={num_weak}'
    )
  return num_fan

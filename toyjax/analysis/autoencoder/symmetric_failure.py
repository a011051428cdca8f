r"""Exact symmetric failure for m = 2: dead rows behind a regular polygon.

With k dead rows, N = n - k live ones at angles 2πj/N and norm r,

    W_d = 0, b_d = 1/n          on for every input: SSE 1 - 1/n for each
    |W_j| = r, b_j = 1 - r²     exactly right, off for every other input

The last holds for r >= r_min, r_min² = max(1, 1 / (1 - cos 2π/N)): on the
kinks at r_min, strictly within its smooth piece above it. It is a critical
point for every r >= r_min, and a saddle. Let W_d = t û, move W_j by -t c û, and
let every live bias keep its output right: while no kink is crossed, the SSE is

    1 - 1/n + t² [C - 2 N c / n] + O(t³),   C = Σ_j (W_j·û)² - 2 (1 - 1/n)

C is the coefficient of the dead row alone (N r² / 2 - 2 (1 - 1/n) for N >= 3);
any c > n C / (2 N) makes the bracket negative. On the kinks the live rows must
grow too, by t s W_j: then every kink turns off, and growing costs nothing.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from toyjax.analysis.autoencoder import critical_points
from toyjax.base import Array
from toyjax.toys.relu_autoencoder import Params

# Growth beyond what keeps kinks off in first order, for moves of finite size.
_MARGIN = 1.2


class Path(NamedTuple):
  """A straight move of the rows on which the SSE falls at once.

  Attributes:
    axis: û [2], the direction of the dead row's growth.
    shift: c, how far the live rows move against it.
    growth: s, how far they grow, as a share of themselves.
    rate: [C - 2 N c / n] / |direction|², the fall of the SSE by the square of
      the length of the move, in W and b together; half a curvature.
  """

  axis: np.ndarray
  shift: float
  growth: float
  rate: float


def level(*, num_features: int, num_dead: int) -> float:
  """Returns the SSE of symmetric failure, k (1 - 1/n)."""
  return num_dead * (1.0 - 1.0 / num_features)


def make(*, num_features: int, num_dead: int, norm: float | Array) -> Params:
  """Returns exact symmetric failure; rows 0 .. k - 1 are dead.

  Args:
    num_features: n >= num_dead + 2.
    num_dead: k >= 1.
    norm: r, at least `critical_points.minimum_radius`; may be traced.

  Returns:
    W [2, n] and b [n].
  """
  if num_dead < 1:
    raise ValueError(f'symmetric failure needs a dead row: {num_dead}')
  num_live = num_features - num_dead
  critical_points.minimum_radius(num_live)  # Raises where there is none.
  angles = 2.0 * np.pi * np.arange(num_live) / num_live
  rows = np.stack([np.cos(angles), np.sin(angles)])
  norm = jnp.asarray(norm)
  dead_bias = jnp.full(num_dead, 1.0 / num_features, norm.dtype)
  return Params(
    jnp.concatenate(
      [jnp.zeros((2, num_dead), norm.dtype), norm * rows.astype(norm.dtype)],
      axis=1,
    ),
    jnp.concatenate([dead_bias, jnp.full(num_live, 1.0 - norm**2)]),
  )


def dead_row_coefficient(*, num_features: int, norm: float) -> float:
  """Returns C, the SSE's rise by |W_d|² where one dead row moves alone.

  (n - 1) r² / 2 - 2 (1 - 1/n), for n >= 4: two rows are not isotropic.
  """
  num_live = num_features - 1
  return num_live * norm**2 / 2.0 - 2.0 * (1.0 - 1.0 / num_features)


def lowest_curvature(*, num_features: int, norm: float) -> float:
  """Returns the Hessian's least eigenvalue within the piece, one dead row.

  The dead row is a vector, and only moves of the live rows that turn like one
  couple to it: radial and tangential parts and biases that go like the cosine
  of the angle to it. That leaves the form, in (u, r', t', β') of unit length,

      C u² + (2 r r' + β')² + (2/n) √(N/2) u (r' + t')

  Args:
    num_features: n >= 4.
    norm: r > `critical_points.minimum_radius`.
  """
  num_live = num_features - 1
  coupling = math.sqrt(num_live / 2.0) / num_features
  dead = dead_row_coefficient(num_features=num_features, norm=norm)
  right = np.asarray([0.0, 2.0 * norm, 0.0, 1.0])
  form = np.outer(right, right)
  form[0] = form[:, 0] = dead, coupling, coupling, 0.0
  return 2.0 * float(np.linalg.eigvalsh(form)[0])


def descent_path(*, num_features: int, norm: float) -> Path:
  """Returns a move out of symmetric failure with one dead row, for any n >= 3.

  In first order s >= c / (2 r sin(π/N)) keeps every pair of neighbours off, and
  where b_j = 0, s >= (1 + 2 c) / (2 r) keeps the live outputs off for the dead
  input. s is a fifth more, so that no kink is crossed by a finite move either,
  and c the best one where s is in proportion to it.

  Args:
    num_features: n >= 3.
    norm: r >= `critical_points.minimum_radius`. The growth is there for every
      r, so that the path is the same on both sides of the kinks.
  """
  num_live = num_features - 1
  minimum = critical_points.minimum_radius(num_live, beside_dead=True)
  if norm < minimum:
    raise ValueError(f'norm must be at least {minimum}: {norm}')
  rows = np.asarray(
    make(num_features=num_features, num_dead=1, norm=1.0).weights, float
  )[:, 1:]
  axis = np.asarray([-rows[1, 0], rows[0, 0]])
  along = norm**2 * float(np.sum((axis @ rows) ** 2))
  dead = along - 2.0 * (1.0 - 1.0 / num_features)
  gain = 2.0 * num_live / num_features

  per_shift = _MARGIN / (2.0 * norm * math.sin(math.pi / num_live))
  cost = (
    num_live * (1.0 + per_shift**2 * (norm**2 + 4.0 * norm**4)) + 4.0 * along
  )
  shift = dead / gain + math.sqrt((dead / gain) ** 2 + 1.0 / cost)
  growth = per_shift * shift
  if norm**2 < 1.0 + 1e-9:  # b_j = 0: the dead input too is on their kinks.
    growth = max(growth, _MARGIN * (1.0 + 2.0 * shift) / (2.0 * norm))
  length = (
    1.0
    + num_live * (shift**2 + growth**2 * (norm**2 + 4.0 * norm**4))
    + 4.0 * shift**2 * along
  )
  return Path(axis, shift, growth, (dead - gain * shift) / length)


def along_path(
  path: Path, size: float | Array, *, num_features: int, norm: float
) -> Params:
  """Returns the weights after a move of t = size along the path.

  The live biases are 1 - |W_j|² and b_d stays 1/n, so that only the dead
  output is ever wrong while no kink is crossed.
  """
  start = make(
    num_features=num_features, num_dead=1, norm=jnp.asarray(norm, float)
  )
  live = start.weights[:, 1:] * (1.0 + size * path.growth)
  live = live - size * path.shift * path.axis[:, None]
  weights = jnp.concatenate([size * path.axis[:, None], live], axis=1)
  bias = jnp.concatenate([start.bias[:1], 1.0 - jnp.sum(live**2, axis=0)])
  return Params(weights, bias)

"""Is exact symmetric failure a minimum? Closed forms, search, and descents.

n, norm --second order, closed forms--> verdict rows
n, norm, size of a kick --float64 descents--> shares that get below 1 - 1/n
"""

from collections.abc import Iterator, Mapping, Sequence
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import statistics
from toyjax.analysis import (
  critical_points,
  curvature,
  curvature_bounds,
  decayed_failure,
  pieces,
  polishing,
  symmetric_failure,
)

# The point is exact in float64: kinks and zeros are within rounding of 0.
_KINK_TOLERANCE = 1e-9
_ZERO_TOLERANCE = 1e-9
_NUM_STARTS = 8
_NUM_ITERATIONS = 40
# The least curvature is enclosed to this share of the lowest that is found.
_RELATIVE_GAP = 1e-8
_MAX_CONES = 1_000_000
_GRADIENT_TOLERANCE = 1e-12  # Where a descent ends.
# A move along the closed path, small enough for its second order to rule.
_PATH_SIZE = 1e-3
# What counts as below the level: far above rounding, far below the level.
BELOW = 1e-6
# The decay λ under which it is judged again: any small one gives the same sign.
DECAY = 1e-4
_NEWTON_STEPS = 12


def verdict_rows(
  num_features: Sequence[int], norm_factors: Sequence[float]
) -> Iterator[dict[str, Any]]:
  """Yields a row for each n and each norm in units of the least one."""
  for n in num_features:
    judge = jax.jit(
      functools.partial(
        curvature.second_order,
        num_features=n,
        kink_tolerance=_KINK_TOLERANCE,
        zero_tolerance=_ZERO_TOLERANCE,
        num_starts=_NUM_STARTS,
        num_iterations=_NUM_ITERATIONS,
      )
    )
    for factor in norm_factors:
      yield _verdict_row(n, factor, judge)


def _verdict_row(n: int, factor: float, judge: Any) -> dict[str, Any]:
  norm = factor * critical_points.minimum_radius(n - 1, beside_dead=True)
  params = symmetric_failure.make(
    num_features=n, num_dead=1, norm=jnp.asarray(norm)
  )
  v = pieces.vector(params)
  found = judge(v)
  bounds = curvature_bounds.enclose(
    curvature.forms(v, num_features=n, kink_tolerance=_KINK_TOLERANCE),
    np.asarray(found.direction),
    gap=_RELATIVE_GAP * abs(float(found.upper)),
    max_cones=_MAX_CONES,
  )
  level = symmetric_failure.level(num_features=n, num_dead=1)
  path = symmetric_failure.descent_path(num_features=n, norm=norm)
  moved = symmetric_failure.along_path(
    path, _PATH_SIZE, num_features=n, norm=norm
  )
  inside = int(found.num_kinks) == 0 and n >= 4
  return {
    'num_features': n,
    'norm_factor': factor,
    'norm': norm,
    'dead_bias': float(params.bias[0]),
    'sse': float(pieces.sse(v, n)),
    'slope': float(
      jnp.linalg.norm(pieces.gradient(v, pieces.on_pattern(params)))
    ),
    'num_kinks': int(found.num_kinks),
    'side': 'on its kinks' if found.num_kinks else 'within its piece',
    'dead_row_coefficient': symmetric_failure.dead_row_coefficient(
      num_features=n, norm=norm
    ),
    'lowest_eigenvalue': float(found.lower),
    'lowest_closed_form': (
      symmetric_failure.lowest_curvature(num_features=n, norm=norm)
      if inside
      else None
    ),
    'lowest_curvature_found': bounds.upper,
    'lowest_curvature_bound': bounds.lower,
    'path_curvature': 2.0 * path.rate,
    'path_fall': level - float(pieces.sse(pieces.vector(moved), n)),
    'num_negative': int(found.spectrum.num_negative),
    'num_flat': int(found.spectrum.num_zero),
    'num_positive': int(found.spectrum.num_positive),
    'second_order': curvature.Verdict(int(found.verdict)).name,
    'verdict': (
      'SADDLE' if found.verdict == curvature.Verdict.NEGATIVE else 'UNRESOLVED'
    ),
    **_under_decay(n, bool(found.num_kinks)),
  }


def _under_decay(n: int, on_kinks: bool) -> dict[str, Any]:
  """Judges the point where decay holds the kinks; empty away from them."""
  names = ('decayed_lowest', 'decayed_least_kink', 'decayed_verdict')
  if not on_kinks:
    return dict.fromkeys(names)
  found = decayed_failure.settle(
    num_features=n,
    decay=DECAY,
    num_iterations=_NEWTON_STEPS,
    zero_tolerance=_ZERO_TOLERANCE,
  )
  verdict = 'FLAT'
  if found.spectrum.num_negative:
    verdict = 'SADDLE'
  elif not found.spectrum.num_zero:
    verdict = 'LOCAL_MINIMUM'
  if found.least_kink <= 0 or found.slope > _ZERO_TOLERANCE:
    verdict = 'UNRESOLVED'
  lowest = float(found.spectrum.eigenvalues[0])
  values = (lowest, float(found.least_kink), verdict)
  return dict(zip(names, values))


def descent_rows(
  num_features: Sequence[int],
  norm_factors: Sequence[float],
  sizes: Sequence[float],
  *,
  num_starts: int,
  num_iterations: int,
  seed: int,
) -> Iterator[dict[str, Any]]:
  """Yields the share of kicked starts that a float64 descent brings lower.

  Args:
    num_features: n.
    norm_factors: norms in units of the least one.
    sizes: standard deviations of the kick to every weight and bias.
    num_starts: of each kind.
    num_iterations: of `polishing.descend`.
    seed: of the kicks; all kinds of one n share them.
  """
  for n in num_features:
    kinds = [(f, s) for f in norm_factors for s in sizes]
    kicks = jax.random.normal(
      jax.random.fold_in(jax.random.key(seed), n), (num_starts, 3 * n)
    )
    starts = [
      pieces.vector(
        symmetric_failure.make(
          num_features=n,
          num_dead=1,
          norm=jnp.asarray(
            f * critical_points.minimum_radius(n - 1, beside_dead=True)
          ),
        )
      )[None]
      + s * kicks
      for f, s in kinds
    ]
    ends = polishing.descend(
      np.concatenate(starts),
      num_features=n,
      tolerance=_GRADIENT_TOLERANCE,
      max_steps=num_iterations,
    )
    ended = ends.sse.reshape(len(kinds), num_starts)
    level = symmetric_failure.level(num_features=n, num_dead=1)
    for (factor, size), sse in zip(kinds, ended):
      yield {
        'num_features': n,
        'norm_factor': factor,
        'kick': size,
        **_share(int(np.sum(sse < level - BELOW)), num_starts),
        'num_zero_loss': int(np.sum(sse < BELOW)),
        'median_sse': float(np.median(sse)),
      }


def _share(count: int, total: int) -> Mapping[str, Any]:
  interval = statistics.wilson(count, total)
  return {
    'num_below': count,
    'total': total,
    'fraction': interval.estimate,
    'lower': interval.lower,
    'upper': interval.upper,
  }

"""Is exact symmetric failure a minimum? Closed forms, search, and descents.

n, norm --second order, closed forms--> verdict rows
n, norm, size of a kick --float64 descents--> shares that get below 1 - 1/n
"""

from collections.abc import Callable, Iterator
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np

from toyjax import statistics
from toyjax.analysis.autoencoder import (
  curvature,
  curvature_bounds,
  decayed_failure,
  pieces,
  polishing,
  symmetric_failure,
)
from toyjax.base import Array
from toyjax.settings import Values
from toyjax.studies.symmetric_failure import exact
from toyjax.tables import Row

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
_BELOW = 1e-6
# The decay λ under which it is judged again: any small one gives the same sign.
DECAY = 1e-4
_NEWTON_STEPS = 12


def verdict_rows(values: Values) -> Iterator[Row]:
  """Yields a row for each n and each norm in units of the least one."""
  for n in values['num_features']:
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
    for factor in values['norm_factor']:
      yield _verdict_row(n, factor, judge)


def _verdict_row(
  n: int, factor: float, judge: Callable[[Array], curvature.SecondOrder]
) -> Row:
  norm = factor * exact.least_norm(n)
  params = exact.make(n, factor)
  v = pieces.vector(params)
  found = judge(v)
  bounds = curvature_bounds.enclose(
    curvature.forms(v, num_features=n, kink_tolerance=_KINK_TOLERANCE),
    np.asarray(found.direction),
    gap=_RELATIVE_GAP * abs(float(found.upper)),
    max_cones=_MAX_CONES,
  )
  path = symmetric_failure.descent_path(num_features=n, norm=norm)
  moved = symmetric_failure.along_path(
    path, _PATH_SIZE, num_features=n, norm=norm
  )
  num_kinks = int(found.num_kinks)
  return {
    'num_features': n,
    'norm_factor': factor,
    'norm': norm,
    'dead_bias': float(params.bias[0]),
    'sse': float(pieces.sse(v, n)),
    'slope': float(
      jnp.linalg.norm(pieces.gradient(v, pieces.on_pattern(params)))
    ),
    'num_kinks': num_kinks,
    'side': 'on its kinks' if num_kinks else 'within its piece',
    'dead_row_coefficient': symmetric_failure.dead_row_coefficient(
      num_features=n, norm=norm
    ),
    'lowest_eigenvalue': float(found.lower),
    'lowest_closed_form': (
      symmetric_failure.lowest_curvature(num_features=n, norm=norm)
      if num_kinks == 0 and n >= 4
      else None
    ),
    'lowest_curvature_found': bounds.upper,
    'lowest_curvature_bound': bounds.lower,
    'path_curvature': 2.0 * path.rate,
    'path_fall': exact.level(n) - float(pieces.sse(pieces.vector(moved), n)),
    'num_negative': int(found.spectrum.num_negative),
    'num_flat': int(found.spectrum.num_zero),
    'num_positive': int(found.spectrum.num_positive),
    'second_order': curvature.Verdict(int(found.verdict)).name,
    'verdict': (
      'SADDLE' if found.verdict == curvature.Verdict.NEGATIVE else 'UNRESOLVED'
    ),
    **_under_decay(n, num_kinks > 0),
  }


def _under_decay(n: int, on_kinks: bool) -> Row:
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
  return dict(zip(names, (lowest, float(found.least_kink), verdict)))


def descent_rows(values: Values) -> Iterator[Row]:
  """Yields the share of kicked starts that a float64 descent brings lower.

  All kinds of one n share their kicks.
  """
  num_starts = values['num_descents']
  kinds = list(itertools.product(values['norm_factor'], values['kick']))
  for n in values['num_features']:
    kicks = jax.random.normal(
      jax.random.fold_in(jax.random.key(values['seed']), n), (num_starts, 3 * n)
    )
    starts = [
      pieces.vector(exact.make(n, factor))[None] + size * kicks
      for factor, size in kinds
    ]
    ends = polishing.descend(
      np.concatenate(starts),
      num_features=n,
      tolerance=_GRADIENT_TOLERANCE,
      max_steps=values['descent_iterations'],
    )
    ended = ends.sse.reshape(len(kinds), num_starts)
    for (factor, size), sse in zip(kinds, ended):
      num_below = int(np.sum(sse < exact.level(n) - _BELOW))
      yield {
        'num_features': n,
        'norm_factor': factor,
        'kick': size,
        'num_below': num_below,
        'total': num_starts,
        'fraction': statistics.wilson(num_below, num_starts),
        'num_zero_loss': int(np.sum(sse < _BELOW)),
        'median_sse': float(np.median(sse)),
      }

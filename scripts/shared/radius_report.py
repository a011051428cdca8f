"""Do solutions lie on two circles, or in a continuum? Rows and a histogram."""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared.atlas_classes import Population
from toyjax import statistics
from toyjax.analysis import circles, critical_points
from toyjax.plots import radii as radius_plots

_DRAWS = 100  # Of norms by chance, for each run.
_KINDS = (('one_circle', 1, 1), ('two_circles', 2, 2), ('more_radii', 3, None))


def solved_norms(population: Population) -> np.ndarray:
  """Returns the row norms [S, N] of the solved runs, as they were trained."""
  weights = population.end_weights[population.solved].astype(float)
  return np.linalg.norm(weights, axis=1)


def by_chance(norms: np.ndarray, *, tolerance: float) -> float:
  """Returns the mean chance that evenly random norms lie on two circles.

  Each run keeps its shortest and longest row; the others are drawn uniformly
  between. Short spans fit two circles whatever the rows do.
  """
  rng = np.random.default_rng(0)
  low, high = norms.min(axis=1), norms.max(axis=1)
  hits = 0.0
  for _ in range(_DRAWS):
    drawn = rng.uniform(low[:, None], high[:, None], norms.shape)
    drawn[:, 0], drawn[:, 1] = low, high
    hits += np.mean(circles.count_circles(drawn, tolerance=tolerance) == 2)
  return float(hits / _DRAWS)


def rows(
  columns: Mapping[str, Any],
  population: Population,
  tolerances: Sequence[float],
) -> list[dict[str, Any]]:
  """Returns a row for each tolerance and kind, with counts and intervals."""
  norms = solved_norms(population)
  total, found = len(norms), []
  quantiles = np.full(3, np.nan)
  if total:
    gaps = circles.largest_gap(norms)
    if np.isfinite(gaps).any():
      quantiles = np.nanquantile(gaps, [0.05, 0.5, 0.95])
  for tolerance in tolerances:
    number = (
      circles.count_circles(norms, tolerance=tolerance)
      if total
      else np.zeros(0, int)
    )
    chance = by_chance(norms, tolerance=tolerance) if total else float('nan')
    for kind, low, high in _KINDS:
      count = int(np.sum((number >= low) & (number <= (high or np.inf))))
      share = statistics.wilson(count, total)
      found.append(
        {
          **columns,
          'step': population.step,
          'tolerance': tolerance,
          'kind': kind,
          'count': count,
          'num_solved': total,
          'fraction': share.estimate,
          'lower': share.lower,
          'upper': share.upper,
          'by_chance': chance if kind == 'two_circles' else None,
          'largest_gap_05': float(quantiles[0]),
          'largest_gap_median': float(quantiles[1]),
          'largest_gap_95': float(quantiles[2]),
        }
      )
  return found


def split_rows(
  columns: Mapping[str, Any], population: Population, tolerance: float
) -> list[dict[str, Any]]:
  """Returns a row for each way in which runs on two circles split their rows.

  Empty unless m = 2. The quantiles are over the runs of that split.
  """
  weights = population.end_weights[population.solved].astype(float)
  if weights.shape[1] != 2 or not len(weights):
    return []
  norms = np.linalg.norm(weights, axis=1)
  on_two = circles.count_circles(norms, tolerance=tolerance) == 2
  if not on_two.any():
    return []
  split = circles.split_in_two(weights[on_two])
  found = []
  for num_outer in np.unique(split.num_outer)[::-1]:
    own = split.num_outer == num_outer
    share = statistics.wilson(int(own.sum()), len(own))
    row = {
      **columns,
      'step': population.step,
      'tolerance': tolerance,
      'num_outer': int(num_outer),
      'num_inner': norms.shape[1] - int(num_outer),
      'count': int(own.sum()),
      'num_on_two_circles': len(own),
      'fraction': share.estimate,
      'lower': share.lower,
      'upper': share.upper,
      'outer_adjacent': int(split.adjacent[own].sum()),
    }
    for name, values in (('inner', split.inner), ('outer', split.outer)):
      quantiles = np.quantile(values[own], [0.05, 0.5, 0.95])
      for suffix, value in zip(('05', 'median', '95'), quantiles):
        row[f'{name}_radius_{suffix}'] = float(value)
    found.append(row)
  return found


def draw(
  path: pathlib.Path,
  population: Population,
  found: Sequence[Mapping[str, Any]],
  *,
  tolerance: float,
) -> None:
  """Draws the histogram of all rows of the solved runs."""
  norms = solved_norms(population)
  figure = matplotlib.figure.Figure((8.4, 4.4), layout='constrained')
  axes = figure.subplots()
  radius_plots.draw_radii(
    axes,
    norms=norms,
    num_circles=circles.count_circles(norms, tolerance=tolerance),
    reference=critical_points.minimum_radius(norms.shape[1]),
  )
  (two,) = (
    row
    for row in found
    if row['tolerance'] == tolerance and row['kind'] == 'two_circles'
  )
  axes.set_title(
    f'Row norms of {len(norms):,} solved runs: {population.title}, after '
    f'{population.step:,} steps\nOn one circle: norms within '
    f'{100 * tolerance:g} % of each other. Two circles: '
    f'{100 * two["fraction"]:.1f} % of runs '
    f'[{100 * two["lower"]:.1f}, {100 * two["upper"]:.1f}];\n'
    'evenly random norms of the same spans would give '
    f'{100 * two["by_chance"]:.1f} %',
    fontsize=10,
  )
  figure.savefig(path, dpi=110)

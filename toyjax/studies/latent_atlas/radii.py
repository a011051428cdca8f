"""Do solutions lie on two circles, or in a continuum? Rows and a histogram."""

from collections.abc import Iterator, Sequence

import matplotlib.figure
import numpy as np

from toyjax.analysis.autoencoder import circles, critical_points
from toyjax.plots import sheets
from toyjax.plots.latent import radii as radius_plots
from toyjax.plots.sheets import Sheet
from toyjax.studies.latent_atlas.classes import Population, quantiles
from toyjax.tables import Row, Share

_DRAWS = 100  # Of norms by chance, for each run.
_KINDS = (
  ('one_circle', 1, 1),
  ('two_circles', 2, 2),
  ('more_radii', 3, np.inf),
)


def solved_norms(population: Population) -> np.ndarray:
  """Returns the row norms [Q, N] of the solved runs, as they were trained."""
  return np.linalg.norm(population.solved_weights, axis=1)


def by_chance(norms: np.ndarray, *, tolerance: float) -> float:
  """Returns the mean chance that evenly random norms lie on two circles.

  Each run keeps its shortest and longest row; the others are drawn uniformly
  between. Short spans fit two circles whatever the rows do.

  Args:
    norms: [Q, N]; NaN for none.
    tolerance: see `circles.count_circles`.
  """
  if not len(norms):
    return float('nan')
  rng = np.random.default_rng(0)
  low, high = norms.min(axis=1), norms.max(axis=1)
  hits = 0.0
  for _ in range(_DRAWS):
    drawn = rng.uniform(low[:, None], high[:, None], norms.shape)
    drawn[:, 0], drawn[:, 1] = low, high
    hits += np.mean(circles.count_circles(drawn, tolerance=tolerance) == 2)
  return float(hits / _DRAWS)


def _counted(own: np.ndarray, name: str) -> Row:
  """Returns cells of the share of runs, whose total has a name of its own."""
  share = Share(int(own.sum()), len(own))
  return {
    '_share': share,
    'count': share.count,
    name: share.total,
    'fraction': share.interval,
  }


def rows(population: Population, tolerances: Sequence[float]) -> Iterator[Row]:
  """Yields a row for each tolerance and kind, with counts and intervals."""
  norms = solved_norms(population)
  gaps = quantiles('largest_gap', circles.largest_gap(norms))
  for tolerance in tolerances:
    number = circles.count_circles(norms, tolerance=tolerance)
    chance = by_chance(norms, tolerance=tolerance)
    for kind, low, high in _KINDS:
      yield {
        'step': population.step,
        'tolerance': tolerance,
        'kind': kind,
        **_counted((number >= low) & (number <= high), 'num_solved'),
        'by_chance': chance if kind == 'two_circles' else None,
        **gaps,
      }


def split_rows(population: Population, tolerance: float) -> Iterator[Row]:
  """Yields a row for each way in which runs on two circles split their rows.

  None unless m = 2. The quantiles are over the runs of that split.
  """
  weights = population.solved_weights
  if weights.shape[1] != 2:
    return
  norms = solved_norms(population)
  on_two = circles.count_circles(norms, tolerance=tolerance) == 2
  split = circles.split_in_two(weights[on_two])
  for num_outer in np.unique(split.num_outer)[::-1].tolist():
    own = split.num_outer == num_outer
    yield {
      'step': population.step,
      'tolerance': tolerance,
      'num_outer': num_outer,
      'num_inner': norms.shape[1] - num_outer,
      **_counted(own, 'num_on_two_circles'),
      'outer_adjacent': int(split.adjacent[own].sum()),
      **quantiles('inner_radius', split.inner[own]),
      **quantiles('outer_radius', split.outer[own]),
    }


def sheet(population: Population, found: Sequence[Row]) -> Sheet:
  """Returns the histogram of all rows of the solved runs.

  Args:
    population: of which some are solved.
    found: from `rows`; their first tolerance is drawn.
  """
  (two, *_) = (row for row in found if row['kind'] == 'two_circles')

  def draw() -> matplotlib.figure.Figure:
    norms, interval = solved_norms(population), two['fraction']
    figure, axes = sheets.single(
      8.4,
      4.4,
      f'Row norms of {len(norms):,} solved runs: {population.title}, after '
      f'{population.step:,} steps\nOn one circle: norms within '
      f'{100 * two["tolerance"]:g} % of each other. Two circles: '
      f'{100 * interval.estimate:.1f} % of runs '
      f'[{100 * interval.lower:.1f}, {100 * interval.upper:.1f}];\n'
      'evenly random norms of the same spans would give '
      f'{100 * two["by_chance"]:.1f} %',
    )
    radius_plots.draw_radii(
      axes,
      norms=norms,
      num_circles=circles.count_circles(norms, tolerance=two['tolerance']),
      reference=critical_points.minimum_radius(norms.shape[1]),
    )
    return figure

  return Sheet(f'radii_{population.runs.stage}', draw)

"""Rows of the tables of the zooms: flips, and dimensions of the edges.

windows --zoom_rows--> a row each; --dimension_rows--> pools of each edge
"""

from collections.abc import Iterable, Iterator, Sequence
import itertools

import numpy as np

from toyjax.analysis.chaos import box_counting
from toyjax.common_settings import DTYPES
from toyjax.settings import Values
from toyjax.studies.chaos_map.points import Zoomed
from toyjax.studies.chaos_map.windows import EDGES
from toyjax.tables import Row

# A window is resolved where a nudged start flips less than this share of what
# independent labels would: elsewhere its picture is one draw of the rounding.
RESOLVED_FLIPS = 0.5
_METHODS = ('box_dimension', 'box_dimension_shuffled', 'uncertainty_dimension')


def box_sizes(zoom_size: int) -> list[int]:
  """Returns 1, 2, 4, ... pixels up to an eighth of a window."""
  return [2**k for k in range(int(np.log2(zoom_size // 8)) + 1)]


def zoom_rows(found: Iterable[Zoomed], values: Values) -> Iterator[Row]:
  """Measures each window: dimension of its edge, labels rounding flips."""
  sizes = box_sizes(values['zoom_size'])
  for level, dtype, window, mask, nudged, exact in found:
    shuffled = box_counting.shuffled(mask, seed=0)
    chance = box_counting.chance_changes(mask, nudged)
    yield {
      'level': level,
      'dtype': dtype,
      'edge': window.edge,
      'chain': window.chain,
      'learning_rate': float(window.learning_rates.mean()),
      'delta': float(window.deltas.mean()),
      'width': float(window.learning_rates[-1] - window.learning_rates[0]),
      'pixels': mask.size,
      'recovered': int(mask.sum()),
      **_dimensions(mask, sizes),
      'box_dimension_shuffled': box_counting.box_dimension(shuffled, sizes),
      'flips_nudged': int(np.sum(mask != nudged)),
      'flips_by_chance': chance * mask.size,
      'flips_float64': None if exact is None else int(np.sum(mask != exact)),
    }


def _dimensions(mask: np.ndarray, sizes: Sequence[int]) -> dict[str, float]:
  return {
    'box_dimension': box_counting.box_dimension(mask, sizes),
    'uncertainty_dimension': box_counting.uncertainty_dimension(mask, sizes),
  }


def dimension_rows(
  zooms: Sequence[Row],
  null: Iterable[tuple[int, np.ndarray]],
  values: Values,
) -> Iterator[Row]:
  """Pools the windows of each edge, level 1 and deeper, and the null's.

  Args:
    zooms: from `zoom_rows`.
    null: from `points.run_null`.
    values: of all settings.
  """
  sizes = box_sizes(values['zoom_size'])
  smooth: list[Row] = [
    {'level': level, **_dimensions(mask, sizes)} for level, mask in null
  ]
  pools = {('smooth null', 'float64', 'all'): smooth}
  for series in itertools.product(EDGES, DTYPES):
    pools[*series, 'all'] = windows_of(zooms, *series)
    pools[*series, 'resolved'] = [
      row
      for row in windows_of(zooms, *series)
      if row['flips_nudged'] < RESOLVED_FLIPS * row['flips_by_chance']
    ]
  for (edge, dtype, kind), found in pools.items():
    deepest = max((row['level'] for row in found), default=0)
    zoomed = values['zoom_factor'] ** max(deepest - 1, 0)
    for method in _METHODS:
      measured = [row[method] for row in found if method in row]
      if measured or not found:
        yield {
          'edge': edge,
          'dtype': dtype,
          'windows': kind,
          'method': method,
          'count': len(measured),
          'without_edge': int(np.sum(~np.isfinite(measured))),
          # From the largest box of level 1 to a pixel of the deepest level.
          'decades': float(np.log10(sizes[-1] * zoomed)) if found else 0.0,
          'estimate': box_counting.mean_interval(measured),
        }


def windows_of(zooms: Iterable[Row], edge: str, *dtypes: str) -> list[Row]:
  """Returns the rows of an edge, level 1 and deeper, in some precisions."""
  return [
    row
    for row in zooms
    if row['level'] > 0 and row['edge'] == edge and row['dtype'] in dtypes
  ]

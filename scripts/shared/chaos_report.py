"""What the chaos map shows, as rows of CSV files and tables for a terminal."""

from collections.abc import Mapping, Sequence
import itertools
from typing import Any

import numpy as np

from scripts.shared import tables
from scripts.shared.chaos_runs import VARIANT, Stage
from scripts.shared.chaos_study import DTYPES, Zoomed
from scripts.shared.chaos_zoom import EDGES
from scripts.shared.grids import text_of
from toyjax import statistics
from toyjax.analysis import box_counting
from toyjax.analysis.chaos_endings import Ending


def box_sizes(zoom_size: int) -> list[int]:
  """Returns 1, 2, 4, ... pixels up to an eighth of a window."""
  return [2**k for k in range(int(np.log2(zoom_size // 8)) + 1)]


def edges_of_row(
  rates: np.ndarray, recovered: np.ndarray
) -> tuple[float, float, int]:
  """Returns the slow edge, the fast edge and the failures between them.

  Args:
    rates: [W] learning rates, increasing.
    recovered: bool [W].

  Returns:
    The least and the largest rate that recovered (NaN for none), and how many
    runs between them did not.
  """
  columns = np.flatnonzero(recovered)
  if not columns.size:
    return float('nan'), float('nan'), 0
  first, last = columns[0], columns[-1]
  gaps = int(last - first + 1 - columns.size)
  return float(rates[first]), float(rates[last]), gaps


def edge_rows(
  results: Mapping[str, np.ndarray], stage: Stage, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
  """Says for each Δ of the map where recovery begins and ends."""
  size = settings['size']
  rates = stage.axes['learning_rate'].reshape(size, size)[0]
  deltas = stage.axes['delta'].reshape(size, size)[:, 0]
  rows = []
  for k, step in enumerate(settings['observe_steps']):
    recovered = results['ending'][:, k].reshape(size, size) == Ending.RECOVERED
    for delta, row in zip(deltas, recovered):
      slow, fast, gaps = edges_of_row(rates, row)
      rows.append(
        {
          'step': step,
          'delta': float(delta),
          'slow_edge': slow,
          'fast_edge': fast,
          'failures_between': gaps,
        }
      )
  return rows


def scan_rows(
  stage: Stage, results: Mapping[str, np.ndarray], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
  """Says what one variant makes of the published facts, at each step."""
  size = settings['scan_size']
  rates = stage.axes['learning_rate'][:size]
  rows = []
  for k, step in enumerate(settings['observe_steps']):
    endings = results['ending'][:, k]
    norms = results['total_norm'][:, k][endings != Ending.DIVERGED]
    row: dict[str, Any] = {name: stage.variant[name] for name in VARIANT}
    row |= {'step': step, 'runs': len(endings)}
    counts = statistics.counts(endings, len(Ending))
    row |= {code.name.lower(): int(counts[code]) for code in Ending}
    row['total_norm_min'] = float(norms.min()) if norms.size else None
    row['total_norm_max'] = float(norms.max()) if norms.size else None
    for delta, found in zip(
      settings['scan_deltas'], endings.reshape(-1, size) == Ending.RECOVERED
    ):
      slow, _, _ = edges_of_row(rates, found)
      row[f'slow_edge_at_{text_of(delta)}'] = slow
    rows.append(row)
  return rows


def zoom_rows(
  found: Sequence[Zoomed], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
  """Measures each window: dimension of its edge, labels rounding flips."""
  sizes = box_sizes(settings['zoom_size'])
  rows = []
  for zoomed in found:
    mask, window = zoomed.recovered, zoomed.window
    row: dict[str, Any] = {
      'level': zoomed.level,
      'dtype': zoomed.dtype,
      'edge': window.edge,
      'chain': window.chain,
      'learning_rate': float(window.learning_rates.mean()),
      'delta': float(window.deltas.mean()),
      'width': float(window.learning_rates[-1] - window.learning_rates[0]),
      'pixels': mask.size,
      'recovered': int(mask.sum()),
      'box_dimension': box_counting.box_dimension(mask, sizes),
      'uncertainty_dimension': box_counting.uncertainty_dimension(mask, sizes),
      'box_dimension_shuffled': box_counting.box_dimension(
        box_counting.shuffled(mask, seed=0), sizes
      ),
      'flips_nudged': int(np.sum(mask != zoomed.nudged)),
      'flips_by_chance': box_counting.chance_changes(mask, zoomed.nudged)
      * mask.size,
      'flips_float64': None,
    }
    if zoomed.exact is not None:
      row['flips_float64'] = int(np.sum(mask != zoomed.exact))
    rows.append(row)
  return rows


# A window is resolved where a nudged start flips less than this share of what
# independent labels would: elsewhere its picture is one draw of the rounding.
RESOLVED_FLIPS = 0.5


def dimension_rows(
  zooms: Sequence[Mapping[str, Any]],
  null: Sequence[tuple[int, np.ndarray]],
  settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
  """Pools the windows of each edge, level 1 and deeper, and the null's."""
  sizes = box_sizes(settings['zoom_size'])
  smooth = [
    {
      'level': level,
      'box_dimension': box_counting.box_dimension(mask, sizes),
      'uncertainty_dimension': box_counting.uncertainty_dimension(mask, sizes),
    }
    for level, mask in null
  ]
  rows = _pool('smooth null', 'float64', 'all', smooth, settings)
  for edge, dtype in itertools.product(EDGES, DTYPES):
    own = [
      row
      for row in zooms
      if row['level'] > 0 and (row['edge'], row['dtype']) == (edge, dtype)
    ]
    resolved = [
      row
      for row in own
      if row['flips_nudged'] < RESOLVED_FLIPS * row['flips_by_chance']
    ]
    rows += _pool(edge, dtype, 'all', own, settings)
    rows += _pool(edge, dtype, 'resolved', resolved, settings)
  return rows


def _pool(
  edge: str,
  dtype: str,
  windows: str,
  found: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
  """Returns a row for each measure of the given windows."""
  deepest = max((row['level'] for row in found), default=0)
  largest = box_sizes(settings['zoom_size'])[-1]
  rows = []
  for method in (
    'box_dimension',
    'box_dimension_shuffled',
    'uncertainty_dimension',
  ):
    values = [row[method] for row in found if method in row]
    if found and not values:
      continue
    interval = box_counting.mean_interval(values)
    rows.append(
      {
        'edge': edge,
        'dtype': dtype,
        'windows': windows,
        'method': method,
        'count': len(values),
        'without_edge': int(np.sum(~np.isfinite(values))),
        # From the largest box of level 1 to a pixel of the deepest level.
        'decades': float(
          np.log10(largest * settings['zoom_factor'] ** max(deepest - 1, 0))
        )
        if found
        else 0.0,
        **interval._asdict(),
      }
    )
  return rows


def lyapunov_rows(
  results: Mapping[str, np.ndarray], settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
  """Says for each ending how far neighbouring starts were driven apart."""
  steps = settings['observe_steps']
  endings = results['ending'][:, -1]
  peaks = results['log_peak'][:, -1]
  exponents = results['log_growth'][:, -1] / steps[-1]
  rows = []
  for code in Ending:
    own = endings == code
    row: dict[str, Any] = {'ending': code.name, 'runs': int(own.sum())}
    for name, values in (('log_peak', peaks), ('exponent', exponents)):
      finite = values[own & np.isfinite(values)]
      for label, level in (('p5', 0.05), ('median', 0.5), ('p95', 0.95)):
        row[f'{name}_{label}'] = (
          float(np.quantile(finite, level)) if finite.size else None
        )
    for dtype in ('float32', 'float64'):
      limit = -np.log(np.finfo(dtype).eps)
      over = int(np.sum(peaks[own] > limit))
      share = statistics.wilson(over, int(own.sum()))
      row[f'beyond_{dtype}'] = over
      row[f'beyond_{dtype}_lower'] = share.lower
      row[f'beyond_{dtype}_upper'] = share.upper
    rows.append(row)
  return rows


def print_rows(
  title: str, rows: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> None:
  """Prints the named columns of some rows as a table."""

  def cell(value: Any) -> str:
    if value is None:
      return '-'
    return f'{value:.4g}' if isinstance(value, float) else str(value)

  print(f'\n{title}\n')
  print(
    tables.format_table(
      names, [[cell(row[name]) for name in names] for row in rows]
    )
  )

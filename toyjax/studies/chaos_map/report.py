"""What the chaos map shows: tables, texts and sheets, stage by stage.

stages --compute--> Runs, windows --report--> Report, one a kind of stage
"""

from collections.abc import Iterable, Iterator, Sequence
import functools
from typing import Any

import numpy as np

from toyjax import statistics
from toyjax.analysis.chaos.endings import THRESHOLDS, Ending
from toyjax.common_settings import DTYPES
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values, text_of
from toyjax.studies.base import Report
from toyjax.studies.chaos_map import figures, points, windows, zooms
from toyjax.studies.chaos_map.points import Compute
from toyjax.studies.chaos_map.settings import VARIANT
from toyjax.tables import Column, Row, Share, Table, flat

_DPI = 110
_Part = Table | str | Sheet


def report(compute: Compute, values: Values) -> Iterator[Report]:
  """Yields what the values ask for, each part as soon as it has been run."""
  first, *others = points.known(values)
  yield _report(_map(compute(first)))
  if values['lyapunov_size']:
    yield _report(_lyapunov(compute(others.pop(0))))
  if others:
    yield _report([_scan(list(map(compute, others)))])
  if values['zoom_levels']:
    yield _report(_zooms(compute, values))


def _report(parts: Iterable[_Part]) -> Report:
  parts = list(parts)
  return Report(
    [part for part in parts if not isinstance(part, Sheet)],
    [part for part in parts if isinstance(part, Sheet)],
    {'thresholds': THRESHOLDS._asdict()},
  )


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


def _map(found: Runs) -> Iterator[_Part]:
  """Yields how runs stand, and for each Δ where recovery begins and ends."""
  size = found.values['size']
  whole = windows.whole(found.values, size)
  spans, summary, edges = [], [], []
  for k, step in enumerate(found.values['observe_steps']):
    endings = found.data['ending'][:, k]
    least, most = figures.finite_ends(found.data['total_norm'][:, k])
    spans.append(
      f'after {step:,} steps the sum of |W_i| spans {least:.3f} to {most:.3f}'
    )
    for code in Ending:
      share = Share(int(np.sum(endings == code)), len(endings))
      row = {'step': step, 'outcome': code.name, '': share}
      summary.append({**found.configuration, **row})
    recovered = endings.reshape(size, size) == Ending.RECOVERED
    names = ('slow_edge', 'fast_edge', 'failures_between')
    for delta, row in zip(whole.deltas.tolist(), recovered):
      ends = edges_of_row(whole.learning_rates, row)
      edges.append({'step': step, 'delta': delta, **dict(zip(names, ends))})
  yield Table(
    'summary',
    summary,
    'How runs stand (95 % Wilson intervals)',
    _columns('step outcome count total fraction lower upper'),
  )
  yield '\n'.join(spans)
  yield Table('edges', edges)
  yield Table(
    '',
    edges[-size :: max(size // 12, 1)],
    'Learning rates that recover, at some Delta',
    _columns('delta slow_edge fast_edge failures_between'),
  )
  yield _sheet('map', figures.draw_map, found)


def _lyapunov(found: Runs) -> Iterator[_Part]:
  """Yields how far neighbouring starts were driven apart, for each ending."""
  measured = {
    'log_peak': found.last('log_peak'),
    'exponent': found.last('log_growth') / found.values['num_steps'],
  }
  rows = []
  for code in Ending:
    own = found.last('ending') == code
    row: dict[str, Any] = {'ending': code.name, 'runs': int(own.sum())}
    for name, numbers in measured.items():
      finite = numbers[own & np.isfinite(numbers)]
      for label, level in (('p5', 0.05), ('median', 0.5), ('p95', 0.95)):
        row[f'{name}_{label}'] = (
          float(np.quantile(finite, level)) if finite.size else None
        )
    for dtype in DTYPES:
      limit = -np.log(np.finfo(dtype).eps)
      over = int(np.sum(measured['log_peak'][own] > limit))
      _, lower, upper = statistics.wilson(over, row['runs'])
      row[f'beyond_{dtype}'] = over
      row[f'beyond_{dtype}_lower'] = lower
      row[f'beyond_{dtype}_upper'] = upper
    rows.append(row)
  yield Table(
    'lyapunov',
    rows,
    'ln of the largest growth of a difference at the start; how many runs grow '
    'one rounding to order 1',
    _columns(
      'ending runs log_peak_p5 log_peak_median log_peak_p95 exponent_median '
      'beyond_float32 beyond_float64'
    ),
  )
  yield _sheet('lyapunov', figures.draw_lyapunov, found)


def _scan(found: Sequence[Runs]) -> Table:
  """Returns what each variant makes of the published facts, at each step."""
  rows = []
  for each in found:
    values, size = each.values, each.values['scan_size']
    rates = windows.whole(values, size).learning_rates
    for k, step in enumerate(values['observe_steps']):
      endings = each.data['ending'][:, k]
      norms = each.data['total_norm'][endings != Ending.DIVERGED, k].tolist()
      recovered = endings.reshape(-1, size) == Ending.RECOVERED
      slow = [edges_of_row(rates, row)[0] for row in recovered]
      ends = [f'slow_edge_at_{text_of(d)}' for d in values['scan_deltas']]
      rows.append(
        {
          **{name: values[name] for name in VARIANT},
          'step': step,
          'runs': len(endings),
          **{
            code.name.lower(): int(np.sum(endings == code)) for code in Ending
          },
          'total_norm_min': min(norms, default=None),
          'total_norm_max': max(norms, default=None),
          **dict(zip(ends, slow)),
        }
      )
  return Table(
    'scan',
    rows,
    'Variants (published: sum of |W_i| 8.5 to 14.1, edge 1.55 to 2.4)',
    _columns(
      'loss_reduction separation norm_factor step recovered diverged '
      f'total_norm_min total_norm_max {ends[0]} {ends[-1]}'
    ),
  )


def _zooms(compute: Compute, values: Values) -> Iterator[_Part]:
  found = points.run_zooms(compute, values)
  rows = list(zooms.zoom_rows(found, values))
  null = points.run_null(values)
  pools = list(zooms.dimension_rows(rows, null, values))
  yield Table(
    'zooms',
    rows,
    'Labels that one rounding of the start, or float64, flips',
    _columns(
      'level dtype edge chain width pixels recovered box_dimension '
      'box_dimension_shuffled flips_nudged flips_by_chance flips_float64'
    ),
  )
  yield Table(
    'dimensions',
    pools,
    "Dimension of the edge (mean over windows, Student's t interval)",
    _columns(
      'edge dtype windows method count without_edge decades estimate lower '
      'upper'
    ),
  )
  yield _sheet('zooms', figures.draw_zooms, found, values['zoom_levels'])
  yield _sheet('dimensions', figures.draw_dimensions, rows, pools)


def _sheet(name: str, draw: Any, *arguments: Any) -> Sheet:
  make = functools.partial(draw, *arguments)
  return Sheet(name, make, is_cropped=False, dpi=_DPI)


def _columns(names: str) -> tuple[Column, ...]:
  """Returns columns of cells as they are in the file, in four digits."""

  def text(name: str, row: Row) -> str:
    value = dict(flat(row))[name]
    if value is None:
      return '-'
    return f'{value:.4g}' if isinstance(value, float) else str(value)

  return tuple(
    Column(name, functools.partial(text, name)) for name in names.split()
  )

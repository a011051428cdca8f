"""What descents from runaways show: how they end, their norms, their paths."""

from collections.abc import Iterator, Mapping, Sequence
import functools
from typing import Any

import matplotlib.figure
import numpy as np

from toyjax.analysis.autoencoder import batches, gradient_flow
from toyjax.analysis.autoencoder.lbfgs import End
from toyjax.parsers import SettingError
from toyjax.plots import palette, sheets
from toyjax.plots.latent import valley_floors
from toyjax.plots.sheets import Sheet
from toyjax.stored_runs import StoredRuns
from toyjax.studies.base import Report
from toyjax.studies.certify_failure import figures
from toyjax.studies.descend_runaways import descents
from toyjax.studies.descend_runaways.descents import Runaways
from toyjax.tables import Column, Row, Share, Table

_FLOW_TOLERANCE = 1e-8  # Of a step of the solver; F is of order 1.
_QUANTILES = {'median': 0.5, 'q90': 0.9, 'largest': 1.0}
# Of descents.csv, what fits a terminal.
_SHOWN = (
  *('end', 'count', 'total', 'fraction', 'lower', 'upper', 'below_infimum'),
  *('evaluations_median', 'evaluations_largest', 'end_norm_median'),
  *('largest_norm_largest', 'end_sse_median'),
)
_COLORS = {True: palette.BLUE, False: palette.VERMILION}


def report(
  runaways: Runaways,
  found: StoredRuns,
  settings: Mapping[str, Any],
  *,
  num_paths: int,
) -> Report:
  """Returns the tables and the sheet of finished descents.

  Args:
    runaways: from where they went.
    found: from `descents.run`.
    settings: as there, and num_flows and flow_time.
    num_paths: descents of either kind that are drawn.

  Raises:
    SettingError: where gradient flow cannot be followed for so long.
  """
  parts = [
    _table(
      'descents',
      list(_rows(found, runaways)),
      f'L-BFGS from {len(runaways.v):,} runaways of {runaways.stage.name}, at '
      f'most {settings["max_evaluations"]:,} evaluations (95 % Wilson '
      'intervals):',
      _SHOWN,
    )
  ]
  if settings['num_flows']:
    flows = list(_flow_rows(runaways, settings))
    title = 'Gradient flow from the first of them:'
    parts.append(_table('flows', flows, title, list(flows[0])))
  draw = functools.partial(
    _draw, found.read('end') == End.SOLVED, runaways, settings, num_paths
  )
  paths = [Sheet('paths', draw)] if num_paths else []
  return Report(parts, paths)


def _table(
  name: str, rows: Sequence[Row], title: str, names: Sequence[str]
) -> Table:
  """Returns a table that shows cells as they are in its file, but shorter."""

  def text(name: str, row: Row) -> str:
    cell = '-' if row[name] is None else row[name]
    return f'{cell:.4g}' if isinstance(cell, float) else str(cell)

  cells = Table(name, rows).records()
  shown = [Column(name, functools.partial(text, name)) for name in names]
  return Table(name, cells, title, shown)


def _rows(found: StoredRuns, runaways: Runaways) -> Iterator[Row]:
  """Yields a row for each end, those that no descent had included."""
  ends, end_sse = found.read('end'), found.read('sse')
  numbers = {
    'evaluations': found.read('num_evaluations'),
    'steps': found.read('num_steps'),
    'start_norm': runaways.norms(runaways.v),
    'end_norm': runaways.norms(found.read('v')),
    'largest_norm': found.read('largest_norm'),
    'end_sse': end_sse,
  }
  for code in End:
    own = ends == code
    yield {
      'group': runaways.stage.name,
      'end': code.name,
      '': Share(int(own.sum()), len(own)),
      'below_infimum': int(np.sum(own & (end_sse < runaways.infimum))),
      **{
        f'{name}_{label}': (
          float(np.quantile(values[own], share)) if own.any() else None
        )
        for name, values in numbers.items()
        for label, share in _QUANTILES.items()
      },
    }


def _flow_rows(
  runaways: Runaways, settings: Mapping[str, Any]
) -> Iterator[Row]:
  """Yields a row for each time: how many flows are above their infimum."""
  times = [t for t in (1.0, 1e1, 1e2, 1e3, 1e4) if t < settings['flow_time']]
  times.append(settings['flow_time'])
  n = runaways.num_features
  starts = runaways.v[: settings['num_flows']]
  try:
    states = np.stack(
      [
        gradient_flow.follow(
          v, num_features=n, times=times, relative_tolerance=_FLOW_TOLERANCE
        )
        for v in starts
      ]
    )
  except RuntimeError as error:
    hint = 'take a shorter --flow_time, or --num_flows=0'
    raise SettingError(f'{error}; {hint}') from error
  infimum = runaways.infimum[: len(starts)]
  before = batches.errors(starts, n)
  for k, time in enumerate(times):
    sse = batches.errors(states[:, k], n)
    yield {
      'group': runaways.stage.name,
      'time': time,
      'above_infimum': int(np.sum(sse > infimum)),
      'fallen': int(np.sum(sse < before)),
      'total': len(starts),
      'sse_smallest': float(sse.min()),
      'sse_median': float(np.median(sse)),
      'norm_median': float(np.median(runaways.norms(states[:, k]))),
    }
    before = sse


def _draw(
  solved: np.ndarray,
  runaways: Runaways,
  settings: Mapping[str, Any],
  num_paths: int,
) -> matplotlib.figure.Figure:
  """Draws F against |W| of the first descents that solve, and of others."""
  kinds = [np.flatnonzero(kind)[:num_paths] for kind in (solved, ~solved)]
  chosen = np.concatenate(kinds)
  sse, norms = descents.paths(
    runaways.v[chosen], settings, runaways.num_features
  )
  figure, axes = sheets.single(
    7.2, 5.6, f'L-BFGS from runaways of {runaways.stage.name}, a few paths'
  )
  valley_floors.draw_floors(
    axes,
    runs=[],
    floors=figures.floors(runaways.num_features, runaways.entry[chosen], norms),
  )
  # Another program rounds otherwise, so that it may end otherwise, too.
  arrived = sse[:, -1] < settings['solved_sse']
  for path_norms, path_sse, is_solved in zip(norms, sse, arrived):
    color = _COLORS[bool(is_solved)]
    axes.plot(path_norms, path_sse, color=color, linewidth=0.8, alpha=0.8)
  for kind, label in ((True, 'reaches F = 0'), (False, 'has not yet')):
    if np.any(arrived == kind):
      axes.plot([], [], color=_COLORS[kind], label=f'L-BFGS: {label}')
  axes.set_ylim(0.0, None)
  axes.legend(fontsize='small')
  return figure

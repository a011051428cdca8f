"""What descents from runaways show: descents.csv, flows.csv and paths.png."""

from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any

from absl import flags
import matplotlib.figure
import numpy as np

from scripts.shared import certified_figures, descending, tables
from toyjax.analysis import batches, catalogue, gradient_flow
from toyjax.analysis.lbfgs import End
from toyjax.plots import valley_floors
from toyjax.stored_runs import StoredRuns

flags.disclaim_key_flags()

_FLOW_TOLERANCE = 1e-8  # Of a step of the solver; F is of order 1.
_QUANTILES = {'median': 0.5, 'q90': 0.9, 'largest': 1.0}
# Of descents.csv, what fits a terminal.
_SHOWN = (
  *('end', 'count', 'total', 'fraction', 'lower', 'upper', 'below_infimum'),
  *('evaluations_median', 'evaluations_largest', 'end_norm_median'),
  *('largest_norm_largest', 'end_sse_median'),
)
_COLORS = {True: '#0072B2', False: '#D55E00'}


def write(
  path: pathlib.Path,
  runaways: descending.Runaways,
  settings: Mapping[str, Any],
  *,
  num_paths: int,
) -> None:
  """Writes and prints the tables of a finished folder, and draws the paths."""
  data = StoredRuns(path / descending.FILENAME, runaways.name)
  rows = list(_rows(data, runaways))
  tables.write_csv(path / 'descents.csv', rows)
  print(
    f'\nL-BFGS from {len(runaways.v):,} runaways of {runaways.name}, at most '
    f'{settings["max_evaluations"]:,} evaluations (95 % Wilson intervals):\n'
  )
  _print(rows, _SHOWN)
  if settings['num_flows']:
    flows = list(_flow_rows(runaways, settings))
    tables.write_csv(path / 'flows.csv', flows)
    print('\nGradient flow from the first of them:\n')
    _print(flows, tuple(flows[0]))
  if num_paths:
    _draw(path / 'paths.png', data, runaways, settings, num_paths)
  print(f'\nall of it is in {path}')


def _rows(
  data: StoredRuns, runaways: descending.Runaways
) -> Iterator[dict[str, Any]]:
  """Yields a row for each end, those that no descent had included."""
  ends = data.read('end')
  n = runaways.num_features
  start_norm = np.linalg.norm(runaways.v[:, :-n], axis=1)
  numbers = {
    'evaluations': data.read('num_evaluations'),
    'steps': data.read('num_steps'),
    'start_norm': start_norm,
    'end_norm': np.linalg.norm(data.read('v')[:, :-n], axis=1),
    'largest_norm': data.read('largest_norm'),
    'end_sse': data.read('sse'),
  }
  for code in End:
    own = ends == code
    yield {
      'group': runaways.name,
      'end': code.name,
      **tables.interval_cells(int(own.sum()), len(own)),
      'below_infimum': int(
        np.sum(own & (numbers['end_sse'] < runaways.infimum))
      ),
      **{
        f'{name}_{label}': (
          float(np.quantile(values[own], share)) if own.any() else None
        )
        for name, values in numbers.items()
        for label, share in _QUANTILES.items()
      },
    }


def _flow_rows(
  runaways: descending.Runaways, settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
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
    raise flags.Error(f'{error}; {hint}') from error
  infimum = runaways.infimum[: len(starts)]
  before = batches.errors(starts, n)
  for k, time in enumerate(times):
    sse = batches.errors(states[:, k], n)
    norms = np.linalg.norm(states[:, k, :-n], axis=1)
    yield {
      'group': runaways.name,
      'time': time,
      'above_infimum': int(np.sum(sse > infimum)),
      'fallen': int(np.sum(sse < before)),
      'total': len(starts),
      'sse_smallest': float(sse.min()),
      'sse_median': float(np.median(sse)),
      'norm_median': float(np.median(norms)),
    }
    before = sse


def _print(rows: list[dict[str, Any]], names: Sequence[str]) -> None:
  print(
    tables.format_table(names, [[_text(row[n]) for n in names] for row in rows])
  )


def _text(value: Any) -> str:
  if value is None:
    return '-'
  return f'{value:.4g}' if isinstance(value, float) else str(value)


def _draw(
  path: pathlib.Path,
  data: StoredRuns,
  runaways: descending.Runaways,
  settings: Mapping[str, Any],
  num_paths: int,
) -> None:
  """Draws F against |W| of the first descents that solve, and of others."""
  solved = data.read('end') == End.SOLVED
  kinds = [np.flatnonzero(kind)[:num_paths] for kind in (solved, ~solved)]
  chosen = np.concatenate(kinds)
  sse, norms = descending.paths(
    runaways.v[chosen], settings, runaways.num_features
  )
  figure = matplotlib.figure.Figure((7.2, 5.6))
  axes = figure.subplots()
  for number, entry in catalogue.FANS.items():
    own = runaways.entry[chosen] == entry
    if own.any():
      floor = certified_figures.floor(
        runaways.num_features, number, norms[own].ravel()
      )
      valley_floors.draw_floors(axes, runs=[], floors=[floor])
  # Another program rounds otherwise, so that it may end otherwise, too.
  arrived = sse[:, -1] < settings['solved_sse']
  for path_norms, path_sse, is_solved in zip(norms, sse, arrived):
    color = _COLORS[bool(is_solved)]
    axes.plot(path_norms, path_sse, color=color, linewidth=0.8, alpha=0.8)
  for kind, label in ((True, 'reaches F = 0'), (False, 'has not yet')):
    if np.any(arrived == kind):
      axes.plot([], [], color=_COLORS[kind], label=f'L-BFGS: {label}')
  axes.set_ylim(0.0, None)
  axes.set_title(
    f'L-BFGS from runaways of {runaways.name}, a few paths',
    fontsize='medium',
  )
  axes.legend(frameon=False, fontsize='small')
  figure.tight_layout()
  figure.savefig(path, dpi=160, bbox_inches='tight')

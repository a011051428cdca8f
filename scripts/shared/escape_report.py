"""What symmetric_escape shows: escape.csv, a table, escape.png."""

from collections.abc import Sequence
import pathlib
from typing import Any, NamedTuple

import matplotlib.figure
import numpy as np

from scripts.shared import survival_runs, tables
from scripts.shared.escape_trial import STATE, VARIABLES
from toyjax import manifest, statistics
from toyjax.analysis import events
from toyjax.plots import survival as survival_plots
from toyjax.stored_runs import MissingError, StoredRuns

# Variants shown for the dead row, with what they are.
_SHOWN = {
  'kept': 'kept as it was',
  'frozen': 'frozen: it cannot decay',
  'reset': 'reset: both moments start anew',
}


def read_entries(path: pathlib.Path) -> dict[str, np.ndarray]:
  """Returns the states of the runs that entered, with their seed indices."""
  runs = StoredRuns(path / 'results.zarr', 'entry')
  entered = runs.read('entry_step') >= 0
  names = (*STATE, 'seed_index')
  return {name: runs.read(name)[entered] for name in names}


class Escapes(NamedTuple):
  """What the store holds of the runs that went on, whole ones alone.

  Attributes:
    entry_steps: int [S], of every seed, -1 where it never entered.
    steps: int [K], observed steps from entry on.
    found: name -> [E, V, ...], for each of E entries in each of V ways; an
      entry that lacks one of them is left out, since ways are compared in
      pairs.
  """

  entry_steps: np.ndarray
  steps: np.ndarray
  found: dict[str, np.ndarray]


def read(path: pathlib.Path, num_variants: int) -> Escapes:
  """Reads the finished runs.

  Args:
    path: the working folder.
    num_variants: V.

  Raises:
    WorkdirError: where none has finished yet.
    StoreError: where the store is damaged.
  """
  store = path / 'results.zarr'
  early = manifest.WorkdirError(
    f'{path}: no run has gone on in every way yet; the command without '
    '--from_store goes on'
  )
  try:
    entry, going = (StoredRuns(store, name) for name in ('entry', 'escape'))
  except MissingError:
    raise early from None
  ways = np.bincount(going.runs // num_variants, minlength=1)
  runs = going.runs[(ways == num_variants)[going.runs // num_variants]]
  if not len(runs):
    raise early
  values = {name: going.read(name, runs) for name in VARIABLES}
  return Escapes(
    entry.read('entry_step'),
    going.read_labels('step'),
    {n: v.reshape(-1, num_variants, *v.shape[1:]) for n, v in values.items()},
  )


def write(
  path: pathlib.Path, variants: Sequence[str], settings: dict[str, Any]
) -> None:
  """Reads the store, writes escape.csv and escape.png, prints the table."""
  last_step = settings['num_steps']
  escapes = read(path, len(variants))
  steps = escapes.entry_steps
  waits = {}
  for k, name in enumerate(variants):
    end = escapes.found['escape_step'][:, k]
    waits[name] = events.waits(np.zeros(len(end), int), end, last_step)
  rows = [_row(name, waits, settings) for name in variants]
  tables.write_csv(path / 'escape.csv', rows)
  entered = np.sum(steps >= 0)
  share = statistics.wilson(int(entered), len(steps))
  print(
    f'\n{entered} of {len(steps)} runs ({tables.percent(share.estimate)}, '
    f'{tables.percent_interval(share.lower, share.upper)}) entered symmetric '
    f'failure ({settings["place"]}) within {settings["search_steps"]:,} '
    f'steps, the median at {np.median(steps[steps >= 0]):,.0f}.\n'
    'Going on from there:\n'
  )
  _print(rows)
  _draw(path / 'escape.png', waits, escapes, settings)
  print(f'\nescape.csv and escape.png are in {path}')


def _row(
  name: str,
  waits: dict[str, tuple[np.ndarray, np.ndarray]],
  settings: dict[str, Any],
) -> dict[str, Any]:
  times, observed = waits[name]
  share = statistics.wilson(int(observed.sum()), len(times))
  median = statistics.median_time(survival_runs.curve(times, observed))
  # A run that never leaves leaves after all that do.
  own, control = (
    np.where(seen, t, settings['num_steps'] + 1)
    for t, seen in (waits[name], waits['kept'])
  )
  sooner, later = int(np.sum(own < control)), int(np.sum(own > control))
  sign = statistics.wilson(later, sooner + later)
  return {
    'num_features': settings['num_features'],
    'optimizer': settings['optimizer'],
    'place': settings['place'],
    'variant': name,
    'num_runs': len(times),
    'within_steps': settings['num_steps'],
    'num_left': int(observed.sum()),
    'left': share.estimate,
    'lower': share.lower,
    'upper': share.upper,
    'median_steps': median.estimate,
    'median_lower': median.lower,
    'median_upper': median.upper,
    'later_than_kept': later,
    'sooner_than_kept': sooner,
    'share_later': sign.estimate,
    'share_later_lower': sign.lower,
    'share_later_upper': sign.upper,
  }


def _print(rows: Sequence[dict[str, Any]]) -> None:
  def steps(value: float) -> str:
    return f'{value:,.0f}' if np.isfinite(value) else 'never'

  print(
    tables.format_table(
      (
        *('variant', 'left', 'of', 'share', '95 % interval', 'median steps'),
        *('from', 'to', 'later than kept', 'sooner'),
      ),
      [
        [
          row['variant'],
          str(row['num_left']),
          str(row['num_runs']),
          tables.percent(row['left']),
          tables.percent_interval(row['lower'], row['upper']),
          steps(row['median_steps']),
          steps(row['median_lower']),
          steps(row['median_upper']),
          str(row['later_than_kept']),
          str(row['sooner_than_kept']),
        ]
        for row in rows
      ],
    )
  )


def _draw(
  path: pathlib.Path,
  waits: dict[str, tuple[np.ndarray, np.ndarray]],
  escapes: Escapes,
  settings: dict[str, Any],
) -> None:
  """Draws survival by kind of variant, and the medians of the dead row."""
  variants = list(waits)
  panels = [('second moment from entry on', list(_SHOWN))]
  for prefix in ('adam_b2', 'adam_eps', 'weight_decay'):
    own = [name for name in variants if name.startswith(prefix)]
    if own:
      panels.append((prefix.replace('adam_', 'Adam '), ['kept', *own]))
  figure = matplotlib.figure.Figure((11.0, 9.6), layout='constrained')
  grid = figure.subplots(3, 2).ravel()
  for (title, names), axes in zip(panels, grid):
    survival_plots.draw_survival(
      axes,
      labels=[_SHOWN.get(name, name.replace('_', ' ')) for name in names],
      curves=[survival_runs.curve(*waits[name]) for name in names],
      last_step=settings['num_steps'],
      ylabel='share still in it',
      reference=0,
    )
    axes.set_xlabel('steps since entry')
    axes.set_title(title.replace('_', ' '), fontsize='medium')
  for axes, name, text in (
    (grid[4], 'dead_root_nu', 'root of the second moment\nof the dead row'),
    (grid[5], 'dead_norm', 'norm of the dead row'),
  ):
    survival_plots.draw_medians(
      axes,
      labels=list(_SHOWN.values()),
      steps=escapes.steps,
      values=[escapes.found[name][:, variants.index(v)] for v in _SHOWN],
      ylabel=text,
      reference=0,
    )
    axes.set_xlabel('steps since entry')
    axes.set_title('median and quartiles over runs', fontsize='medium')
  num_runs = len(next(iter(waits.values()))[0])
  figure.suptitle(
    f'Leaving symmetric failure, n = {settings["num_features"]}, m = 2: '
    f'{num_runs:,} runs are stopped at the step they first enter it and '
    "continued in several ways\nwith another second moment of Adam's; "
    'Kaplan-Meier with 95 % bands; black: continued as they were',
    fontsize='medium',
  )
  figure.savefig(path, dpi=140)

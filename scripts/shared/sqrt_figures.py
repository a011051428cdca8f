"""Figures of the sweep of the nets of one variable.

rows of the tables --draw_*--> outcomes.png, errors.png, regions.png
"""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared.sqrt_runs import Configuration
from toyjax.plots import error_costs, outcomes, region_counts
from toyjax.toys.sqrt_mlp import Outcome

_MAX_CLUSTERED = 6  # More configurations than this show their last step only.
_MAX_PANELS = 8
_SHARES = ('fraction', 'lower', 'upper')
_WHISKERS = ('min', 'q025', 'median', 'q975', 'max')


def draw_outcomes(
  path: pathlib.Path,
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Draws the shares of outcomes at the observed steps, from summary rows."""
  steps = settings['observe_steps']
  shape = (len(found), len(steps), len(Outcome))
  shares = {
    name: np.asarray([row[name] for row in rows], float).reshape(shape)
    for name in _SHARES
  }
  if len(found) > _MAX_CLUSTERED:
    shares = {name: values[:, -1:] for name, values in shares.items()}
    steps = steps[-1:]
  width = min(3.0 + (0.28 * len(steps) + 0.5) * len(found), 24.0)
  figure = matplotlib.figure.Figure((max(width, 7.0), 4.8))
  axes = figure.subplots()
  outcomes.draw_outcome_shares(
    axes,
    labels=[each.label.replace(' ', '\n') for each in found],
    steps=steps,
    outcomes=[code.name for code in Outcome],
    fractions=shares['fraction'],
    lower=shares['lower'],
    upper=shares['upper'],
  )
  axes.set_title(
    f'How {_nets(settings)} end: {_runs(found)} seeds each\n'
    f'reached: root mean squared error below {settings["solved_rmse"]:g}; '
    'constant and one line: collapsed;\n'
    'whisker: 95 % Wilson interval of the segment it tops',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160, bbox_inches='tight')


def draw_errors(
  path: pathlib.Path,
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Draws errors by operations: one series for all but the width."""
  newton = [row for row in rows if row['method'] == 'newton' and _cost(row)]
  series: dict[str, list[Mapping[str, Any]]] = {}
  for each, row in zip(found, rows):
    words = [w for w in each.label.split() if not w.startswith('hidden_dim=')]
    series.setdefault(' '.join(words) or 'nets', []).append(row)
  figure = matplotlib.figure.Figure((7.5, 4.8))
  axes = figure.subplots()
  error_costs.draw_error_costs(
    axes,
    spreads=[
      error_costs.Spread(
        label,
        np.asarray([_cost(row) for row in own]),
        np.asarray([[row[f'rmse_{q}'] for q in _WHISKERS] for row in own]),
      )
      for label, own in series.items()
    ],
    rival_costs=np.asarray([_cost(row) for row in newton]),
    rival_errors=np.asarray([row['rmse_median'] for row in newton]),
    rival_label=f"Newton's iterations from {settings['newton_start']:g}",
    level=settings['solved_rmse'],
  )
  beside = ';\nthose of one cost stand side by side' if len(series) > 1 else ''
  axes.set_title(
    f'What {_nets(settings)} leave of their target, and what\nan answer costs '
    f'({_runs(found)} seeds each, {_interval(settings)}, '
    f'{settings["num_points"]} points{beside})',
    fontsize='medium',
  )
  axes.legend(loc='center left', bbox_to_anchor=(1.01, 0.5), frameon=False)
  figure.savefig(path, dpi=160, bbox_inches='tight')


def draw_regions(
  path: pathlib.Path,
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Draws the counts of straight pieces on the interval, a panel each."""
  shown = found[:_MAX_PANELS]
  inside = [row for row in rows if row['where'] == 'interval']
  largest = max(row['num_regions'] for row in inside if row['count'])
  limits = [row['max_num_regions'] for row in inside]
  largest = max(largest, min(limits))
  figure = matplotlib.figure.Figure(
    (7.0, 1.3 + 1.5 * len(shown)), layout='constrained'
  )
  panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
  for axes, each in zip(panels, shown):
    own = [
      row
      for row in inside
      if all(row[name] == value for name, value in each.flags.items())
    ]
    region_counts.draw_region_counts(
      axes,
      kinds=[
        _counts(label, [row for row in own if row['among'] == among])
        for among, label in (
          ('all', 'all nets'),
          ('reached', f'nets below {settings["solved_rmse"]:g}'),
        )
      ],
      limit=own[0]['max_num_regions'],
      largest_shown=largest,
    )
    axes.set_title(each.label, fontsize='small', loc='left')
  figure.legend(
    *panels[0].get_legend_handles_labels(),
    loc='outside lower center',
    ncols=2,
    frameon=False,
    fontsize='small',
  )
  panels[-1].set_xlabel(f'straight pieces on {_interval(settings)}')
  left_out = len(found) - len(shown)
  note = f'; {left_out} more in regions.csv' if left_out else ''
  figure.suptitle(
    f'How many straight pieces {_nets(settings)} have, against the most\n'
    f'they can have ({rows[0]["total"]:,} nets a panel, 95 % Wilson '
    f'intervals{note})',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160)


def _counts(
  label: str, rows: Sequence[Mapping[str, Any]]
) -> region_counts.Counts:
  fractions, lower, upper = (
    np.nan_to_num([row[name] for row in rows]) for name in _SHARES
  )
  numbers = np.asarray([row['num_regions'] for row in rows])
  return region_counts.Counts(label, numbers, fractions, lower, upper)


def _cost(row: Mapping[str, Any]) -> int:
  return row['num_operations']


def _nets(settings: Mapping[str, Any]) -> str:
  """Names the nets: 1-2-2-1 where one width is swept, else their depth."""
  num_layers, widths = settings['num_hidden_layers'], settings['hidden_dim']
  names = {'sqrt': '√x', 'log': 'log x', 'sin': 'sin x'}
  target = '/'.join(names.get(name, name) for name in settings['target'])
  if len(widths) == 1:
    shape = '-'.join(str(n) for n in (1, *widths * num_layers, 1))
    return f'nets {shape} fitted to {target}'
  layers = 'layer' if num_layers == 1 else 'layers'
  return f'nets of {num_layers} hidden {layers} fitted to {target}'


def _interval(settings: Mapping[str, Any]) -> str:
  return f'[{settings["low"]:g}, {settings["high"]:g}]'


def _runs(found: Sequence[Configuration]) -> str:
  sizes = [len(each.outcomes) for each in found]
  ends = dict.fromkeys([min(sizes), max(sizes)])
  return ' to '.join(f'{size:,}' for size in ends)

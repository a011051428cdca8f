"""Sheets of the sweep of the nets of one variable.

runs, tables --> errors.png, regions.png
"""

from collections.abc import Sequence

import matplotlib.figure
import numpy as np

from toyjax.plots import sheets
from toyjax.plots.nets import error_costs, region_counts
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.tables import LABEL, Row, Table

# How targets are written; a polynomial has no name of its own.
TARGETS = {'sqrt': '√x', 'log': 'log x', 'sin': 'sin x'}
_MAX_PANELS = 8
_WHISKERS = ('min', 'q025', 'median', 'q975', 'max')


def errors(found: Sequence[Runs], table: Table, values: Values) -> Sheet:
  """Returns errors by operations: one series for all but the width."""
  return Sheet('errors', lambda: _draw_errors(found, table.rows, values))


def _draw_errors(
  found: Sequence[Runs], rows: Sequence[Row], values: Values
) -> matplotlib.figure.Figure:
  newton = [row for row in rows if row['method'] == 'newton' and _cost(row)]
  series: dict[str, list[Row]] = {}
  for each, row in zip(found, rows):
    words = [w for w in each.label.split() if not w.startswith('hidden_dim=')]
    series.setdefault(' '.join(words) or 'nets', []).append(row)
  beside = ';\nthose of one cost stand side by side' if len(series) > 1 else ''
  figure, axes = sheets.single(
    7.5,
    4.8,
    f'What {nets(values)} leave of their target, and what\nan answer costs '
    f'({runs(found)} seeds each, {interval(values)}, '
    f'{values["num_points"]} points{beside})',
  )
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
    rival_label=f"Newton's iterations from {values['newton_start']:g}",
    level=values['solved_rmse'],
  )
  sheets.legend_beside(axes)
  return figure


def regions(found: Sequence[Runs], table: Table, values: Values) -> Sheet:
  """Returns the counts of straight pieces on the interval, a panel each."""
  return Sheet(
    'regions',
    lambda: _draw_regions(found, table, values),
    is_cropped=False,
  )


def _draw_regions(
  found: Sequence[Runs], table: Table, values: Values
) -> matplotlib.figure.Figure:
  inside = [row for row in table.rows if row['where'] == 'interval']
  largest = max(row['num_regions'] for row in inside if row[''].count)
  largest = max(largest, min(row['max_num_regions'] for row in inside))
  figure, panels = sheets.panels(
    len(found),
    f'How many straight pieces {nets(values)} have, against the most\n'
    f'they can have ({inside[0][""].total:,} nets a panel, 95 % Wilson '
    'intervals)',
    most=_MAX_PANELS,
    columns=1,
    width=7.0,
    height=1.7,
    sharex=True,
  )
  for axes, each in zip(panels, found):
    own = [row for row in inside if row[LABEL] == each.label]
    region_counts.draw_region_counts(
      axes,
      kinds=[
        _counts(label, [row for row in own if row['among'] == among])
        for among, label in (
          ('all', 'all nets'),
          ('reached', f'nets below {values["solved_rmse"]:g}'),
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
    fontsize='small',
  )
  panels[-1].set_xlabel(f'straight pieces on {interval(values)}')
  return figure


def _counts(label: str, rows: Sequence[Row]) -> region_counts.Counts:
  shares = np.nan_to_num([row[''].interval for row in rows])
  numbers = np.asarray([row['num_regions'] for row in rows])
  return region_counts.Counts(label, numbers, *shares.T)


def _cost(row: Row) -> int:
  return row['num_operations']


def nets(values: Values) -> str:
  """Names the nets: 1-2-2-1 where one width is swept, else their depth."""
  num_layers, widths = values['num_hidden_layers'], values['hidden_dim']
  target = '/'.join(TARGETS.get(name, name) for name in values['target'])
  if len(widths) == 1:
    return f'nets {shape(widths * num_layers)} fitted to {target}'
  layers = 'layer' if num_layers == 1 else 'layers'
  return f'nets of {num_layers} hidden {layers} fitted to {target}'


def shape(widths: Sequence[int]) -> str:
  """Returns the widths of all layers, such as 1-2-2-1, from the hidden ones."""
  return '-'.join(str(n) for n in (1, *widths, 1))


def interval(values: Values) -> str:
  """Returns the interval of x as text."""
  return f'[{values["low"]:g}, {values["high"]:g}]'


def runs(found: Sequence[Runs]) -> str:
  """Returns the number of seeds a configuration as text."""
  return sheets.sizes([each.num_runs for each in found])

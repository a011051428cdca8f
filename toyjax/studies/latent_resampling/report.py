"""What the trial shows: end points of each arm, paired with the control.

[Runs of states and arms] --report--> arms.csv, revived.png
"""

from collections.abc import Iterator, Mapping
import math

from matplotlib.figure import Figure
import numpy as np
import scipy

from toyjax import statistics, tables
from toyjax.plots import rates, sheets, survival
from toyjax.plots.sheets import Sheet
from toyjax.runs import Arrays, Runs
from toyjax.settings import Values
from toyjax.statistics import Interval
from toyjax.studies import arms
from toyjax.studies.base import Report
from toyjax.studies.latent_resampling import trial
from toyjax.tables import Column, Row, Table, column

_CONTROL = 'nothing'
_HALF_WIDTH = 0.05  # Of the interval that `states_needed` is for.


def report(found: list[Runs], values: Values) -> Report:
  """Returns the table and the sheet of the finished runs."""
  states, *going = found
  whole = arms.whole(going, list(trial.VARIABLES))
  rows = list(_rows(whole, values))
  control = whole[_CONTROL]
  num, latents = len(control['num_dead']), values['num_latents']
  text = (
    f'{num:,} of {states.num_runs:,} runs have dead latents at step '
    f'{values["state_steps"]:,}: {control["num_dead"].mean():.1f} of {latents} '
    f'each; {control["num_before"].mean():.1f} of {values["num_features"]} '
    'features are recovered.'
  )
  table = Table(
    'arms',
    rows,
    f'After {values["num_steps"]:,} steps; means over states, 95 %, '
    'differences corrected for the number of arms:',
    (
      column('arm'),
      *_mean('_revived', 'revived', _percent),
      *_mean('_revived_difference', 'less control', _percent),
      *_mean('_recovered', 'recovered', '{:.1f}'.format),
      *_mean('_recovered_difference', 'less control', '{:+.1f}'.format),
      *_mean('_broken', 'lost', _percent),
      column('mean_died', 'died', '.1f'),
      column('mean_explained', 'explained', '.3f'),
      column('states_needed', 'states for ±5 points'),
    ),
  )
  return Report(
    (text, table),
    (Sheet('revived', lambda: _draw(whole, rows, values), dpi=90),),
  )


def _percent(value: float) -> str:
  return tables.percent(value, '.1f')


def _mean(key: str, header: str, write) -> tuple[Column, Column]:
  """Returns the columns of a mean and of its interval."""

  def interval(row: Row) -> str:
    cell = row[key]
    return f'[{write(cell.lower)}, {write(cell.upper)}]' if cell else ''

  return (
    Column(header, lambda row: write(row[key].estimate) if row[key] else ''),
    Column('interval', interval),
  )


def _revived(data: Arrays) -> np.ndarray:
  return data['num_revived'] / data['num_dead']


def _rows(whole: arms.Arms, values: Values) -> Iterator[Row]:
  """Yields the end points of each arm."""
  confidence = arms.corrected(len(whole) - 1)
  control = whole[_CONTROL]
  for arm, data in whole.items():
    is_control = arm == _CONTROL

    def against(
      a: np.ndarray, b: np.ndarray, is_control: bool = is_control
    ) -> Interval | None:
      return None if is_control else statistics.mean(a - b, confidence)

    lost = data['num_broken'] / np.maximum(data['num_before'], 1)
    cells: dict[str, Interval | None] = {
      'revived': statistics.mean(_revived(data)),
      'revived_difference': against(_revived(data), _revived(control)),
      'recovered': statistics.mean(data['num_recovered']),
      'recovered_difference': against(
        data['num_recovered'], control['num_recovered']
      ),
      'broken': statistics.mean(lost),
    }
    pairs = _revived(data) - _revived(control)
    yield {
      'arm': arm,
      'num_states': len(pairs),
      'num_dead': int(data['num_dead'].sum()),
      'num_revived': int(data['num_revived'].sum()),
      **{f'{name}:': cell for name, cell in cells.items()},
      **{f'_{name}': cell for name, cell in cells.items()},
      'mean_died': float(data['num_died'].mean()),
      'mean_explained_after': float(data['explained_after'].mean()),
      'mean_explained': float(data['explained'].mean()),
      'states_needed': None if is_control else _needed(pairs, confidence),
    }


def _needed(pairs: np.ndarray, confidence: float) -> int:
  """Returns how many states an interval of ± 5 points takes, (z s / .05)²."""
  reach = scipy.stats.norm.ppf((1.0 + confidence) / 2.0)
  spread = float(pairs.std(ddof=1)) if len(pairs) > 1 else math.nan
  if not math.isfinite(spread):
    return 0
  return max(2, math.ceil((reach * spread / _HALF_WIDTH) ** 2))


def _draw(whole: arms.Arms, rows: list[Mapping], values: Values) -> Figure:
  """Draws end points of all arms, and how many dead latents live over steps."""
  figure, (left, right) = sheets.panels(
    2,
    'What revives dead latents, and at what price: '
    f'{rows[0]["num_states"]:,} sparse autoencoders, means with 95 % intervals',
    most=2,
    columns=2,
    width=6.0,
    height=0.28 * len(rows) + 2.2,
  )
  scale = 1.0 / values['num_features']
  for place, (key, text, factor) in enumerate(
    (
      ('_revived', 'dead latents that are alive at the end', 1.0),
      ('_recovered', 'features recovered at the end', scale),
      ('_broken', 'recovered features that are lost', 1.0),
    )
  ):
    rates.draw_shares(
      left,
      shares=[tuple(factor * end for end in row[key]) for row in rows],
      label=text,
      place=place,
    )
  left.set_yticks(range(len(rows)), [r['arm'].replace('_', ' ') for r in rows])
  left.invert_yaxis()
  left.set_xlim(-0.02, 1.02)
  left.set_xlabel('share')
  figure.legend(
    *left.get_legend_handles_labels(), loc='outside lower center', ncols=3
  )
  survival.draw_means(
    right,
    labels=[name.replace('_', ' ') for name in whole],
    steps=trial.looks(values),
    values=[data['alive'] for data in whole.values()],
    ylabel='share of the dead latents that are alive',
    reference=0,
  )
  right.set_xlabel('steps since the state')
  return figure

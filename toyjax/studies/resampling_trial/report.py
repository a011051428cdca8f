"""What the trial shows: end points of each arm, against the control and others.

[Runs of states, spells, arms] --report--> arms.csv, pairs.csv, two figures
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.figure import Figure
import numpy as np

from toyjax import roles, statistics, tables
from toyjax.analysis.autoencoder import events
from toyjax.analysis.autoencoder.lbfgs import End
from toyjax.plots import rates, sheets, survival
from toyjax.plots.sheets import Sheet
from toyjax.roles import Role
from toyjax.runs import Arrays, Runs
from toyjax.settings import Values
from toyjax.statistics import Interval
from toyjax.studies import arms
from toyjax.studies.base import Report
from toyjax.studies.resampling_trial.ways import LATER_PAIRS, NOTHING, PAIRS
from toyjax.tables import Row, Share, Table, column, difference, shares
from toyjax.toys.relu_autoencoder import Outcome

_ALL = 'all'
_PAIRS = (*PAIRS, *LATER_PAIRS)
# Arms whose curves are drawn beside the control's.
_DRAWN = ('published', 'repulsor', 'copied', 'equalized', 'lbfgs')


class _Level(NamedTuple):
  """Paired runs from one state step.

  Attributes:
    step: of the states.
    searched: number of runs that were stopped there.
    runs: arm -> name -> array [E], the same E states in each.
  """

  step: int
  searched: int
  runs: arms.Arms

  def kinds(self) -> Iterator[tuple[str, np.ndarray]]:
    """Yields each kind of failure there is, and which states it has."""
    before = self.runs[NOTHING]['before']
    yield _ALL, np.ones(len(before), bool)
    for outcome in Outcome:
      if (is_kind := before == outcome).any():
        yield outcome.name, is_kind


def report(found: list[Runs], values: Values) -> Report:
  """Returns all tables and sheets of the finished runs."""
  levels = [_level(found, step) for step in values['state_steps']]
  rows = [row for level in levels for row in _arm_rows(level, values)]
  table = Table(
    'arms',
    rows,
    f'Repaired: SSE below {values["solved_sse"]:g} within '
    f'{values["num_steps"]:,} steps. Broken: of the features that were learned '
    'at the state one or more are not at the end.',
    (
      *(column('state_step', 'from step', ',d'), column('arm')),
      *shares('repaired'),
      *difference('_difference', 'corrected interval'),
      column('median:steps', 'median steps', _median),
      *shares('broken')[2:],
      column('median_sse', 'last SSE', '.3g'),
    ),
    where=lambda row: row['kind'] == _ALL,
  )
  pairs = Table(
    'pairs',
    [row for level in levels for row in _pair_rows(level)],
    'Pairs of arms chosen before any run, but those with adam_reset; repaired, '
    'the first less the second:',
    (
      *(column('state_step', 'from step', ',d'), column('arm')),
      column('other', 'less'),
      *difference('repaired:', 'corrected interval'),
      column('broken', 'broken, difference', _signed),
    ),
  )
  spells = Table(
    'spells',
    [row for runs in found for row in _spell_rows(runs)],
    'Spells in float64, before training goes on:',
    (
      *(column('state_step', 'from step', ',d'), column('spell')),
      *shares('solved'),
      column('median_evaluations', 'median evaluations', ',.0f'),
      column('median_length', 'median length', '.3g'),
    ),
  )
  return Report(
    (
      *(_counts(found, level, k) for k, level in enumerate(levels)),
      *(table, pairs, spells),
    ),
    (
      Sheet('repaired', lambda: _draw_shares(levels, rows, values), dpi=90),
      Sheet('survival', lambda: _draw_survival(levels, values)),
    ),
    {'pairs': [' - '.join(pair) for pair in _PAIRS]},
  )


def _level(found: Sequence[Runs], step: int) -> _Level:
  going = [runs for runs in found if runs.stage == f'arms_{step}']
  names = ('before', 'outcome', 'solved_step', 'sse', 'num_learned')
  return _Level(
    step,
    found[0].num_runs,
    arms.whole(going, (*names, 'num_broken'), lambda label: label.split()[-1]),
  )


def _counts(found: Sequence[Runs], level: _Level, k: int) -> str:
  outcomes = statistics.counts(found[0].data['outcome'][:, k], len(Outcome))
  text = ', '.join(
    f'{outcomes[o]:,} {o.name.lower()}' for o in Outcome if outcomes[o]
  )
  num = len(level.runs[NOTHING]['before'])
  return (
    f'At step {level.step:,} of {level.searched:,} runs: {text}. '
    f'{num:,} states.'
  )


def _repaired(data: Arrays) -> np.ndarray:
  return data['solved_step'] >= 0


def _broken(data: Arrays) -> np.ndarray:
  return data['num_broken'] > 0


def _arm_rows(level: _Level, values: Values) -> Iterator[Row]:
  number = len(level.runs) - 1
  for kind, is_kind in level.kinds():
    control = _repaired(level.runs[NOTHING])[is_kind]
    for arm, whole in level.runs.items():
      data = {name: array[is_kind] for name, array in whole.items()}
      repaired, total = _repaired(data), int(is_kind.sum())
      against = (
        None if arm == NOTHING else arms.paired(repaired, control, number)
      )
      curve = events.survival(data['solved_step'], values['num_steps'])
      yield {
        'num_features': values['num_features'],
        'optimizer': values['optimizer'],
        'state_step': level.step,
        'kind': kind,
        'arm': arm,
        'repaired': Share(int(repaired.sum()), total),
        'difference:': against,
        '_difference': against,
        'solved_at_end': Share(
          int(roles.are(data['outcome'], Outcome, Role.SOLVED).sum()), total
        ),
        'broken': Share(int(_broken(data).sum()), total),
        'features_broken': Share(
          int(data['num_broken'].sum()), int(data['num_learned'].sum())
        ).interval.estimate,
        'num_diverged': int(np.sum(data['outcome'] == Outcome.DIVERGED)),
        'median:steps': statistics.median_time(curve),
        'median_sse': tables.quantile(data['sse'], 0.5),
      }


def _median(steps: Interval) -> str:
  return f'{steps.estimate:,.0f}' if np.isfinite(steps.estimate) else 'never'


def _pair_rows(level: _Level) -> Iterator[Row]:
  for arm, other in _PAIRS:
    a, b = level.runs[arm], level.runs[other]
    yield {
      'state_step': level.step,
      'arm': arm,
      'other': other,
      'num_states': len(a['before']),
      'repaired:': arms.paired(_repaired(a), _repaired(b), len(_PAIRS)),
      'broken': arms.paired(_broken(a), _broken(b), len(_PAIRS)).estimate,
    }


def _spell_rows(runs: Runs) -> Iterator[Row]:
  name, spell = runs.label.split()
  if name.startswith('spells_'):
    ends = runs.data['end']
    yield {
      'state_step': int(name.removeprefix('spells_')),
      'spell': spell,
      'solved': Share(int(np.sum(ends == End.SOLVED)), len(ends)),
      'num_stalled': int(np.sum(ends == End.STALLED)),
      'median_evaluations': float(np.median(runs.data['num_evaluations'])),
      'median_length': float(np.median(runs.data['length'])),
    }


def _signed(value: float) -> str:
  return tables.percent(value, '+.2f')


def _draw_shares(
  levels: Sequence[_Level], rows: Sequence[Row], values: Values
) -> Figure:
  """Draws the shares repaired and broken of each arm, one panel a step."""
  names = list(levels[0].runs)
  figure, grid = sheets.panels(
    len(levels),
    'What brings back failed features, and at what price',
    most=len(levels),
    columns=len(levels),
    width=6.0,
    height=0.28 * len(names) + 1.5,
  )
  for axes, level in zip(grid, levels):
    own = [
      row
      for row in rows
      if row['kind'] == _ALL and row['state_step'] == level.step
    ]
    for place, (end, text) in enumerate(
      (
        ('repaired', f'repaired within {values["num_steps"]:,} steps'),
        ('broken', 'a learned feature is lost at the end'),
      )
    ):
      rates.draw_shares(
        axes,
        shares=[row[end].interval for row in own],
        label=text,
        place=place,
      )
    control = own[0]['repaired'].interval.estimate
    axes.axvline(control, color='0.6', linewidth=0.8, zorder=0)
    axes.set_yticks(range(len(own)), [n.replace('_', ' ') for n in names])
    axes.invert_yaxis()
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(
      f'share of {own[0]["repaired"].total:,} failed states, n = '
      f'{values["num_features"]}, from step {level.step:,}; 95 %'
    )
  figure.legend(
    *grid[0].get_legend_handles_labels(), loc='outside lower center', ncols=2
  )
  return figure


def _draw_survival(levels: Sequence[_Level], values: Values) -> Figure:
  """Draws the share that is not repaired yet, of some arms."""
  figure, grid = sheets.panels(
    len(levels),
    'Failed nets that are not repaired yet; Kaplan-Meier with 95 % bands',
    most=len(levels),
    columns=len(levels),
    width=5.5,
    height=3.6,
  )
  names = (NOTHING, *_DRAWN)
  for axes, level in zip(grid, levels):
    survival.draw_survival(
      axes,
      labels=names,
      curves=[
        events.survival(level.runs[n]['solved_step'], values['num_steps'])
        for n in names
      ],
      last_step=values['num_steps'],
      ylabel='share not repaired',
      reference=0,
    )
    axes.set_title(f'states of step {level.step:,}')
    axes.set_xlabel('steps since the state')
  return figure

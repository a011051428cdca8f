"""What the runs show: when each way leaves, and what the dead row does."""

from matplotlib.figure import Figure
import numpy as np

from toyjax import statistics, tables
from toyjax.analysis.autoencoder import events
from toyjax.plots import sheets, survival
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies import arms
from toyjax.studies.base import Report
from toyjax.studies.symmetric_escape import trial
from toyjax.tables import Column, Row, Share, Table, column, shares

# Ways shown for the dead row, with what they are.
_SHOWN = {
  'kept': 'kept as it was',
  'frozen': 'frozen: it cannot decay',
  'reset': 'reset: both moments start anew',
}


def report(found: list[Runs], values: Values) -> Report:
  """Returns the table and the sheet of the finished runs.

  Raises:
    WorkdirError: where no run has gone on in every way yet.
  """
  entry, *going = found
  ways = arms.whole(going, list(trial.VARIABLES))
  steps = entry.data['entry_step']
  share = Share(int(np.sum(steps >= 0)), len(steps)).interval
  title = (
    f'{np.sum(steps >= 0)} of {len(steps)} runs '
    f'({tables.percent(share.estimate)}, {tables.percent_interval(share)}) '
    f'entered symmetric failure ({values["place"]}) within '
    f'{values["search_steps"]:,} steps, the median at '
    f'{np.median(steps[steps >= 0]):,.0f}.\nGoing on from there:'
  )
  table = Table(
    'escape',
    [_row(name, ways, values) for name in ways],
    title,
    (
      *(column('variant'), column('num_left', 'left')),
      *shares('_left')[1:],
      *map(_median, ('median steps', 'from', 'to'), range(3)),
      column('later_than_kept', 'later than kept'),
      column('sooner_than_kept', 'sooner'),
    ),
  )
  return Report(
    (table,),
    (Sheet('escape', lambda: _draw(ways, values), is_cropped=False),),
  )


def _median(header: str, end: int) -> Column:
  def text(row: Row) -> str:
    step = row['median:steps'][end]
    return f'{step:,.0f}' if np.isfinite(step) else 'never'

  return Column(header, text)


def _row(name: str, ways: arms.Arms, values: Values) -> Row:
  last_step = values['num_steps']
  own, control = (ways[way]['escape_step'] for way in (name, 'kept'))
  share = Share(int(np.sum(own >= 0)), len(own))
  median = statistics.median_time(events.survival(own, last_step))
  # A run that never leaves leaves after all that do.
  own, control = (np.where(s < 0, last_step + 1, s) for s in (own, control))
  sooner, later = int(np.sum(own < control)), int(np.sum(own > control))
  return {
    **{key: values[key] for key in ('num_features', 'optimizer', 'place')},
    'variant': name,
    'num_runs': share.total,
    'within_steps': last_step,
    'num_left': share.count,
    '_left': share,
    'left': share.interval,
    'median:steps': median,
    'later_than_kept': later,
    'sooner_than_kept': sooner,
    'share_later:': Share(later, sooner + later).interval,
  }


def _draw(ways: arms.Arms, values: Values) -> Figure:
  """Draws survival by kind of variant, and the medians of the dead row."""
  last_step = values['num_steps']
  panels = {'second moment from entry on': list(_SHOWN)}
  for name in ways:
    if name not in _SHOWN:
      title = name.partition('=')[0].replace('adam_', 'Adam ')
      panels.setdefault(title.replace('_', ' '), ['kept']).append(name)
  medians = {
    'dead_root_nu': 'root of the second moment\nof the dead row',
    'dead_norm': 'norm of the dead row',
  }
  num = len(next(iter(ways.values()))['escape_step'])
  figure, grid = sheets.panels(
    len(panels) + len(medians),
    f'Leaving symmetric failure, n = {values["num_features"]}, m = 2: '
    f'{num:,} runs are stopped at the step they first enter it and continued '
    "in several ways\nwith another second moment of Adam's; Kaplan-Meier with "
    '95 % bands; black: continued as they were',
    most=6,
    width=5.5,
    height=3.1,
  )
  for axes, (title, names) in zip(grid, panels.items()):
    survival.draw_survival(
      axes,
      labels=[_SHOWN.get(name, name.replace('_', ' ')) for name in names],
      curves=[
        events.survival(ways[n]['escape_step'], last_step) for n in names
      ],
      last_step=last_step,
      ylabel='share still in it',
      reference=0,
    )
    axes.set_title(title)
  for axes, (name, text) in zip(grid[len(panels) :], medians.items()):
    survival.draw_medians(
      axes,
      labels=list(_SHOWN.values()),
      steps=np.asarray(trial.observed(values)),
      values=[ways[way][name] for way in _SHOWN],
      ylabel=text,
      reference=0,
    )
    axes.set_title('median and quartiles over runs')
  for axes in grid:
    axes.set_xlabel('steps since entry')
  return figure

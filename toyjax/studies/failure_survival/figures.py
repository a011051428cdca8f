"""Sheets of one factor a panel: survival, escape, hazards."""

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from toyjax import statistics
from toyjax.plots import sheets, survival
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.failure_survival import rows
from toyjax.studies.failure_survival.levels import DEFAULT, FACTORS

_TITLES = {
  'adam_eps': 'Adam epsilon',
  'adam_b2': 'Adam beta 2',
  'init_scale': 'scale of the init',
  'dtype': 'precision',
}


def sheets_of(levels: Sequence[Runs], values: Values) -> list[Sheet]:
  """Returns the three sheets of the levels, the default first."""
  size = f'n = {values["num_features"]}, m = {values["num_hidden"]}'
  seeds = f'{sheets.sizes([runs.num_runs for runs in levels])} seeds a level'
  titles = {
    'survival': f'Time to solve, {size}: share of runs whose SSE has not yet '
    f'been below {values["solved_sse"]:g}\nKaplan-Meier with 95 % bands, '
    f'{seeds}; one factor varied at a time, the default is black and in every '
    'panel',
    'escape': f'Time to leave symmetric failure, {size} (dead rows with b = '
    '1/n, the rest a regular polygon)\nKaplan-Meier with 95 % bands; legend: '
    'level and how many of its runs ever entered it, if any; black: default',
    'hazards': f'Hazard of solving, {size}: solves per run and 1,000 steps '
    f'among runs not yet solved, {seeds}\nwhiskers: exact 95 % Poisson '
    'intervals; triangles: their upper end where none solved; black: default',
  }
  draws = (_draw_survival, _draw_escape, _draw_hazards)
  return [
    _sheet(name, levels, values, title, draw)
    for (name, title), draw in zip(titles.items(), draws)
  ]


def _sheet(
  name: str,
  levels: Sequence[Runs],
  values: Values,
  title: str,
  draw_panel: Callable[[Axes, list[str], list[Runs]], None],
) -> Sheet:
  """Returns the sheet whose panels have a factor's levels and the default."""
  default, *others = levels
  factors: dict[str, list[Runs]] = {} if others else {DEFAULT: []}
  for runs in others:
    factors.setdefault(rows.level_of(runs)['factor'], []).append(runs)

  def draw() -> Figure:
    width = 5.2 if len(factors) > 1 else 8.0
    figure, panels = sheets.panels(
      len(factors), title, most=len(FACTORS), width=width
    )
    for axes, (factor, own) in zip(panels, factors.items()):
      first = values[factor][0] if own else ''
      labels = [str(rows.level_of(runs)['level']) for runs in own]
      draw_panel(axes, [f'{first} (default)', *labels], [default, *own])
      text = _TITLES.get(factor, factor.replace('_', ' '))
      axes.set_title(text)
      if axes.get_legend_handles_labels()[0]:
        sheets.legend_beside(axes, fontsize='x-small')
    return figure

  return Sheet(name, draw, is_cropped=False)


def _draw_survival(axes: Axes, labels: list[str], own: list[Runs]) -> None:
  survival.draw_survival(
    axes,
    labels=labels,
    curves=[statistics.kaplan_meier(*rows.to_solve(runs)) for runs in own],
    last_step=own[0].values['num_steps'],
    ylabel='share not yet solved',
    reference=0,
  )


def _draw_escape(axes: Axes, labels: list[str], own: list[Runs]) -> None:
  waits = [rows.to_escape(runs) for runs in own]
  seen = [k for k, (times, _) in enumerate(waits) if times.size]
  survival.draw_survival(
    axes,
    labels=[f'{labels[k]}: {len(waits[k][0]):,}' for k in seen],
    curves=[statistics.kaplan_meier(*waits[k]) for k in seen],
    last_step=own[0].values['num_steps'],
    ylabel='share still in it',
    reference=0 if 0 in seen else None,
  )
  axes.set_xlabel('steps since the run entered symmetric failure')


def _draw_hazards(axes: Axes, labels: list[str], own: list[Runs]) -> None:
  survival.draw_hazards(
    axes,
    labels=labels,
    hazards=[rows.hazards(runs, rows.to_solve(runs)) for runs in own],
    per=1000.0,
    ylabel='solves per 1,000 steps',
    reference=0,
  )

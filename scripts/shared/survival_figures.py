"""Figures of failure_survival, one panel a factor."""

from collections.abc import Callable, Sequence
import math
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared import survival_levels, survival_runs
from scripts.shared.survival_runs import LevelRuns
from toyjax import statistics
from toyjax.analysis.events import Place
from toyjax.plots import survival as survival_plots

Waits = Callable[[LevelRuns], tuple[np.ndarray, np.ndarray]]
_COLUMNS = 2
_SHORT = {
  'learning_rate': 'learning rate',
  'adam_eps': 'Adam epsilon',
  'adam_b2': 'Adam beta 2',
  'weight_decay': 'weight decay',
  'init_scale': 'scale of the init',
  'loss_reduction': 'loss reduction',
  'dtype': 'precision',
}


def draw(
  path: pathlib.Path, runs: Sequence[LevelRuns], settings: dict[str, Any]
) -> None:
  """Draws survival.png, escape.png and hazards.png."""
  size = f'n = {settings["num_features"]}, m = {settings["num_hidden"]}'
  fewest = min(r.num_seeds for r in runs)
  seeds = f'{fewest:,} seeds a level'

  def to_escape(r: LevelRuns) -> tuple[np.ndarray, np.ndarray]:
    return r.times_to_escape(Place.SYMMETRIC)

  _draw_curves(
    path / 'survival.png',
    runs,
    settings,
    LevelRuns.times_to_solve,
    xlabel='optimizer steps',
    ylabel='share not yet solved',
    title=f'Time to solve, {size}: share of runs whose SSE has not yet been '
    f'below {settings["solved_sse"]:g}\nKaplan-Meier with 95 % bands, {seeds}; '
    'one factor varied at a time, the default is black and in every panel',
  )
  _draw_curves(
    path / 'escape.png',
    runs,
    settings,
    to_escape,
    xlabel='steps since the run entered symmetric failure',
    ylabel='share still in it',
    title=f'Time to leave symmetric failure, {size} (dead rows with b = 1/n, '
    'the rest a regular polygon)\nKaplan-Meier with 95 % bands; legend: level '
    'and how many of its runs ever entered; black: default',
  )
  _draw_hazards(
    path / 'hazards.png',
    runs,
    settings,
    title=f'Hazard of solving, {size}: solves per 1,000 steps among runs not '
    f'yet solved\nwhiskers: exact 95 % Poisson intervals, {seeds}; black: '
    'default',
  )


def _panels(
  runs: Sequence[LevelRuns],
) -> list[tuple[str, list[LevelRuns]]]:
  """Each varied factor with its levels, the default first."""
  panels = []
  for factor in survival_levels.FACTORS:
    own = [r for r in runs if r.level.factor == factor]
    if own:
      panels.append((factor, [runs[0], *own]))
  return panels or [(survival_levels.DEFAULT, [runs[0]])]


def _label(r: LevelRuns, factor: str, settings: dict[str, Any]) -> str:
  if r.level.factor != survival_levels.DEFAULT:
    return r.level.label
  value = settings[factor][0] if factor in settings else ''
  return f'{value} (default)'


def _figure(
  runs: Sequence[LevelRuns], title: str
) -> tuple[matplotlib.figure.Figure, list[tuple[str, list[LevelRuns], Any]]]:
  panels = _panels(runs)
  num_columns = min(_COLUMNS, len(panels))
  num_rows = math.ceil(len(panels) / num_columns)
  figure = matplotlib.figure.Figure(
    (max(5.2 * num_columns, 8.0), 3.1 * num_rows + 0.7), layout='constrained'
  )
  grid = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
  for axes in grid[len(panels) :]:
    axes.set_visible(False)
  figure.suptitle(title, fontsize='medium')
  return figure, [
    (factor, own, axes) for (factor, own), axes in zip(panels, grid)
  ]


def _draw_curves(
  path: pathlib.Path,
  runs: Sequence[LevelRuns],
  settings: dict[str, Any],
  waits: Waits,
  *,
  xlabel: str,
  ylabel: str,
  title: str,
) -> None:
  figure, panels = _figure(runs, title)
  for factor, own, axes in panels:
    pairs = [waits(r) for r in own]
    labels = [_label(r, factor, settings) for r in own]
    if waits is not LevelRuns.times_to_solve:
      labels = [
        f'{label}: {len(times):,}' for label, (times, _) in zip(labels, pairs)
      ]
    seen = [k for k, (times, _) in enumerate(pairs) if times.size]
    survival_plots.draw_survival(
      axes,
      labels=[labels[k] for k in seen],
      curves=[survival_runs.curve(*pairs[k]) for k in seen],
      last_step=settings['num_steps'],
      ylabel=ylabel,
      reference=0,
    )
    axes.set_title(_SHORT.get(factor, factor), fontsize='medium')
    axes.set_xlabel(xlabel)
    axes.legend(
      frameon=False,
      fontsize='x-small',
      loc='center left',
      bbox_to_anchor=(1.0, 0.5),
    )
  figure.savefig(path, dpi=140)


def _draw_hazards(
  path: pathlib.Path,
  runs: Sequence[LevelRuns],
  settings: dict[str, Any],
  *,
  title: str,
) -> None:
  figure, panels = _figure(runs, title)
  edges = np.linspace(0.0, settings['num_steps'], 13)
  for factor, own, axes in panels:
    survival_plots.draw_hazards(
      axes,
      labels=[_label(r, factor, settings) for r in own],
      hazards=[statistics.hazards(*r.times_to_solve(), edges) for r in own],
      per=1000.0,
      ylabel='solves per 1,000 steps',
      reference=0,
    )
    axes.set_title(_SHORT.get(factor, factor), fontsize='medium')
    axes.legend(
      frameon=False,
      fontsize='x-small',
      loc='center left',
      bbox_to_anchor=(1.0, 0.5),
    )
  figure.savefig(path, dpi=140)

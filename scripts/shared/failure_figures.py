"""Figures of the ReLU autoencoder's sweep: outcomes.png and survival.png."""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared.failure_runs import Configuration
from toyjax import statistics
from toyjax.plots import outcomes as outcome_plots
from toyjax.plots import survival as survival_plots
from toyjax.toys.relu_autoencoder import Outcome

_MAX_CLUSTERED = 6  # More configurations than this show their last step only.


def draw_outcomes(
  path: pathlib.Path,
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  steps: Sequence[int],
  settings: Mapping[str, Any],
) -> None:
  """Draws the shares of outcomes at the observed steps, from summary rows."""
  shape = (len(found), len(steps), len(Outcome))
  shares = {
    name: np.asarray([row[name] for row in rows], float).reshape(shape)
    for name in ('fraction', 'lower', 'upper')
  }
  if len(found) > _MAX_CLUSTERED:
    shares = {name: values[:, -1:] for name, values in shares.items()}
    steps = steps[-1:]
  width = min(3.0 + 0.28 * len(found) * len(steps) + 0.5 * len(found), 24.0)
  figure = matplotlib.figure.Figure((max(width, 7.0), 4.8))
  axes = figure.subplots()
  outcome_plots.draw_outcome_shares(
    axes,
    labels=[configuration.label for configuration in found],
    steps=steps,
    outcomes=[code.name for code in Outcome],
    fractions=shares['fraction'],
    lower=shares['lower'],
    upper=shares['upper'],
  )
  axes.set_title(
    'How runs of the ReLU autoencoder stand '
    f'({_runs(found)} seeds each, {_optimizer(settings)})\n'
    'whisker: 95 % Wilson interval of the segment it tops',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160, bbox_inches='tight')


def draw_survival(
  path: pathlib.Path,
  found: Sequence[Configuration],
  settings: Mapping[str, Any],
) -> None:
  """Draws the Kaplan-Meier curves of the time to solve."""
  last_step = settings['num_steps']
  figure = matplotlib.figure.Figure((7.0, 4.4))
  axes = figure.subplots()
  curves = []
  for configuration in found:
    solved = configuration.solved_at >= 0
    times = np.where(solved, configuration.solved_at, last_step)
    curves.append(statistics.kaplan_meier(times, solved))
  survival_plots.draw_survival(
    axes,
    labels=[configuration.label for configuration in found],
    curves=curves,
    last_step=last_step,
    ylabel=f'share not yet solved (SSE < {settings["solved_sse"]:g})'
    + (
      ''
      if all(c.every_step for c in found)
      else ',\nseen at observed steps only'
    ),
  )
  axes.set_title(
    'Time to solve: Kaplan-Meier with 95 % bands '
    f'({_runs(found)} seeds each, {_optimizer(settings)})',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160, bbox_inches='tight')


def _runs(found: Sequence[Configuration]) -> str:
  sizes = [len(configuration.outcomes) for configuration in found]
  ends = dict.fromkeys([min(sizes), max(sizes)])
  return ' to '.join(f'{size:,}' for size in ends)


def _optimizer(settings: Mapping[str, Any]) -> str:
  names = '/'.join(settings['optimizer'])
  rates = settings['learning_rate']
  return f'{names} lr {rates[0]:g}' if len(rates) == 1 else names

"""Figures of the text net's sweep: outcomes, losses, where generation leads."""

from collections.abc import Mapping, Sequence
import math
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared import text_tables
from scripts.shared.text_runs import Configuration
from toyjax.plots import outcomes as outcome_plots
from toyjax.plots import quantiles, stacked
from toyjax.plots.texts import LINE, literal
from toyjax.toys.text_mlp import Outcome

_MAX_CLUSTERED = 6  # More configurations than this show their last epoch only.
_MAX_PANELS = 6
_MAX_CYCLES = 4  # Cycles with a colour of their own.
_FLOOR = 1e-4  # Lowest loss drawn, nats.


def draw_outcomes(
  path: pathlib.Path,
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  epochs: Sequence[int],
) -> None:
  """Draws the shares of outcomes at the observed epochs, from summary rows."""
  shape = (len(found), len(epochs), len(Outcome))
  own = [row for row in rows if row['measure'] == 'outcome']
  shares = {
    name: np.asarray([row[name] for row in own], float).reshape(shape)
    for name in ('fraction', 'lower', 'upper')
  }
  if len(found) > _MAX_CLUSTERED:
    shares = {name: values[:, -1:] for name, values in shares.items()}
    epochs = epochs[-1:]
  width = 3.0 + 0.28 * len(found) * len(epochs) + 0.65 * len(found)
  figure = matplotlib.figure.Figure((min(max(width, 7.0), 24.0), 4.8))
  axes = figure.subplots()
  outcome_plots.draw_outcome_shares(
    axes,
    labels=[
      label if len(found) == 1 else label.replace(' ', '\n')
      for label in map(_label, found)
    ],
    steps=epochs,
    outcomes=[code.name for code in Outcome],
    **{'fractions' if k == 'fraction' else k: v for k, v in shares.items()},
  )
  axes.set_xlabel('epochs')
  axes.set_title(
    f'What tiny text nets have learned ({_runs(found)} seeds each)\n'
    'whisker: 95 % Wilson interval of the segment it tops',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160, bbox_inches='tight')


def draw_losses(
  path: pathlib.Path,
  found: Sequence[Configuration],
  epochs: Sequence[int],
  printed: Mapping[int, float],
) -> None:
  """Draws the spread of the loss, and the printed run, by configuration."""
  figure, panels = _panels(found, height=3.2)
  for axes, configuration in zip(panels, found):
    losses = text_tables.all_losses(configuration)
    quantiles.draw_spread(axes, x=(0, *epochs), values=losses, floor=_FLOOR)
    seen = [epoch for epoch in (0, *epochs) if epoch in printed]
    if seen:
      axes.plot(
        seen,
        [printed[epoch] for epoch in seen],
        'D--',
        color='#D55E00',
        label='printed by the source',
      )
    axes.set_yscale('log')
    axes.set_ylim(*_loss_limits([*losses.ravel(), *printed.values()]))
    axes.set_xlabel('epochs')
    axes.set_ylabel('cross entropy, nats')
    axes.set_title(_label(configuration), fontsize='medium')
    axes.grid(alpha=0.25)
  panels[0].legend(frameon=False, fontsize='small', loc='lower left')
  figure.suptitle(
    f'Loss of tiny text nets ({_runs(found)} seeds each)', fontsize='medium'
  )
  figure.savefig(path, dpi=160)


def _loss_limits(losses: Sequence[float]) -> tuple[float, float]:
  """Returns limits that hold the middle of the finite losses and a legend."""
  finite = np.asarray(losses)[np.isfinite(losses)]
  if not finite.size:
    return _FLOOR, 10.0
  low, high = np.quantile(finite, (0.001, 0.999))
  return max(_FLOOR, low / 10.0), max(10.0, 2.0 * high)


def draw_endings(
  path: pathlib.Path,
  found: Sequence[Configuration],
  rows: Sequence[Mapping[str, Any]],
  epoch: int,
) -> None:
  """Draws where greedy generation leads from each word, by configuration."""
  figure, panels = _panels(found, height=3.0)
  for axes, configuration in zip(panels, found):
    own = [
      row
      for row in rows
      if row['class'] != f'never {configuration.end}'
      and all(row[n] == value for n, value in configuration.flags.items())
    ]
    totals: dict[str, int] = {}
    for row in own:
      totals[row['class']] = totals.get(row['class'], 0) + row['count']
    cycles = sorted(
      (n for n in totals if n != configuration.end), key=lambda n: -totals[n]
    )
    classes = (configuration.end, *cycles[:_MAX_CYCLES])
    words = list(dict.fromkeys(row['start'] for row in own))
    fractions = np.zeros((len(words), len(classes) + 1))
    for row in own:
      place = (
        classes.index(row['class']) if row['class'] in classes else len(classes)
      )
      fractions[words.index(row['start']), place] += row['fraction']
    stacked.draw_stacked(
      axes,
      labels=words,
      classes=[f"ends at '{configuration.end}'", *classes[1:], 'others'],
      fractions=fractions,
    )
    axes.set_title(_label(configuration), fontsize='medium')
    axes.set_xlabel('share of runs')
    axes.legend(
      frameon=False,
      fontsize='small',
      loc='center left',
      bbox_to_anchor=(1, 0.5),
    )
  figure.suptitle(
    f'Where greedy generation from each word leads, after {epoch:,} epochs '
    f'({_runs(found)} seeds each)',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160)


def _panels(found: Sequence[Configuration], *, height: float):
  """Returns a figure and a panel for each of the first configurations."""
  num_panels = min(len(found), _MAX_PANELS)
  num_columns = min(num_panels, 2)
  num_rows = math.ceil(num_panels / num_columns)
  figure = matplotlib.figure.Figure(
    (6.2 * num_columns, height * num_rows + 0.4), layout='constrained'
  )
  grid = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
  for axes in grid[num_panels:]:
    axes.axis('off')
  if len(found) > num_panels:
    figure.text(
      0.99,
      0.01,
      f'the first {num_panels} of {len(found)} configurations',
      ha='right',
      fontsize='small',
    )
  return figure, grid[:num_panels]


def _label(configuration: Configuration) -> str:
  """Returns the label, which names files of the user, as it is drawn."""
  return literal(configuration.label, length=LINE)


def _runs(found: Sequence[Configuration]) -> str:
  sizes = [configuration.num_runs for configuration in found]
  return ' to '.join(f'{s:,}' for s in dict.fromkeys([min(sizes), max(sizes)]))

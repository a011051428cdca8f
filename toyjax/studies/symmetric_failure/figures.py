"""Sheets of symmetric failure: verdicts.png, escape.png, frozen.png."""

from collections.abc import Sequence
import itertools
from typing import Any

import jax
import jax.numpy as jnp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from toyjax import statistics
from toyjax.analysis.autoencoder import frozen
from toyjax.plots import palette, sheets, survival
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.symmetric_failure import escapes, frozen_rows
from toyjax.studies.symmetric_failure.verdicts import DECAY
from toyjax.tables import Row
from toyjax.toys.relu_autoencoder import Params

_MARKERS = 'os^D'
_VERDICTS = (
  'The dead row moved alone: uphill for n > 4',
  'With the live rows moved too: a saddle for every n',
  'Under weight decay, kinks held: a minimum for n > 4',
)


def draw_verdicts(rows: Sequence[Row]) -> Figure:
  """Draws how fast the SSE falls off symmetric failure, against n."""
  figure = Figure((13.6, 4.2), layout='constrained')
  left, right, last = panels = figure.subplots(1, 3)

  def draw(
    axes: Axes, own: Sequence[Row], name: str, sign: int = 1, **style: Any
  ):
    n = [row['num_features'] for row in own]
    axes.plot(n, [sign * row[name] for row in own], **style)

  factors = sorted({row['norm_factor'] for row in rows})
  looks = zip(itertools.cycle(palette.CURVES), itertools.cycle(_MARKERS))
  for factor, (color, marker) in zip(factors, looks):
    own = [row for row in rows if row['norm_factor'] == factor]
    side = 'on the kinks' if factor == 1.0 else f'{factor:g} times that norm'
    style: dict[str, Any] = {'color': color, 'marker': marker}
    draw(left, own, 'dead_row_coefficient', label=side, **style)
    steepest = f'{side}: steepest found'
    draw(right, own, 'lowest_curvature_found', -1, label=steepest, **style)
    along = {'linestyle': ':', 'label': f'{side}: along the closed path'}
    draw(right, own, 'path_curvature', -1, color=color, **along)
  decayed = [row for row in rows if row['decayed_lowest'] is not None]
  if decayed:
    style = {'color': palette.GREEN, 'marker': 'D'}
    label = f'decay {DECAY:g} of |W|² + |b|²'
    draw(last, decayed, 'decayed_lowest', label=label, **style)
    last.set_yscale('symlog', linthresh=1e-2)
  last.axhline(0.0, color='black', linewidth=0.8)
  left.axhline(0.0, color='black', linewidth=0.8)
  right.set_yscale('log')
  left.set_ylabel('SSE gained per |W_d|²')
  right.set_ylabel('downward curvature, -q')
  last.set_ylabel('least eigenvalue of the Hessian')
  for axes, title in zip(panels, _VERDICTS):
    axes.set_title(title)
    axes.set_xlabel('n, features (one of them dead)')
    axes.set_xticks(sorted({row['num_features'] for row in rows}))
    axes.grid(alpha=0.25)
    axes.legend(fontsize='small')
  return figure


def draw_escapes(found: Sequence[Runs], values: Values) -> Figure:
  """Draws survival in symmetric failure and medians against n.

  Shows the first start noise and the first value of every other swept setting
  but the norm.
  """
  factors, optimizers = values['norm_factor'], values['optimizer']
  sizes, last = values['num_features'], values['num_steps']
  figure = Figure(
    (4.2 * (len(optimizers) + 1), 3.6 * len(factors)), layout='constrained'
  )
  grid = figure.subplots(len(factors), len(optimizers) + 1, squeeze=False)
  shown = ('num_features', 'optimizer', 'norm_factor')
  arms = {
    (at['norm_factor'], at['optimizer'], at['num_features']): runs
    for runs in found
    for at in [runs.configuration]
    if all(v in (None, values[k][0]) for k, v in at.items() if k not in shown)
  }
  for panels, factor in zip(grid, factors):
    side = 'on the kinks' if factor == 1.0 else f'{factor:g} x least norm'
    for place, (axes, optimizer) in enumerate(zip(panels, optimizers)):
      curves = [escapes.curve(arms[factor, optimizer, n]) for n in sizes]
      survival.draw_survival(
        axes,
        labels=[f'n = {n}' for n in sizes],
        curves=curves,
        last_step=last,
        ylabel='share still in symmetric failure',
      )
      name = _name(optimizer, values)
      axes.set_title(f'{name}, {side}')
      if axes is not grid[0, 0]:
        axes.get_legend().remove()
      else:
        axes.legend(fontsize='small', ncols=2)
      medians = [statistics.median_time(curve) for curve in curves]
      _draw_medians(panels[-1], sizes, medians, place, label=name, last=last)
    panels[-1].set_title(f'median time, {side}')
    panels[-1].legend(fontsize='small')
  figure.suptitle(
    f'Time to leave symmetric failure (SSE below {values["escape_share"]:g} '
    '(1 - 1/n)) from its exact weights plus noise of '
    f'{values["start_noise"][0]:g}; '
    f'{sheets.sizes([runs.num_runs for runs in found])} seeds each, '
    'Kaplan-Meier with 95 % bands',
  )
  return figure


def _name(optimizer: str, values: Values) -> str:
  if optimizer == 'sgd':
    return f'SGD lr {values["sgd_learning_rate"][0]:g}'
  rate = values['learning_rate'][0]
  if optimizer == 'adam':
    return f'Adam lr {rate:g}'
  return f'AdamW lr {rate:g} decay {values["weight_decay"][0]:g}'


def _draw_medians(
  axes: Axes,
  num_features: Sequence[int],
  medians: Sequence[statistics.Interval],
  place: int,
  *,
  label: str,
  last: int,
) -> None:
  """Adds the medians of one optimizer; those past the end are left open."""
  # Adam and AdamW would hide each other.
  n = np.asarray(num_features, float) + 0.12 * (place - 1)
  median, lower, upper = np.asarray(medians, float).T
  color, marker = palette.CURVES[place], _MARKERS[place]
  seen = np.isfinite(median)
  middle = median[seen]
  axes.errorbar(
    n[seen],
    middle,
    [middle - lower[seen], np.minimum(upper[seen], last) - middle],
    color=color,
    marker=marker,
    label=label,
    capsize=3,
  )
  axes.plot(
    n[~seen],
    np.full(np.sum(~seen), last),
    color=color,
    marker=marker,
    markerfacecolor='white',
    linestyle='',
  )
  axes.axhline(last, color='black', linewidth=0.8, linestyle='--')
  axes.set_yscale('log')
  axes.set_xticks(num_features)
  axes.set_xlabel('n, features')
  axes.set_ylabel('steps (open: past the end)')
  axes.grid(alpha=0.25)


@jax.enable_x64(True)
def draw_frozen(values: Values) -> Figure:
  """Draws the frozen error around W_d = 0, before and after relearning.

  Takes the middle n of the states, the first norm and the largest nudge.
  """
  n = values['state_features'][len(values['state_features']) // 2]
  factor, delta = values['norm_factor'][0], max(values['nudge'])
  cases = frozen_rows.cases(n, factor, delta)
  titles = {
    'held': f'$b_1$ and $b_{n - 1}$ raised by {delta:g}',
    'relearnt': 'then the live rows relearnt',
  }
  moved = frozen_rows.relax(cases['relearnt']).weights
  half = 3.0 * max(float(jnp.linalg.norm(moved)), 1e-3)
  figure, panels = sheets.panels(
    len(cases),
    f'Where the dead row comes to rest with all else frozen, n = {n}: at 0 '
    f'until rows 1 and {n - 1} have grown shorter (lines: directions of rows)',
    most=len(cases),
    width=5.0,
    height=4.0,
  )
  for axes, (name, params) in zip(panels, cases.items()):
    _draw_frozen_case(axes, params, half)
    axes.set_title(titles[name])
  return figure


def _draw_frozen_case(axes: Axes, params: Params, half: float) -> None:
  """Draws the frozen error over the plane of W_d, its optimum, and the rows."""
  side = np.linspace(-half, half, 81)
  grid = jnp.asarray(np.stack(np.meshgrid(side, side), axis=-1))
  levels = np.asarray(frozen.profile(params, 0, grid.reshape(-1, 2)))
  rises = (levels - levels.min()).reshape(81, 81)
  filled = axes.contourf(side, side, rises, levels=14, cmap='viridis_r')
  axes.figure.colorbar(filled, ax=axes, label='SSE above its least value')
  last = len(params.bias) - 1
  for i, row in enumerate(np.asarray(params.weights[:, 1:]).T, start=1):
    end = 0.9 * half * row / np.linalg.norm(row)
    near = i in (1, last)
    axes.plot(
      [0, end[0]],
      [0, end[1]],
      color='white' if near else 'black',
      linewidth=2.0 if near else 0.8,
    )
    axes.annotate(f'$W_{i}$', end, fontsize='small', ha='center')
  axes.plot(0, 0, 'k+', markersize=10, label='$W_d$ = 0')
  predicted = np.asarray(frozen.predict(params, 0))
  axes.plot(*predicted, 'rx', markersize=10, label='predicted optimum')
  rested = frozen_rows.relax(params).weights
  axes.plot(
    *np.asarray(rested),
    'o',
    color='red',
    markerfacecolor='none',
    markersize=12,
    label='measured optimum',
  )
  epsilon = float(frozen_rows.along_neighbours(params, rested))
  axes.set_xlabel(
    f'$W_d$ = $\\epsilon$ ($W_1$ + $W_{last}$), '
    f'$\\epsilon$ = {epsilon if abs(epsilon) > 1e-9 else 0:.2g}'
  )
  axes.set_aspect('equal')
  axes.locator_params(nbins=5)
  axes.legend(
    loc='lower left', fontsize='x-small', frameon=True, framealpha=0.6
  )

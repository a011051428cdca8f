"""Figures of symmetric failure: verdicts.png, escape.png, frozen.png."""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import jax.numpy as jnp
from matplotlib.axes import Axes
import matplotlib.figure
import numpy as np

from scripts.shared import (
  symmetric_escapes,
  symmetric_states,
  symmetric_verdicts,
)
from toyjax.analysis import frozen
from toyjax.plots import survival as survival_plots
from toyjax.toys.relu_autoencoder import Params

_COLORS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7')
_MARKERS = 'os^D'


def draw_verdicts(
  path: pathlib.Path, rows: Sequence[Mapping[str, Any]]
) -> None:
  """Draws how fast the SSE falls off symmetric failure, against n."""
  figure = matplotlib.figure.Figure((13.6, 4.2), layout='constrained')
  left, right, last = figure.subplots(1, 3)
  factors = sorted({row['norm_factor'] for row in rows})
  for factor, color, marker in zip(factors, _COLORS, _MARKERS):
    own = [row for row in rows if row['norm_factor'] == factor]
    n = [row['num_features'] for row in own]
    side = 'on the kinks' if factor == 1.0 else f'{factor:g} times that norm'
    left.plot(
      n,
      [row['dead_row_coefficient'] for row in own],
      color=color,
      marker=marker,
      label=side,
    )
    right.plot(
      n,
      [-row['lowest_curvature_found'] for row in own],
      color=color,
      marker=marker,
      label=f'{side}: steepest found',
    )
    right.plot(
      n,
      [-row['path_curvature'] for row in own],
      color=color,
      linestyle=':',
      label=f'{side}: along the closed path',
    )
  decayed = [row for row in rows if row['decayed_lowest'] is not None]
  if decayed:
    last.plot(
      [row['num_features'] for row in decayed],
      [row['decayed_lowest'] for row in decayed],
      color=_COLORS[2],
      marker='D',
      label=f'decay {symmetric_verdicts.DECAY:g} of |W|² + |b|²',
    )
    last.set_yscale('symlog', linthresh=1e-2)
  last.axhline(0.0, color='black', linewidth=0.8)
  last.set_ylabel('least eigenvalue of the Hessian')
  last.set_title(
    'Under weight decay, kinks held: a minimum for n > 4', fontsize='medium'
  )
  left.axhline(0.0, color='black', linewidth=0.8)
  left.set_ylabel('SSE gained per |W_d|²')
  left.set_title(
    'The dead row moved alone: uphill for n > 4', fontsize='medium'
  )
  right.set_yscale('log')
  right.set_ylabel('downward curvature, -q')
  right.set_title(
    'With the live rows moved too: a saddle for every n', fontsize='medium'
  )
  for axes in (left, right, last):
    axes.set_xlabel('n, features (one of them dead)')
    axes.set_xticks(sorted({row['num_features'] for row in rows}))
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize='small')
  figure.savefig(path, dpi=160)


def draw_escapes(
  path: pathlib.Path,
  arms: Sequence[symmetric_escapes.Arm],
  rows: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Draws survival in symmetric failure and medians against n.

  Shows the first start noise and the first value of every other swept flag
  but the norm.
  """
  factors = settings['norm_factor']
  optimizers = settings['optimizer']
  figure = matplotlib.figure.Figure(
    (4.2 * (len(optimizers) + 1), 3.6 * len(factors)), layout='constrained'
  )
  grid = figure.subplots(len(factors), len(optimizers) + 1, squeeze=False)
  num_steps = settings['num_steps']
  firsts = {
    name: settings[name][0]
    for name in (*arms[0].flags,)
    if name not in ('num_features', 'optimizer', 'norm_factor')
  }
  shown = [
    (arm, row)
    for arm, row in zip(arms, rows)
    if all(v is None or v == firsts.get(k, v) for k, v in arm.flags.items())
  ]
  for panels, factor in zip(grid, factors):
    side = 'on the kinks' if factor == 1.0 else f'{factor:g} x least norm'
    for axes, optimizer in zip(panels, optimizers):
      own = [
        (arm, row)
        for arm, row in shown
        if arm.flags['optimizer'] == optimizer
        and np.isclose(arm.flags['norm_factor'], factor)
      ]
      survival_plots.draw_survival(
        axes,
        labels=[f'n = {arm.flags["num_features"]}' for arm, _ in own],
        curves=[symmetric_escapes.curve(a.escaped, num_steps) for a, _ in own],
        last_step=num_steps,
        ylabel='share still in symmetric failure',
      )
      axes.set_title(f'{_arm(optimizer, settings)}, {side}', fontsize='medium')
      if axes is not grid[0, 0]:
        axes.get_legend().remove()
      else:
        axes.legend(frameon=False, fontsize='small', ncols=2)
      _draw_medians(panels[-1], [row for _, row in own], optimizer, settings)
    panels[-1].set_title(f'median time, {side}', fontsize='medium')
    panels[-1].legend(frameon=False, fontsize='small')
  figure.suptitle(
    f'Time to leave symmetric failure (SSE below {settings["escape_share"]:g} '
    f'(1 - 1/n)) from its exact weights plus noise of {firsts["start_noise"]:g}'
    f'; {len(arms[0].escaped):,} seeds each, Kaplan-Meier with 95 % bands',
    fontsize='medium',
  )
  figure.savefig(path, dpi=140)


def _arm(optimizer: str, settings: Mapping[str, Any]) -> str:
  if optimizer == 'sgd':
    return f'SGD lr {settings["sgd_learning_rate"][0]:g}'
  rate = settings['learning_rate'][0]
  if optimizer == 'adam':
    return f'Adam lr {rate:g}'
  return f'AdamW lr {rate:g} decay {settings["weight_decay"][0]:g}'


def _draw_medians(
  axes: Axes,
  rows: Sequence[Mapping[str, Any]],
  optimizer: str,
  settings: Mapping[str, Any],
) -> None:
  """Adds the medians of one optimizer; those past the end are left open."""
  place = settings['optimizer'].index(optimizer)
  n = np.asarray([row['num_features'] for row in rows], float)
  n += 0.12 * (place - 1)  # Adam and AdamW would hide each other.
  median, lower, upper = (
    np.asarray([row[f'median_escape_{name}'] for row in rows], float)
    for name in ('step', 'lower', 'upper')
  )
  last = settings['num_steps']
  color, marker = _COLORS[place], _MARKERS[place]
  seen = np.isfinite(median)
  middle = median[seen]
  axes.errorbar(
    n[seen],
    middle,
    [middle - lower[seen], np.minimum(upper[seen], last) - middle],
    color=color,
    marker=marker,
    label=_arm(optimizer, settings),
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
  axes.set_xticks([row['num_features'] for row in rows])
  axes.set_xlabel('n, features')
  axes.set_ylabel('steps (open: past the end)')
  axes.grid(alpha=0.25)


def draw_frozen(path: pathlib.Path, settings: Mapping[str, Any]) -> None:
  """Draws the frozen error around W_d = 0, before and after relearning.

  Takes the first n of the states, the first norm and the largest nudge.
  """
  n = settings['state_features'][len(settings['state_features']) // 2]
  factor, delta = settings['norm_factor'][0], max(settings['nudge'])
  cases = symmetric_states.frozen_cases(n, factor, delta)
  titles = {
    'held': f'$b_1$ and $b_{n - 1}$ raised by {delta:g}',
    'relearnt': 'then the live rows relearnt',
  }
  moved = symmetric_states.relax_dead(cases['relearnt']).weights
  half = 3.0 * max(float(jnp.linalg.norm(moved)), 1e-3)
  figure = matplotlib.figure.Figure(
    (5.0 * len(cases), 4.4), layout='constrained'
  )
  for axes, (name, params) in zip(
    np.atleast_1d(figure.subplots(1, len(cases))), cases.items()
  ):
    _draw_frozen_case(axes, params, half)
    axes.set_title(titles[name], fontsize='medium')
  figure.suptitle(
    f'Where the dead row comes to rest with all else frozen, n = {n}: at 0 '
    f'until rows 1 and {n - 1} have grown shorter (lines: directions of rows)',
    fontsize='medium',
  )
  figure.savefig(path, dpi=160)


def _draw_frozen_case(axes: Axes, params: Params, half: float) -> None:
  """Draws the frozen error over the plane of W_d, its optimum, and the rows."""
  rested = symmetric_states.relax_dead(params)
  neighbours = np.asarray(params.weights[:, 1] + params.weights[:, -1])
  side = np.linspace(-half, half, 81)
  grid = jnp.asarray(np.stack(np.meshgrid(side, side), axis=-1))
  levels = np.asarray(frozen.profile(params, 0, grid.reshape(-1, 2)))
  rises = (levels - levels.min()).reshape(81, 81)
  filled = axes.contourf(side, side, rises, levels=14, cmap='viridis_r')
  axes.figure.colorbar(filled, ax=axes, label='SSE above its least value')
  for i, row in enumerate(np.asarray(params.weights[:, 1:]).T, start=1):
    end = 0.9 * half * row / np.linalg.norm(row)
    near = i in (1, len(params.bias) - 1)
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
  axes.plot(
    *np.asarray(rested.weights),
    'o',
    color='red',
    markerfacecolor='none',
    markersize=12,
    label='measured optimum',
  )
  epsilon = float(
    np.asarray(rested.weights) @ neighbours / (neighbours @ neighbours)
  )
  axes.set_xlabel(
    f'$W_d$ = $\\epsilon$ ($W_1$ + $W_{len(params.bias) - 1}$), '
    f'$\\epsilon$ = {epsilon if abs(epsilon) > 1e-9 else 0:.2g}'
  )
  axes.set_aspect('equal')
  axes.locator_params(nbins=5)
  axes.legend(loc='lower left', fontsize='x-small', framealpha=0.6)

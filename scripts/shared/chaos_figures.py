"""Figures of the chaos map: map, zooms, dimensions, lyapunov."""

from collections.abc import Mapping, Sequence
import pathlib
from typing import Any

import matplotlib.figure
import numpy as np

from scripts.shared.chaos_runs import Stage
from scripts.shared.chaos_study import DTYPES, Zoomed
from scripts.shared.chaos_zoom import EDGES
from toyjax.plots import chaos_maps

# The colours of the published map.
_PUBLISHED = (8.5, 14.1)
_DPI = 110


def draw_map(
  path: pathlib.Path,
  stage: Stage,
  results: Mapping[str, np.ndarray],
  settings: Mapping[str, Any],
) -> None:
  """Draws Σ|W_i| at each observed step, and the endings at the last."""
  size = settings['size']
  rates, deltas = _axes_of(stage, size)
  steps = settings['observe_steps']
  norms = results['total_norm'].reshape(size, size, len(steps))
  figure = matplotlib.figure.Figure(
    (4.4 * (len(steps) + 1), 4.9), layout='constrained'
  )
  panels = figure.subplots(1, len(steps) + 1, squeeze=False)[0]
  for k, step in enumerate(steps):
    image = chaos_maps.draw_field(
      panels[k],
      learning_rates=rates,
      deltas=deltas,
      values=norms[:, :, k],
      low=_PUBLISHED[0],
      high=_PUBLISHED[1],
      colormap='viridis',
    )
    shown = norms[:, :, k][np.isfinite(norms[:, :, k])]
    panels[k].set_title(
      f'Σ|Wᵢ| after {step:,} steps\n'
      f'here {shown.min():.2f} to {shown.max():.2f}',
      fontsize='medium',
    )
    figure.colorbar(image, ax=panels[k], extend='both')
  chaos_maps.draw_endings(
    panels[-1],
    learning_rates=rates,
    deltas=deltas,
    endings=results['ending'][:, -1].reshape(size, size),
  )
  panels[-1].set_title(
    f'how each run stands after {steps[-1]:,} steps\n'
    f'recovered: SSE < {settings["solved_sse"]:g} for '
    f'{settings["window"]} steps',
    fontsize='medium',
  )
  figure.suptitle(
    f'Gradient descent from symmetric failure (n = '
    f'{settings["num_features"]}), {size} x {size} runs in '
    f'{settings["dtype"]}',
  )
  figure.savefig(path, dpi=_DPI)


def draw_lyapunov(
  path: pathlib.Path,
  stage: Stage,
  results: Mapping[str, np.ndarray],
  settings: Mapping[str, Any],
) -> None:
  """Draws the exponent over the whole run, and the largest growth."""
  size, last = settings['lyapunov_size'], settings['observe_steps'][-1]
  rates, deltas = _axes_of(stage, size)
  peaks = results['log_peak'][:, -1].reshape(size, size)
  exponents = results['log_growth'][:, -1].reshape(size, size) / last
  endings = results['ending'][:, -1].reshape(size, size)
  figure = matplotlib.figure.Figure((13.2, 4.9), layout='constrained')
  panels = figure.subplots(1, 3)
  limit = float(np.nanquantile(np.abs(exponents), 0.95)) or 1.0
  eps = -np.log(np.finfo(np.float32).eps)
  for axes, values, low, high, colormap, title in (
    (
      panels[0],
      1e3 * exponents,
      -1e3 * limit,
      1e3 * limit,
      'RdBu_r',
      f'Lyapunov exponent, 10⁻³ a step, over {last:,} steps\n'
      'red: neighbouring runs part; lone dark dots: solved, on a kink',
    ),
    (
      panels[1],
      peaks,
      0.0,
      4 * eps,
      'magma',
      'ln of the largest growth of a difference before recovery;\n'
      f'a rounding error fills all at {eps:.0f} (float32, cyan), 36 (float64)',
    ),
  ):
    image = chaos_maps.draw_field(
      axes,
      learning_rates=rates,
      deltas=deltas,
      values=values,
      low=low,
      high=high,
      colormap=colormap,
    )
    axes.set_title(title, fontsize='medium')
    bar = figure.colorbar(image, ax=axes, extend='both')
    if axes is panels[1]:
      bar.ax.axhline(eps, color='cyan')
      bar.ax.axhline(-np.log(np.finfo(np.float64).eps), color='lime')
  chaos_maps.draw_endings(
    panels[2], learning_rates=rates, deltas=deltas, endings=endings
  )
  panels[2].set_title(
    f'how the same runs stand after {last:,} steps', fontsize='medium'
  )
  figure.savefig(path, dpi=_DPI)


def draw_zooms(
  path: pathlib.Path, found: Sequence[Zoomed], settings: Mapping[str, Any]
) -> None:
  """Draws one chain of windows for each edge and precision, level by level."""
  rows = [(edge, dtype) for edge in EDGES for dtype in DTYPES]
  levels = settings['zoom_levels'] + 1
  figure = matplotlib.figure.Figure(
    (2.2 * levels, 2.45 * len(rows) + 0.5), layout='constrained'
  )
  panels = figure.subplots(len(rows), levels, squeeze=False)
  for axes in panels.ravel():
    axes.set_axis_off()
  for i, (edge, dtype) in enumerate(rows):
    for zoomed in found:
      own = zoomed.window.edge in (edge, 'both') and zoomed.window.chain == 0
      if zoomed.dtype != dtype or not own:
        continue
      axes = panels[i, zoomed.level]
      axes.set_axis_on()
      rates = zoomed.window.learning_rates
      chaos_maps.draw_window(
        axes,
        recovered=zoomed.recovered,
        flipped=zoomed.recovered != zoomed.nudged,
        title=f'{rates[-1] - rates[0]:.2g} wide'
        + (f' at {rates.mean():.6g}' if zoomed.level else ''),
      )
    panels[i, 0].set_ylabel(f'{edge} edge, {dtype}\nΔ', fontsize='small')
  figure.suptitle(
    'Closing in on both edges: learning rate across, Δ upwards. Blue '
    'recovers, grey does not;\norange: the label flips when one weight of the '
    'start is changed by one rounding error',
    fontsize='medium',
  )
  figure.savefig(path, dpi=_DPI)


def draw_dimensions(
  path: pathlib.Path,
  rows: Sequence[Mapping[str, Any]],
  dimensions: Sequence[Mapping[str, Any]],
  settings: Mapping[str, Any],
) -> None:
  """Draws dimension and label flips of each window against its width."""
  figure = matplotlib.figure.Figure((11.0, 5.8), layout='constrained')
  left, right = figure.subplots(1, 2)
  series = [(edge, dtype) for edge in EDGES for dtype in DTYPES]
  chosen = [
    [
      row
      for row in rows
      if row['edge'] == edge and row['dtype'] == dtype and row['level'] > 0
    ]
    for edge, dtype in series
  ]
  widths = [np.asarray([row['width'] for row in own]) for own in chosen]
  pooled = {
    (row['edge'], row['dtype'], row['windows']): row
    for row in dimensions
    if row['method'] == 'box_dimension'
  }
  chaos_maps.draw_levels(
    left,
    labels=[_dimension_label(pooled, *key) for key in series],
    widths=widths,
    values=[
      np.asarray([row['box_dimension'] for row in own]) for own in chosen
    ],
  )
  fast = [row for row in rows if row['edge'] == 'fast' and row['level'] > 0]
  left.plot(
    [row['width'] for row in fast],
    [row['box_dimension_shuffled'] for row in fast],
    linestyle='none',
    marker='x',
    color='black',
    label='fast edge, labels shuffled within each column',
  )
  null = pooled[('smooth null', 'float64', 'all')]
  left.axhline(
    null['estimate'],
    color='black',
    linewidth=1.0,
    linestyle='--',
    label=f'smooth null: {_interval(null)}',
  )
  left.set_ylim(0.8, 2.1)
  left.set_ylabel('box-counting dimension of the edge')
  left.set_title(
    'box-counting dimension, one mark a window; crosses: the same\n'
    'labels in random order, what pure noise of that density gives',
    fontsize=10,
  )
  chaos_maps.draw_levels(
    right,
    labels=[f'{edge} edge, {dtype}' for edge, dtype in series],
    widths=widths,
    values=[np.asarray([_flip_ratio(row) for row in own]) for own in chosen],
  )
  right.axhline(1.0, color='black', linewidth=1.0, linestyle='--')
  right.set_ylim(-0.05, 1.5)
  right.set_ylabel('labels flipped / flipped if they were pure chance')
  right.set_title(
    'what one rounding error in the start does to the labels:\n'
    '0 nothing, 1 (dashed) all that chance could do; resolved: below .5',
    fontsize=10,
  )
  for axes in (left, right):
    axes.legend(
      fontsize='small',
      loc='upper center',
      bbox_to_anchor=(0.5, -0.16),
      frameon=False,
    )
  figure.savefig(path, dpi=_DPI)


def _flip_ratio(row: Mapping[str, Any]) -> float:
  """Returns flips over those of independent labels; NaN where none can flip."""
  chance = row['flips_by_chance']
  return row['flips_nudged'] / chance if chance else float('nan')


def _dimension_label(
  pooled: Mapping[tuple[str, str, str], Mapping[str, Any]],
  edge: str,
  dtype: str,
) -> str:
  """Names an edge with its dimension, over all and over resolved windows."""
  name = f'{edge} edge, {dtype}: '
  everywhere = pooled[(edge, dtype, 'all')]
  resolved = pooled[(edge, dtype, 'resolved')]
  if not everywhere['count']:
    return name + 'no window'
  if not resolved['count']:
    return name + _interval(everywhere) + '; no window resolved'
  return (
    name
    + f'{_interval(resolved)} in the {resolved["count"]} of '
    + f'{everywhere["count"]} windows that are resolved'
  )


def _interval(row: Mapping[str, Any]) -> str:
  return f'{row["estimate"]:.2f} [{row["lower"]:.2f}, {row["upper"]:.2f}]'


def _axes_of(stage: Stage, size: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the learning rates [W] and the deltas [H] of a square map."""
  rates = stage.axes['learning_rate'].reshape(size, size)[0]
  return rates, stage.axes['delta'].reshape(size, size)[:, 0]

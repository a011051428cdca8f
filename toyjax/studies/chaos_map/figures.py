"""Figures of the chaos map: map, zooms, dimensions, lyapunov."""

from collections.abc import Callable, Iterable, Sequence
import itertools

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from toyjax.common_settings import DTYPES
from toyjax.plots.chaos import maps as chaos_maps
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.statistics import Interval
from toyjax.studies.chaos_map import windows
from toyjax.studies.chaos_map.points import Zoomed
from toyjax.studies.chaos_map.windows import EDGES
from toyjax.studies.chaos_map.zooms import windows_of
from toyjax.tables import Row

# The colours of the published map.
_PUBLISHED = (8.5, 14.1)
_SERIES = tuple(itertools.product(EDGES, DTYPES))
_DASHED = {'color': 'black', 'linewidth': 1.0, 'linestyle': '--'}


def finite_ends(numbers: np.ndarray) -> tuple[float, float]:
  """Returns the least and the largest that is finite; NaN where none is."""
  finite = numbers[np.isfinite(numbers)].tolist() or [float('nan')]
  return min(finite), max(finite)


def draw_map(found: Runs) -> Figure:
  """Draws Σ|W_i| at each observed step, and the endings at the last."""
  values = found.values
  size, steps = values['size'], values['observe_steps']
  figure = Figure((4.4 * (len(steps) + 1), 4.9), layout='constrained')
  *fields, last = figure.subplots(1, len(steps) + 1)
  for axes, step, norms in zip(fields, steps, found.data['total_norm'].T):
    least, most = finite_ends(norms)
    chaos_maps.draw_field(
      axes,
      **_places(values, size),
      values=norms,
      low=_PUBLISHED[0],
      high=_PUBLISHED[1],
      colormap='viridis',
      title=f'Σ|Wᵢ| after {step:,} steps\nhere {least:.2f} to {most:.2f}',
    )
  chaos_maps.draw_endings(
    last,
    **_places(values, size),
    endings=found.last('ending'),
    title=f'how each run stands after {steps[-1]:,} steps\nrecovered: '
    f'SSE < {values["solved_sse"]:g} for {values["window"]} steps',
  )
  figure.suptitle(
    f'Gradient descent from symmetric failure (n = {values["num_features"]}), '
    f'{size} x {size} runs in {values["dtype"]}'
  )
  return figure


def draw_lyapunov(found: Runs) -> Figure:
  """Draws the exponent over the whole run, and the largest growth."""
  steps = found.values['num_steps']
  places = _places(found.values, found.values['lyapunov_size'])
  exponents = found.last('log_growth') / steps
  figure = Figure((13.2, 4.9), layout='constrained')
  left, middle, right = figure.subplots(1, 3)
  sizes = np.abs(exponents[~np.isnan(exponents)])
  most = float(np.quantile(sizes, 0.95)) if sizes.size else 0.0
  limit = 1e3 * (most or 1.0)
  chaos_maps.draw_field(
    left,
    **places,
    values=1e3 * exponents,
    low=-limit,
    high=limit,
    colormap='RdBu_r',
    title=f'Lyapunov exponent, 10⁻³ a step, over {steps:,} steps\n'
    'red: neighbouring runs part; lone dark dots: solved, on a kink',
  )
  rough, exact = (-np.log(np.finfo(dtype).eps) for dtype in DTYPES)
  bar = chaos_maps.draw_field(
    middle,
    **places,
    values=found.last('log_peak'),
    low=0.0,
    high=4 * rough,
    colormap='magma',
    title='ln of the largest growth of a difference before recovery;\na '
    f'rounding error fills all at {rough:.0f} (float32, cyan), {exact:.0f} '
    '(float64)',
  )
  bar.ax.axhline(rough, color='cyan')
  bar.ax.axhline(exact, color='lime')
  chaos_maps.draw_endings(
    right,
    **places,
    endings=found.last('ending'),
    title=f'how the same runs stand after {steps:,} steps',
  )
  return figure


def _places(values: Values, size: int) -> dict[str, np.ndarray]:
  whole = windows.whole(values, size)
  return {'learning_rates': whole.learning_rates, 'deltas': whole.deltas}


def draw_zooms(found: Sequence[Zoomed], num_levels: int) -> Figure:
  """Draws one chain of windows for each edge and precision, level by level."""
  size = (2.2 * (num_levels + 1), 2.45 * len(_SERIES) + 0.5)
  figure = Figure(size, layout='constrained')
  panels = figure.subplots(len(_SERIES), num_levels + 1, squeeze=False)
  for axes in panels.ravel():
    axes.set_axis_off()
  for (edge, dtype), row in zip(_SERIES, panels):
    for zoomed in found:
      window = zoomed.window
      is_own = window.edge in (edge, 'both') and window.chain == 0
      if zoomed.dtype != dtype or not is_own:
        continue
      rates = window.learning_rates
      place = f' at {rates.mean():.6g}' if zoomed.level else ''
      row[zoomed.level].set_axis_on()
      chaos_maps.draw_window(
        row[zoomed.level],
        recovered=zoomed.recovered,
        flipped=zoomed.recovered != zoomed.nudged,
        title=f'{rates[-1] - rates[0]:.2g} wide{place}',
      )
    row[0].set_ylabel(f'{edge} edge, {dtype}\nΔ', fontsize='small')
  figure.suptitle(
    'Closing in on both edges: learning rate across, Δ upwards. Blue '
    'recovers, grey does not;\norange: the label flips when one weight of the '
    'start is changed by one rounding error',
  )
  return figure


def draw_dimensions(zooms: Sequence[Row], dimensions: Iterable[Row]) -> Figure:
  """Draws dimension and label flips of each window against its width."""
  figure = Figure((11.0, 5.8), layout='constrained')
  left, right = figure.subplots(1, 2)
  pooled = {
    (row['edge'], row['dtype'], row['windows']): row
    for row in dimensions
    if row['method'] == 'box_dimension'
  }
  names = [f'{edge} edge, {dtype}' for edge, dtype in _SERIES]
  said = [_said(pooled[*s, 'all'], pooled[*s, 'resolved']) for s in _SERIES]
  labels = [f'{name}: {text}' for name, text in zip(names, said)]
  _draw_levels(left, zooms, labels, lambda row: row['box_dimension'])
  fast = windows_of(zooms, 'fast', *DTYPES)
  left.plot(
    [row['width'] for row in fast],
    [row['box_dimension_shuffled'] for row in fast],
    linestyle='none',
    marker='x',
    color='black',
    label='fast edge, labels shuffled within each column',
  )
  null = pooled['smooth null', 'float64', 'all']['estimate']
  label = f'smooth null: {_text(null)}'
  left.axhline(null.estimate, label=label, **_DASHED)
  left.set_ylim(0.8, 2.1)
  left.set_ylabel('box-counting dimension of the edge')
  left.set_title(
    'box-counting dimension, one mark a window; crosses: the same\n'
    'labels in random order, what pure noise of that density gives',
    fontsize=10,
  )
  _draw_levels(right, zooms, names, _flip_ratio)
  right.axhline(1.0, **_DASHED)
  right.set_ylim(-0.05, 1.5)
  right.set_ylabel('labels flipped / flipped if they were pure chance')
  right.set_title(
    'what one rounding error in the start does to the labels:\n'
    '0 nothing, 1 (dashed) all that chance could do; resolved: below .5',
    fontsize=10,
  )
  chaos_maps.legend_below(left)
  chaos_maps.legend_below(right)
  return figure


def _draw_levels(
  axes: Axes,
  zooms: Sequence[Row],
  labels: Sequence[str],
  measure: Callable[[Row], float],
) -> None:
  """Draws a number of each window below the whole map, edge by edge."""
  chosen = [windows_of(zooms, *series) for series in _SERIES]
  chaos_maps.draw_levels(
    axes,
    labels=labels,
    widths=[np.asarray([row['width'] for row in own]) for own in chosen],
    values=[np.asarray([measure(row) for row in own]) for own in chosen],
  )


def _flip_ratio(row: Row) -> float:
  """Returns flips over those of independent labels; NaN where none can flip."""
  chance = row['flips_by_chance']
  return row['flips_nudged'] / chance if chance else float('nan')


def _said(everywhere: Row, resolved: Row) -> str:
  """Says the dimension of an edge over all and over resolved windows."""
  if not everywhere['count']:
    return 'no window'
  if not resolved['count']:
    return f'{_text(everywhere["estimate"])}; no window resolved'
  return (
    f'{_text(resolved["estimate"])} in the {resolved["count"]} of '
    f'{everywhere["count"]} windows that are resolved'
  )


def _text(interval: Interval) -> str:
  return '{:.2f} [{:.2f}, {:.2f}]'.format(*interval)

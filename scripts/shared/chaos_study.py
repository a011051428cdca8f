"""What the chaos map runs, stage by stage: map, zooms, Lyapunov, variants.

settings --stages--> chaos_runs.compute --> arrays that the report reads
"""

from collections.abc import Callable, Iterator, Mapping
import itertools
import math
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import chaos_zoom
from scripts.shared.chaos_runs import VARIANT, Stage
from scripts.shared.chaos_zoom import Window
from scripts.shared.grids import text_of
from toyjax.analysis.chaos_endings import Ending

Compute = Callable[[Stage], dict[str, np.ndarray]]

DTYPES = ('float32', 'float64')
NUDGES = (0.0, 1.0)  # The start, and one that rounding could have made of it.


class Zoomed(NamedTuple):
  """One window of a chain, as training labels it.

  Attributes:
    level: 0 for the whole map.
    dtype: precision of the chain, whose labels choose the next window.
    window: where it lies.
    recovered: bool [H, W], SSE below the threshold at the end.
    nudged: bool [H, W], the same from a start nudged by one rounding.
    exact: bool [H, W], the same in float64; None for a chain of float64.
    total_norm: [H, W] Σ|W_i| at the end.
  """

  level: int
  dtype: str
  window: Window
  recovered: np.ndarray
  nudged: np.ndarray
  exact: np.ndarray | None
  total_norm: np.ndarray


def variant(settings: Mapping[str, Any]) -> dict[str, Any]:
  """Returns the variant of the map that is drawn and zoomed into."""
  return {name: settings[name] for name in (*VARIANT, 'keep_mirror')}


def map_stage(settings: Mapping[str, Any]) -> Stage:
  """Returns the map of --size x --size points."""
  window = chaos_zoom.whole(settings, settings['size'])
  return _stage('map', settings, settings['dtype'], [window], (0.0,))


def lyapunov_stage(settings: Mapping[str, Any]) -> Stage:
  """Returns the coarser map whose runs carry a tangent vector."""
  window = chaos_zoom.whole(settings, settings['lyapunov_size'])
  stage = _stage('lyapunov', settings, settings['dtype'], [window], (0.0,))
  return stage._replace(follow=True)


def scan_stages(settings: Mapping[str, Any]) -> Iterator[Stage]:
  """Yields a stage for each variant of what the source does not state."""
  rates = chaos_zoom.whole(settings, settings['scan_size']).learning_rates
  deltas, all_rates = np.meshgrid(settings['scan_deltas'], rates, indexing='ij')
  for reduction, separation, factor in itertools.product(
    settings['scan_loss_reductions'],
    settings['scan_separations'],
    settings['scan_norm_factors'],
  ):
    yield Stage(
      f'scan_{reduction}_{separation}_{text_of(factor)}',
      {
        'num_features': settings['num_features'],
        'separation': separation,
        'norm_factor': factor,
        'loss_reduction': reduction,
        'keep_mirror': False,
      },
      settings['dtype'],
      {
        'learning_rate': all_rates.ravel(),
        'delta': deltas.ravel(),
        'nudge': np.zeros(deltas.size),
      },
    )


def num_runs(settings: Mapping[str, Any]) -> list[int]:
  """Returns the runs of the map, the Lyapunov map and each scan, if not 0."""
  scans = math.prod(
    len(settings[name])
    for name in (
      'scan_loss_reductions',
      'scan_separations',
      'scan_norm_factors',
    )
  )
  rows = settings['scan_size'] * len(settings['scan_deltas'])
  sizes = [settings['size'] ** 2, settings['lyapunov_size'] ** 2]
  return [size for size in sizes + [rows] * scans if size]


def zoom_sizes(settings: Mapping[str, Any]) -> list[tuple[Stage, int]]:
  """Returns a stage for each precision, and the runs of all its zooms."""
  window = chaos_zoom.whole(settings, settings['zoom_size'])
  chains = len(chaos_zoom.EDGES) * settings['num_chains']
  num_windows = 1 + chains * settings['zoom_levels']
  if not settings['zoom_levels']:
    return []
  # Each window from two starts; those of float32 chains in float64 as well.
  repeats = {'float32': 2 * num_windows, 'float64': 3 * num_windows}
  size = settings['zoom_size'] ** 2
  return [
    (
      _stage(f'zooms_{dtype}', settings, dtype, [window], (0.0,)),
      repeats[dtype] * size,
    )
    for dtype in DTYPES
  ]


def run_zooms(compute: Compute, settings: Mapping[str, Any]) -> list[Zoomed]:
  """Follows the edges from the whole map down to the last level.

  Chains of float32 and of float64 each choose their own windows; those of
  float32 are also run in float64, and every window from a nudged start.
  """
  first = chaos_zoom.whole(settings, settings['zoom_size'])
  windows = {dtype: [first] for dtype in DTYPES}
  found: list[Zoomed] = []
  for level in range(settings['zoom_levels'] + 1):
    seen = _run_level(compute, settings, level, windows)
    found += seen
    windows = {dtype: [] for dtype in DTYPES}
    for zoomed in seen:
      place, mask = zoomed.window, zoomed.recovered
      if level == 0:
        windows[zoomed.dtype] += chaos_zoom.start(place, mask, settings)
      elif (following := chaos_zoom.closer(place, mask, settings)) is not None:
        windows[zoomed.dtype].append(following)
  return found


def run_null(settings: Mapping[str, Any]) -> list[tuple[int, np.ndarray]]:
  """Follows a smooth edge through the same windows: (level, mask) each."""
  window = chaos_zoom.whole(settings, settings['zoom_size'])
  mask = chaos_zoom.null_mask(window, settings)
  found = []
  windows = chaos_zoom.start(window, mask, settings, edges=('slow',))
  for level in range(1, settings['zoom_levels'] + 1):
    masks = [chaos_zoom.null_mask(window, settings) for window in windows]
    found += [(level, mask) for mask in masks]
    windows = [
      following
      for window, mask in zip(windows, masks)
      if (following := chaos_zoom.closer(window, mask, settings)) is not None
    ]
  return found


def _run_level(
  compute: Compute,
  settings: Mapping[str, Any],
  level: int,
  windows: Mapping[str, list[Window]],
) -> list[Zoomed]:
  """Runs the windows of one level, in one sweep for each precision."""
  size, height = settings['zoom_size'] ** 2, settings['zoom_size']
  images: dict[str, dict[str, np.ndarray]] = {}
  for dtype in DTYPES:
    own = windows[dtype]
    stage = _stage(f'zoom{level}_{dtype}', settings, dtype, own, NUDGES)
    if dtype == 'float64':
      extra = _stage('', settings, dtype, windows['float32'], (0.0,))
      stage = stage._replace(
        axes={
          name: np.concatenate([stage.axes[name], extra.axes[name]])
          for name in stage.axes
        }
      )
    if not stage.axes['delta'].size:
      continue
    results = compute(stage)
    images[dtype] = {
      name: results[name][:, -1].reshape(-1, height, height)
      for name in ('ending', 'total_norm')
    }
    assert len(images[dtype]['ending']) * size == len(stage.axes['delta'])
  found = []
  for dtype in DTYPES:
    for i, window in enumerate(windows[dtype]):
      recovered = images[dtype]['ending'] == Ending.RECOVERED
      exact = None
      if dtype == 'float32':
        offset = 2 * len(windows['float64']) + i
        exact = images['float64']['ending'][offset] == Ending.RECOVERED
      found.append(
        Zoomed(
          level,
          dtype,
          window,
          recovered[2 * i],
          recovered[2 * i + 1],
          exact,
          images[dtype]['total_norm'][2 * i],
        )
      )
  return found


def _stage(
  name: str,
  settings: Mapping[str, Any],
  dtype: str,
  windows: list[Window],
  nudges: tuple[float, ...],
) -> Stage:
  """Joins windows to one stage: window by window, nudge by nudge, by row."""
  empty = np.zeros(0)
  rates, deltas, nudged = [empty], [empty], [empty]
  for window, nudge in itertools.product(windows, nudges):
    window_rates, window_deltas = window.points
    rates.append(window_rates)
    deltas.append(window_deltas)
    nudged.append(np.full(len(window_rates), nudge))
  axes = {
    'learning_rate': np.concatenate(rates),
    'delta': np.concatenate(deltas),
    'nudge': np.concatenate(nudged),
  }
  return Stage(name, variant(settings), dtype, axes)

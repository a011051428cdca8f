"""What the chaos map runs, stage by stage: map, zooms, Lyapunov, variants.

values --known--> stages; --run_zooms--> windows, each level's from the last

Runs are points: a learning rate, a Δ and a nudge of the start each.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
import itertools
from typing import NamedTuple

import numpy as np

from toyjax import stages, store
from toyjax.analysis.chaos.endings import Ending
from toyjax.common_settings import DTYPES
from toyjax.runs import Runs
from toyjax.settings import Values, text_of
from toyjax.stages import Stage
from toyjax.studies.chaos_map import trial, windows
from toyjax.studies.chaos_map.settings import SIZES, VARIANT
from toyjax.studies.chaos_map.windows import EDGES, Window

Compute = Callable[[Stage], Runs]

NUDGES = (0.0, 1.0)  # The start, and one that rounding could have made of it.
_FEW_PIXELS = 64


class Zoomed(NamedTuple):
  """One window of a chain, as training labels it.

  Attributes:
    level: 0 for the whole map.
    dtype: precision of the chain, whose labels choose the next window.
    window: where it lies.
    recovered: bool [H, W], SSE below the threshold at the end.
    nudged: bool [H, W], the same from a start nudged by one rounding.
    exact: bool [H, W], the same in float64; None for a chain of float64.
  """

  level: int
  dtype: str
  window: Window
  recovered: np.ndarray
  nudged: np.ndarray
  exact: np.ndarray | None


def known(values: Values) -> Iterator[Stage]:
  """Yields the stages whose runs are known in advance: all but the zooms.

  The map; a coarser one whose runs carry a tangent vector; a scan for each
  variant of what the source does not state.
  """
  yield _stage('map', values, [(windows.whole(values, values['size']), 0.0)])
  if size := values['lyapunov_size']:
    window = windows.whole(values, size)
    yield _stage('lyapunov', {**values, 'is_followed': True}, [(window, 0.0)])
  if not values['scan_size']:
    return
  window = windows.whole(values, values['scan_size'])
  window = window._replace(deltas=np.asarray(values['scan_deltas']))
  for reduction, separation, factor in itertools.product(
    values['scan_loss_reductions'],
    values['scan_separations'],
    values['scan_norm_factors'],
  ):
    variant = {
      'separation': separation,
      'norm_factor': factor,
      'loss_reduction': reduction,
      'keep_mirror': False,
    }
    name = f'scan_{reduction}_{separation}_{text_of(factor)}'
    yield _stage(name, {**values, **variant}, [(window, 0.0)])


def num_runs(values: Values) -> dict[str, int]:
  """Returns the runs of the map, of the Lyapunov map and of each scan."""
  return {
    'map': values['size'] ** 2,
    'lyapunov': values['lyapunov_size'] ** 2,
    'scan': values['scan_size'] * len(values['scan_deltas']),
  }


def forecast(values: Values) -> Iterator[tuple[Stage, int]]:
  """Yields all stages, as far as they tell the speed, and their runs.

  Of a large map a smaller one does; all zooms of a precision are one stage.
  """
  numbers = num_runs(values)
  few = {name: min(values[name], _FEW_PIXELS) for name in SIZES}
  for stage in known({**values, **few}):
    yield stage, numbers[stage.name.split('_')[0]]
  if values['zoom_levels']:
    window = windows.whole(values, values['zoom_size'])
    chains = len(EDGES) * values['num_chains']
    pixels = values['zoom_size'] ** 2 * (1 + chains * values['zoom_levels'])
    # Each window from two starts; those of float32 chains in float64 as well.
    for dtype, repeats in zip(DTYPES, (2, 3)):
      own = {**values, 'dtype': dtype}
      yield _stage(f'zooms_{dtype}', own, [(window, 0.0)]), repeats * pixels


def run_zooms(compute: Compute, values: Values) -> list[Zoomed]:
  """Follows the edges from the whole map down to the last level.

  Chains of float32 and of float64 each choose their own windows; those of
  float32 are also run in float64, and every window from a nudged start.
  """
  first = windows.whole(values, values['zoom_size'])
  chosen = {dtype: [first] for dtype in DTYPES}
  found: list[Zoomed] = []
  for level in range(values['zoom_levels'] + 1):
    seen = list(_run_level(compute, values, level, chosen))
    found += seen
    for dtype in DTYPES:
      own = [(z.window, z.recovered) for z in seen if z.dtype == dtype]
      chosen[dtype] = list(windows.following(own, values))
  return found


def run_null(values: Values) -> Iterator[tuple[int, np.ndarray]]:
  """Follows a smooth edge through the same windows: (level, mask) each."""
  chosen = [windows.whole(values, values['zoom_size'])]
  for level in range(values['zoom_levels'] + 1):
    seen = [(window, windows.null_mask(window, values)) for window in chosen]
    if level:
      yield from ((level, mask) for _, mask in seen)
    chosen = list(windows.following(seen, values, edges=('slow',)))


def _run_level(
  compute: Compute,
  values: Values,
  level: int,
  chosen: Mapping[str, Sequence[Window]],
) -> Iterator[Zoomed]:
  """Runs the windows of one level, in one sweep for each precision."""
  images = {d: list(itertools.product(chosen[d], NUDGES)) for d in DTYPES}
  images['float64'] += [(window, 0.0) for window in chosen['float32']]
  recovered = {}
  for dtype, own in images.items():
    if own:
      values = {**values, 'dtype': dtype}
      found = compute(_stage(f'zoom{level}_{dtype}', values, own))
      endings = found.last('ending')
      shape = (len(own), values['zoom_size'], -1)
      recovered[dtype] = endings.reshape(shape) == Ending.RECOVERED
  for dtype in DTYPES:
    for i, window in enumerate(chosen[dtype]):
      exact = None
      if dtype == 'float32':
        exact = recovered['float64'][2 * len(chosen['float64']) + i]
      start, nudged = recovered[dtype][2 * i : 2 * i + 2]
      yield Zoomed(level, dtype, window, start, nudged, exact)


def _stage(
  name: str, values: Values, images: Sequence[tuple[Window, float]]
) -> Stage:
  """Joins windows, each with a nudge, to one stage, row by row."""
  parts = []
  for window, nudge in images:
    deltas, rates = np.meshgrid(
      window.deltas, window.learning_rates, indexing='ij'
    )
    nudges = np.full(deltas.size, nudge)
    parts.append((rates.ravel(), deltas.ravel(), nudges))
  axes = dict(
    zip(('learning_rate', 'delta', 'nudge'), map(np.concatenate, zip(*parts)))
  )
  steps = values['observe_steps']
  values = {'is_followed': False, **values, 'num_steps': steps[-1]}
  return Stage(
    name=name,
    values=values,
    static={name: values[name] for name in (*VARIANT, 'keep_mirror')},
    axes=axes,
    make_trial=trial.make_trial,
    variables=trial.variables(values),
    coordinates={'step': store.Coordinate('step', np.asarray(steps))},
    attrs={'solved_sse': values['solved_sse']},
    summarize=stages.counter(Ending, 'ending'),
    make_xs=lambda finished, num_seeds: {
      name: places.astype(values['dtype']) for name, places in axes.items()
    },
    shorten=trial.shorten,
  )

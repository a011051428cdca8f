"""valleys.png: unsolved runs, and the floors of the valleys they follow."""

from collections.abc import Sequence
import pathlib

import matplotlib.figure
import numpy as np

from scripts.shared.certified_report import Certified
from toyjax.analysis import catalogue, settling, valleys
from toyjax.analysis.certificates import Verdict
from toyjax.plots import valley_floors

_KINDS = {
  Verdict.RUNAWAY: ('fails for good: creeps along the valley', '#D55E00', 'o'),
  Verdict.GLOBAL_MINIMUM: ('on its way to SSE 0', '#0072B2', '^'),
  Verdict.SADDLE: ('at a saddle', '#CC79A7', 's'),
  Verdict.FLAT: ('on a flat', '#009E73', 'D'),
  Verdict.LOCAL_MINIMUM: ('in a local minimum', '#E69F00', 'v'),
  Verdict.UNRESOLVED: ('unresolved', '#000000', 'x'),
}
_SOLVED_SSE = 1e-2  # Below this there is nothing to explain.
_NUM_NORMS = 40


def draw_valleys(
  path: pathlib.Path, found: Sequence[Certified], step: int
) -> bool:
  """Draws the unsolved runs, one panel for each configuration that has any.

  Returns:
    Whether there was anything to draw.
  """
  unsolved = [
    configuration
    for configuration in found
    if np.any(configuration.found['start_sse'] > _SOLVED_SSE)
  ]
  if not unsolved:
    return False
  num_columns = min(len(unsolved), 3)
  num_rows = -(-len(unsolved) // num_columns)
  figure = matplotlib.figure.Figure((5.2 * num_columns, 5.6 * num_rows))
  panels = figure.subplots(num_rows, num_columns, squeeze=False).ravel()
  for axes, configuration in zip(panels, unsolved):
    _draw(axes, configuration)
  for axes in panels[len(unsolved) :]:
    axes.set_axis_off()
  figure.suptitle(
    f'Runs not solved after {step:,} steps: as trained (dots), and the floors '
    'of the valleys F falls along while norms grow (curves)',
    fontsize='medium',
  )
  figure.tight_layout()
  figure.savefig(path, dpi=160, bbox_inches='tight')
  return True


def _draw(axes, configuration: Certified) -> None:
  found = configuration.found
  unsolved = found['start_sse'] > _SOLVED_SSE
  runs = []
  for verdict, (label, color, marker) in _KINDS.items():
    own = unsolved & (found['verdict'] == verdict)
    if own.any():
      runs.append(
        valley_floors.Runs(
          f'{label}: {own.sum():,} of {len(own):,}',
          configuration.norms[own],
          found['start_sse'][own],
          color,
          marker,
        )
      )
  floors = []
  for number, entry in catalogue.FANS.items():
    own = unsolved & (found['entry'] == entry)
    if own.any():
      floors.append(
        floor(configuration.num_features, number, configuration.norms[own])
      )
  valley_floors.draw_floors(axes, runs=runs, floors=floors)
  axes.set_title(
    f'{configuration.label} ({unsolved.sum():,} of {len(unsolved):,} runs)',
    fontsize='medium',
  )


def floor(
  num_features: int, num_weak: int, norms: np.ndarray
) -> valley_floors.Floor:
  """Returns the floor, from the least norm of its runs to beyond the last."""
  at = np.geomspace(norms.min(), 3.0 * norms.max(), _NUM_NORMS)
  found = catalogue.relax_fan(
    at,
    num_features=num_features,
    num_weak=num_weak,
    tolerance=settling.SETTINGS.gradient_tolerance,
    max_steps=settling.SETTINGS.num_relax,
  )
  label = 'floor of the valley' + (f', {num_weak} weak rows' * (num_weak > 1))
  return valley_floors.Floor(
    label,
    at,
    found.sse,
    valleys.infimum(num_weak=num_weak),
  )

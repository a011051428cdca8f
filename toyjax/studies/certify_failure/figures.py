"""valleys.png: unsolved runs, and the floors of the valleys they follow."""

from collections.abc import Sequence

import matplotlib.figure
import numpy as np

from toyjax.analysis.autoencoder import catalogue, settling
from toyjax.analysis.autoencoder.certificates import Verdict
from toyjax.analysis.autoencoder.valleys import infimum
from toyjax.plots import palette, sheets
from toyjax.plots.latent import valley_floors
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs

_KINDS = {
  Verdict.RUNAWAY: (
    'fails for good: creeps along the valley',
    palette.VERMILION,
    'o',
  ),
  Verdict.GLOBAL_MINIMUM: ('on its way to SSE 0', palette.BLUE, '^'),
  Verdict.SADDLE: ('at a saddle', palette.PURPLE, 's'),
  Verdict.FLAT: ('on a flat', palette.GREEN, 'D'),
  Verdict.LOCAL_MINIMUM: ('in a local minimum', palette.ORANGE, 'v'),
  Verdict.UNRESOLVED: ('unresolved', palette.BLACK, 'x'),
}
_SOLVED_SSE = 1e-2  # Below this there is nothing to explain.
_NUM_NORMS = 40


def valleys(found: Sequence[Runs], step: int) -> list[Sheet]:
  """Returns the sheet of the unsolved runs, none where all are solved."""
  unsolved = [runs for runs in found if _is_unsolved(runs).any()]

  def draw() -> matplotlib.figure.Figure:
    figure, panels = sheets.panels(
      len(unsolved),
      f'Runs not solved after {step:,} steps: as trained (dots), and the '
      'floors of the valleys F falls along while norms grow (curves)',
      most=len(unsolved),
      columns=3,
      width=5.2,
      height=5.6,
    )
    for axes, runs in zip(panels, unsolved):
      _draw(axes, runs)
    return figure

  return [Sheet('valleys', draw)] if unsolved else []


def _is_unsolved(runs: Runs) -> np.ndarray:
  return runs.data['start_sse'] > _SOLVED_SSE


def _draw(axes, runs: Runs) -> None:
  """Draws the unsolved runs of one configuration, a panel."""
  data, unsolved = runs.data, _is_unsolved(runs)
  dots = []
  for verdict, (label, color, marker) in _KINDS.items():
    own = unsolved & (data['verdict'] == verdict)
    if own.any():
      dots.append(
        valley_floors.Runs(
          f'{label}: {own.sum():,} of {len(own):,}',
          data['norm'][own],
          data['start_sse'][own],
          color,
          marker,
        )
      )
  valley_floors.draw_floors(
    axes,
    runs=dots,
    floors=floors(
      runs.values['num_features'],
      data['entry'][unsolved],
      data['norm'][unsolved],
    ),
  )
  axes.set_title(
    f'{runs.label} ({unsolved.sum():,} of {len(unsolved):,} runs)',
  )


def floors(
  num_features: int, entries: np.ndarray, norms: np.ndarray
) -> list[valley_floors.Floor]:
  """Returns the floors of the valleys that some runs are in.

  Args:
    num_features: n.
    entries: [S] codes of `catalogue.Entry`.
    norms: [S, ...] |W|_F; a floor goes from the least of its runs to beyond the
      last.
  """
  found = []
  for num_weak, entry in catalogue.FANS.items():
    own = norms[entries == entry]
    if not len(own):
      continue
    at = np.geomspace(own.min(), 3.0 * own.max(), _NUM_NORMS)
    floor = catalogue.relax_fan(
      at,
      num_features=num_features,
      num_weak=num_weak,
      tolerance=settling.SETTINGS.gradient_tolerance,
      max_steps=settling.SETTINGS.num_relax,
    )
    label = 'floor of the valley' + f', {num_weak} weak rows' * (num_weak > 1)
    limit = infimum(num_weak=num_weak)
    found.append(valley_floors.Floor(label, at, floor.sse, limit))
  return found

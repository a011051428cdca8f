"""A net of each outcome in the latent plane, m = 2, the typical one."""

from collections.abc import Sequence

from matplotlib.figure import Figure
import numpy as np

from toyjax.plots import sheets
from toyjax.plots.latent import latent_plane
from toyjax.roles import Outcome, Role
from toyjax.runs import Runs


def draw_typical_nets(
  found: Sequence[Runs], outcomes: type[Outcome], *, title: str, most: int
) -> Figure:
  """Draws a panel for each outcome that occurs, but for what diverged.

  The net is that of the median loss among those of the outcome at the last
  step, in the configuration where the outcome is commonest.

  Args:
    found: configurations with arrays outcome [S, K], weights [S, K, 2, N], bias
      [S, K, N] and loss [S].
    outcomes: of the codes.
    title: above all.
    most: panels, in the order of the outcomes.
  """
  chosen = []
  for kind in outcomes:
    runs = max(found, key=lambda runs: np.mean(runs.last('outcome') == kind))
    members = np.flatnonzero(runs.last('outcome') == kind)
    if len(members) and kind.role is not Role.DIVERGED:
      ranked = members[np.argsort(runs.data['loss'][members])]
      chosen.append((kind, runs, ranked[len(ranked) // 2], len(members)))
  figure, axes = sheets.panels(
    len(chosen), title, most=most, columns=5, width=2.6, height=3.0
  )
  for own, (kind, runs, member, number) in zip(axes, chosen):
    weights = runs.last('weights')[member]
    latent_plane.draw_latent_plane(
      own,
      weights=weights,
      bias=runs.last('bias')[member],
      view=latent_plane.view_of(weights, margin=1.3),
      compact=True,
    )
    name = kind.name.lower().replace('_', ' ')
    own.set_title(
      f'{name}\n{number} of {runs.num_runs}: {runs.label}', fontsize='small'
    )
  return figure

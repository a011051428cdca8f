"""The picture of one net of one variable.

Trained --draw--> net, target, kinks, polynomial; below, what they leave
"""

from matplotlib.figure import Figure

from toyjax.analysis.nets.region_errors import Surrogate
from toyjax.plots.nets import piecewise_line
from toyjax.studies.walk_sqrt.net import Trained


def draw(trained: Trained, surrogate: Surrogate) -> Figure:
  """Draws net, target, kinks and surrogate, and below what is left."""
  values, pieces = trained.values, len(trained.regions)
  figure = Figure((7.5, 6.5), layout='constrained')
  upper, lower = figure.subplots(
    2, 1, sharex=True, gridspec_kw={'height_ratios': (2.4, 1.0)}
  )
  piecewise_line.draw_net(
    upper,
    regions=trained.parts,
    target=trained.target_values,
    target_label=f'target {trained.target}',
    surrogate=surrogate.polynomial,
    surrogate_label=f'polynomial of degree {values["surrogate_degree"]} '
    'nearest to the net',
  )
  piecewise_line.draw_errors(
    lower,
    regions=trained.parts,
    target=trained.target_values,
    surrogate=surrogate.polynomial,
  )
  upper.set_title(
    f'Net {trained.shape}, seed {values["seed"]}, '
    f'index {values["seed_index"]}: '
    f'{trained.outcome.name.lower().replace("_", " ")}, root mean squared '
    f'error {trained.last("rmse"):.4f}, {pieces} straight '
    f'{"piece" if pieces == 1 else "pieces"}\n'
    'tick: where a unit switches (2.1 is the first of layer 2), grey if the '
    'answer does not bend',
  )
  return figure

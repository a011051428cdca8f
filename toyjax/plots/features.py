"""Recovered features and dead latents: means over runs with intervals."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
import numpy as np

from toyjax import statistics
from toyjax.analysis.features import dead_latents, matching
from toyjax.plots import rates
from toyjax.plots.palette import BLACK

# Room above for the legend.
_LIMITS = -0.03, 1.2


def draw_recovered(axes: Axes, recovered: Mapping[str, np.ndarray]) -> None:
  """Draws which share of features is recovered, by octaves of their rank.

  Args:
    axes: where to draw.
    recovered: name of an arm -> bool [S, N], the most frequent feature first.
  """
  bins = matching.octaves(next(iter(recovered.values())).shape[1])
  for place, (name, hits) in enumerate(recovered.items()):
    own = [hits[:, low - 1 : high].mean(axis=1) for low, high in bins]
    rates.draw_intervals(
      axes,
      x=range(len(bins)),
      intervals=[statistics.mean(each) for each in own],
      label=name,
      place=place,
    )
  axes.set_xticks(
    range(len(bins)), [f'{a}' if a == b else f'{a}-{b}' for a, b in bins]
  )
  axes.set_ylim(*_LIMITS)
  axes.set_xlabel('rank of the feature, most frequent first')
  axes.set_ylabel('share recovered')
  axes.legend(fontsize='small', ncols=2, loc='upper center')


def draw_dead(
  axes: Axes, *, steps: Sequence[int], dead: Mapping[str, np.ndarray]
) -> None:
  """Draws which share of latents is dead, over steps.

  Args:
    axes: where to draw.
    steps: [T], drawn at even distances.
    dead: name of an arm -> share [S, T] of the latents of each run.
  """
  for place, (name, share) in enumerate(dead.items()):
    rates.draw_intervals(
      axes,
      x=range(len(steps)),
      intervals=[statistics.mean(each) for each in share.T],
      label=name,
      place=place,
    )
  axes.set_xticks(range(len(steps)), [f'{step:,}' for step in steps])
  axes.set_ylim(*_LIMITS)
  axes.set_xlabel('step')
  axes.set_ylabel('share of latents dead')
  axes.legend(fontsize='small', ncols=2, loc='upper center')


def draw_dead_at_start(
  axes: Axes,
  *,
  gammas: Mapping[str, Sequence[float]],
  shares: Mapping[str, Sequence[tuple[float, float, float]]],
  num_inputs: int,
  frequency: float,
) -> None:
  """Draws which share is dead before training, and its closed form, over γ.

  Args:
    axes: where to draw.
    gammas: name of a series -> γ of its points.
    shares: name -> their (share, lower, upper).
    num_inputs: D of the closed form.
    frequency: below which a latent is dead.
  """
  grid = np.geomspace(0.01, 100.0, 300)
  curve = [
    dead_latents.share_dead_isotropic(each, num_inputs, frequency=frequency)
    for each in grid
  ]
  axes.plot(grid, curve, color=BLACK, label='Gaussian, from γ alone')
  for marker, (name, own) in zip('osDPvx', shares.items()):
    middle, low, high = np.asarray(own).T
    axes.errorbar(
      gammas[name],
      middle,
      yerr=np.maximum([middle - low, high - middle], 0.0),
      fmt=marker,
      markersize=5,
      fillstyle='none',
      label=name,
    )
  axes.set_xscale('log')
  axes.set_ylim(-0.02, 0.62)
  axes.set_xlabel('γ = |E x - b_d| / √(tr Cov x)')
  axes.set_ylabel('share of latents dead')
  axes.grid(alpha=0.25)
  axes.legend(fontsize='small', loc='upper left')

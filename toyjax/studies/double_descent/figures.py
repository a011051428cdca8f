"""Vectors in the plane at several T, and what changes with T."""

from collections.abc import Sequence

from matplotlib.figure import Figure
import numpy as np

from toyjax.analysis.autoencoder.memorising import EXPLAINED, Regime
from toyjax.plots import palette, rates, sheets
from toyjax.plots.latent.vectors import draw_vectors
from toyjax.runs import Runs
from toyjax.tables import Share, Table

_MOST = 8  # Numbers of samples in one picture.
_PLAIN = palette.BLUE, palette.VERMILION  # Samples, features.


def draw_planes(found: Sequence[Runs]) -> Figure:
  """Draws W x_t above and W_i below, of each T's run of the lowest loss."""
  chosen = found[:_MOST]
  figure, grid = sheets.panels(
    2 * len(chosen),
    'Blue: sample vectors $W x_t$; red: feature vectors $W_i$, of the run of '
    'the lowest loss for each number T of samples',
    most=2 * _MOST,
    columns=len(chosen),
    width=2.2,
    height=2.4,
  )
  for place, runs in enumerate(chosen):
    run = int(np.argmin(np.nan_to_num(runs.data['loss'], nan=np.inf)))
    for row, name in enumerate(('hidden_vectors', 'weights')):
      axes, vectors = grid[place + row * len(chosen)], runs.data[name][run]
      # The longest of many vectors are seen, and the rest are a heap.
      longest = np.argsort(-np.linalg.norm(vectors, axis=0))[:400]
      draw_vectors(
        axes,
        vectors=vectors[:, longest],
        reach=1.15 * max(1.0, float(np.abs(vectors).max())),
        named_from=np.inf,
        colors=[_PLAIN[row]] * len(longest),
      )
      axes.tick_params(labelsize=7)
    kind = Regime(int(runs.data['outcome'][run])).name.lower()
    grid[place].set_title(
      f'T = {runs.configuration["num_samples"]:,}: {kind}', fontsize=9
    )
  return figure


def draw_curves(found: Sequence[Runs], losses: Table) -> Figure:
  """Draws losses, shares of regimes and lengths of vectors against T."""
  figure, grid = sheets.panels(
    4,
    f'{found[0].num_runs} seeds for each number T of samples, the same samples '
    'for all',
    most=4,
    columns=4,
    width=3.7,
    height=3.5,
  )
  sizes = [runs.configuration['num_samples'] for runs in found]
  rows = [row for row in losses.rows if row['num_samples'] in sizes]
  rows = rows[: len(sizes)]
  own, fresh, shares, lengths = grid
  for axes, name, null, title in (
    (own, 'loss', 'null_loss', 'loss of the samples, by seed'),
    (fresh, 'fresh_loss', 'fresh_null_loss', 'loss of fresh samples, by seed'),
  ):
    for size, runs in zip(sizes, found):
      axes.plot(
        np.full(runs.num_runs, size), runs.data[name], '.', color=palette.BLUE
      )
    axes.plot(
      sizes, [row[null] for row in rows], color='black', label='a constant'
    )
    axes.set_title(title)
    axes.legend()
  fresh.set_yscale('log')
  own.set_ylabel('|y - x|² a sample')
  for place, (kind, text) in enumerate(
    {
      Regime.SAMPLES: 'a regular T-gon of samples',
      Regime.FEATURES: f'{EXPLAINED:g} feature explained',
    }.items()
  ):
    rates.draw_intervals(
      shares,
      x=sizes,
      intervals=[
        Share(int(np.sum(r.data['outcome'] == kind)), r.num_runs).interval
        for r in found
      ],
      label=text,
      place=place,
    )
  rates.draw_intervals(
    shares,
    x=sizes,
    intervals=[row['near'].interval for row in rows],
    label='near the lowest loss',
    place=2,
  )
  shares.set_title('share of runs')
  shares.set_ylim(-0.03, 1.03)
  shares.legend(fontsize=8)
  for name, text in (
    ('median_length', 'sample vectors, median'),
    ('longest', 'sample vectors, longest'),
  ):
    lengths.plot(sizes, [row[name] for row in rows], 'o-', label=text)
  lengths.set_title('length of vectors')
  lengths.legend(fontsize=8)
  for axes in grid:
    axes.set_xscale('log')
    axes.set_xlabel('samples T')
  return figure

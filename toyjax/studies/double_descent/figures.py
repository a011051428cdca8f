"""Vectors in the plane at several T, and what changes with T."""

from collections.abc import Sequence

from matplotlib.figure import Figure
import numpy as np

from toyjax.analysis.autoencoder.memorising import EXPLAINED, Regime
from toyjax.plots import palette, rates, sheets
from toyjax.plots.latent.vectors import draw_vectors
from toyjax.runs import Runs
from toyjax.tables import Share, Table

_MOST = 6  # Numbers of samples in one picture.
_PLAIN = palette.BLUE, palette.VERMILION  # Samples, features.


def draw_planes(found: Sequence[Runs]) -> Figure:
  """Draws W x_t above and W_i below, of each T's run of the lowest loss."""
  places = np.linspace(0, len(found) - 1, min(_MOST, len(found)))
  chosen = [found[place] for place in places.round().astype(int)]
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
      longest = np.argsort(-np.linalg.norm(vectors, axis=0))[:100]
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
  """Draws losses, shares of runs and lengths of vectors against T."""
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
  rows = losses.rows[: len(sizes)]  # The first setting, in the order of T.
  *both, shares, lengths = grid
  for axes, part in zip(both, ('', 'fresh_')):
    for size, runs in zip(sizes, found):
      each = runs.data[f'{part}loss']
      axes.plot(np.full(len(each), size), each, '.', color=palette.BLUE)
    axes.plot(
      *(sizes, [row[f'{part}null_loss'] for row in rows]),
      color='black',
      label='a constant',
    )
    axes.set_title(f'loss of {"fresh" if part else "the"} samples, by seed')
    axes.set_ylabel('|y - x|² a sample')
    axes.legend()
  kinds = {
    'a regular T-gon of samples': Regime.SAMPLES,
    f'{EXPLAINED:g} feature explained': Regime.FEATURES,
  }
  counted: dict[str, list[Share]] = {
    text: [
      Share(int(np.sum(r.data['outcome'] == kind)), r.num_runs) for r in found
    ]
    for text, kind in kinds.items()
  }
  counted['near the lowest loss'] = [row['near'] for row in rows]
  for place, (text, own) in enumerate(counted.items()):
    intervals = [share.interval for share in own]
    rates.draw_intervals(
      shares, x=sizes, intervals=intervals, label=text, place=place
    )
  shares.set_title('share of runs')
  shares.set_ylim(-0.03, 1.35)
  shares.legend(fontsize=8, loc='upper left')
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

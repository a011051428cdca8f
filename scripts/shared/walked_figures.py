"""Figures of one tiny text net: its argmax map, and how long its texts are."""

from collections.abc import Sequence
import pathlib

from absl import flags
import matplotlib.figure

from scripts.shared import walked_net
from toyjax.analysis import argmax_map as zones_of
from toyjax.plots import argmax_map, text_lengths

flags.disclaim_key_flags()

_DPI = 120
_NUM_COLUMNS = 5  # Of the legend.
_MARGIN = 0.3  # Room for the words' names.


def draw_map(
  path: pathlib.Path, trained: walked_net.Trained, *, title: str
) -> None:
  """Draws who answers what in the plane, and how the words came there.

  Args:
    path: of the picture.
    trained: a net with a two-dimensional embedding, all its numbers finite.
    title: of the picture.
  """
  vocabulary = trained.words.vocabulary
  places = trained.embeddings[-1]
  now = {name: values[-1] for name, values in trained.labels.items()}
  window = argmax_map.window_of(places, margin=_MARGIN)
  cells = zones_of.linear_cells(trained.params, window=window)
  zones = zones_of.argmax_zones(cells)
  answers = [
    *(zone.answer for zone in zones),
    *trained.labels['predictions'].ravel().tolist(),
  ]
  handles = argmax_map.legend_handles(
    vocabulary, answers, with_ties=any(zone.tied for zone in zones)
  )
  below = 0.85 + 0.19 * -(-len(handles) // _NUM_COLUMNS)  # Inches.
  height = 6.2 + below
  figure = matplotlib.figure.Figure((13.2, height))
  left, right = figure.subplots(1, 2)
  figure.subplots_adjust(
    left=0.055,
    right=0.99,
    bottom=below / height,
    top=1.0 - 1.05 / height,
    wspace=0.14,
  )
  argmax_map.draw_zones(
    left, cells=cells, zones=zones, num_words=len(vocabulary), window=window
  )
  argmax_map.draw_words(
    left,
    places=places,
    vocabulary=vocabulary,
    predictions=now['predictions'],
    tied=now['tied'],
    wanted={token: trained.outputs(token) for token in trained.inputs},
  )
  unnamed = len(vocabulary) > argmax_map.MAX_NAMES
  left.set_title(
    'What is answered where: a word stands at its embedding'
    + f'\n({len(vocabulary)} words are too many to be named)' * unnamed,
    fontsize=11,
  )
  argmax_map.set_window(
    right, argmax_map.window_of(trained.embeddings, margin=0.12)
  )
  argmax_map.draw_paths(
    right,
    places=trained.embeddings,
    predictions=trained.labels['predictions'],
    vocabulary=vocabulary,
  )
  step = trained.epochs[1]
  every = 'epoch' if step == 1 else f'{step} epochs'
  right.set_title(
    'How the words came there: from the rings, a dot every '
    f'{every},\nin the colour of the answer at that time',
    fontsize=11,
  )
  figure.legend(
    handles=handles,
    loc='lower center',
    ncols=_NUM_COLUMNS,
    frameon=False,
    fontsize=9,
  )
  figure.suptitle(title, fontsize=11, y=0.97)
  figure.savefig(path, dpi=_DPI)


def draw_lengths(
  path: pathlib.Path,
  found: Sequence[walked_net.Sampled],
  *,
  num_samples: int,
  title: str,
) -> None:
  """Draws the distribution of lengths, a panel for each temperature."""
  num_columns = min(len(found), 3)
  num_rows = -(-len(found) // num_columns)
  figure = matplotlib.figure.Figure(
    (max(4.2 * num_columns, 7.0), 0.9 + 3.2 * num_rows), layout='constrained'
  )
  grid = figure.subplots(
    num_rows, num_columns, sharey=True, squeeze=False
  ).ravel()
  for axes, each in zip(grid, found):
    text_lengths.draw_lengths(
      axes,
      exact=each.exact_lengths,
      counts=each.length_counts,
      num_samples=num_samples,
    )
    axes.set_title(f'temperature {each.temperature:g}', fontsize=10)
  for axes in grid[len(found) :]:
    axes.remove()
  for axes in grid[::num_columns]:
    axes.set_ylabel('share of texts')
  grid[0].legend(frameon=False, fontsize=9)
  figure.suptitle(title, fontsize=11)
  figure.savefig(path, dpi=_DPI)

"""Sheets of one tiny text net: its argmax map, and how long its texts are."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from toyjax.analysis.nets import argmax_map as zones_of
from toyjax.plots import sheets
from toyjax.plots.changepoint import text_lengths
from toyjax.plots.nets import argmax_map
from toyjax.plots.sheets import Sheet
from toyjax.plots.texts import LINE, NAME, WORD, literal, shorten
from toyjax.studies.text_failure.settings import start_of
from toyjax.studies.walk_text.net import Sampled, Trained

_DPI = 120
_NUM_COLUMNS = 5  # Of the legend.
_MARGIN = 0.3  # Room for the words' names.


def plane(trained: Trained) -> Sheet:
  """Returns who answers what in the plane, and how the words came there.

  Args:
    trained: a net with a two-dimensional embedding, all its numbers finite.
  """
  return Sheet('map', lambda: _draw_plane(trained), False, _DPI)


def _draw_plane(trained: Trained) -> Figure:
  vocabulary, places = trained.words.vocabulary, trained.embeddings[-1]
  predictions = trained.run.data['predictions'][0]
  window = argmax_map.window_of(places, margin=_MARGIN)
  cells = zones_of.linear_cells(trained.params, window=window)
  zones = zones_of.argmax_zones(cells)
  handles = argmax_map.legend_handles(
    vocabulary,
    [*(zone.answer for zone in zones), *predictions.ravel().tolist()],
    with_ties=any(zone.tied for zone in zones),
  )
  below = 0.85 + 0.19 * -(-len(handles) // _NUM_COLUMNS)  # Inches.
  height = 6.2 + below
  figure = Figure((13.2, height))
  left, right = figure.subplots(1, 2)
  # Names are put where there is room, so that panels have their place by now.
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
    predictions=predictions[-1],
    tied=trained.last('tied'),
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
    predictions=predictions,
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
    fontsize=9,
  )
  figure.suptitle(_state(trained), fontsize=11, y=0.97)
  return figure


def lengths(trained: Trained, found: Sequence[Sampled]) -> Sheet:
  """Returns the distribution of lengths, a panel for each temperature."""
  return Sheet('lengths', lambda: _draw_lengths(trained, found), False, _DPI)


def _draw_lengths(trained: Trained, found: Sequence[Sampled]) -> Figure:
  values = trained.values
  among = f', top {values["top_k"]}' if values['top_k'] else ''
  title = literal(
    f"Texts from '{shorten(start_of(values), WORD)}' to "
    f"'{shorten(values['end'], WORD)}'{among}",
    length=LINE,
  )
  columns = min(len(found), 3)
  figure, panels = sheets.panels(
    len(found),
    f'{title}\n{_state(trained)}',
    most=len(found),
    columns=columns,
    width=max(4.2, 7.0 / columns),
    sharey=True,
  )
  for axes, each in zip(panels, found):
    text_lengths.draw_lengths(
      axes,
      exact=each.exact_lengths,
      counts=each.length_counts,
      num_samples=values['num_samples'],
    )
    axes.set_title(f'temperature {each.temperature:g}', fontsize=10)
  for axes in panels[::columns]:
    axes.set_ylabel('share of texts')
  panels[0].legend(fontsize=9)
  return figure


def _state(trained: Trained) -> str:
  """Says which net it is, and what it has learned."""
  values, right = trained.values, trained.last('correct')
  state = (
    f'{literal(values["pairs"], length=NAME)}, seed {values["seed"]}, index '
    f'{values["seed_index"]}, after {trained.epochs[-1]} epochs: '
    f'{trained.outcome}, {right.sum()} of {len(right)} pairs right'
  )
  for layer, is_dead in enumerate(trained.last('dead_layers'), start=1):
    if is_dead:
      state += f'; hidden layer {layer} is off for all inputs'
  return state

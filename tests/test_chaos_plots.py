"""Pictures of the chaos map show the pixels they are given, where they lie."""

import matplotlib.figure
import numpy as np
import pytest

from toyjax.analysis.chaos.endings import Ending
from toyjax.plots.chaos import maps as chaos_maps

RATES, DELTAS = np.linspace(0.5, 3.0, 6), np.linspace(0.0, 0.2, 3)


@pytest.fixture
def axes():
  return matplotlib.figure.Figure().subplots()


def test_a_field_lies_where_its_pixels_are(axes):
  values = np.arange(18.0).reshape(3, 6)
  values[0, 0] = np.nan
  bar = chaos_maps.draw_field(
    axes,
    learning_rates=RATES,
    deltas=DELTAS,
    values=values,
    low=0.0,
    high=17.0,
    colormap='viridis',
    title='title',
  )
  image = bar.mappable
  # The centre of the first pixel is the first value.
  np.testing.assert_allclose(image.get_extent(), [0.25, 3.25, -0.05, 0.25])
  assert image.origin == 'lower'
  assert image.get_array().mask.sum() == 1
  assert axes.get_xlabel() == 'learning rate'


def test_endings_are_counted_in_the_legend(axes):
  endings = np.full((3, 6), Ending.RECOVERED)
  endings[0, :3] = Ending.LOST
  chaos_maps.draw_endings(
    axes,
    learning_rates=RATES,
    deltas=DELTAS,
    endings=endings,
    title='title',
  )
  labels = [text.get_text() for text in axes.get_legend().get_texts()]
  assert labels == ['recovered 83.3 %', 'lost (SSE near 1 or more) 16.7 %']
  colors = axes.images[0].to_rgba(axes.images[0].get_array())
  assert len(np.unique(colors.reshape(-1, 4), axis=0)) == 2
  everything = np.arange(18).reshape(3, 6) % len(Ending)
  chaos_maps.draw_endings(
    axes,
    learning_rates=RATES,
    deltas=DELTAS,
    endings=everything,
    title='title',
  )
  handles = axes.get_legend().legend_handles
  assert len({h.get_facecolor() for h in handles}) == len(Ending)


def test_a_window_shows_what_flips(axes):
  recovered = np.eye(4, dtype=bool)
  flipped = np.zeros((4, 4), bool)
  flipped[0] = True
  chaos_maps.draw_window(
    axes, recovered=recovered, flipped=flipped, title='title'
  )
  shown = np.asarray(axes.images[0].get_array())
  assert (shown[0] == 2).all()
  np.testing.assert_array_equal(shown[1:], recovered[1:])


def test_levels_go_deeper_to_the_right(axes):
  chaos_maps.draw_levels(
    axes,
    labels=['a', 'b'],
    widths=[np.asarray([1.0, 0.1]), np.asarray([0.1])],
    values=[np.asarray([1.0, 1.1]), np.asarray([1.5])],
  )
  left, right = axes.get_xlim()
  assert left > right
  assert len(axes.lines) == 2

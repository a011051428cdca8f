"""Maps of the embedding, and lengths of texts, show the numbers given."""

import matplotlib.figure
import numpy as np
import pytest

from toyjax.analysis.nets import argmax_map as regions
from toyjax.plots import point_labels
from toyjax.plots.changepoint import text_lengths
from toyjax.plots.latent.latent_plane import feature_colors
from toyjax.plots.nets import argmax_map

VOCABULARY = ('a', 'b', 'c')
# One unit, on where x > 0; there word 1 wins from x = 2 on, else word 0. Where
# it is off words 0 and 2 are tied.
PARAMS = [
  (np.asarray([[1.0, 0.0]]), np.zeros(1)),
  (np.asarray([[0.0], [1.0], [-1.0]]), np.asarray([2.0, 0.0, 2.0])),
]
PLACES = np.asarray([[-1.0, 0.0], [1.0, 0.5], [3.0, 0.0]])


@pytest.fixture
def axes():
  return matplotlib.figure.Figure((6.0, 6.0)).subplots()


@pytest.fixture
def window():
  return argmax_map.window_of(PLACES, margin=0.25)


def _draw_words(axes, window, **changes):
  argmax_map.set_window(axes, window)
  argmax_map.draw_words(
    axes,
    **{
      'places': PLACES,
      'vocabulary': VOCABULARY,
      'predictions': np.asarray([0, 0, 1]),
      'tied': np.asarray([True, False, False]),
      'wanted': {0: [2], 1: [0]},
      **changes,
    },
  )


def test_the_window_is_a_square_with_room_around_all_words(window):
  np.testing.assert_allclose(window[0], [-2.0, -2.75])
  np.testing.assert_allclose(window[2], [4.0, 3.25])
  one_place = argmax_map.window_of(np.zeros((3, 2)), margin=0.5)
  np.testing.assert_allclose(one_place[2], [1.0, 1.0])


def test_zones_are_polygons_in_the_colour_of_their_answer(axes, window):
  cells = regions.linear_cells(PARAMS, window=window)
  zones = regions.argmax_zones(cells)
  assert (len(cells), len(zones)) == (2, 3)
  argmax_map.draw_zones(
    axes, cells=cells, zones=zones, num_words=3, window=window
  )
  plain, tied, edges = axes.collections
  assert [len(drawn.get_paths()) for drawn in (plain, tied, edges)] == [2, 1, 2]
  colors = [matplotlib.colors.to_rgb(color) for color in feature_colors(3)]
  for drawn, answers in ((plain, [0, 1]), (tied, [0])):
    found = [tuple(color[:3]) for color in drawn.get_facecolors()]
    assert sorted(found) == sorted(colors[answer] for answer in answers)
  assert tied.get_hatch()
  assert not plain.get_hatch()
  corners = tied.get_paths()[0].vertices
  assert (corners[:, 0].min(), corners[:, 0].max()) == (-2.0, 0.0)
  assert axes.get_aspect() == 1.0


def test_words_stand_at_their_places_with_what_comes_after_them(axes, window):
  _draw_words(axes, window)
  assert [text.get_text() for text in axes.texts] == [
    'a → a (tie; not c)',
    'b → a',
    'c',
  ]
  assert [text.xy for text in axes.texts] == [tuple(p) for p in PLACES]
  assert {text.get_position()[1] for text in axes.texts} == {0.0}
  assert [line.get_marker() for line in axes.lines] == [
    argmax_map.WRONG,
    argmax_map.RIGHT,
    argmax_map.UNUSED,
  ]
  colors = feature_colors(3)
  assert [line.get_color() for line in axes.lines] == [
    *(colors[0], colors[0], colors[1])
  ]


def test_a_word_with_two_outputs_cannot_be_all_right(axes, window):
  _draw_words(axes, window, wanted={1: [0, 2]})
  assert axes.texts[1].get_text() == 'b → a (also c)'


def test_labels_of_words_side_by_side_do_not_overlap(axes, window):
  places = np.asarray([[1.0, 0.0], [1.05, 0.0], [1.0, 0.02]])
  _draw_words(axes, window, places=places)
  figure = axes.figure
  figure.draw_without_rendering()
  boxes = [text.get_window_extent() for text in axes.texts]
  for k, box in enumerate(boxes):
    assert not any(box.overlaps(other) for other in boxes[:k])


def test_labels_stand_on_their_points_side_and_off_what_they_shall_avoid(
  axes, window
):
  argmax_map.set_window(axes, window)
  places = np.asarray([[1.0, 0.0], [1.05, 0.0]])
  trail = np.stack([np.linspace(1.1, 3.0, 40), np.zeros(40)], axis=1)
  point_labels.draw_labels(
    axes, places=places, texts=['left one', 'right one'], avoid=trail
  )
  axes.figure.draw_without_rendering()
  left, right = (text.get_window_extent() for text in axes.texts)
  assert left.x1 < right.x0
  covered = axes.transData.transform(trail)
  assert not any(right.contains(*point) for point in covered)


def test_paths_go_from_rings_to_names(axes, window):
  path = np.stack([PLACES, PLACES + 0.1, PLACES + 0.3])
  argmax_map.set_window(axes, window)
  argmax_map.draw_paths(
    axes,
    places=path,
    predictions=np.asarray([[0, 1, 2], [2, 1, 0]]),
    vocabulary=VOCABULARY,
  )
  assert [text.get_text() for text in axes.texts] == list(VOCABULARY)
  assert axes.texts[0].xy == tuple(path[-1, 0])
  rings = [line for line in axes.lines if line.get_marker() == 'o']
  np.testing.assert_array_equal(rings[1].get_xydata(), [PLACES[1]])
  np.testing.assert_allclose(axes.collections[2].get_offsets(), path[1:, 2])
  first, second = axes.collections[0].get_facecolors()[:, :3]
  colors = feature_colors(3)
  np.testing.assert_allclose(first, matplotlib.colors.to_rgb(colors[0]))
  np.testing.assert_allclose(second, matplotlib.colors.to_rgb(colors[2]))


@pytest.mark.parametrize('extra', [0, 1])
def test_names_that_would_hide_the_picture_are_left_out(axes, window, extra):
  number = argmax_map.MAX_NAMES + extra
  vocabulary = [f'w{i}' for i in range(number)]
  places = np.linspace([-1.0, -1.0], [1.0, 1.0], number)
  answers = np.zeros(number, int)
  _draw_words(
    axes,
    window,
    places=places,
    vocabulary=vocabulary,
    predictions=answers,
    tied=answers > 0,
    wanted={},
  )
  argmax_map.draw_paths(
    axes,
    places=np.stack([places, places]),
    predictions=answers[None],
    vocabulary=vocabulary,
  )
  assert len(axes.texts) == (0 if extra else 2 * number)


def test_the_legend_names_each_answer_once():
  handles = argmax_map.legend_handles(VOCABULARY, [2, 0, 2], with_ties=False)
  labels = [handle.get_label() for handle in handles]
  assert labels[:2] == ['answered “a”', 'answered “c”']
  assert not any('tie' in label for label in labels)
  tied = argmax_map.legend_handles(VOCABULARY, [0], with_ties=True)
  assert any('tie' in handle.get_label() for handle in tied)


def test_lengths_are_bars_and_what_is_left_a_last_one(axes):
  exact = np.asarray([0.0, 0.5, 0.25])
  counts = np.asarray([0, 45, 30])
  text_lengths.draw_lengths(axes, exact=exact, counts=counts, num_samples=100)
  heights = [bar.get_height() for bar in axes.patches]
  np.testing.assert_allclose(heights, [0.0, 0.5, 0.25, 0.25])
  (points,) = [box for box in axes.containers if hasattr(box, 'has_yerr')]
  np.testing.assert_allclose(
    points.lines[0].get_ydata(), [0.0, 0.45, 0.3, 0.25]
  )
  low, high = points.lines[2][0].get_segments()[1][:, 1]
  assert low < 0.45 < high
  assert axes.get_xticklabels()[-1].get_text() == '> 2'

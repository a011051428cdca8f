"""Pictures show words as they are: no formula, no hidden entry, no warning."""

import warnings

from matplotlib.backends.backend_agg import FigureCanvasAgg
import matplotlib.figure
import numpy as np
import pytest

from toyjax.plots import stacked
from toyjax.plots.changepoint import dendrograms
from toyjax.plots.latent import trajectories
from toyjax.plots.nets import argmax_map
from toyjax.plots.texts import literal, printable, shorten

WORDS = (
  *('$x_1_2$', '$', '$$', 'costs $5 and $6', '\\$5', '\\frac{1}{2}', '\\'),
  *('_x', '__', '^_', '%', '{}', '{', '你好', '😀', 'שלום', 'e\u0301'),
  *('\u202eabc', '\x1b[31m', 'a\x00b', '\ud800', 'a\tb\nc', 'x' * 500),
  *('\u200b', '\U000e0041', '#', '~', '&', 'ﬁ'),
)


def _draw(figure):
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    FigureCanvasAgg(figure).draw()


def test_any_text_is_drawn_as_it_is_and_has_its_entry():
  figure = matplotlib.figure.Figure((8.0, 12.0))
  axes = figure.subplots()
  shown = [literal(word, length=30) for word in WORDS]
  for k, text in enumerate(shown):
    axes.plot([0.0, 1.0], [k, k], label=text)
    axes.annotate(text, (0.5, k), fontweight='bold')
  axes.set_yticks(range(len(WORDS)), shown)
  axes.set_title(shown[0])
  figure.suptitle(' '.join(shown[:6]))
  assert len(axes.legend().get_texts()) == len(WORDS)
  _draw(figure)
  for text in axes.texts:
    assert text._preprocess_math(text.get_text())[1] is False


@pytest.mark.parametrize('word', ['$x_1_2$', 'costs $5 and $6', '\\$5', '$'])
def test_dollars_are_drawn(word):
  text = matplotlib.figure.Figure().text(0, 0, literal(word, length=30))
  assert text._preprocess_math(text.get_text()) == (word, False)


@pytest.mark.parametrize(
  ('text', 'shown'),
  [
    ('\x1b[31m', '\\x1b[31m'),
    ('a\u202eb\u200b', 'a\\u202eb\\u200b'),
    ('\ud800', '\\ud800'),
    ('你好 é \\n', '你好 é \\n'),
  ],
)
def test_what_cannot_be_seen_is_an_escape(text, shown):
  assert printable(text) == shown


def test_texts_are_cut_and_kept_in_a_line():
  assert printable('a\n\r', keep='\n') == 'a\n\\r'
  assert shorten('a \n b\tc', 9) == 'a b c'
  assert shorten('abcdef', 4) == 'abc…'
  assert literal('  3 × a\nb', length=20) == '  3 × a b'
  assert len(literal('你' * 99, length=20)) == 20
  assert literal('你', length=20) == '\\u4f60'


def test_the_pictures_of_words_take_any_word():
  figure = matplotlib.figure.Figure((20.0, 12.0))
  plane, bars, tree, shares = figure.subplots(1, 4)
  size = len(WORDS)
  places = np.random.default_rng(0).normal(size=(3, size, 2))
  argmax_map.set_window(plane, argmax_map.window_of(places, margin=0.3))
  argmax_map.draw_words(
    plane,
    places=places[-1],
    vocabulary=WORDS,
    predictions=np.roll(np.arange(size), 1),
    tied=np.zeros(size, bool),
    wanted={k: [k] for k in range(size)},
  )
  argmax_map.draw_paths(
    plane,
    places=places,
    predictions=np.zeros((2, size), int),
    vocabulary=WORDS,
  )
  handles = argmax_map.legend_handles(WORDS, range(size), with_ties=False)
  assert len(plane.legend(handles=handles).get_texts()) == len(handles)
  stacked.draw_stacked(
    bars,
    labels=WORDS[:2],
    classes=("ends at '$a_1_2$'", '_a', '$x$->$y$'),
    fractions=np.full((2, 3), 1 / 3),
  )
  assert len(bars.legend().get_texts()) == 3
  dendrograms.draw_dendrogram(
    tree,
    linkage=np.asarray([[0.0, 1.0, 0.5, 2.0]]),
    labels=['  2 × costs $5 and $6', '$x_1_2$'],
    counts=[2, 1],
    clusters=[1, 1],
    rates=[0.0, 1.0],
    highlighted=0,
    joined_above=0.1,
  )
  trajectories.draw_shares(
    shares,
    names=['$a_1_2$', '你 \x1b'],
    shares={'exactly': np.full((3, 2), 0.5)},
    reference=None,
    xlabel='share',
  )
  _draw(figure)

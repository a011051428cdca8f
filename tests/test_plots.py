"""Figures show the numbers they are given."""

import matplotlib.colors
import matplotlib.figure
import numpy as np
import pytest

from toyjax import statistics
from toyjax.plots import outcomes, palette, survival
from toyjax.toys.relu_autoencoder import Outcome


@pytest.fixture
def axes():
  return matplotlib.figure.Figure().subplots()


def _draw_shares(axes, fractions):
  outcomes.draw_outcome_shares(
    axes,
    labels=['a', 'b'],
    steps=[10, 20, 30],
    outcomes=list(Outcome),
    fractions=fractions,
    lower=0.9 * fractions,
    upper=1.1 * fractions,
  )


def test_bars_have_the_heights_of_the_shares_and_reach_one(axes):
  rng = np.random.default_rng(0)
  fractions = rng.dirichlet(np.ones(len(Outcome)), size=(2, 3))
  fractions[..., Outcome.DIVERGED] = 0.0
  fractions /= fractions.sum(axis=-1, keepdims=True)
  _draw_shares(axes, fractions)
  heights = np.asarray(
    [[bar.get_height() for bar in bars] for bars in _bars(axes)]
  )
  np.testing.assert_allclose(
    heights, np.moveaxis(fractions, 2, 0).reshape(len(Outcome), 6)[1:]
  )
  np.testing.assert_allclose(heights.sum(axis=0), 1.0)


def _bars(axes):
  return [c for c in axes.containers if hasattr(c, 'patches')]


def test_only_what_occurs_is_in_the_legend_in_its_own_style(axes):
  fractions = np.zeros((2, 3, len(Outcome)))
  fractions[..., Outcome.SOLVED_REGULAR] = 0.25
  fractions[..., Outcome.MERGED] = 0.75
  _draw_shares(axes, fractions)
  labels = [text.get_text() for text in axes.get_legend().get_texts()]
  assert labels == ['merged', 'solved regular']
  styles = palette.styles_of(Outcome)
  for bars, code in zip(_bars(axes), (Outcome.SOLVED_REGULAR, Outcome.MERGED)):
    color = matplotlib.colors.to_rgba(styles[code].color)
    assert {bar.get_facecolor() for bar in bars} == {color}
    assert {bar.get_hatch() or '' for bar in bars} == {styles[code].hatch}


def test_whiskers_span_the_interval_of_their_own_segment(axes):
  fractions = np.zeros((2, 3, len(Outcome)))
  fractions[..., Outcome.SOLVED_REGULAR] = 0.25
  fractions[..., Outcome.OTHER] = 0.75
  _draw_shares(axes, fractions)
  whiskers = [
    segment[:, 1]
    for container in axes.containers
    if hasattr(container, 'has_yerr')
    for line in container.lines[2]
    for segment in line.get_segments()
  ]
  expected = [[0.225, 0.275]] * 6 + [[0.25 + 0.675, 0.25 + 0.825]] * 6
  np.testing.assert_allclose(whiskers, expected)


@pytest.mark.parametrize('num_curves', [1, 9])
def test_survival_starts_at_one_and_ends_at_the_last_estimate(axes, num_curves):
  curve = statistics.kaplan_meier([3, 5, 9, 9], [True, True, False, False])
  survival.draw_survival(
    axes,
    labels=[f'curve {i}' for i in range(num_curves)],
    curves=[curve] * num_curves,
    last_step=9,
    ylabel='share',
  )
  assert len(axes.lines) == num_curves
  np.testing.assert_array_equal(axes.lines[0].get_xdata(), [0, 3, 5, 9])
  np.testing.assert_array_equal(
    axes.lines[0].get_ydata(), [1.0, 0.75, 0.5, 0.5]
  )
  assert len({line.get_color() for line in axes.lines}) == num_curves


def test_a_curve_without_events_stays_at_one(axes):
  nothing = statistics.kaplan_meier([9, 9], [False, False])
  survival.draw_survival(
    axes, labels=['none'], curves=[nothing], last_step=9, ylabel='share'
  )
  np.testing.assert_array_equal(axes.lines[0].get_ydata(), [1.0, 1.0])

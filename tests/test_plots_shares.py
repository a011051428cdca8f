"""Stacked shares and spreads of curves show the numbers they are given."""

import matplotlib.figure
import numpy as np
import pytest

from toyjax.plots import quantiles, stacked


@pytest.fixture
def axes():
  return matplotlib.figure.Figure().subplots()


def test_bars_reach_one_and_say_what_is_large(axes):
  fractions = np.asarray([[0.7, 0.27, 0.03], [0.0, 0.5, 0.5]])
  stacked.draw_stacked(
    axes, labels=['a', 'b'], classes=['x', 'y', 'rest'], fractions=fractions
  )
  widths = np.asarray([[bar.get_width() for bar in c] for c in axes.containers])
  np.testing.assert_allclose(widths.T, fractions)
  ends = [bar.get_x() + bar.get_width() for bar in axes.containers[-1]]
  np.testing.assert_allclose(ends, 1.0)
  texts = sorted(text.get_text() for text in axes.texts)
  assert texts == ['27.0 %', '50.0 %', '50.0 %', '70.0 %']
  top, bottom = axes.get_ylim()[::-1]
  assert top < bottom  # The first bar is the uppermost.


def test_too_many_classes_are_refused(axes):
  with pytest.raises(ValueError, match='8 classes'):
    stacked.draw_stacked(
      axes, labels=['a'], classes=list('abcdefgh'), fractions=np.ones((1, 8))
    )


def test_a_spread_holds_its_quantiles_and_infinite_curves(axes):
  values = np.arange(1.0, 101.0)[:, None] * np.asarray([1.0, 10.0])
  values[-30:, 1] = np.inf
  quantiles.draw_spread(axes, x=[0, 1], values=values, floor=1e-3)
  (median,) = axes.lines
  np.testing.assert_allclose(median.get_ydata(), [50.0, 500.0])
  outer, inner = (c.get_paths()[0].vertices[:, 1] for c in axes.collections)
  assert {3.0, 98.0, 30.0} <= set(outer)
  assert {25.0, 75.0, 250.0} <= set(inner)
  assert np.isfinite(outer).all()
  assert outer.max() > 1e38

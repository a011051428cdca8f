"""Sheets are drawn when they are asked for, and say what they leave out."""

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from toyjax.plots import outcomes, sheets
from toyjax.plots.sheets import Sheet
from toyjax.runs import Runs
from toyjax.tables import Table, each
from toyjax.tables import outcomes as counts
from toyjax.toys.sqrt_mlp import Outcome


@pytest.mark.parametrize('is_cropped', [True, False])
def test_a_sheet_is_drawn_when_asked_for(tmp_path, is_cropped):
  drawn = []

  def draw():
    figure, axes = sheets.single(2.0, 1.0, 'A title')
    axes.plot([1.0, 2.0], label='curve')
    sheets.legend_beside(axes)
    drawn.append(axes)
    return figure

  sheet = Sheet('one', draw, is_cropped, dpi=50)
  assert not drawn
  assert sheet.figure() is drawn[0].figure
  assert drawn[0].get_title() == 'A title'
  sheet.save(tmp_path)
  assert [path.name for path in tmp_path.iterdir()] == ['one.png']
  height, width, _ = matplotlib.image.imread(tmp_path / 'one.png').shape
  assert ((height, width) == (50, 100)) != is_cropped
  assert not is_cropped or width > 100  # The legend beside is in it.


def test_a_sheet_has_the_house_style_whatever_a_user_has(tmp_path):
  def draw():
    figure, axes = sheets.single(2.0, 1.0, 'A title')
    axes.plot([1.0, 2.0], label='curve')
    axes.legend()
    return figure

  sheet = Sheet('one', draw, dpi=50)
  sheet.save(tmp_path)
  plain = (tmp_path / 'one.png').read_bytes()
  users = {'font.size': 31.0, 'legend.frameon': True, 'lines.linewidth': 9.0}
  with matplotlib.rc_context(users | {'axes.titlesize': 'xx-large'}):
    (axes,) = sheet.figure().axes
    sheet.save(tmp_path)
  assert not axes.get_legend().get_frame_on()
  assert axes.title.get_fontsize() == 10.0
  assert (tmp_path / 'one.png').read_bytes() == plain


@pytest.mark.parametrize(
  ('number', 'shown', 'note'),
  [(1, 1, ''), (3, 3, ''), (5, 4, 'the first 4 of 5 configurations')],
)
def test_panels_say_how_many_are_left_out(number, shown, note):
  figure, axes = sheets.panels(number, 'All', most=4, sharey=True)
  assert len(axes) == shown
  assert len([each for each in figure.axes if each.axison]) == shown
  assert figure.get_suptitle() == 'All'
  assert [
    text.get_text() for text in figure.texts if text.get_text() != 'All'
  ] == [note] * bool(note)


def test_sizes_are_one_or_a_range():
  assert sheets.sizes([4096, 4096]) == '4,096'
  assert sheets.sizes([4096, 1000, 2000]) == '1,000 to 4,096'


@pytest.mark.parametrize('number', [1, 6, 7])
def test_outcomes_are_drawn_at_all_steps_of_a_few_configurations(number):
  codes = np.asarray([[Outcome.CONSTANT, Outcome.REACHED]] * 3)
  data = {'seed_index': np.arange(3), 'outcome': codes}
  found = [Runs(f'a={k} b', {}, {}, 'g', data) for k in range(number)]
  counted = Table('summary', each(found, counts([10, 20], Outcome)))
  sheet = outcomes.sheet(found, counted, Outcome, 'Title')
  assert sheet.name == 'outcomes'
  axes = sheet.figure().axes[0]
  names = [tick.get_text() for tick in axes.get_xticklabels()]
  assert names == (['10', '20'] * number if number < 7 else ['20'] * number)
  (top,) = axes.child_axes
  above = [tick.get_text() for tick in top.get_xticklabels()]
  assert above[0] == ('a=0 b' if number == 1 else 'a=0\nb')
  assert axes.get_title().startswith('Title\nwhisker: 95 % Wilson')
  heights = {patch.get_height() for patch in axes.patches}
  assert heights == {0.0, 1.0} if number < 7 else {1.0}

"""A user's matplotlibrc changes no figure, and is back afterwards."""

import io

import matplotlib
import matplotlib.figure
import numpy as np
import pytest

from toyjax import roles
from toyjax.plots import outcomes, phase, style
from toyjax.roles import Role

USERS = {
  'text.usetex': True,
  'font.family': 'serif',
  'font.size': 31.0,
  'axes.prop_cycle': matplotlib.cycler(color=['red']),
  'axes.grid': True,
  'axes.formatter.use_locale': True,
  'figure.autolayout': True,
  'figure.dpi': 37.0,
  'savefig.bbox': 'tight',
  'savefig.facecolor': 'pink',
  'savefig.transparent': True,
  'lines.linewidth': 9.0,
  'path.sketch': (3.0, 10.0, 1.0),
  'xtick.direction': 'in',
  'image.cmap': 'hot',
  'hatch.color': 'green',
}


def _draw() -> bytes:
  figure = matplotlib.figure.Figure((3.0, 2.0))
  axes = figure.subplots()
  axes.plot([1.0, 2.0, 3.0], label='a_b')
  axes.imshow(np.eye(3))
  axes.set_title('50 % of $x$')
  axes.legend()
  found = io.BytesIO()
  figure.savefig(found, format='png', dpi=80)
  return found.getvalue()


def test_a_users_settings_change_no_figure():
  with style.house_style():
    plain = _draw()
  with matplotlib.rc_context(USERS):
    users = {name: matplotlib.rcParams[name] for name in USERS}
    with style.house_style():
      assert _draw() == plain
    for name, value in users.items():
      assert matplotlib.rcParams[name] == value, name


def test_a_users_ffmpeg_is_kept_and_the_backend_left_alone():
  backend = matplotlib.get_backend()
  users = {'animation.ffmpeg_path': '/opt/own/ffmpeg'}
  with matplotlib.rc_context(users), style.house_style():
    assert matplotlib.rcParams['animation.ffmpeg_path'] == '/opt/own/ffmpeg'
  assert matplotlib.get_backend() == backend


def test_settings_are_back_after_an_error():
  with matplotlib.rc_context({'font.size': 31.0}):
    with pytest.raises(ValueError, match='mine'), style.house_style():
      raise ValueError('mine')
    assert matplotlib.rcParams['font.size'] == 31.0


class New(roles.Outcome):
  """Of a toy that no picture knows."""

  DIVERGED = 0, Role.DIVERGED
  LOOPS = 1
  STRAYS = 2
  WAITS = 3, Role.UNDECIDED


def test_a_new_toy_has_its_phase_diagram_and_its_bars():
  fractions = np.full((1, 2, 4), 0.25)
  axes = matplotlib.figure.Figure().subplots()
  handles = phase.draw_phase(
    axes,
    columns=['1', '2'],
    rows=['a'],
    outcomes=list(New),
    fractions=fractions,
    texts=[['x', 'y']],
  )
  assert [h.get_label() for h in handles] == ['waits', 'strays', 'loops',
                                              'diverged']  # fmt: skip
  bars = matplotlib.figure.Figure().subplots()
  outcomes.draw_outcome_shares(
    bars,
    labels=['c'],
    steps=[1, 2],
    outcomes=list(New),
    fractions=fractions,
    lower=fractions,
    upper=fractions,
  )
  colors = {patch.get_facecolor() for patch in bars.patches}
  assert len(colors) == 4
  assert (1.0, 1.0, 1.0, 1.0) not in colors
  shown = [h.get_facecolor() for h in handles[::-1]]
  assert shown == [patch.get_facecolor() for patch in bars.patches[::2]]

"""Pictures of a run show the numbers they are given."""

import matplotlib.figure
import numpy as np
from PIL import Image
import pytest

from toyjax.analysis.autoencoder import circles, critical_points, latent_zones
from toyjax.plots import animations, phase
from toyjax.plots.latent import gram, latent_plane, radii, tilt, training
from toyjax.toys.relu_autoencoder import Outcome


def _symmetric_failure(num_features=6):
  """A regular polygon with one dead row at b = 1/n, the last."""
  angles = 2.0 * np.pi * np.arange(num_features - 1) / (num_features - 1)
  radius = critical_points.minimum_radius(num_features - 1)
  rows = radius * np.stack([np.cos(angles), np.sin(angles)])
  weights = np.concatenate([rows, np.zeros((2, 1))], axis=1)
  return weights, np.append(np.full(num_features - 1, 1 - radius**2), 1 / 6)


@pytest.fixture
def axes():
  return matplotlib.figure.Figure().subplots()


def _draw_plane(axes, weights, bias, compact=False):
  latent_plane.draw_latent_plane(
    axes,
    weights=weights,
    bias=bias,
    view=latent_plane.view_of(weights, margin=1.2),
    compact=compact,
  )


@pytest.mark.parametrize('compact', [True, False])
def test_the_plane_shows_zones_names_and_what_is_wrongly_on(axes, compact):
  weights, bias = _symmetric_failure()
  _draw_plane(axes, weights, bias, compact)
  found = latent_zones.find_zones(weights, bias)
  shaded = [p.get_xy()[:-1] for p in axes.patches if hasattr(p, 'get_xy')]
  for zone in found.zones:
    assert any(
      len(zone) == len(shape) and np.allclose(zone, shape) for shape in shaded
    )
  colors = latent_plane.feature_colors(6)
  rings = [
    line
    for line in axes.lines
    if line.get_markerfacecolor() == 'none' and line.get_marker() == 'o'
  ]
  # The dead output, and it alone, is on for the five other inputs.
  assert [ring.get_markeredgecolor() for ring in rings] == [colors[5]] * 5
  texts = [t.get_text() for t in axes.texts if t.get_text()]
  if compact:
    assert texts == [str(i) for i in range(6)]
  else:
    assert texts[0] == '0: 1.00\n+5: 0.17'
    assert texts[5] == '5: 0.17'


def test_the_thick_end_of_a_vector_is_its_depth(axes):
  weights, bias = _symmetric_failure()
  _draw_plane(axes, weights, bias)
  thick = [line.get_xydata() for line in axes.lines if line.get_lw() > 3]
  lengths = [np.linalg.norm(a - b) for a, b in thick]
  np.testing.assert_allclose(lengths, 1.0 / critical_points.minimum_radius(5))


@pytest.mark.parametrize(
  ('weights', 'bias'),
  [
    (np.zeros((2, 3)), np.ones(3)),
    (np.asarray([[1.0, -1.0], [0.0, 0.0]]), np.zeros(2)),
    (np.ones((2, 4)), -np.ones(4)),
    (np.random.default_rng(0).normal(size=(2, 20)), np.zeros(20)),
  ],
)
def test_degenerate_planes_are_drawn(axes, weights, bias):
  _draw_plane(axes, weights, bias)
  axes.figure.draw_without_rendering()
  assert len(set(latent_plane.feature_colors(20))) == 20


def test_the_tilt_view_is_affine_and_cut_at_the_floor():
  weights, bias = _symmetric_failure()
  assert tilt.choose_outputs(weights[None])[2] == 5
  figure = matplotlib.figure.Figure()
  axes = figure.add_subplot(projection='3d')
  tilt.draw_tilt(axes, weights=weights, bias=bias, outputs=(0, 1, 5))
  markers = [line for line in axes.lines if line.get_marker() == 'o']
  points = np.asarray([np.ravel(line.get_data_3d()) for line in markers])
  np.testing.assert_allclose(points, (weights.T @ weights + bias)[:, [0, 1, 5]])
  np.testing.assert_allclose(points[:, 2], 1 / 6)  # Level, for the row is dead.
  assert len(axes.collections) == 1  # Nothing lies below the floor.
  with pytest.raises(ValueError, match='three different'):
    tilt.draw_tilt(axes, weights=weights, bias=bias, outputs=(0, 0, 5))


def test_the_gram_matrix_is_written_and_framed(axes):
  weights, bias = _symmetric_failure()
  image = gram.draw_gram(axes, weights=weights, bias=bias)
  shown = image.get_array()
  np.testing.assert_allclose(shown[:6], weights.T @ weights)
  np.testing.assert_allclose(shown[7], bias)
  framed = {(p.get_x() + 0.5, p.get_y() + 0.5) for p in axes.patches}
  on = {(i, i) for i in range(6)} | {(5, j) for j in range(6)}
  assert framed == on
  assert {t.get_text() for t in axes.texts} >= {'0.17', '0.00'}


def test_curves_are_those_of_the_run(axes):
  steps, values = [2, 10, 100], np.asarray([[0, 1], [1, 1], [2, 1.0]])
  training.draw_features(axes, steps=steps, values=values, ylabel='b')
  for i, line in enumerate(axes.lines):
    np.testing.assert_array_equal(line.get_ydata(), values[:, i])
  assert [text.get_text() for text in axes.texts] == ['0', '1']


def test_labels_at_the_right_do_not_collide():
  places = training._spread(np.asarray([1.0, 1.0, 1.0, 5.0]), 0.5)
  assert np.diff(np.sort(places)).min() >= 0.5 - 1e-12
  assert places[3] == places.max()


def test_a_loss_of_zero_can_be_drawn(axes):
  training.draw_sse(
    axes,
    steps=[2, 10],
    sse=np.asarray([1.0, 0.0]),
    solved_sse=0.01,
    num_features=5,
  )
  assert axes.get_yscale() == 'log'
  assert np.all(axes.lines[0].get_ydata() > 0)


def test_radii_count_each_row_once(axes):
  norms = np.asarray([[1, 1, 1.0], [1, 2, 2.0], [1, 2, 3.0]])
  number = circles.count_circles(norms, tolerance=0.05)
  radii.draw_radii(axes, norms=norms, num_circles=number, reference=1.15)
  heights = [bar.get_height() for group in axes.containers for bar in group]
  assert sum(heights) == 9
  labels = [text.get_text() for text in axes.get_legend().get_texts()]
  assert labels == [
    'one circle: 1 runs',
    'two circles: 1 runs',
    'three or more radii: 1 runs',
  ]


def test_cells_of_the_phase_diagram_are_filled_by_shares(axes):
  fractions = np.zeros((2, 3, len(Outcome)))
  fractions[..., Outcome.SOLVED_REGULAR] = 0.25
  fractions[..., Outcome.OFF] = 0.75
  handles = phase.draw_phase(
    axes,
    columns=list('abc'),
    rows=list('de'),
    outcomes=list(Outcome),
    fractions=fractions,
    texts=[['x'] * 3] * 2,
  )
  heights = np.asarray([patch.get_height() for patch in axes.patches])
  np.testing.assert_allclose(heights.reshape(6, 2)[:, 1] / heights[0], 3.0)
  assert [h.get_label() for h in handles] == ['off', 'solved regular']
  assert len(axes.texts) == 6


def test_frames_are_even_in_distance_travelled():
  creep = np.linspace(0.0, 0.1, 100)
  jump = np.linspace(0.1, 10.0, 100)
  chosen = animations.evenly_moving(np.append(creep, jump)[:, None], 11)
  assert chosen[0] == 0
  assert chosen[-1] == 199
  assert np.sum(chosen < 100) <= 2
  still = animations.evenly_moving(np.zeros((9, 2)), 5)
  np.testing.assert_array_equal(still, [0, 8])


def test_a_gif_has_its_frames(tmp_path):
  figure = matplotlib.figure.Figure((1.0, 1.0))
  axes = figure.subplots()
  path = tmp_path / 'moving.gif'

  def write(path):
    animations.write_animation(
      figure,
      lambda k: axes.plot([0, k]),
      num_frames=3,
      frames_per_second=2,
      dpi=50,
      path=path,
    )

  write(path)
  with Image.open(path) as image:
    assert image.n_frames >= 3
    assert image.size == (50, 50)
  assert [p.name for p in tmp_path.iterdir()] == ['moving.gif']
  with pytest.raises(ValueError, match=r'\.gif or \.mp4'):
    write(tmp_path / 'moving.avi')


def test_an_mp4_goes_through_ffmpeg(tmp_path):
  # A stand-in that keeps the frames it is sent in the file it is to write.
  ffmpeg = tmp_path / 'ffmpeg'
  ffmpeg.write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
  ffmpeg.chmod(0o755)
  with matplotlib.rc_context({'animation.ffmpeg_path': str(ffmpeg)}):
    assert animations.mp4_is_possible()
    animations.write_animation(
      matplotlib.figure.Figure((1.0, 1.0)),
      lambda k: None,
      num_frames=3,
      frames_per_second=2,
      dpi=50,
      path=tmp_path / 'moving.mp4',
    )
  frame_bytes = 50 * 50 * 4
  # Three frames, and two seconds of the last.
  assert (tmp_path / 'moving.mp4').stat().st_size == (3 + 4) * frame_bytes


def test_without_ffmpeg_an_mp4_is_refused(tmp_path, monkeypatch):
  monkeypatch.setattr(animations, 'mp4_is_possible', lambda: False)
  with pytest.raises(ValueError, match='needs ffmpeg'):
    animations.write_animation(
      matplotlib.figure.Figure(),
      lambda k: None,
      num_frames=1,
      frames_per_second=1,
      dpi=50,
      path=tmp_path / 'moving.mp4',
    )


def test_a_fine_diagram_stacks_whole_levels(axes):
  fractions = np.zeros((2, 3, 2))
  fractions[..., 0] = [[1.0, 0.5, 0.0], [0.25, 0.75, 1.0]]
  fractions[..., 1] = 1.0 - fractions[..., 0]
  phase.draw_fine_phase(
    axes, fractions=fractions, colors=['#000000', '#ffffff'], num_levels=4
  )
  (image,) = axes.images
  is_first = np.asarray(image.get_array())[..., 0] == 0.0
  assert is_first.shape == (8, 3)
  np.testing.assert_array_equal(
    is_first.reshape(2, 4, 3).sum(axis=1), 4 * fractions[..., 0]
  )
  # The first outcome lies at the bottom.
  assert is_first[4, 0]
  assert not is_first[7, 0]

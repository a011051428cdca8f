"""Both updates from the same starts: arms, shares, corners, pictures."""

import numpy as np
import pytest

from toyjax import studies, tables
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.parsers import SettingError
from toyjax.plots import animations
from toyjax.studies import hand_written_gradient
from toyjax.studies.hand_written_gradient.report import corners_of

STUDY = hand_written_gradient.STUDY


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(
    num_features=5,
    importance_decay=0.7,
    batch_size=128,
    num_steps=1200,
    observe_steps=[1, 600, 1200],
    then_steps=5,
    num_test=512,
    num_states=4,
    num_frames=3,
  )
  return studies.run(STUDY, values, num_seeds=8), values


def test_each_size_has_its_importance():
  values = STUDY.resolve(num_features=[3, 6], importance_decay=[0.5, 0.5])
  three, six = STUDY.stages(values)
  assert (three.name, six.name) == ('n3', 'n6')
  assert six.values['importance_decay'] == [0.5]
  with pytest.raises(SettingError, match='2 values for 3'):
    STUDY.resolve(num_features=[3, 4, 5])


def test_arms_start_alike_and_go_apart(found):
  (runs,), _ = found
  weights = runs.data['weights']
  first, last = (
    np.abs(weights[:, 0] - weights[:, 1]).max(axis=(-1, -2))[:, [0, -1]].T
  )
  assert (first < 1e-3).all()
  assert (last > 0.05).all()
  # Both arms' losses are of the same first batch.
  np.testing.assert_allclose(*runs.data['average_loss'][:, :, 0].T, rtol=1e-5)
  np.testing.assert_array_equal(runs.data['ends'][:, :, 0], weights[:, :, -1])


def test_every_run_is_counted_at_both_ends(found):
  runs, values = found
  report = STUDY.report(runs, values)
  for update in ('hand_written', 'gradient'):
    for end in ('trained', 'then'):
      counts = [
        row[''].count
        for row in report.table('summary').rows
        if (row['update'], row['end']) == (update, end)
      ]
      assert len(counts) == len(Polygon)
      assert sum(counts) == 8
    rows = [
      row for row in report.table('corners').rows if row['update'] == update
    ]
    assert sum(row[''].count for row in rows) == 8
    assert all(row['stays'].total == row[''].count for row in rows)


def test_losses_are_compared_by_seed(found):
  (runs,), values = found
  losses = runs.data['loss'][:, :, 0]
  (row,) = (
    row
    for row in STUDY.report([runs], values).table('differences').rows
    if (row['end'], row['what']) == ('trained', 'loss is the higher')
  )
  expected = tables.paired_difference(
    losses[:, 0] > losses[:, 1], losses[:, 0] < losses[:, 1]
  )
  assert row['difference:'] == expected


def test_corners_are_named_by_their_features():
  weights = np.zeros((1, 2, 9))
  weights[0, 0, [0, 1, 2, 4, 7, 8]] = 0.6
  assert corners_of(weights) == ['0-2 4 7-8']


def test_the_sheet_and_the_animation_are_drawn(found, tmp_path, monkeypatch):
  monkeypatch.setattr(animations, 'mp4_is_possible', lambda: False)
  report = STUDY.report(*found)
  assert len(report.sheet('vectors').figure().axes) == 3
  assert list(report.files) == ['animation.gif']
  path = tmp_path / 'animation.gif'
  report.files[path.name](path)
  assert path.read_bytes().startswith(b'GIF89a')

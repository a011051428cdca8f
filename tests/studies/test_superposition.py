"""Superposition in two dimensions on a coarse grid: counts, theory, figures."""

import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.parsers import SettingError
from toyjax.studies import superposition

STUDY = superposition.STUDY


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(
    part=['importance', 'anticorrelated'],
    density=[0.05, 0.8],
    importance_decay=[0.5],
    num_steps=600,
    observe_steps=[300, 600],
    batch_size=64,
    num_evaluations=64,
  )
  return studies.run(STUDY, values, num_seeds=32), values


@pytest.fixture(scope='module')
def report(found):
  return STUDY.report(*found)


def test_parts_have_their_own_axes(found):
  runs, values = found
  assert [each.label for each in runs] == [
    *('importance p=0.05', 'importance p=0.8', 'anticorrelated'),
  ]
  assert values['relative_density'] == [0.1]  # Of no part that is there.
  assert [each.data['weights'].shape[1:] for each in runs] == [
    *((2, 2, 5), (2, 2, 5), (2, 2, 4)),
  ]


def test_dense_features_get_a_dimension_each_and_rare_ones_share(found):
  rare, dense, _ = found[0]
  orthogonal = np.mean(dense.last('outcome') == Polygon.ORTHOGONAL)
  assert orthogonal > 0.8
  kept = [each.last('is_represented').sum(axis=1) for each in (rare, dense)]
  assert np.mean(kept[0]) > 3.0 > np.mean(kept[1])
  # What matters most is kept.
  assert dense.last('is_represented')[:, :2].mean() > 0.9


def test_counts_are_those_of_the_runs(found, report):
  runs, _ = found
  cells = report.table('cells').rows
  for row, each in zip(cells, runs):
    codes = each.last('outcome')
    assert row[''].count == np.bincount(codes).max()
    assert row['settled'].count == np.sum(each.data['outcome'][:, 0] == codes)
    best = codes[each.data['loss'].argmin()]
    assert row['least_loss'] == Polygon(best).name
  kept = [row[''].count for row in report.table('kept').rows]
  assert kept[:5] == runs[0].last('is_represented').sum(axis=0).tolist()
  placed = [row[''] for row in report.table('pairs').rows]
  assert sum(share.count for share in placed) == placed[0].total == 32


def test_losses_are_of_the_same_samples_whatever_the_seed(found):
  rare = found[0][0]
  # Equal nets up to a turn have equal losses: the least ones nearly are.
  losses = np.sort(rare.data['loss'])
  assert losses[0] > 0.0
  assert np.isfinite(losses).all()


def test_anticorrelated_features_cannot_be_denser_than_half():
  STUDY.resolve(part='correlated', base_density=[0.8])
  with pytest.raises(SettingError, match='anticorrelated'):
    STUDY.resolve(part='anticorrelated', base_density=[0.8])


def test_sheets_have_a_panel_for_each_part_and_each_polygon(found, report):
  assert len(report.sheet('phases').figure().axes) == 2
  codes = np.concatenate([each.last('outcome') for each in found[0]])
  number = len(set(codes.tolist()) - {Polygon.DIVERGED})
  drawn = [a for a in report.sheet('nets').figure().axes if a.get_title()]
  assert len(drawn) == min(number, 10)


def test_the_switch_needs_the_part_and_lies_between_its_ratios():
  values = STUDY.resolve(
    part='sparser',
    relative_density=[0.15, 1.0],
    num_steps=20,
    batch_size=8,
    num_evaluations=1,
  )
  report = STUDY.report(studies.run(STUDY, values, num_seeds=4), values)
  (row,) = report.table('switch').rows
  assert 0.15 < row['least_loss'] < 1.0
  optima = [row['optimum'] for row in report.table('sparser').rows]
  assert optima == ['TWO_DIGONS', 'PENTAGON']
  assert len(report.sheet('phases').figure().axes) == 1

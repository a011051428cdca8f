"""How the features of pairs are placed, by hand."""

import jax
import numpy as np
import pytest

from toyjax.analysis.autoencoder import feature_pairs
from toyjax.analysis.autoencoder.feature_pairs import Placement
from toyjax.analysis.autoencoder.polygons import THRESHOLDS

_place = jax.jit(lambda w: feature_pairs.place(w, thresholds=THRESHOLDS))


@pytest.mark.parametrize(
  ('degrees', 'expected'),
  [
    ((0, 90, 180, 270), 'ORTHOGONAL'),
    ((0, 104, 180, 270), 'ORTHOGONAL'),
    ((0, 180, 90, 270), 'ANTIPODAL'),
    ((0, 166, 90, 270), 'ANTIPODAL'),
    ((0, 60, 180, 240), 'SIDE_BY_SIDE'),
    ((10, 10, 180, 180), 'SIDE_BY_SIDE'),
    ((0, 120, 180, 300), 'APART'),
    ((0, 90, 180, 0), 'MIXED'),
  ],
)
def test_placements_have_their_names(degrees, expected):
  angles = np.radians(degrees)
  weights = np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
  assert Placement(int(_place(weights))).name == expected
  # Neither lengths nor the order of the pairs matter, nor more dimensions.
  longer = weights * np.array([0.6, 1.2, 3.0, 0.9], np.float32)
  assert Placement(int(_place(longer[:, [3, 2, 1, 0]]))).name == expected
  deeper = np.concatenate([weights, np.zeros((1, 4), np.float32)])
  assert Placement(int(_place(deeper))).name == expected


def test_absent_and_diverged_features_come_first():
  weights = np.array([[1, -1, 0, 0.4], [0, 0, 1, 0]], np.float32)
  assert _place(weights) == Placement.INCOMPLETE
  weights[0, 0] = np.nan
  assert _place(weights) == Placement.DIVERGED


def test_features_without_a_partner_are_refused():
  with pytest.raises(ValueError, match='pairs'):
    feature_pairs.place(np.ones((2, 3)), thresholds=THRESHOLDS)

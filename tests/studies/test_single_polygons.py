"""Features one at a time: runs are weighed and counted as the tables say."""

import jax
import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.autoencoder import uniform_features
from toyjax.analysis.autoencoder.polygons import Polygon
from toyjax.studies import single_polygons
from toyjax.toys.relu_autoencoder import Params

STUDY = single_polygons.STUDY
NUM_SEEDS = 32


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(num_steps=1500, learning_rate=1e-2, batch_size=16)
  return studies.run(STUDY, values, num_seeds=NUM_SEEDS), values


@pytest.fixture(scope='module')
def report(found):
  return STUDY.report(*found)


def test_stored_losses_are_those_of_the_weights(found):
  (runs,), _ = found
  losses = jax.vmap(uniform_features.single_loss)(
    Params(runs.last('weights'), runs.last('bias'))
  )
  np.testing.assert_allclose(runs.last('loss'), losses, rtol=1e-4)


def test_pentagons_and_hexagons_are_as_good_as_the_best_of_theirs(
  found, report
):
  (runs,), _ = found
  least = {row['num_corners']: row for row in report.table('polygons').rows}
  codes, losses = runs.last('outcome'), runs.last('loss')
  for kind, corners in ((Polygon.PENTAGON, 5), (Polygon.HEXAGON, 6)):
    own = losses[codes == kind]
    assert (own > least[corners]['loss'] * (1.0 - 1e-4)).all()
  assert np.isin(codes, [Polygon.PENTAGON, Polygon.HEXAGON]).any()


def test_published_losses_stand_beside_ours(report):
  rows = report.table('polygons').rows
  pairs = [(r['loss'], r['published']) for r in rows if r['published']]
  assert len(pairs) == 4
  for loss, published in pairs:
    assert abs(loss - published) < 5e-6


def test_every_run_is_counted_once(report):
  ends = report.table('ends').rows
  assert sum(row['share'].count for row in ends) == NUM_SEEDS
  for row in ends:
    assert row['near'].total == row['share'].count
    assert row['near_lowest'].count <= row['share'].count
    assert row['lowest_loss'] <= row['median_loss'] <= row['highest_loss']


def test_the_picture_has_a_panel_for_each_configuration(report):
  assert len(report.sheet('losses').figure().axes) == 1

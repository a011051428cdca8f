"""The phase diagram on a coarse grid: theory, counts, figure."""

import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.autoencoder import sparse_pair
from toyjax.analysis.autoencoder.sparse_pair import Kind
from toyjax.studies import superposition_phase

STUDY = superposition_phase.STUDY


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(
    density='0.1:1:2', importance=[0.1, 1.0], num_steps=300, near=0.2
  )
  return studies.run(STUDY, values, num_seeds=48), values


def test_ranges_are_written_out(found):
  runs, values = found
  assert values['density'] == [0.1, 1.0]
  assert [each.label for each in runs] == [
    *('s=0.1 r=0.1', 's=0.1 r=1', 's=1 r=0.1', 's=1 r=1'),
  ]


def test_stored_losses_are_those_of_the_weights(found):
  each = found[0][1]
  for run in range(3):
    params = sparse_pair.Params(
      each.last('weights')[run][None], each.last('bias')[run]
    )
    expected = sparse_pair.expected_loss(params, density=0.1, importance=1.0)
    np.testing.assert_allclose(each.last('loss')[run], expected, rtol=1e-4)


def test_dense_nets_keep_what_matters_and_sparse_ones_both(found):
  runs, values = found
  cells = STUDY.report(runs, values).table('cells').rows
  assert [row['optimum'] for row in cells[:3]] == [
    *('SUPERPOSED', 'SUPERPOSED', 'IGNORES_SECOND'),
  ]
  # Dense and unequal, there is one minimum; sparse and equal, half of the seeds
  # start with both weights on one side and stay with one feature.
  assert cells[2]['same_kind'].interval.estimate > 0.85
  superposed = np.mean(runs[1].last('outcome') == Kind.SUPERPOSED)
  assert 0.3 < superposed < 0.8


def test_nothing_beats_the_optimum(found):
  runs, values = found
  for row, each in zip(STUDY.report(runs, values).table('cells').rows, runs):
    assert each.last('loss').min() > row['loss_optimum'] * (1.0 - 1e-3)


def test_runs_near_the_optimum_are_counted_by_their_stored_losses(found):
  runs, values = found
  cells = STUDY.report(runs, values).table('cells').rows
  away = [
    each.last('loss') / row['loss_optimum'] for row, each in zip(cells, runs)
  ]
  counts = [np.sum(ratio <= 1.2) for ratio in away]
  assert [row['found'].count for row in cells] == counts
  assert sum(counts) > sum(np.sum(ratio <= 1.0 + 1e-3) for ratio in away)
  assert sum(counts) < 4 * 48


def test_the_sheet_has_four_maps_and_a_scale(found):
  figure = STUDY.report(*found).sheet('phases').figure()
  assert len(figure.axes) == 5

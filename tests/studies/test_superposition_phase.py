"""The phase diagram on a coarse grid: theory, counts, figure."""

import jax
import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.autoencoder import sparse_bottleneck
from toyjax.analysis.autoencoder.sparse_bottleneck import Kind
from toyjax.studies import superposition_phase

STUDY = superposition_phase.STUDY
NUM_SEEDS = 24


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(
    num_features=2,
    density='0.1:1:2',
    importance=[0.1, 1.0],
    num_steps=400,
    learning_rate=1e-2,
    batch_size=64,
    near=0.2,
  )
  return studies.run(STUDY, values, num_seeds=NUM_SEEDS), values


@pytest.fixture(scope='module')
def report(found):
  return STUDY.report(*found)


def test_ranges_are_written_out(found):
  runs, values = found
  assert values['density'] == [0.1, 1.0]
  assert [each.label for each in runs] == [
    *('s=0.1 r=0.1', 's=0.1 r=1', 's=1 r=0.1', 's=1 r=1'),
  ]


def test_stored_losses_are_those_of_the_weights(found):
  loss = jax.jit(sparse_bottleneck.expected_loss)
  each = found[0][1]
  for run in range(3):
    params = sparse_bottleneck.Params(
      each.last('weights')[run], each.last('bias')[run]
    )
    expected = loss(params, density=0.1, importance=1.0)
    np.testing.assert_allclose(each.last('loss')[run], expected, rtol=1e-4)


def test_dense_nets_keep_what_matters_and_sparse_ones_both(found, report):
  runs, _ = found
  cells = report.table('cells').rows
  assert [row['optimum'] for row in cells[:3]] == [
    *('PAIRS_LAST', 'PAIRS_LAST', 'IGNORES_LAST'),
  ]
  # Dense and unequal, there is one minimum; sparse and equal, half of the seeds
  # start with both weights on one side and stay with one feature.
  assert cells[2]['same_kind'].interval.estimate > 0.8
  paired = np.mean(runs[1].last('outcome') == Kind.PAIRS_LAST)
  assert 0.15 < paired < 0.9


def test_nothing_beats_the_optimum(found, report):
  for row, each in zip(report.table('cells').rows, found[0]):
    assert each.last('loss').min() > row['loss_optimum'] * (1.0 - 1e-3)


def test_runs_near_the_optimum_are_counted_by_their_stored_losses(
  found, report
):
  cells = report.table('cells').rows
  away = [
    each.last('loss') / row['loss_optimum']
    for row, each in zip(cells, found[0])
  ]
  counts = [np.sum(ratio <= 1.2) for ratio in away]
  assert [row['found'].count for row in cells] == counts
  assert sum(counts) > sum(np.sum(ratio <= 1.0 + 1e-3) for ratio in away)
  assert sum(counts) < 4 * NUM_SEEDS


def test_every_run_and_every_point_is_counted_once(found, report):
  cells, optima = report.table('cells').rows, report.table('optima').rows
  for row in cells:
    assert sum(row[f'num_{k.name.lower()}'] for k in Kind) == NUM_SEEDS
  assert sum(row['num_points'] for row in optima) == 4
  assert sum(row['found'].count for row in optima) == sum(
    row['found'].count for row in cells
  )


def test_the_sheet_has_four_maps_and_a_scale(report):
  figure = report.sheet('phases').figure()
  assert len(figure.axes) == 5

"""A tiny descent: samples in common, blocks, counts, and hand-made onsets."""

import numpy as np
import pytest

from toyjax import studies
from toyjax.analysis.autoencoder.memorising import Regime
from toyjax.runs import Runs
from toyjax.studies import double_descent
from toyjax.studies.double_descent.report import onsets

STUDY = double_descent.STUDY
_SMALL = {
  'num_features': 20,
  'sparsity': 0.7,
  'num_steps': 40,
  'num_test': 100,
}


@pytest.fixture(scope='module')
def found():
  values = STUDY.resolve(**_SMALL, num_samples=[3, 12])
  return studies.run(STUDY, values, num_seeds=5), values


def test_seeds_share_samples_and_differ_in_their_nets(found):
  for runs in found[0]:
    for name in ('null_loss', 'fresh_null_loss'):
      # Last bits apart, all have the loss of one constant.
      np.testing.assert_allclose(runs.data[name], runs.data[name][0], rtol=1e-5)
    assert len(set(runs.data['loss'].tolist())) == 5
  few, many = (runs.data['fresh_null_loss'][0] for runs in found[0])
  np.testing.assert_allclose(few, many, rtol=1e-5)


def test_blocks_train_the_same_nets(found):
  values = STUDY.resolve(**_SMALL, num_samples=[12], row_block=5)
  (blocked,) = studies.run(STUDY, values, num_seeds=5)
  whole = found[0][1]
  for name in ('loss', 'null_loss', 'fresh_loss'):
    np.testing.assert_allclose(blocked.data[name], whole.data[name], rtol=2e-3)
  np.testing.assert_allclose(
    blocked.data['hidden_vectors'], whole.data['hidden_vectors'], atol=2e-2
  )


def test_every_run_is_counted(found):
  shown = STUDY.report(*found)
  rows = shown.table('summary').rows
  assert len(rows) == 2 * len(Regime)
  assert sum(row[''].count for row in rows) == 10
  for runs, row in zip(found[0], shown.table('losses').rows):
    assert row['lowest_loss'] == runs.data['loss'].min()
    assert row['near'].total == 5
    assert row['near'].count >= 1


def _made(num_samples, explained, outcome, **other):
  number = len(explained)
  return Runs(
    label=f'T={num_samples}',
    configuration={'num_samples': num_samples, 'sparsity': 0.99, **other},
    values={},
    stage='made',
    data={
      'explained': np.asarray(explained, float),
      'outcome': np.full(number, outcome),
      'seed_index': np.arange(number),
    },
  )


def test_an_onset_is_where_all_greater_sizes_answer():
  runs = [
    _made(3, [-1.0] * 3, Regime.SAMPLES, weight_decay=0.0),
    _made(30, [2.0, 2.0, 2.0], Regime.FEATURES, weight_decay=0.0),
    _made(100, [-9.0, 2.0, -9.0], Regime.NEITHER, weight_decay=0.0),
    _made(300, [1.5, 0.5, 1.0], Regime.FEATURES, weight_decay=0.0),
    _made(1000, [3.0] * 3, Regime.FEATURES, weight_decay=0.0),
    _made(3, [0.0] * 3, Regime.NEITHER, weight_decay=1.0),
  ]
  first, second = onsets(runs)
  assert (first['last_polygon'], first['onset'], first['worst_T']) == (
    *(3, 300, 100),
  )
  assert first['onset_density'] == pytest.approx(3.0)
  assert (second['last_polygon'], second['onset']) == (None, None)
  assert second['setting'] == 'weight_decay=1'


def test_sheets_are_drawn(found):
  shown = STUDY.report(*found)
  assert len(shown.sheet('planes').figure().axes) == 4
  assert len(shown.sheet('curves').figure().axes) == 4

"""The study of symmetric failure end to end, with tiny settings."""

import numpy as np
import pytest

from toyjax import studies
from toyjax.parsers import SettingError
from toyjax.studies import symmetric_failure
from toyjax.studies.symmetric_failure import escapes, trial

STUDY = symmetric_failure.STUDY
SMALL = {
  'num_features': 5,
  'optimizer': 'adamw',
  'norm_factor': [1, 1.1],
  'num_steps': 400,
  'kick': 1e-2,
  'num_descents': 4,
  'descent_iterations': 40,
  'nudge': 0.1,
  'state_features': 5,
  'state_steps': [100, 300],
  'state_decay': 0.01,
  'num_state_seeds': 64,
  'num_random_states': 64,
}


@pytest.fixture(scope='module')
def found():
  return studies.run(STUDY, STUDY.resolve(**SMALL), num_seeds=16)


@pytest.fixture(scope='module')
def tables(found):
  """Returns the rows of each table, as they are in its file."""
  report = STUDY.report(found, STUDY.resolve(**SMALL))
  for table in report.tables:
    assert f'({table.name}.csv)' in table.text()
  return {table.name: table.records() for table in report.tables}


def test_it_is_a_saddle_that_runs_leave(tables):
  kinks, verdict = tables['verdicts']
  assert kinks['verdict'] == 'SADDLE'
  assert kinks['side'] == 'on its kinks'
  assert kinks['decayed_verdict'] == 'LOCAL_MINIMUM'
  assert verdict['decayed_verdict'] is None
  assert verdict['verdict'] == 'SADDLE'
  assert verdict['side'] == 'within its piece'
  assert verdict['lowest_closed_form'] == pytest.approx(
    verdict['lowest_eigenvalue'], rel=1e-6
  )
  assert verdict['dead_bias'] == pytest.approx(0.2)
  assert verdict['path_fall'] > 0
  _, descents = tables['descents']
  assert descents['num_below'] == descents['total'] == 4
  assert len(tables['escape']) == 2
  for escape in tables['escape']:
    assert escape['total'] == 16
    assert escape['num_never_escaped'] == 0
    assert 100 < escape['median_escape_step'] < 400


def test_predictions_are_what_is_measured(tables):
  assert [row['source'] for row in tables['tilt']] == ['random'] + [
    'training'
  ] * 2
  assert all(row['general_wrong'] == 0 for row in tables['tilt'])
  assert tables['tilt'][0]['special_wrong'] > 0
  held, relearnt = tables['frozen'][-2:]
  assert abs(held['measured_epsilon']) < 1e-12
  assert relearnt['measured_epsilon'] == pytest.approx(
    relearnt['predicted_epsilon'], rel=1e-2
  )


def test_only_finished_runs_are_counted(found):
  kept = {name: found[0].data[name][:5] for name in found[0].data}
  kept['escaped_step'] = np.asarray([-1, 7, 9, -1, 11])
  row = escapes.row(found[0]._replace(data=kept))
  assert (row['total'], row['num_never_escaped']) == (5, 2)
  assert row['fraction'].estimate == 0.4
  assert row['median_escape:step'].estimate == 11
  assert row['stuck_bias_times_n'] == pytest.approx(
    np.mean(kept['dead_bias'][[0, 3]]) * 5
  )
  assert trial.count_escapes(kept)['escaped'] == 3


def test_each_kind_of_run_has_stages_of_its_own():
  values = STUDY.resolve(
    num_features=[3, 5],
    optimizer=['sgd', 'adamw'],
    weight_decay=[0.1, 0.2],
    adam_b1=[0.8, 0.9],
    state_features=6,
    state_decay=[0.0, 0.01],
  )
  stages = STUDY.stages(values)
  assert [stage.name for stage in stages] == [
    *('n3_sgd', 'n3_adamw', 'n5_sgd', 'n5_adamw', 'training_n6')
  ]
  # Stored runs stand in this order.
  assert list(stages[1].axes) == [
    *('learning_rate', 'adam_b1', 'adam_b2', 'adam_eps', 'weight_decay'),
    *('norm_factor', 'start_noise'),
  ]
  assert list(stages[0].axes) == [
    *('sgd_learning_rate', 'norm_factor', 'start_noise')
  ]
  scratch = stages[-1]
  assert scratch.axes['weight_decay'].tolist() == [0.0, 0.01] * 2
  assert scratch.axes['adam_b1'].tolist() == [0.8, 0.8, 0.9, 0.9]
  assert (scratch.num_steps, scratch.num_seeds) == (10_000, 1024)
  assert scratch.static == {'num_features': 6, 'optimizer': 'adamw'}


@pytest.mark.parametrize(
  ('wrong', 'message'),
  [
    ({'norm_factor': 0.9}, '0.9 must be >= 1'),
    ({'state_steps': [300, 100]}, '--state_steps must increase'),
  ],
)
def test_wrong_settings_are_named(wrong, message):
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**wrong)

"""The trial of remedies: the same states in every arm, and what is counted."""

import numpy as np
import pytest

from toyjax import studies
from toyjax.parsers import SettingError
from toyjax.studies import arms, resampling_trial
from toyjax.toys.relu_autoencoder import Outcome

STUDY = resampling_trial.STUDY
VALUES = STUDY.resolve(
  num_features=6,
  learning_rate=1e-2,
  state_steps=[100, 300],
  num_steps=200,
  spell_evaluations=40,
  delta=0.1,
  factor=0.05,
  rate=3.0,
)


@pytest.fixture(scope='module')
def found():
  return studies.run(STUDY, VALUES, num_seeds=48, map_name='vmap')


def test_every_arm_goes_on_from_the_same_states(found):
  for k, step in enumerate(VALUES['state_steps']):
    outcome = found[0].data['outcome'][:, k]
    failed = found[0].data['seed_index'][outcome >= Outcome.SYMMETRIC_FAILURE]
    going = [runs for runs in found if runs.stage == f'arms_{step}']
    assert len(going) == 17
    for runs in going:
      np.testing.assert_array_equal(runs.data['seed_index'], failed)
      np.testing.assert_array_equal(
        runs.data['before'], outcome[outcome >= Outcome.SYMMETRIC_FAILURE]
      )
    rows = {
      row['arm']: row
      for row in STUDY.report(found, VALUES).table('arms').records()
      if (row['state_step'], row['kind']) == (step, 'all')
    }
    assert {row['repaired_total'] for row in rows.values()} == {len(failed)}
    for runs in going:
      row = rows[runs.label.split()[-1]]
      assert row['repaired_count'] == (runs.data['solved_step'] >= 0).sum()
      assert row['broken_count'] == (runs.data['num_broken'] > 0).sum()


def test_doing_nothing_is_what_the_search_would_have_done(found):
  """States are kept whole: 200 steps on from 100 is the run's own step 300."""
  search = found[0].data
  (nothing,) = (r for r in found if r.label == 'arms_100 nothing')
  at = np.isin(search['seed_index'], nothing.data['seed_index'])
  weights = search['weights'][at, 1].astype(float)
  bias = search['bias'][at, 1].astype(float)
  responses = np.einsum('sdi,sdj->sji', weights, weights) + bias[:, None]
  sse = ((np.maximum(responses, 0.0) - np.eye(6)) ** 2).sum((1, 2))
  np.testing.assert_allclose(nothing.data['sse'], sse, rtol=0.02)


def test_kinds_add_up_to_all(found):
  rows = STUDY.report(found, VALUES).table('arms').records()
  for step in VALUES['state_steps']:
    own = [row for row in rows if row['state_step'] == step]
    for arm in {row['arm'] for row in own}:
      of_arm = {row['kind']: row for row in own if row['arm'] == arm}
      whole = of_arm.pop('all')
      for count in ('repaired_count', 'repaired_total', 'broken_count'):
        assert sum(row[count] for row in of_arm.values()) == whole[count]


def test_spells_lower_the_error_and_a_plain_step_has_their_length(found):
  runs = {r.label: r.data for r in found}
  for way in ('lbfgs', 'steepest'):
    data = runs[f'spells_300 {way}']
    after = runs[f'arms_300 {way}']['sse_after']
    before = runs['arms_300 nothing']['sse_after']
    assert (after <= before * (1 + 1e-5)).all()
    assert (data['num_evaluations'] <= 40).all()
  length = runs['spells_300 lbfgs']['length']
  # Both in float32, from weights of order 1.
  for way in ('long_step', 'lbfgs'):
    distance = runs[f'arms_300 {way}']['distance']
    np.testing.assert_allclose(distance, length, rtol=1e-3, atol=1e-5)
  for way in ('nothing', 'adam_reset'):
    assert not runs[f'arms_300 {way}']['distance'].any()


def test_intervals_of_differences_allow_for_their_number():
  a, b = np.arange(100) < 60, np.arange(100) < 40
  alone, among = arms.paired(a, b, 1), arms.paired(a, b, 20)
  assert alone.estimate == among.estimate == pytest.approx(0.2)
  assert among.lower < alone.lower < alone.upper < among.upper
  assert arms.corrected(20) == pytest.approx(1 - 0.05 / 20)


def test_no_failed_run_is_an_error_in_one_line():
  values = STUDY.resolve(**{**VALUES, 'kinds': 'off', 'state_steps': [2]})
  with pytest.raises(SettingError, match='none of 4 runs failed at step 2'):
    studies.run(STUDY, values, num_seeds=4, map_name='vmap')

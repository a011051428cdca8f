"""The trial of remedies against dead latents: the same states in every arm."""

import numpy as np
import pytest
import scipy.stats

from toyjax import studies
from toyjax.parsers import SettingError
from toyjax.studies import latent_resampling

STUDY = latent_resampling.STUDY
SIZES = {
  'num_features': 12,
  'num_inputs': 6,
  'num_latents': 10,
  'batch_size': 16,
  'num_fresh': 200,
  'state_steps': 40,
  'num_steps': 60,
  'num_looks': 3,
}
VALUES = STUDY.resolve(**SIZES)


@pytest.fixture(scope='module')
def found():
  return studies.run(STUDY, VALUES, num_seeds=6)


def test_every_arm_goes_on_from_the_same_states(found):
  states, *going = found
  with_dead = states.data['seed_index'][states.data['num_dead'] > 0]
  assert len(going) == 10
  for runs in going:
    np.testing.assert_array_equal(runs.data['seed_index'], with_dead)
    for name in ('num_dead', 'num_before'):
      np.testing.assert_array_equal(runs.data[name], going[0].data[name])
    # The arms find the state as the search left it.
    at = np.isin(states.data['seed_index'], with_dead)
    np.testing.assert_array_equal(
      runs.data['num_dead'], states.data['num_dead'][at]
    )


def test_rows_are_what_the_runs_say(found):
  _, *going = found
  control = going[0].data
  rows = STUDY.report(found, VALUES).table('arms').records()
  assert [row['arm'] for row in rows] == [runs.label for runs in going]
  for row, runs in zip(rows, going):
    data = runs.data
    share = data['num_revived'] / data['num_dead']
    np.testing.assert_allclose(row['revived'], share.mean(), rtol=1e-6)
    np.testing.assert_allclose(data['alive'][:, -1], share, rtol=1e-6)
    if row['arm'] == 'nothing':
      assert row['revived_difference'] is None
    else:
      less = share - control['num_revived'] / control['num_dead']
      assert row['revived_difference'] == pytest.approx(less.mean())
      radius = row['revived_difference'] - row['revived_difference_lower']
      # Student's of one of nine comparisons.
      reach = scipy.stats.t.ppf(1.0 - 0.05 / 18.0, len(less) - 1)
      expected = reach * less.std(ddof=1) / np.sqrt(len(less))
      assert radius == pytest.approx(expected, rel=1e-4)


def test_centring_wakes_latents_that_a_mean_kept_dead(found):
  by_arm = {runs.label: runs.data for runs in found[1:]}
  revived, dead = (
    by_arm['centered'][name].sum() for name in ('num_revived', 'num_dead')
  )
  assert revived > 0.8 * dead


def test_runs_without_a_dead_latent_are_an_error_in_one_line(found):
  states = found[0]
  alive = {**states.data, 'num_dead': np.zeros(6, int)}
  _, going = STUDY.stages(VALUES)
  with pytest.raises(SettingError, match='none of 6 runs has a dead latent'):
    going.xs(6, [states._replace(data=alive)])

"""Rows of the tables of nets of one variable, from runs made by hand."""

import numpy as np
import pytest

from toyjax import flat_params, studies
from toyjax.runs import Runs
from toyjax.studies import sqrt_failure
from toyjax.studies.sqrt_failure import formulas, rows
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Outcome

STUDY = sqrt_failure.STUDY


@pytest.fixture
def three():
  """Three nets y = 3 ReLU(x) + 1; the last two have diverged.

  One by its error alone, with finite weights; one by a weight alone.
  """
  values = STUDY.resolve(
    **{'target': 'sin', 'low': -1, 'high': 1, 'num_checked': 5},
    **{'hidden_dim': 1, 'num_hidden_layers': 1},
  )
  (stage,) = STUDY.stages(values)
  one = np.ones(1, np.float32)
  net = sqrt_mlp.Params(
    (sqrt_mlp.Dense(one[None], 0.0 * one), sqrt_mlp.Dense(3.0 * one[None], one))
  )
  weights = np.tile(np.asarray(flat_params.flatten(net)), (3, 1))
  weights[2, -1] = -np.inf
  codes = [[Outcome.ALL_LIVE], [Outcome.DIVERGED], [Outcome.DIVERGED]]
  return Runs(
    label='',
    configuration={},
    values=stage.values,
    stage=stage.name,
    data={
      'seed_index': np.arange(3),
      'outcome': np.asarray(codes),
      'rmse': np.asarray([[0.5], [np.inf], [0.25]]),
      'num_dead': np.zeros((3, 1), int),
      'weights': weights,
    },
  )


def test_runs_that_diverged_have_no_pieces_and_agree_with_nothing(three):
  nets = formulas.first_nets(three, 3)
  pieces = formulas.first_pieces(three, nets)
  assert [len(each.inside) for each in pieces] == [2, 0, 0]
  counts = {
    row['num_regions']: row[''].count
    for row in formulas.region_rows(three, pieces)
    if (row['where'], row['among']) == ('interval', 'all')
  }
  assert counts == {0: 2, 2: 1}
  found = formulas.compare(nets, pieces, three.values)
  np.testing.assert_array_equal(found.of_largest, [0.0, np.inf, np.inf])
  agree = {
    (row['relative_to'], row['among']): row
    for row in formulas.agreement_rows(three, found)
  }
  assert agree['largest answer', 'all'][''].count == 1
  assert agree['answer at the point', 'all']['largest_failing_answer'] == np.inf
  none = agree['answer at the point', 'reached']
  assert none[''].total == 0
  assert none['median_difference'] is none['largest_failing_answer'] is None


def test_runs_that_diverged_are_infinitely_far_off(three):
  row = rows.error_row(three)
  assert (row['rmse_min'], row['rmse_median']) == (0.5, np.inf)


def test_the_reached_are_those_of_the_last_step(three):
  codes = [Outcome.REACHED, Outcome.ALL_LIVE]
  outcomes = np.asarray([codes[::-1], codes, codes])
  found = three._replace(data={**three.data, 'outcome': outcomes})
  pieces = formulas.first_pieces(found, formulas.first_nets(found, 3))
  totals = {
    row['among']: row[''].total for row in formulas.region_rows(found, pieces)
  }
  assert totals == {'all': 3, 'reached': 1}


def test_the_decrease_is_that_of_the_last_tenth_of_the_steps():
  values = STUDY.resolve(
    **{'num_hidden_layers': 1, 'num_points': 8, 'optimizer': 'sgd'},
    **{'num_steps': 20, 'observe_steps': [18, 20]},
  )
  (found,) = studies.run(STUDY, values, num_seeds=4)
  earlier, last = found.data['rmse'].astype(float).T
  np.testing.assert_allclose(
    found.data['decrease'][:, 1], 1.0 - (last / earlier) ** 2, atol=1e-6
  )

"""Rows of the tables of nets of one variable, from runs made by hand."""

import numpy as np
import pytest

from scripts.shared import (
  grids,
  sqrt_formulas,
  sqrt_rows,
  sqrt_runs,
  sqrt_trial,
)
from toyjax import sweeps
from toyjax.toys import sqrt_mlp
from toyjax.toys.sqrt_mlp import Outcome


@pytest.fixture
def configuration():
  """Three nets y = 3 ReLU(x) + 1; the last two have diverged.

  One by its error alone, with finite weights; one by a weight alone.
  """
  one = np.ones((3, 1), np.float32)
  bias = one.copy()
  bias[2] = -np.inf
  layers = (
    sqrt_mlp.Dense(one[:, None], 0.0 * one),
    sqrt_mlp.Dense(3.0 * one[:, None], bias),
  )
  return sqrt_runs.Configuration(
    label='',
    flags={},
    widths=(1,),
    outcomes=np.asarray(
      [[Outcome.ALL_LIVE], [Outcome.DIVERGED], [Outcome.DIVERGED]]
    ),
    rmse=np.asarray([0.5, np.inf, 0.25]),
    num_dead=np.zeros(3, int),
    nets=sqrt_mlp.Params(layers),
  )


def test_runs_that_diverged_have_no_pieces_and_agree_with_nothing(
  configuration,
):
  pieces = sqrt_formulas.first_pieces(configuration, 3, low=-1.0, high=1.0)
  assert [len(each.inside) for each in pieces] == [2, 0, 0]
  counts = {
    row['num_regions']: row['count']
    for row in sqrt_formulas.region_rows(configuration, pieces)
    if (row['where'], row['among']) == ('interval', 'all')
  }
  assert counts == {0: 2, 2: 1}
  found = sqrt_formulas.compare(
    configuration.nets,
    pieces,
    low=-1.0,
    high=1.0,
    num_points=5,
    dtype='float32',
  )
  assert [each.of_largest for each in found] == [0.0, np.inf, np.inf]


def test_runs_that_diverged_are_infinitely_far_off(configuration):
  row = sqrt_rows.error_row(configuration)
  assert (row['rmse_min'], row['rmse_median']) == (0.5, np.inf)


def test_the_reached_are_those_of_the_last_step(configuration):
  codes = [Outcome.REACHED, Outcome.ALL_LIVE]
  found = configuration._replace(
    outcomes=np.asarray([codes[::-1], codes, codes])
  )
  pieces = sqrt_formulas.first_pieces(found, 3, low=-1.0, high=1.0)
  totals = {
    row['among']: row['total']
    for row in sqrt_formulas.region_rows(found, pieces)
  }
  assert totals == {'all': 3, 'reached': 1}


def test_the_decrease_is_that_of_the_last_tenth_of_the_steps():
  settings = {
    'coefficients': [],
    'low': 0.0,
    'high': 4.0,
    'num_hidden_layers': 1,
    'num_points': 8,
    'spacing': 'even',
    'num_steps': 20,
    'solved_rmse': 0.05,
    'dtype': 'float32',
    'observe_steps': [18, 20],
  }
  static = {
    'hidden_dim': 2,
    'target': 'sqrt',
    'optimizer': 'sgd',
    'init': 'torch_linear',
  }
  axes = {'learning_rate': np.asarray([0.01]), 'init_scale': np.asarray([1.0])}
  xs = grids.group_xs(
    grids.Group('', static, axes), seed=0, num_seeds=4, dtype='float32'
  )
  found = sweeps.sweep(sqrt_trial.make_trial(static, settings), xs)
  earlier, last = found['rmse'].astype(float).T
  np.testing.assert_allclose(
    found['decrease'][:, 1], 1.0 - (last / earlier) ** 2, atol=1e-6
  )

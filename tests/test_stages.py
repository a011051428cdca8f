"""Stages of a grid: one a combination of static settings."""

import enum

import numpy as np
import pytest

from toyjax import common_settings, memory, settings, stages, store
from toyjax.parsers import Choice, Number, SettingError
from toyjax.settings import FIXED, SHAPE, STATIC, TRACED, Setting


class Code(enum.IntEnum):
  BAD = 0
  GOOD = 1


ROWS = (
  Setting('width', [5, 6], Number(int, 1), SHAPE, '', letter='n'),
  Setting('depth', [1], Number(int, 1), SHAPE, '', letter='d'),
  Setting('method', ['sgd', 'adam'], Choice(('sgd', 'adam')), STATIC, ''),
  Setting('init', ['normal'], Choice(('normal',)), STATIC, ''),
  Setting('rate', [0.1, 0.2], Number(float), TRACED, ''),
  Setting(
    'eps', [1e-8], Number(float), TRACED, '', needs=('method', ('adam',))
  ),
  Setting('scale', 3.0, Number(float), FIXED, ''),
  *common_settings.steps(100, [10], about='', least=1),
  common_settings.SEED,
  common_settings.DTYPE,
)
VARIABLES = {'outcome': store.Variable(('step',))}


def _trial(values):
  return lambda x: {
    'outcome': np.full(len(values['observe_steps']), values['num_steps'])
  }


def _grid(**given):
  return list(
    stages.grid(
      ROWS,
      settings.resolve(ROWS, given),
      make_trial=_trial,
      variables=VARIABLES,
      outcome=Code,
      attrs=lambda values: {'level': values['width'] * values['scale']},
      large=('scale',),
    )
  )


def test_stages_are_the_product_of_the_static_settings():
  found = _grid()
  assert [stage.name for stage in found] == [
    *('n5_d1_sgd', 'n5_d1_adam', 'n6_d1_sgd', 'n6_d1_adam'),
  ]
  assert [stage.name for stage in _grid(method='adam')] == ['n5_d1', 'n6_d1']
  # With one method and no shape nothing is left to tell stages by.
  for only in ('sgd', 'adam'):
    (one,) = stages.grid(
      *(ROWS[2:], settings.resolve(ROWS[2:], {'method': only})),
      make_trial=_trial,
      variables=VARIABLES,
      outcome=Code,
      attrs=lambda values: {},
    )
    assert one.name == 'runs'
  sgd, adam = found[:2]
  assert set(sgd.axes) == {'rate'}
  assert set(adam.axes) == {'rate', 'eps'}
  assert adam.num_configurations == 2
  assert adam.static == {
    **{'width': 5, 'depth': 1, 'method': 'adam', 'init': 'normal'},
  }
  assert (adam.values['width'], adam.values['rate']) == (5, [0.1, 0.2])
  assert adam.attrs == {'level': 15.0}
  assert adam.sizes == [5, 1, 'adam', 'normal', 3.0]
  assert list(adam.coordinates) == ['step']
  assert adam.coordinates['step'].values.tolist() == [10, 100]


def test_seeds_are_crossed_with_configurations(monkeypatch):
  adam = _grid()[1]
  xs = adam.xs(3)
  np.testing.assert_allclose(xs['rate'], [0.1, 0.2] * 3)
  np.testing.assert_array_equal(xs['seed_index'], [0, 0, 1, 1, 2, 2])
  assert xs['rate'].dtype == np.float32
  assert adam.num_runs(3) == 6
  own = adam._replace(num_seeds=2)
  assert len(own.xs(3)['rate']) == own.num_runs(3) == 4
  assert len(adam.few_xs(10**9)['rate']) < 10**4
  monkeypatch.setattr(memory, 'of_machine', lambda: 2**30)
  message = f'{2 * 2**31:,} runs, before any is made, .*GiB of memory'
  with pytest.raises(SettingError, match=message):
    adam.xs(2**31)


def test_the_run_of_a_seed_is_that_of_the_sweep():
  (stage,) = _grid(width=5, method='sgd', rate=0.1, seed=4)
  one, xs = stages.one_x(stage, 7), stage.xs(9)
  assert set(one) == set(xs)
  for name, values in one.items():
    assert (values == xs[name][7:8]).all()


def test_later_stages_make_their_runs_from_those_before():
  def make_xs(finished, num_seeds):
    return {'seed_index': np.arange(num_seeds + len(finished))}

  later = _grid()[0]._replace(make_xs=make_xs)
  assert len(later.xs(4, ['one', 'two'])['seed_index']) == 6


def test_shorter_runs_are_observed_at_their_end():
  stage = _grid()[0]
  assert stage.num_steps == 100
  np.testing.assert_array_equal(stage.trial({})['outcome'], [100, 100])
  np.testing.assert_array_equal(stage.short_trial(7)({})['outcome'], [7])
  other = stage._replace(
    shorten=lambda values, n: {**values, 'num_steps': -n, 'observe_steps': [n]}
  )
  np.testing.assert_array_equal(other.short_trial(7)({})['outcome'], [-7])


def test_chunks_are_summed_up_at_their_last_observation():
  count = _grid()[0].summarize
  assert count({'outcome': np.asarray([[0, 1], [1, 1], [0, 0]])}) == {
    **{'bad': 1, 'good': 2},
  }


def test_float64_is_on_for_those_who_train_in_it():
  narrow, wide = _grid()[0], _grid(dtype='float64')[0]
  for stage, dtype in ((narrow, np.float32), (wide, np.float64)):
    with stages.precision_of(stage):
      assert stage.xs(1)['rate'].dtype == dtype

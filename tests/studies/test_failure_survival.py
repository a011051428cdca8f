"""One factor at a time: levels, their programs, what is counted of their runs.

All of a few seeds, n = 4.
"""

import jax
import numpy as np
import pytest

from toyjax import statistics, studies
from toyjax.analysis.autoencoder.events import Place
from toyjax.parsers import SettingError
from toyjax.studies import failure_survival, optimization_failure
from toyjax.studies.failure_survival import levels
from toyjax.studies.failure_survival.settings import parse_optimizer
from toyjax.toys.relu_autoencoder import Outcome

STUDY = failure_survival.STUDY
ONE_LEVEL = {
  'num_features': 4,
  'optimizer': 'adamw',
  'learning_rate': 3e-2,
  'adam_eps': 1e-8,
  'adam_b2': 0.999,
  'weight_decay': 1e-2,
  'init_scale': 1,
  'loss_reduction': 'mean',
  'dtype': 'float32',
}
VALUES = STUDY.resolve(
  **{
    **ONE_LEVEL,
    'learning_rate': [3e-2, 1e30],
    'dtype': ['float32', 'float64'],
    'num_steps': 150,
    'report_steps': [500, 60],
  }
)


@pytest.fixture(scope='module')
def found():
  return studies.run(STUDY, VALUES, num_seeds=12, map_name='vmap')


@pytest.fixture(scope='module')
def report(found):
  return STUDY.report(found, VALUES)


def test_there_is_one_row_a_level(found, report):
  rows = report.table('summary').records()
  assert [(row['factor'], row['level']) for row in rows] == [
    ('default', 'default'),
    ('learning_rate', '1e+30'),
    ('dtype', 'float64'),
  ]
  assert 'Leaving symmetric failure' in report.tables[1].text()
  default, wild, wide = rows
  assert default['difference'] is None
  # The same draws and, so early, the same runs in either precision.
  assert wide['num_solved'] == default['num_solved']
  assert [runs.data['weights'].dtype for runs in found] == [
    *(np.float32, np.float32, np.float64)
  ]
  for row in rows:
    # Of the same seeds, so that only those solved in one of the two differ.
    gain = row['num_solved'] - default['num_solved']
    assert row['solved_here_only'] - row['solved_in_default_only'] == gain
  assert wild['solved_in_default_only'] == default['num_solved'] > 0
  # Diverged runs are counted, and stay unsolved to the last step.
  assert wild['num_diverged'] == 12
  assert (wild['num_solved'], wild['num_at_risk_solve']) == (0, 12)


def test_runs_end_as_those_of_the_sweep_of_the_same_settings():
  sweep, steps = optimization_failure.STUDY, {'num_steps': 30}
  names = {row.name for row in sweep.settings} & set(ONE_LEVEL)
  (found,), (swept,) = (
    studies.run(study, values, num_seeds=12, map_name='vmap')
    for study, values in (
      (STUDY, STUDY.resolve(**ONE_LEVEL, **steps)),
      (sweep, sweep.resolve(**{n: ONE_LEVEL[n] for n in names}, **steps)),
    )
  )
  ends = found.data['outcome']
  # Some are still on their way: their SSE falls over the last tenth.
  assert np.sum(ends == Outcome.UNRESOLVED) >= 4
  # They differ in how a program is compiled, so in last bits.
  assert np.sum(swept.last('outcome') != ends) <= 1


def test_tables_count_what_the_runs_hold(found, report):
  first = found[0].data['first_step']
  solved = first[:, Place.SOLVED]
  rows = {
    (row['step'], row['quantity']): row
    for row in report.table('events').records()
    if row['factor'] == 'default'
  }
  assert {step for step, _ in rows} == {60, 150}
  for step in (60, 150):
    row = rows[step, 'solved']
    by_then = (solved >= 0) & (solved <= step)
    assert row['count'] == by_then.sum()
    interval = [row[name] for name in ('fraction', 'lower', 'upper')]
    assert interval == [*statistics.wilson(int(by_then.sum()), 12)]
    passed = first[:, Place.ON_FOR_ALL]
    unsolved = rows[step, 'unsolved_that_passed_on_for_all']
    assert unsolved['total'] == np.sum(~by_then)
    assert unsolved['count'] == np.sum(
      ~by_then & (passed >= 0) & (passed <= step)
    )
  hazards = [
    row
    for row in report.table('hazards').records()
    if (row['factor'], row['event']) == ('default', 'solve')
  ]
  assert sum(row['num_events'] for row in hazards) == np.sum(solved >= 0)
  at_risk = np.where(solved < 0, 150, solved).sum()
  assert sum(row['steps_at_risk'] for row in hazards) == pytest.approx(at_risk)
  learned = np.sum(found[0].data['first_learned'] >= 0, axis=1)
  for row in report.table('learning').records()[:4]:
    assert row['num_reached'] == np.sum(learned >= row['kth_feature'])


def test_panels_have_a_factor_each_and_the_default_in_black(report):
  axes = report.sheet('survival').figure().axes
  assert [each.get_title() for each in axes] == ['learning rate', 'precision']
  for each in axes:
    default, *_ = each.get_lines()
    assert default.get_label().endswith('(default)')
    assert default.get_color() == '#000000'
  # Black is the default alone, where no run of it entered.
  for each in report.sheet('escape').figure().axes:
    for line in each.get_lines():
      is_default = '(default)' in line.get_label()
      assert is_default == (line.get_color() == '#000000')


def test_an_optimizer_may_bring_its_own_rate():
  given = {**ONE_LEVEL, 'learning_rate': 1.0, 'optimizer': ['adamw', 'sgd@2']}
  values = STUDY.resolve(**given)
  found = levels.make_levels(values)
  assert list(found) == ['default', 'optimizer=sgd@2']
  default, sgd = found.values()
  assert default['learning_rate'] == 1.0
  assert (sgd['optimizer'], sgd['learning_rate']) == ('sgd', 2.0)
  stages = STUDY.stages(values)
  assert [list(stage.axes['learning_rate']) for stage in stages] == [[1], [2]]
  for text in ('sdg', 'sgd@', 'sgd@-1', 'sgd@1e-50'):
    with pytest.raises(ValueError, match=r'after @|unknown'):
      parse_optimizer(text)


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'optimizer': 'sgd', 'adam_eps': [1e-8, 1e-6]}, 'adam_eps lists 2 values'),
    ({'optimizer': ['adamw', 'sgd@.1', 'sgd@.10000000001']}, 'are one in'),
    ({'momentum': 1 - 1e-9, 'dtype': ['float64', 'float32']}, 'in float32'),
  ],
)
def test_levels_that_are_none_are_refused(given, message):
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**{**ONE_LEVEL, **given})


def test_a_level_must_be_held_by_its_own_precision_alone():
  rates = {'learning_rate': [1e-3, 1e-40], 'dtype': ['float64', 'float32']}
  assert STUDY.resolve(**{**ONE_LEVEL, **rates})['learning_rate'][1] == 1e-40


def test_what_is_reported_is_no_part_of_a_folder():
  science = STUDY.science(VALUES)
  assert set(VALUES) - set(science) == {'report_steps'}
  assert (science['schedule'], science['warmup_steps']) == ('constant', 0)


def test_float64_needs_no_setting_of_jax(found):
  assert not jax.config.jax_enable_x64
  assert {runs.values['dtype'] for runs in found} == {'float32', 'float64'}

"""The sweep of the ReLU autoencoder: counts, crossings, texts, differences."""

import numpy as np
import pytest

from toyjax import statistics, studies
from toyjax.parsers import SettingError
from toyjax.runs import Runs
from toyjax.studies import optimization_failure
from toyjax.tables import LABEL
from toyjax.toys.relu_autoencoder import Outcome

STUDY = optimization_failure.STUDY
NUM_SEEDS, STEPS = 20, [100, 300]


@pytest.fixture(scope='module')
def finished():
  values = STUDY.resolve(
    num_features=[5, 6],
    num_steps=300,
    observe_steps=STEPS,
    learning_rate=[0.01, 0.1],
  )
  found = studies.run(STUDY, values, num_seeds=NUM_SEEDS)
  return found, STUDY.report(found, values), values


def test_the_summary_counts_every_run_once(finished):
  found, report, _ = finished
  table = report.table('summary')
  size = len(Outcome)
  assert len(table.rows) == 2 * 2 * 2 * size
  for place, start in enumerate(range(0, len(table.rows), size)):
    block = table.records()[start : start + size]
    each, k = found[place // 2], place % 2
    assert [row['outcome'] for row in block] == [o.name for o in Outcome]
    assert {row['total'] for row in block} == {NUM_SEEDS}
    for row, code in zip(block, Outcome):
      assert row['step'] == STEPS[k]
      assert row['count'] == np.sum(each.data['outcome'][:, k] == code)
      interval = statistics.wilson(row['count'], NUM_SEEDS)
      assert (row['fraction'], row['lower'], row['upper']) == interval
  row = table.rows[0]
  assert row['optimizer'] == 'adamw'
  assert row['momentum'] is None  # AdamW has none.
  assert {row['learning_rate'] for row in table.rows} == {0.01, 0.1}


def test_first_crossings_fit_the_labels(finished):
  solved_somewhere = 0
  for each in finished[0]:
    first, sse = each.data['first_solved_step'], each.data['sse']
    for k, step in enumerate(STEPS):
      solved = sse[:, k] < 0.01
      solved_somewhere += solved.sum()
      assert np.all((first[solved] >= 0) & (first[solved] <= step))
      # The tracked loss and the SSE may differ in their last bits.
      assert np.all(sse[:, -1][first < 0] > 0.01 * (1 - 1e-4))
  assert solved_somewhere > 0


def test_a_crossing_is_dated_by_the_steps_after_which_it_was_seen():
  values = STUDY.resolve(
    num_features=4,
    num_steps=60,
    observe_steps='2:60:59',
    learning_rate=0.05,
    solved_sse=1.0,
  )
  (found,) = studies.run(STUDY, values, num_seeds=NUM_SEEDS)
  low = found.data['sse'] < 1.0
  # Those that are low at the first observed step may have been before.
  later = low.any(axis=1) & ~low[:, 0]
  assert later.sum() > NUM_SEEDS / 2
  seen = np.asarray(values['observe_steps'])[np.argmax(low[later], axis=1)]
  # The tracked loss and the SSE may differ in their last bits.
  assert np.mean(found.data['first_solved_step'][later] == seen) > 0.8


def test_another_level_counts_and_dates_anew(finished):
  found, report, values = finished
  values = {**values, 'solved_sse': 1e-30}
  again = [
    each._replace(
      values={**each.values, 'solved_sse': 1e-30},
      data={**each.data, **STUDY.relabel(values, each.data)},
    )
    for each in found
  ]
  other = STUDY.report(again, values)
  for row in other.table('summary').rows:
    assert not row['outcome'].startswith('SOLVED') or row[''].count == 0
  assert other.notes['solved_sse'] == 1e-30
  for name, sheet in (('at observed', other), ('', report)):
    (axes,) = sheet.sheet('survival').figure().axes
    assert name in axes.get_ylabel()
    assert ('at observed' in axes.get_ylabel()) == bool(name)


def test_differences_are_those_of_pairs(finished):
  found, report, _ = finished
  rows = report.table('differences').rows
  assert [row[LABEL] for row in rows] == ['n=5 lr=0.1', 'n=6 lr=0.1']
  for row, (base, each) in zip(rows, (found[:2], found[2:])):
    a, b = (
      np.isin(
        runs.last('outcome'),
        [o for o in Outcome if o.name.startswith('SOLVED')],
      )
      for runs in (each, base)
    )
    assert row['less'] == base.label
    assert (row['num_pairs'], row['step']) == (NUM_SEEDS, 300)
    assert row['solved_both'] == np.sum(a & b)
    assert row['solved_only_here'] - row['solved_only_there'] == sum(a) - sum(b)
    np.testing.assert_allclose(
      row['difference'].estimate, a.mean() - b.mean(), atol=1e-12
    )


def _by_hand(codes, **last):
  """Returns runs of one observed step with these codes."""
  values = STUDY.resolve(num_features=6, num_steps=10)
  (stage,) = STUDY.stages(values)
  data = {
    'seed_index': np.arange(len(codes)),
    'outcome': np.asarray(codes)[:, None],
    'first_solved_step': np.full(len(codes), -1),
    'sse': np.full((len(codes), 1), 0.5),
    **{
      name: np.zeros((len(codes), 1), int)
      for name in ('num_shared', 'num_merged', 'num_off', 'shared_over')
    },
    **{name: np.asarray(array)[:, None] for name, array in last.items()},
  }
  attrs = {'solved_sse': stage.values['solved_sse']}
  found = [Runs('n=6', {}, stage.values, stage.name, data, attrs)]
  return STUDY.report(found, values)


def test_what_mixed_and_asymmetric_runs_are_made_of_is_said():
  report = _by_hand(
    [Outcome.MIXED] * 3 + [Outcome.ASYMMETRIC_FAILURE] * 2,
    num_shared=[1, 1, 0, 0, 0],
    num_off=[1, 1, 2, 0, 0],
    shared_over=[0, 0, 0, 3, 2],
    sse=[0.5, 0.5, 0.5, 0.6, 0.75],
  )
  (text,) = (part for part in report.parts if isinstance(part, str))
  absent, mixed, asymmetric = text.splitlines()
  assert absent.startswith('none anywhere: diverged, ')
  assert 'mixed' not in absent
  assert mixed == (
    'n=6: mixed: 2 with 1 shared 0 merged 1 off, 1 with 0 shared 0 merged 2 off'
  )
  assert asymmetric == (
    'n=6: asymmetric_failure: 1 over g = 2, 1 over g = 3; SSE 0.600 to 0.750, '
    'below 1 - 1/g in 1 of 2'
  )


def test_solved_runs_are_added_up():
  report = _by_hand(
    [Outcome.SOLVED_REGULAR, Outcome.SOLVED_IRREGULAR, Outcome.OFF]
  )
  last = report.parts[1].text().splitlines()
  assert last[0] == 'After 10 steps (95 % Wilson intervals):'
  assert last[-1].split()[:5] == ['n=6', '=', 'solved', 'in', 'all']
  assert '2' in last[-1].split()
  assert not report.table('differences').rows


def test_a_grid_of_optimizers_leaves_unused_numbers_empty():
  values = STUDY.resolve(
    num_features=5,
    optimizer=['sgd', 'momentum', 'adam', 'rmsprop', 'adamw'],
    weight_decay=[0, 0.1],
    loss_reduction='sum',
    num_steps=50,
    schedule='warmup_cosine',
    warmup_steps=10,
    dtype='float64',
  )
  assert [stage.name for stage in STUDY.stages(values)] == [
    *('n5_m2_sgd', 'n5_m2_momentum', 'n5_m2_adam', 'n5_m2_rmsprop'),
    'n5_m2_adamw',
  ]
  found = studies.run(STUDY, values, num_seeds=4)
  used = [
    (each.configuration['optimizer'], each.configuration['weight_decay'])
    for each in found
  ]
  assert used[2:] == [
    ('adam', None), ('rmsprop', None), ('adamw', 0.0), ('adamw', 0.1),
  ]  # fmt: skip
  assert found[-1].label == 'optimizer=adamw decay=0.1'
  assert found[-1].data['weights'].dtype == np.float64


@pytest.mark.parametrize(
  ('given', 'message'),
  [
    ({'optimizer': 'lion'}, "'lion' is unknown"),
    ({'learning_rate': -1}, '-1 must be > 0'),
    ({'learning_rate': 'fast'}, "'fast' is not a float"),
    ({'num_features': 1}, '1 must be >= 2'),
    ({'num_steps': 50, 'observe_steps': [60]}, 'past the end'),
    ({'num_steps': 50, 'observe_steps': [30, 20]}, 'must increase'),
    ({'optimizer': 'sgd', 'adam_eps': [1e-8, 1e-4]}, '--adam_eps'),
    ({'adam_b2': 1}, '--adam_b2=1.0 must be < 1'),
    ({'num_features': [6, 6]}, 'twice'),
    ({'schedule': 'warmup_cosine', 'num_steps': 9}, 'warmup_steps'),
    ({'features': 6}, '--features is unknown: choose from num_features, '),
  ],
)
def test_what_does_not_fit_is_named(given, message):
  with pytest.raises(SettingError, match=message):
    STUDY.resolve(**given)

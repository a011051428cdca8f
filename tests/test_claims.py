"""Numbers of CLAIMS.md that are no links are recomputed from the results."""

import numpy as np
import pytest

from tests.claims import find, read, share, table


@pytest.fixture(scope='module')
def claims():
  return read()


@pytest.fixture(scope='module')
def study():
  return table('changepoint_study/default/study.csv')


@pytest.fixture(scope='module')
def replay():
  return table('changepoint_replay/float32/replay.csv')


def test_places_of_replays(claims, replay):
  for problem in ('2236', '330', '4682'):
    row = find(replay, problem=problem, base='incorrect')
    assert f'all {int(row["recorded_rollouts"]):,} rollouts' in claims
    index, sentence = row['exhaustive_index'], row['exhaustive_sentence']
    assert int(sentence) == int(index) - 1
    assert f'{index}, guilty sentence {sentence}' in claims
  declining = find(replay, problem='4682', base='incorrect')
  assert f'{float(declining["exhaustive_probability"]):.3f}'[1:] in claims
  assert f'{declining["drop_count"]} of 200 prove a drop' in claims


def test_numbers_of_rollouts(claims, replay):
  everything = find(replay, problem='all', base='all')
  rollouts = int(everything['recorded_rollouts'])
  assert f'{rollouts:,} rollouts' in claims
  assert float(everything['mean_rollouts']) == 100
  assert f'{rollouts / 20:,.0f} on average' in claims
  assert f'{rollouts / 20 / 100:.0f} times fewer' in claims
  always = [
    row
    for row in replay
    if row['problem'] != 'all' and row['within_count'] == row['num_repeats']
  ]
  assert f'on {len(always)} of the 20 traces always' in claims


def test_dips_that_recover(claims, replay):
  proof = np.log(20)  # 1 / α
  dips = [
    row['problem']
    for row in replay
    if row['base'] == 'correct' and float(row['log_e_some_drop']) >= proof
  ]
  assert dips == ['1591', '6998']
  assert '1591 and 6998, correct' in claims


def _worst(study, process, kinds):
  cells = [
    row
    for row in study
    if row['part'] == 'alarms'
    and row['measure'].startswith(f'{process} on ')
    and any(kind in row['measure'] for kind in kinds)
  ]
  assert len({row['policy'] for row in cells}) == 16
  worst = max(cells, key=lambda row: float(row['estimate']))
  return share(worst['count'], worst['total'])


def test_false_alarms(claims, study):
  rises = ('rise', 'ramp')
  assert _worst(study, 'E_drop', ['constant']) in claims
  assert _worst(study, 'E_drop', rises) in claims
  assert _worst(study, 'E_change', rises) in claims


def test_rollouts_to_the_mass(claims, study):
  cell = {
    'part': 'policies',
    'prior': 'published',
    'p1': '0.7',
    'p2': '0.05',
    'measure': 'rollouts_to_mass',
  }
  for policy in (
    *('eig', 'expected_entropy', 'split_median', 'thompson'),
    'git_bayesect',
  ):
    median = float(find(study, policy=policy, **cell)['estimate'])
    assert f'{policy} {median:.0f}' in claims
  for policy in ('median', 'uniform'):
    assert np.isinf(float(find(study, policy=policy, **cell)['estimate']))
  limit = {'part': 'limits', 'p1': '0.7', 'p2': '0.05'}
  fano = float(find(study, measure='fano', **limit)['estimate'])
  both = float(find(study, measure='search_and_confirm', **limit)['estimate'])
  assert f'Fano {fano:.1f}, search and confirm {both:.1f}' in claims


def test_batches(claims, study):
  for size in (1, 4, 8, 16):
    found = {
      measure: int(
        float(
          find(study, part='batches', policy=f'q={size}', measure=measure)[
            'estimate'
          ]
        )
      )
      for measure in ('rounds_to_mass', 'rollouts_to_mass')
    }
    rounds, rollouts = found.values()
    text = f'q = {size} takes' if size == 1 else f'q = {size}'
    assert f'{text} {rounds} rounds' in claims
    if size > 1:
      assert f'{rounds} rounds and {rollouts} rollouts' in claims


def test_policies_on_real_traces(claims):
  rows = [
    row
    for row in table('changepoint_replay/policies/replay.csv')
    if row['problem'] == 'all' and row['base'] == 'proven drop'
  ]
  assert len(rows) == 8
  for row in rows:
    within = share(row['within_count'], row['num_repeats'])
    proven = share(row['drop_count'], row['num_repeats'])
    used = float(row['mean_rollouts'])
    assert f'| {row["policy"]} | {within} | {proven} | {used:.1f} |' in claims

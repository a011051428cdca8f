"""Numbers on the tiny text net in CLAIMS.md that are no link of one cell."""

import re

import pytest

from tests.claims import RESULTS, find, section, table

HELLO = 'generation from hello'


@pytest.fixture(scope='module')
def claims():
  return section('Walking small nets: the tiny text net')


def test_the_rest_of_a_million(claims):
  rows = table('text_failure/million/summary.csv')
  six = [r for r in rows if r['pairs'] == 'six' and r['epoch'] == '501']
  wrong = find(six, **{'class': 'ALL_WRONG'})
  dead = int(find(six, measure='dead layer', **{'class': 'any'})['count'])
  # A net with a dead layer learns not all: what is not DEAD_LAYER is tied.
  dead -= int(find(six, **{'class': 'DEAD_LAYER'})['count'])
  assert f'{dead:,} of them in nets with a dead layer' in claims
  assert f'no pair right: {wrong["count"]}. ' in claims
  cycles = [
    int(row['count'])
    for row in six
    if row['measure'] == HELLO and '->' in row['class']
  ]
  assert len(cycles) == 7
  assert f'three longer ones {sum(sorted(cycles)[:3])} in all' in claims
  best = find(table('text_failure/million/best.csv'), pairs='six')
  assert best['outcome'] == 'LEARNED_ALL'
  assert f'lowest loss {float(best["loss"]):.5f}'[:-1].replace('0.', '.') in (
    claims
  )
  assert f'seed {best["seed_index"]}:' in claims
  never = find(
    table('text_failure/million/generation.csv'),
    pairs='six',
    start='hello',
    **{'class': 'never !'},
  )
  tied = find(six, measure='tie')
  assert (
    f'in {int(never["count_tied"]):,} of the {int(tied["count"]):,} tied'
    in claims
  )


def _z(folder, runs, a, b):
  rows = [
    r
    for r in table(f'text_failure/{folder}/exchange.csv')
    if r['pairs'] == 'six'
  ]
  return float(find(rows, runs=runs, pair_a=a, pair_b=b)['z'])


def test_exchange(claims):
  for words, a, b in (
    ('cat and silly', 'cat->dog', 'silly->dog'),
    ('dog and world', 'dog->!', 'world->!'),
    ('hello and cute', 'hello->world', 'cute->cat'),
  ):
    assert f'{words} {_z("million", "untied", a, b):.2f}' in claims
  four = [
    f'{float(row["z"]):.2f}'
    for folder in ('million', 'four_seed1')
    for row in table(f'text_failure/{folder}/exchange.csv')
    if (row['pairs'], row['runs']) == ('four', 'untied')
  ]
  text = 'hello and cat {}, dog and world {}; with `--seed=1` {} and {}'
  assert text.format(*four) in claims

  def across(folder, runs):
    return [
      abs(float(row['z']))
      for row in table(f'text_failure/{folder}/exchange.csv')
      if row['pairs'] == 'six'
      and row['runs'] == runs
      and {row['pair_a'][-1], row['pair_b'][-1]} == {'g', '!'}
    ]

  untied, every = across('million', 'untied'), across('million', 'all')
  assert len(untied) == 4
  assert f'{min(untied):.2f} to {max(untied):.2f} in size' in claims
  assert f'with tied runs {min(every):.1f} to {max(every):.1f}' in claims
  assert f'at most {max(across("float64", "all")):.2f}' in claims
  total = table('text_failure/million/exchange.csv')[-1]['total']
  six = [
    r for r in table('text_failure/million/exchange.csv') if r['pairs'] == 'six'
  ]
  total = int(
    find(six, runs='untied', pair_a='cat->dog', pair_b='dog->!')['total']
  )
  assert f'{total:,} untied runs' in claims


@pytest.mark.parametrize(
  ('folder', 'epoch', 'label'),
  [('advice', '501', 'adam lr=0.01 full'), ('epochs', '5010', 'lr=0.01')],
)
def test_paired_differences(claims, folder, epoch, label):
  row = find(
    table(f'text_failure/{folder}/differences.csv'),
    epoch=epoch,
    configuration=label,
  )
  middle, low, high = (
    100 * float(row[name]) for name in ('difference', 'lower', 'upper')
  )
  assert f'{middle:+.1f} points [{low:.1f}, {high:.1f}]' in claims


def test_temperatures(claims):
  rows = [
    r
    for r in table('text_failure/million/temperatures.csv')
    if r['pairs'] == 'six'
  ]

  def values(name, tokens, digits):
    return [
      f'{float(row[name]):.{digits}f}'.replace('0.', '.', 1)
      for row in rows
      if row['max_tokens'] == tokens
    ]

  within = values('mean_prob_end', '20', 5)
  assert 'T = .6 {}, 1 {}, 1.5 {};'.format(*within) in claims
  assert ', '.join(values('mean_prob_end', '5', 4)) in claims
  stuck = values('greedy_never_ends_mean_prob_end', '5', 4)
  assert ', '.join(stuck) in claims


@pytest.mark.parametrize('pairs', ['four', 'six'])
def test_the_printed_run(claims, pairs):
  counts = [
    int(row['count_at_most_printed'])
    for row in table('text_failure/million/losses.csv')
    if row['pairs'] == pairs and row['printed']
  ]
  assert ', '.join(f'{count:,}' for count in counts) in claims


def test_the_walked_net_is_the_best_of_the_million():
  best = find(table('text_failure/million/best.csv'), pairs='six')
  text = (RESULTS / 'walk_text' / 'best_six' / 'walk.txt').read_text()
  assert f'index {best["seed_index"]}\n' in text
  assert re.search(rf'501 +{float(best["loss"]):.4f}\n', text)
  assert 'outcome: learned all' in text

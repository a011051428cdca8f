"""What CLAIMS.md says of the text net in PyTorch is in a stored result."""

import pytest

from tests.claims import find, section, table
from toyjax import statistics


@pytest.fixture(scope='module')
def claims():
  return section('Walking small nets: the tiny text net')


@pytest.mark.parametrize(
  ('name', 'text'),
  [
    ('text_torch_agreement', '{agree} of {all} shares within 4'),
    ('text_torch_agreement_seed1', 'all {all}, largest {largest:.2f}'),
  ],
)
def test_agreement_with_torch(claims, name, text):
  errors = [
    abs(float(r['standard_errors'])) for r in table(f'benchmarks/{name}.csv')
  ]
  found = text.format(
    agree=sum(error <= 4.0 for error in errors),
    all=len(errors),
    largest=max(errors),
  )
  assert found in claims


def test_no_share_of_torch_differs_by_more_than_chance(claims):
  least = []
  for name in ('text_torch_agreement', 'text_torch_agreement_seed1'):
    least.append(
      statistics.holm(
        [float(r['p_value']) for r in table(f'benchmarks/{name}.csv')]
      )
    )
    assert least[-1].min() > 1e-3
  (first, second) = (min(values) for values in least)
  text = f'least p by Holm {first:.3f}, with `--seed=1` {second:.0f}'
  assert text.replace(' 0.', ' .') in claims


def test_counts_of_torch(claims):
  rows = [
    row
    for row in table('benchmarks/text_torch_agreement.csv')
    if (row['optimizer'], row['hidden_dim'], row['pairs'], row['epoch'])
    == ('sgd', '2', 'six', '501')
    and row['batches'] == 'full'
    and row['ties'] == 'exact'
  ]
  for title, outcome in (
    ('all learned', 'LEARNED_ALL'),
    ('tied', 'TIED'),
    ('dog→dog', 'hello falls into dog->dog'),
  ):
    row = find(rows, outcome=outcome)
    here, there = int(row['toyjax_count']), int(row['torch_count'])
    assert f'{title} {here:,} and {there:,}' in claims
  same = find(
    table('benchmarks/text_torch_agreement_same_start.csv'),
    pairs='six',
    hidden_dim='2',
    optimizer='sgd',
    epoch='501',
  )
  assert f'{same["exact_differ"]} of 2,000' in claims
  assert f'near ties set apart {same["near_differ"]} ' in claims

"""Numbers on the square-root net in CLAIMS.md that are no link of one cell."""

import pytest

from tests.claims import RESULTS, find, section, share, table
from toyjax import statistics


@pytest.fixture(scope='module')
def claims():
  return section('Walking small nets: the square-root net')


def _text(row):
  return share(row['count'], row['total'], digits=2)


def test_outcomes(claims):
  rows = table('sqrt_failure/narrow32/summary.csv', step='2000')
  rest = [
    find(rows, outcome=name)['count']
    for name in ('ALL_LIVE', 'UNRESOLVED', 'DIVERGED')
  ]
  text = 'all units live {}, still falling {}, diverged {} '
  assert text.format(*rest) in claims


def test_dead_units(claims):
  rows = table('sqrt_failure/narrow32/units.csv')
  assert f'no unit dead in {_text(find(rows, num_dead="0"))};' in claims
  assert f'all four in {_text(find(rows, num_dead="4"))} ' in claims


@pytest.mark.parametrize('width', ['2', '3', '4', '8', '16'])
def test_widths(claims, width):
  (row,) = table(
    'sqrt_failure/widths/summary.csv',
    hidden_dim=width,
    step='2000',
    outcome='REACHED',
  )
  assert f'{width} {_text(row)}' in claims or (
    f'{width} units a layer {_text(row)}' in claims
  )


def test_pieces(claims):
  rows = table('sqrt_failure/narrow32/regions.csv')
  assert {row['max_num_regions'] for row in rows} == {'7'}
  seven = {
    row['where']: row
    for row in rows
    if row['num_regions'] == '7' and row['among'] == 'all'
  }
  assert f'the whole line: {_text(seven["whole line"])};' in claims
  assert f'on [0, 4]: {_text(seven["interval"])}.' in claims
  own = [
    f'{row["num_regions"]} {int(row["count"]):,}'
    for row in rows
    if (row['where'], row['among']) == ('interval', 'reached')
    and row['num_regions'] != '7'
  ]
  assert f'{own[0].replace(" ", " pieces ")}, {", ".join(own[1:])}.' in claims
  wide = [
    row
    for row in table(
      'sqrt_failure/widths/regions.csv', hidden_dim='16', where='interval'
    )
    if row['among'] == 'all' and int(row['count'])
  ]
  most = max(int(row['num_regions']) for row in wide)
  limit, total = wide[0]['max_num_regions'], int(wide[0]['total'])
  assert f'of {total:,} has more than {most} of its {limit} ' in claims


def _agreement(folder, relative_to, **wanted):
  return table(
    f'sqrt_failure/{folder}/agreement.csv',
    relative_to=relative_to,
    among='all',
    **wanted,
  )


def test_formulas(claims):
  largest, at_point = 'largest answer', 'answer at the point'

  def size(row):
    value = f'{float(row["largest_difference"]):.1e}'
    return value.replace('e-0', 'e-')

  for relative_to in (largest, at_point):
    (row,) = _agreement('narrow32', relative_to)
    assert row['tolerance'] == '1e-06'
    assert f'{_text(row)}, largest {size(row)}' in claims
  (wide,) = _agreement('widths', at_point, hidden_dim='16')
  assert f'1-16-16-1: {_text(wide)}.' in claims
  away = _agreement('away', at_point)
  assert [row['hidden_dim'] for row in away] == ['2', '4', '8']
  count, total = (
    sum(int(row[name]) for row in away) for name in ('count', 'total')
  )
  assert f'{count:,} of {total:,} |' in claims
  exact = [
    _agreement('narrow64', relative_to)[0]
    for relative_to in (largest, at_point)
  ]
  assert {row['tolerance'] for row in exact} == {'1e-12'}
  assert {_text(row) for row in exact} == {share(10_000, 10_000, digits=2)}
  assert f'largest {size(exact[0])} and {size(exact[1])} ' in claims


def test_precision():
  single, double = (
    table(f'sqrt_failure/{name}/summary.csv')
    for name in ('narrow32', 'narrow64')
  )
  assert len(single) == len(double) > 0
  assert single == double


def test_newton(claims):
  def error(folder, operations, name):
    (row,) = table(
      f'sqrt_failure/{folder}/errors.csv', num_operations=str(operations)
    )
    return float(row[f'rmse_{name}'])

  def short(value, digits):
    return f'{value:.{digits}f}'.replace('0.', '.', 1)

  newton = short(error('widths', 6, 'median'), 4)
  more = short(error('widths', 21, 'median'), 5)
  assert f'Newton {newton} with 6 operations, {more} with 21;' in claims
  narrow = [error('widths', 20, name) for name in ('median', 'min')]
  wide = [error('widths', 608, name) for name in ('median', 'min')]
  assert f'{short(narrow[0], 3)} and {short(narrow[1], 4)}' in claims
  assert f'{short(wide[0], 4)} and {short(wide[1], 5)}' in claims
  assert error('widths', 21, 'median') < wide[1]
  assert f'{error("away", 15, "median"):.1e} with 15' in claims
  best = min(error('away', n, 'min') for n in (20, 56, 176))
  assert best == error('away', 176, 'min')
  assert f'best net {short(best, 4)} with 176' in claims


def test_the_walked_net_is_the_best_of_its_kind():
  (row,) = table('sqrt_failure/widths/errors.csv', hidden_dim='2')
  text = (RESULTS / 'walk_sqrt' / 'best' / 'formula.txt').read_text()
  assert 'seed 0, index 6963\n' in text
  assert f'at the end {float(row["rmse_min"]):.6g}'[:-1] in text


def test_agreement_with_torch(claims):
  for name, text in (
    ('sqrt_torch_agreement', 'all {} shares within 4 standard errors, largest'),
    ('sqrt_torch_agreement_seed1', 'with `--seed=1` all {}, largest'),
  ):
    errors = [
      abs(float(row['standard_errors']))
      for row in table(f'benchmarks/{name}.csv')
    ]
    assert f'{text.format(len(errors))} {max(errors):.2f}' in claims
  first, second = (
    min(
      statistics.holm(
        [float(row['p_value']) for row in table(f'benchmarks/{name}.csv')]
      )
    )
    for name in ('sqrt_torch_agreement', 'sqrt_torch_agreement_seed1')
  )
  text = f'least p by Holm {first:.3f} and {second:.0f}'
  assert text.replace(' 0.', ' .') in claims
  counts = {
    (row['net'], row['outcome']): (
      f'{int(row["toyjax_count"]):,} and {int(row["torch_count"]):,}'
    )
    for row in table('benchmarks/sqrt_torch_agreement.csv')
    if row['step'] == '2000'
  }
  assert f'1-4-4-1, reached: {counts["1-4-4-1", "REACHED"]}' in claims
  for title, outcome in (
    ('1-2-2-1: reached', 'REACHED'),
    ('constant', 'CONSTANT'),
    ('one line', 'ONE_LINE'),
    ('dead units', 'DEAD_UNITS'),
  ):
    assert f'{title} {counts["1-2-2-1", outcome]}' in claims

"""Numbers on failing optimization in CLAIMS.md that are no link of one cell."""

import pytest

from tests.claims import find, read, share, table


@pytest.fixture(scope='module')
def claims():
  return read()


@pytest.mark.parametrize('num_features', ['7', '8'])
def test_certificates(claims, num_features):
  total = find(
    table('certify_failure/n7_n8/totals.csv'), num_features=num_features
  )
  rows = [
    row
    for row in table('certify_failure/n7_n8/certificates.csv')
    if row['num_features'] == num_features
  ]
  on_the_way = sum(
    int(row['count'])
    for row in rows
    if row['verdict'] == 'GLOBAL_MINIMUM'
    and not row['outcome'].startswith('SOLVED')
  )
  assert share(on_the_way, total['total']) in claims
  assert all(
    float(row['largest_catalogue_error']) < 1e-9
    for row in rows
    if row['entry'] != 'NONE'
  )


def test_what_certificates_predict(claims):
  rows = [
    row
    for row in table('certify_failure/later/certificates.csv')
    if not row['outcome'].startswith('SOLVED')
  ]
  for verdict in ('GLOBAL_MINIMUM', 'RUNAWAY'):
    own = [row for row in rows if row['verdict'] == verdict]
    solved = sum(int(row['solved_at_last_step']) for row in own)
    assert share(solved, sum(int(row['count']) for row in own)) in claims


def test_label_flips_by_instruction_set(claims):
  rows = table('benchmarks/label_flips_isa_n8.csv')
  for name in ('avx', 'sse4_2'):
    row = find(rows, variant=name)
    points = [
      100 * float(row[f'solved_difference{end}'])
      for end in ('', '_lower', '_upper')
    ]
    expected = f'{points[0]:+.1f} points [{points[1]:.1f}, {points[2]:.1f}]'
    assert expected in claims, name
    same = f'{row["same_start"]} of {int(row["num_runs"]):,} starts'
    assert same in claims, name


def test_failures_and_symmetric_failure(claims):
  rows = table('failure_survival/main_n8/events.csv')
  passed = find(
    rows, level='default', step='25000', quantity='solved_after_near_symmetric'
  )
  solved = find(rows, level='default', step='25000', quantity='solved')
  both = f'{int(passed["count"]):,} of the {int(solved["count"]):,} runs'
  assert both in claims


@pytest.mark.parametrize('n', ['7', '8'])
def test_adam_against_adamw(claims, n):
  row = find(table(f'failure_survival/main_n{n}/summary.csv'), level='adam')
  points = [
    100 * float(row[name])
    for name in ('difference', 'difference_lower', 'difference_upper')
  ]
  expected = f'{points[0]:+.2f} points [{points[1]:.2f}, {points[2]:.2f}]'
  assert expected in claims


@pytest.mark.parametrize(
  ('factor', 'level'),
  [
    ('adam_b2', '0.99'),
    ('init_scale', '0.25'),
    ('weight_decay', '0.1'),
    ('dtype', 'float64'),
    ('loss_reduction', 'sum'),
  ],
)
def test_what_moves_the_failure_rate(claims, factor, level):
  rows = table('failure_survival/n8/summary.csv')
  row = find(rows, factor=factor, level=level)
  points = [
    100 * float(row[name])
    for name in ('difference', 'difference_lower', 'difference_upper')
  ]
  expected = f'{points[0]:+.1f} points [{points[1]:.1f}, {points[2]:.1f}]'
  assert expected in claims


def test_the_second_moment(claims):
  rows = table('symmetric_escape/n7/escape.csv')
  for variant in ('adam_b2=0.9', 'adam_b2=0.99', 'kept'):
    steps = int(float(find(rows, variant=variant)['median_steps']))
    assert f'{steps:,}' in claims


def test_symmetric_failure_is_a_saddle(claims):
  rows = table('symmetric_failure/default/verdicts.csv')
  assert len(rows) == 20
  assert {row['verdict'] for row in rows} == {'SADDLE'}
  for row in rows:  # The lowest value found is the least there is.
    lower, upper = (
      float(row[f'lowest_curvature_{name}']) for name in ('bound', 'found')
    )
    assert lower <= upper < 0.0
    assert upper - lower <= 2e-5 * abs(upper)  # CSV files hold six digits.
  for n in ('7', '12'):
    for factor in ('1', '1.1'):
      row = find(rows, num_features=n, norm_factor=factor)
      value = float(row['lowest_curvature_found'])
      assert f'{value:.3g}'.replace('0.', '.') in claims
  decayed = {
    int(row['num_features']): row['decayed_verdict']
    for row in rows
    if row['norm_factor'] == '1'
  }
  for n, verdict in decayed.items():
    assert verdict == ('SADDLE' if n < 5 else 'LOCAL_MINIMUM')
  descents = table('symmetric_failure/default/descents.csv')
  below = [int(row['num_below']) for row in descents]
  assert share(sum(below), 32 * len(below)) in claims


def test_the_time_in_symmetric_failure(claims):
  rows = table('symmetric_failure/default/escape.csv')
  for n, optimizer, factor in (
    ('7', 'adam', '1'),
    ('10', 'adam', '1'),
    ('7', 'adamw', '1'),
    ('8', 'adamw', '1'),
  ):
    row = find(rows, num_features=n, optimizer=optimizer, norm_factor=factor)
    assert f'{int(float(row["median_escape_step"])):,}' in claims


def test_dead_rows_and_tilt(claims):
  wanted = {'source': 'training', 'num_features': '7', 'step': '5000'}
  dead = find(
    table('symmetric_failure/default/dead.csv'), weight_decay='0.01', **wanted
  )
  low, high = float(dead['bias_low']), float(dead['bias_high'])
  assert f'[{low:.3f}, {high:.3f}]' in claims
  rows = table('symmetric_failure/default/tilt.csv')
  assert {row['general_wrong'] for row in rows} == {'0'}
  states = sum(int(row['num_unsolved']) for row in rows)
  assert f'never, in {states:,} states' in claims


def test_the_frozen_experiment(claims):
  for nudge in ('0.05', '0.1', '0.2'):
    row = find(
      table('symmetric_failure/default/frozen.csv'),
      num_features='7',
      norm_factor='1',
      nudge=nudge,
      live_rows='relearnt',
    )
    predicted, measured = (
      float(row['predicted_epsilon']),
      float(row['measured_epsilon']),
    )
    assert predicted == pytest.approx(measured, rel=1e-4)
    assert f'{measured:.5f}'[1:] in claims


def test_the_chaos_map(claims):
  rows = table('chaos_map/two_chains/dimensions.csv')
  for edge, dtype, windows, method in (
    ('slow', 'float32', 'resolved', 'box_dimension'),
    ('slow', 'float64', 'resolved', 'box_dimension'),
    ('slow', 'float32', 'all', 'box_dimension'),
    ('fast', 'float32', 'all', 'box_dimension'),
    ('fast', 'float32', 'all', 'box_dimension_shuffled'),
    ('fast', 'float64', 'all', 'box_dimension'),
    ('smooth null', 'float64', 'all', 'box_dimension'),
  ):
    row = find(rows, edge=edge, dtype=dtype, windows=windows, method=method)
    estimate, lower, upper = (
      f'{float(row[name]):.2f}' for name in ('estimate', 'lower', 'upper')
    )
    ends = f'[{lower}, {upper}]'.replace('[0.', '[.').replace(' 0.', ' .')
    assert f'{estimate} {ends}' in claims, (edge, dtype, windows)


def test_three_dimensions(claims):
  row = find(
    table('failure_sizes/m2_m3/ratios.csv'), num_features='9', step='5000'
  )
  ratio, lower, upper = (float(row[x]) for x in ('ratio', 'lower', 'upper'))
  assert f'{ratio:.1f} [{lower:.1f}, {upper:.1f}]' in claims


def test_other_descents_from_runaways(claims):
  runaways = find(table('certify_failure/n7_n8/totals.csv'), num_features='8')[
    'runaway'
  ]
  for name, ends in (
    ('descents', ('SOLVED', 'STALLED', 'UNFINISHED')),
    ('short_pairs10', ('SOLVED',)),
  ):
    rows = table(f'descend_runaways/n8/{name}.csv')
    assert sum(int(row['count']) for row in rows) == int(runaways)
    for end in ends:
      row = find(rows, end=end)
      assert row['total'] == runaways
      assert share(row['count'], row['total']) in claims, (name, end)
    below = sum(int(row['below_infimum']) for row in rows)
    assert share(below, runaways) in claims
  last = table('descend_runaways/n8/flows.csv')[-1]
  assert float(last['time']) == 1e5
  above = f'{last["above_infimum"]} of {last["total"]} above it'
  assert f'Gradient flow to time 1e5: {above}' in claims

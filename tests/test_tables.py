"""Tables: one row, one cell, for the file, the terminal and the data frame."""

import csv
import enum

import numpy as np
import pandas

from toyjax import statistics, tables
from toyjax.runs import Runs
from toyjax.statistics import Interval
from toyjax.tables import CONFIGURATION, LABEL, Share, Table, column


class Code(enum.IntEnum):
  BAD = 0
  GOOD = 1
  NEVER = 2


CODES = np.asarray([[0, 1], [1, 1], [1, 1]])


def _runs(label, codes=CODES, **configuration):
  data = {'seed_index': np.arange(len(codes)), 'outcome': codes}
  return Runs(label, configuration, {}, 'g', data)


def _read(path):
  with path.open(newline='', encoding='utf-8') as file:
    return list(csv.reader(file))


def test_outcomes_are_counted_with_zeros_and_settings(tmp_path):
  found = [_runs('n=5', n=5, unused=None), _runs('n=6', CODES[:1], n=6)]
  table = Table('rows', tables.each(found, tables.outcomes([10, 20], Code)))
  assert [
    (row[LABEL], row['step'], row['outcome'], row[''].count, row[''].total)
    for row in table.rows[:8]
  ] == [
    ('n=5', 10, 'BAD', 1, 3),
    ('n=5', 10, 'GOOD', 2, 3),
    ('n=5', 10, 'NEVER', 0, 3),
    ('n=5', 20, 'BAD', 0, 3),
    ('n=5', 20, 'GOOD', 3, 3),
    ('n=5', 20, 'NEVER', 0, 3),
    ('n=6', 10, 'BAD', 1, 1),
    ('n=6', 10, 'GOOD', 0, 1),
  ]
  table.write(tmp_path)
  header, _, second, *_ = _read(tmp_path / 'rows.csv')
  assert header == [
    *('n', 'unused', 'step', 'outcome'),
    *('count', 'total', 'fraction', 'lower', 'upper'),
  ]
  interval = [f'{number:.6g}' for number in statistics.wilson(2, 3)]
  assert second == ['5', '', '10', 'GOOD', '2', '3', *interval]
  assert [path.name for path in tmp_path.iterdir()] == ['rows.csv']


def test_outcomes_have_other_names_and_units():
  runs = Runs('', {}, {}, 'g', {'seed_index': np.arange(3), 'fate': CODES})
  rows = list(tables.outcomes([7], Code, name='fate', unit='epoch')(runs))
  assert [(row['epoch'], row['fate']) for row in rows] == [
    *((7, 'BAD'), (7, 'GOOD'), (7, 'NEVER')),
  ]


def test_shares_and_intervals_are_one_cell_until_they_are_written():
  share, interval = Share(1, 4), Interval(0.5, 0.25, 0.75)
  table = Table(
    '',
    [
      {
        'a': share,
        '': share,
        'b': interval,
        'c:d': interval,
        'e:': interval,
        'f:g': None,
        '_note': 'not in the file',
        LABEL: 'nor this',
      }
    ],
  )
  ends = statistics.wilson(1, 4)
  (found,) = table.records()
  assert found == {
    **dict(
      zip(('a_count', 'a_total', 'a', 'a_lower', 'a_upper'), (1, 4, *ends))
    ),
    **dict(zip(('count', 'total', 'fraction'), (1, 4, ends.estimate))),
    # Of cells without a name of their own there is one a row.
    **{'b': 0.5, 'lower': 0.25, 'upper': 0.75},
    **{'c_d': 0.5, 'c_lower': 0.25, 'c_upper': 0.75},
    **{'e': 0.5, 'e_lower': 0.25, 'e_upper': 0.75},
    **dict.fromkeys(('f_g', 'f_lower', 'f_upper')),
  }
  assert list(found)[:5] == ['a_count', 'a_total', 'a', 'a_lower', 'a_upper']
  assert share.interval == ends


def test_the_frame_has_what_the_file_has(tmp_path):
  found = [_runs('n=5', n=5)]
  table = Table('rows', tables.each(found, tables.outcomes([10, 20], Code)))
  table.write(tmp_path)
  read = pandas.read_csv(tmp_path / 'rows.csv')
  pandas.testing.assert_frame_equal(table.frame, read, rtol=1e-5)
  assert table.frame['fraction'].max() == 1.0


def test_what_is_printed_is_chosen():
  found = [_runs('n=5', n=5), _runs('n=6', n=6)]
  table = Table(
    'rows',
    tables.each(found, tables.outcomes([10, 20], Code)),
    'At the end:',
    (CONFIGURATION, column('outcome', 'ends'), *tables.shares()),
    where=lambda row: row['step'] == 20 and row[''].count > 0,
  )
  assert table.text().split('\n') == [
    'At the end:',
    '',
    'configuration  ends  count  of  share      95 % interval',
    '-------------  ----  -----  --  -------  ---------------',
    'n=5            GOOD      3   3  100.00%  [43.85, 100.00]',
    'n=6            GOOD      3   3  100.00%  [43.85, 100.00]',
  ]
  assert table._replace(title='').text() == ''
  assert table._replace(where=lambda row: False).text() == ''
  assert len(table.records()) == 12  # Whatever is printed.


def test_columns_print_numbers_in_a_form_and_none_as_nothing():
  row = {'rmse': 0.123456, 'steps': 12_000, 'less': None}
  assert column('rmse', 'error', '.3g').text(row) == '0.123'
  assert column('steps', form=',').text(row) == '12,000'
  assert column('steps').header == 'steps'
  assert column('less', form='.3g').text(row) == ''
  assert column('rmse', form=tables.percent).text(row) == '12.35%'
  cells = {'d': Interval(0.125, -0.25, 0.5), 'none': None}
  for name, texts in (
    ('d', ['+12.50%', '[-25.00, 50.00]']),
    ('none', ['', '']),
  ):
    assert [each.text(cells) for each in tables.difference(name)] == texts


def test_tables_without_rows_or_a_name_are_no_files(tmp_path):
  Table('rows', []).write(tmp_path)
  Table('', [{'n': 1}]).write(tmp_path)
  assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_and_reads_back_to_six_digits(tmp_path):
  path = tmp_path / 'rows.csv'
  path.write_text('old')
  tables.write_csv(path, [{'x': 2 / 3, 'n': 10**9, 'none': None, 'b': True}])
  assert _read(path) == [
    *(['x', 'n', 'none', 'b'], ['0.666667', '1000000000', '', 'True']),
  ]
  assert path.read_bytes().endswith(b'True\n')


def test_tables_align():
  text = tables.align(('name', 'count'), [('a', '5'), ('bb', '1234')])
  assert text.split('\n') == [
    'name  count',
    '----  -----',
    'a         5',
    'bb     1234',
  ]


def test_a_share_of_none_is_no_number():
  assert tables.percent(float('nan')) == '-'
  assert tables.percent(0.125) == '12.50%'
  assert np.isnan(Share(0, 0).interval.estimate)
  assert tables.percent_interval(Share(0, 0).interval) == '[0.00, 100.00]'


def test_words_that_begin_like_numbers_stand_to_the_left():
  words = ['.', '-', '(that', '[pad]', '+']
  numbers = ['-1', '.5', '[0.1, 2]', '[nan, nan]', '3 of 4']
  text = tables.align(('long header',), [(cell,) for cell in words + numbers])
  lines = text.split('\n')[2:]
  assert lines[: len(words)] == words
  assert lines[len(words) :] == [cell.rjust(11) for cell in numbers]


def test_quantiles_are_values_even_beside_infinite_ones():
  values = np.asarray([3.0, np.inf, 1.0, 2.0])
  assert [tables.quantile(values, q) for q in (0.0, 0.5, 0.75, 1.0)] == [
    *(1.0, 2.0, 3.0, np.inf),
  ]


def test_paired_differences_are_those_of_the_four_counts():
  a = np.asarray([True, True, True, False, False])
  b = np.asarray([True, False, False, True, False])
  assert tables.paired_difference(a, b) == statistics.paired_difference(
    *(1, 2, 1, 1)
  )

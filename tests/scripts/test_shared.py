"""Parts that scripts share: list flags, tables, groups of a grid."""

import csv
import enum

from absl import flags
import numpy as np
import pytest

from scripts.shared import grids, list_flags, tables


class Code(enum.IntEnum):
  BAD = 0
  GOOD = 1
  NEVER = 2


def _flags():
  """Returns absl flags of their own, with one list of each kind."""
  holder = flags.FlagValues()
  for name, default, parse in (
    ('rate', [0.1], list_flags.number(float, 0.0, exclusive=True)),
    ('size', [2, 3], list_flags.number(int, 2)),
    ('name', ['a'], list_flags.choice(('a', 'b'))),
  ):
    parser = list_flags._ListParser(parse)
    flags.DEFINE(
      parser,
      name,
      default,
      'help',
      flag_values=holder,
      serializer=flags.CsvListSerializer(','),
    )
  return holder


def test_list_flags_parse_numbers_and_names():
  holder = _flags()
  holder(['program', '--rate=1e-3, 2', '--name=b,a'])
  assert holder.rate == [1e-3, 2.0]
  assert holder.size == [2, 3]
  assert holder.name == ['b', 'a']
  assert '--rate=0.001,2.0' in holder.flags_into_string()


@pytest.mark.parametrize(
  'flag',
  [
    '--rate=0',
    '--rate=nan',
    '--rate=',
    '--size=1',
    '--size=2.5',
    '--name=c',
    '--size=2,2',
    '--rate=inf',
  ],
)
def test_list_flags_refuse_what_is_out_of_range(flag):
  with pytest.raises(flags.IllegalFlagValueError, match=flag.split('=')[0][2:]):
    _flags()(['program', flag])


def test_outcome_rows_count_zeros_too(tmp_path):
  codes = np.asarray([[0, 1], [1, 1], [1, 1]])
  rows = tables.outcome_rows({'n': 5, 'unused': None}, [10, 20], codes, Code)
  found = [(row['step'], row['outcome'], row['count']) for row in rows]
  assert found == [
    (10, 'BAD', 1),
    (10, 'GOOD', 2),
    (10, 'NEVER', 0),
    (20, 'BAD', 0),
    (20, 'GOOD', 3),
    (20, 'NEVER', 0),
  ]
  tables.write_csv(tmp_path / 'rows.csv', rows)
  with (tmp_path / 'rows.csv').open() as file:
    read = list(csv.DictReader(file))
  assert read[1]['fraction'] == '0.666667'
  assert read[0]['unused'] == ''
  assert [path.name for path in tmp_path.iterdir()] == ['rows.csv']


def test_tables_align():
  text = tables.format_table(('name', 'count'), [('a', '5'), ('bb', '1234')])
  assert text.split('\n') == [
    'name  count',
    '----  -----',
    'a         5',
    'bb     1234',
  ]


def test_a_share_of_none_is_no_number():
  assert tables.percent(float('nan')) == '-'
  assert tables.percent(0.125) == '12.50%'


def test_words_that_begin_like_numbers_stand_to_the_left():
  words = ['.', '-', '(that', '[pad]', '+']
  numbers = ['-1', '.5', '[0.1, 2]', '[nan, nan]', '3 of 4']
  text = tables.format_table(
    ('long header',), [(cell,) for cell in words + numbers]
  )
  lines = text.split('\n')[2:]
  assert lines[: len(words)] == words
  assert lines[len(words) :] == [cell.rjust(11) for cell in numbers]


def test_groups_are_the_product_of_the_static_flags():
  settings = {
    'num_features': [5, 6],
    'optimizer': ['sgd', 'adam'],
    'init': ['normal'],
    'rate': [0.1, 0.2],
    'eps': [1e-8],
  }
  groups = list(
    grids.make_groups(
      settings,
      shapes={'num_features': 'n'},
      choices=('optimizer', 'init'),
      traced=lambda static: ['rate', 'eps'][
        : 1 + (static['optimizer'] == 'adam')
      ],
    )
  )
  assert [g.name for g in groups] == ['n5_sgd', 'n5_adam', 'n6_sgd', 'n6_adam']
  assert set(groups[0].axes) == {'rate'}
  assert set(groups[1].axes) == {'rate', 'eps'}
  assert groups[1].num_configurations == 2
  xs = grids.group_xs(groups[1], seed=0, num_seeds=3, dtype='float32')
  np.testing.assert_allclose(xs['rate'], [0.1, 0.2] * 3)
  np.testing.assert_array_equal(xs['seed_index'], [0, 0, 1, 1, 2, 2])

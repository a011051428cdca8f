import collections
import csv
from fractions import Fraction
import math

import numpy as np
import pytest

from tests.data.shared_data import OWN, ROOT, SHARED, assert_same, needs_shared
from toyjax.data import math_rollouts
from toyjax.data.math_rollouts import TraceError


def test_recovered_counts_against_all_ratios():
  numbers = collections.defaultdict(list)
  for n in range(1, 101):
    for k in range(n + 1):
      numbers[k / n].append((k, n))
  for accuracy, pairs in numbers.items():
    smallest, largest = pairs[0], pairs[-1]
    assert math_rollouts.recover_counts(accuracy, max_rollouts=100) == (
      *largest,
      smallest[1],
    )
  assert math_rollouts.recover_counts(0.0, max_rollouts=64) == (0, 64, 1)


@pytest.mark.parametrize('accuracy', [-0.1, 1.1, math.nan, 0.123456, 1 / 101])
def test_what_is_no_ratio_of_counts_is_refused(accuracy):
  with pytest.raises(ValueError, match='accuracy'):
    math_rollouts.recover_counts(accuracy, max_rollouts=100)


def test_counts_keep_gaps_order_and_none():
  traces, problems = math_rollouts.read_counts(
    OWN / 'counts.csv', skip_bad=False
  )
  assert not problems
  correct, incorrect = traces
  assert (correct.base, incorrect.base) == ('correct', 'incorrect')
  np.testing.assert_array_equal(correct.num_correct, [9, 0, 12])
  np.testing.assert_array_equal(correct.has_data, [1, 0, 1])
  np.testing.assert_array_equal(incorrect.num_correct, [9, 8, 0, 0, 0])
  np.testing.assert_array_equal(incorrect.num_wrong, [3, 4, 0, 0, 9])
  np.testing.assert_array_equal(incorrect.num_none, [0, 1, 0, 0, 3])
  np.testing.assert_array_equal(incorrect.min_answered, [4, 3, 0, 0, 1])
  np.testing.assert_array_equal(incorrect.chunk_indices, range(5))
  assert incorrect.tags[4] == 'self_checking'
  assert incorrect.sentences is None
  assert incorrect.num_errors is None


def test_counts_without_the_optional_columns(tmp_path):
  path = tmp_path / 'counts.csv'
  path.write_text('model,base,problem,chunk_idx,k,n\nm,,1,0,3,5\nm,,1,1,0,0\n')
  (trace,), _ = math_rollouts.read_counts(path, skip_bad=False)
  assert trace.num_none is None
  np.testing.assert_array_equal(trace.is_number_known, [True, False])
  np.testing.assert_array_equal(trace.has_data, [True, False])


@pytest.mark.parametrize(
  ('line', 'field'),
  [
    ('tiny,correct,7,1,13,12,1,0,1.0,', 'k'),
    ('tiny,correct,7,1,-1,12,1,0,,', 'k'),
    ('tiny,correct,7,1,1.5,12,1,0,,', 'k'),
    ('tiny,correct,7,1,,12,1,0,,', 'k'),
    ('tiny,correct,7,1,6,twelve,1,0,,', 'n'),
    ('tiny,correct,7,1,6,12,13,0,,', 'n_min'),
    ('tiny,correct,7,1,6,12,2,x,,', 'num_none'),
    ('tiny,correct,7,0,6,12,2,0,,', 'chunk_idx'),
    ('tiny,correct,7,2000000,6,12,2,0,,', 'chunk_idx'),
    ('tiny,correct,7,1,6,12,2,0,0.51,', 'accuracy'),
    ('tiny,correct,7,1,6,12,2,0,nan,', 'accuracy'),
    ('tiny,correct,7,1,6,12', ''),
    ('tiny,correct,7,1,6,12,2,0,,,,,', ''),
  ],
)
def test_a_bad_row_of_counts_is_named_and_left_out(tmp_path, line, field):
  good = (OWN / 'counts.csv').read_text()
  path = tmp_path / 'counts.csv'
  path.write_text(good + line + '\n')
  with pytest.raises(TraceError) as raised:
    math_rollouts.read_counts(path, skip_bad=False)
  assert raised.value.field == field
  assert raised.value.file == f'{path}:7'
  traces, problems = math_rollouts.read_counts(path, skip_bad=True)
  assert len(problems) == 1
  expected, _ = math_rollouts.read_counts(OWN / 'counts.csv', skip_bad=False)
  for trace, other in zip(traces, expected):
    assert_same(trace, other)


@pytest.mark.parametrize(
  ('content', 'reason'),
  [
    (b'model,base,problem,chunk_idx,k\n', 'no column n'),
    (b'', 'no column model'),
    (b'\xff\xfe', 'not a CSV'),
    (b'model,base,problem,chunk_idx,k,n\n"open,,1,0,3,5\n', 'not a CSV'),
  ],
)
def test_what_is_no_table_of_counts(tmp_path, content, reason):
  path = tmp_path / 'counts.csv'
  path.write_bytes(content)
  with pytest.raises(TraceError, match=reason):
    math_rollouts.read_counts(path, skip_bad=False)
  traces, problems = math_rollouts.read_counts(path, skip_bad=True)
  assert not traces
  assert len(problems) == 1
  with pytest.raises(TraceError, match='missing'):
    math_rollouts.read_counts(tmp_path / 'nowhere.csv', skip_bad=False)


def test_example_traces_are_the_shipped_table():
  traces = math_rollouts.example_traces()
  assert len(traces) == 20
  assert sum(len(trace.tags) for trace in traces) == 2885
  assert all(trace.has_data.all() for trace in traces)
  path = ROOT / 'toyjax/data/files/math_rollouts_counts.csv'
  with path.open() as file:
    rows = list(csv.DictReader(file))
  found = {(trace.base, trace.problem): trace for trace in traces}
  for row in rows[::7]:
    trace = found[row['base'], row['problem']]
    index = int(row['chunk_idx'])
    assert trace.num_correct[index] == int(row['k'])
    assert trace.num_answered[index] == int(row['n'])
    assert trace.tags[index] == row['tag']


def test_accuracies_of_zero_and_one_do_not_tell_the_number():
  num_certain = num_extreme = 0
  for trace in math_rollouts.example_traces():
    extreme = (trace.accuracies == 0) | (trace.accuracies == 1)
    assert (trace.min_answered[extreme] == 1).all()
    assert not trace.is_number_known[extreme].any()
    for k, n, least in zip(
      trace.num_correct, trace.num_answered, trace.min_answered
    ):
      assert Fraction(int(k), int(n)).denominator == least
    num_certain += int(trace.is_number_known.sum())
    num_extreme += int(extreme.sum())
  # As the README beside the file says.
  assert (num_certain, num_extreme) == (1205, 813)


def test_2236_falls_between_24_and_25():
  trace = next(
    trace
    for trace in math_rollouts.example_traces()
    if (trace.base, trace.problem) == ('incorrect', '2236')
  )
  assert round(trace.accuracies[24], 3) == 0.776
  assert round(trace.accuracies[25], 3) == 0.160


def test_the_table_is_packaged():
  text = (ROOT / 'setup.cfg').read_text()
  assert 'toyjax.data = files/*.csv, files/*.md' in text
  assert '\ndata = datasets' in text


@needs_shared
def test_shipped_table_is_the_shared_one():
  shared = SHARED / 'math_rollouts' / 'counts_20_traces.csv'
  shipped = ROOT / 'toyjax/data/files/math_rollouts_counts.csv'
  assert shared.read_bytes() == shipped.read_bytes()

"""Replays of recorded traces in memory: rows, counts, resuming, bad input."""

import json

import numpy as np
import pytest
import xarray

from tests.studies import tasks
from toyjax import statistics
from toyjax.data import math_rollouts
from toyjax.inference.changepoint import rivals
from toyjax.inference.changepoint.evidence import Verdict
from toyjax.manifest import WorkdirError
from toyjax.parsers import SettingError
from toyjax.studies.changepoint_replay import STUDY, recorded, rows
from toyjax.studies.changepoint_replay.settings import SHIPPED

# A trace that falls at index 5, with a gap at 4; one that rises; one short one.
TRACES = {
  ('incorrect', '7'): {
    t: (90 if t < 5 else 5, 100) for t in range(12) if t != 4
  },
  ('correct', '7'): {t: (60 if t < 6 else 98, 100) for t in range(10)},
  ('incorrect', '8'): {0: (80, 100), 1: (10, 100), 2: (0, 100)},
}
TINY = {
  'policy': ['eig', 'omega'],
  'prior': ['published', 'jeffreys'],
  'num_rollouts': 30,
  'chunk_size': 8,
  'focus': ['7'],
}


def _write(path):
  lines = ['model,base,problem,chunk_idx,k,n']
  for (base, problem), counts in TRACES.items():
    lines += [f'm,{base},{problem},{t},{k},{n}' for t, (k, n) in counts.items()]
  path.write_text('\n'.join(lines) + '\n')
  return path


def _run(folder, counts, num_repeats):
  return tasks.perform(
    STUDY,
    **TINY,
    counts=counts,
    workdir=folder / 'out',
    num_repeats=num_repeats,
  )


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  folder = tmp_path_factory.mktemp('replays')
  counts = _write(folder / 'counts.csv')
  first, last = (_run(folder, counts, repeats) for repeats in (3, 6))
  return folder, first, last


def test_there_is_a_row_for_each_trace_policy_and_prior(finished):
  _, first, last = finished
  listed = last.table('replay').records()
  assert len(listed) == 4 * 6  # Three traces and three totals.
  assert [(row['policy'], row['prior']) for row in listed[::6]] == [
    ('eig', 'published'),
    ('eig', 'jeffreys'),
    ('omega', 'published'),
    ('omega', 'jeffreys'),
  ]
  fell, rose, short, *totals = listed[:6]
  # Sentences 3 and 4 stand between the positions 3 and 5 that have data.
  assert (fell['exhaustive_index'], fell['exhaustive_sentence']) == (5, '3:4')
  assert (short['exhaustive_index'], short['T']) == (1, 3)
  assert (rose['exhaustive_verdict'], rose['exhaustive_sentence']) == (
    'NO_DROP',
    '',
  )
  assert [row['base'] for row in totals] == [
    *('all', 'proven drop', 'no proven drop')
  ]
  assert [row['num_repeats'] for row in totals] == [18, 12, 6]
  earlier = first.table('replay').records()[:3]
  assert [row['num_repeats'] for row in earlier] == [3, 3, 3]
  assert '#7 incorrect: all rollouts say index 5' in last.parts[-1]
  assert 'guilty sentence 3:4' in last.parts[-1]


def test_every_share_has_its_count_and_interval(finished):
  listed = finished[2].table('replay').records()
  for row in listed:
    total = row['num_repeats']
    for name in rows.SHARES:
      interval = statistics.wilson(row[f'{name}_count'], total)
      assert (row[name], row[f'{name}_lower']) == interval[:2]
    verdicts = [row[f'{code.name.lower()}_count'] for code in Verdict]
    assert sum(verdicts) == total
    assert row['not_finite'] == 0
    assert row['mean_rollouts'] <= 30
  assert listed[0]['within_count'] == 6


def test_the_store_holds_the_rollouts_that_the_table_counts(finished):
  folder, _, _ = finished
  data = xarray.open_zarr(folder / 'out' / 'results.zarr', group='eig')
  used = data['rollouts_right'] + data['rollouts_wrong']
  np.testing.assert_array_equal(used.sum('position'), 30)
  assert not used[:, 4][data['trace'].values == 0].any()  # The gap.
  assert data.sizes['run'] == 6 * 2 * 3
  found = json.loads((folder / 'out' / 'manifest.json').read_text())
  assert found['science']['counts'].startswith('counts.csv (sha256 ')
  assert found['extent'] == {'num_repeats': 6}
  assert str(folder) not in json.dumps(found)


def test_other_counts_are_refused(finished, tmp_path):
  folder, _, _ = finished
  path = tmp_path / 'counts.csv'
  path.write_text((folder / 'counts.csv').read_text().replace(',90,', ',91,'))
  with pytest.raises(WorkdirError, match='choose another --workdir'):
    _run(folder, path, 6)


def test_a_missing_file_is_named():
  with pytest.raises(SettingError, match=r'--counts: missing\.csv: missing'):
    STUDY.prepare(STUDY.resolve(counts='missing.csv'))


def test_padding_keeps_gaps_and_ends():
  found = math_rollouts.example_traces()[:2]
  padded = recorded.pad(found)
  sizes = [len(trace.chunk_indices) for trace in found]
  assert padded.num_answered.shape == (2, max(sizes))
  for row, trace, size in zip(padded.num_correct, found, sizes):
    np.testing.assert_array_equal(row[:size], trace.num_correct)
    assert not row[size:].any()


def test_bad_rows_are_named_or_left_out_and_counted(tmp_path, caplog):
  path = _write(tmp_path / 'counts.csv')
  good, _ = recorded.read_traces(str(path), skip_bad=False)
  path.write_text(path.read_text() + 'm,correct,7,10,101,100\n')
  with pytest.raises(SettingError, match=r'counts\.csv.*101'):
    recorded.read_traces(str(path), skip_bad=False)
  found, _ = recorded.read_traces(str(path), skip_bad=True)
  assert '1 rows left out' in caplog.text
  for a, b in zip(good, found, strict=True):
    np.testing.assert_array_equal(a.num_correct, b.num_correct)


def test_all_counts_of_the_known_trace_blame_sentence_24():
  found, text = recorded.read_traces(SHIPPED, skip_bad=False)
  assert text == 'shipped (sha256 1d08ce93771f)'
  (trace,) = [
    trace
    for trace in found
    if (trace.problem, trace.base) == ('2236', 'incorrect')
  ]
  (one,) = recorded.find_exhaustive(
    recorded.pad([trace]), 'published', STUDY.resolve()
  )
  assert (one.position, one.position_least) == (25, 25)
  assert one.verdict == Verdict.DROP
  assert rows.sentences_text(trace, one) == '24'
  quiet = one._replace(verdict=Verdict.UNDECIDED)
  assert rows.sentences_text(trace, quiet) == ''


def test_every_stepwise_policy_is_a_rival_too():
  assert set(rivals.STEPWISE) <= set(rivals.NAMES)
  assert all(callable(rivals.RIVALS[name].find) for name in rivals.NAMES)


def test_a_drop_that_recovers_is_some_drop_and_a_rise_is_none():
  answered = np.full((2, 30), 100)
  rates = np.full((2, 30), 0.9)
  rates[0, 10:20] = 0.3
  rates[1, :10] = 0.3
  counts = recorded.Recorded(
    np.round(rates * answered).astype(int), answered, answered
  )
  dip, rise = recorded.find_exhaustive(counts, 'published', STUDY.resolve())
  assert dip.log_e_some_drop > 100 > 0 > rise.log_e_some_drop
  assert rise.verdict != Verdict.DROP

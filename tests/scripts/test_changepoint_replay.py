"""Replays of recorded traces end to end: rows, counts, resuming, bad input."""

import csv
import json

from absl import flags
import numpy as np
import pytest
import xarray

from scripts.shared import (
  changepoint_choices,
  changepoint_recorded,
  changepoint_replay_report,
  changepoint_replays,
)
from tests.scripts import processes
from toyjax import statistics
from toyjax.data import math_rollouts
from toyjax.inference.changepoint.evidence import Verdict

RULES = changepoint_recorded.Rules(0.8, 0.05, 0.3, 0.5)
# A trace that falls at index 5, with a gap at 4; one that rises; one short one.
TRACES = {
  ('incorrect', '7'): {
    t: (90 if t < 5 else 5, 100) for t in range(12) if t != 4
  },
  ('correct', '7'): {t: (60 if t < 6 else 98, 100) for t in range(10)},
  ('incorrect', '8'): {0: (80, 100), 1: (10, 100), 2: (0, 100)},
}
TINY = (
  '--policy=eig,omega',
  '--prior=published,jeffreys',
  '--num_rollouts=30',
  '--num_devices=1',
  '--chunk_size=8',
  '--focus=7',
)


def _write(path):
  lines = ['model,base,problem,chunk_idx,k,n']
  for (base, problem), counts in TRACES.items():
    lines += [f'm,{base},{problem},{t},{k},{n}' for t, (k, n) in counts.items()]
  path.write_text('\n'.join(lines) + '\n')
  return path


def _run(*flags, run=processes.run):
  return run('changepoint_replay', *flags)


def _rows(workdir):
  with (workdir / 'replay.csv').open() as file:
    return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  folder = tmp_path_factory.mktemp('replays')
  counts = _write(folder / 'counts.csv')
  flags = (f'--counts={counts}', f'--workdir={folder / "out"}', *TINY)
  done = _run(*flags, '--num_repeats=3', run=processes.from_scratch)
  assert done.returncode == 0, done.stderr
  first = _rows(folder / 'out')
  done = _run(*flags, '--num_repeats=6')
  assert done.returncode == 0, done.stderr
  return folder, flags, done, first


def test_it_writes_a_row_for_each_trace_policy_and_prior(finished):
  folder, _, done, _ = finished
  names = {path.name for path in (folder / 'out').iterdir()} - {'.lock'}
  assert names == {
    *('replay.csv', 'replay.png', 'trajectories.png'),
    *('manifest.json', 'results.zarr'),
  }
  rows = _rows(folder / 'out')
  assert len(rows) == 4 * 6  # Three traces and three totals.
  assert [(row['policy'], row['prior']) for row in rows[::6]] == [
    ('eig', 'published'),
    ('eig', 'jeffreys'),
    ('omega', 'published'),
    ('omega', 'jeffreys'),
  ]
  fell, rose, short, *totals = rows[:6]
  # Sentences 3 and 4 stand between the positions 3 and 5 that have data.
  assert (fell['exhaustive_index'], fell['exhaustive_sentence']) == ('5', '3:4')
  assert (short['exhaustive_index'], short['T']) == ('1', '3')
  assert (rose['exhaustive_verdict'], rose['exhaustive_sentence']) == (
    'NO_DROP',
    '',
  )
  assert [row['base'] for row in totals] == [
    *('all', 'proven drop', 'no proven drop')
  ]
  assert [row['num_repeats'] for row in totals] == ['18', '12', '6']
  assert '#7 incorrect: all rollouts say index 5' in done.stdout
  assert 'guilty sentence 3:4' in done.stdout


def test_every_share_has_its_count_and_interval(finished):
  for row in _rows(finished[0] / 'out'):
    total = int(row['num_repeats'])
    for name in changepoint_replay_report.SHARES:
      interval = statistics.wilson(int(row[f'{name}_count']), total)
      found = [float(row[key]) for key in (name, f'{name}_lower')]
      np.testing.assert_allclose(found, interval[:2], atol=1e-5)
    verdicts = [int(row[f'{code.name.lower()}_count']) for code in Verdict]
    assert sum(verdicts) == total
    assert row['not_finite'] == '0'
    assert float(row['mean_rollouts']) <= 30
  falls = _rows(finished[0] / 'out')[0]
  assert falls['within_count'] == '6'


def test_the_store_holds_the_rollouts_that_the_table_counts(finished):
  folder, _, _, first = finished
  data = xarray.open_zarr(folder / 'out' / 'results.zarr', group='eig')
  used = data['rollouts_right'].sum('position') + data['rollouts_wrong'].sum(
    'position'
  )
  np.testing.assert_array_equal(used, 30)
  gap = data['rollouts_right'][:, 4] + data['rollouts_wrong'][:, 4]
  assert not gap[data['trace'].values == 0].any()
  assert data.sizes['run'] == 6 * 2 * 3
  assert [row['num_repeats'] for row in first[:3]] == ['3', '3', '3']
  found = json.loads((folder / 'out' / 'manifest.json').read_text())
  assert found['science']['counts'].startswith('counts.csv (sha256 ')
  assert found['extent'] == {'num_repeats': 6}
  assert str(folder) not in json.dumps(found)


def test_other_counts_are_refused(finished):
  folder, flags, _, _ = finished
  path = folder / 'other' / 'counts.csv'
  path.parent.mkdir()
  path.write_text((folder / 'counts.csv').read_text().replace(',90,', ',91,'))
  done = _run(f'--counts={path}', *flags[1:], '--num_repeats=6')
  assert done.returncode != 0
  assert 'choose another --workdir' in done.stderr
  assert len(done.stderr.strip().splitlines()) == 1


def test_a_missing_file_is_one_clear_line(tmp_path):
  done = _run('--counts=missing.csv', f'--workdir={tmp_path / "out"}')
  assert done.returncode != 0
  assert 'changepoint_replay: --counts: missing.csv: missing' in done.stderr
  assert 'Traceback' not in done.stderr
  assert not (tmp_path / 'out').exists()


def test_padding_keeps_gaps_and_ends():
  found = math_rollouts.example_traces()[:2]
  recorded = changepoint_recorded.pad(found)
  sizes = [len(trace.chunk_indices) for trace in found]
  assert recorded.num_answered.shape == (2, max(sizes))
  for row, trace, size in zip(recorded.num_correct, found, sizes):
    np.testing.assert_array_equal(row[:size], trace.num_correct)
    assert not row[size:].any()


def test_bad_rows_are_named_or_left_out_and_counted(tmp_path, capsys):
  path = _write(tmp_path / 'counts.csv')
  good, _ = changepoint_recorded.read_traces(str(path), skip_bad=False)
  path.write_text(path.read_text() + 'm,correct,7,10,101,100\n')
  with pytest.raises(flags.Error, match=r'counts\.csv.*101'):
    changepoint_recorded.read_traces(str(path), skip_bad=False)
  found, _ = changepoint_recorded.read_traces(str(path), skip_bad=True)
  assert '1 rows left out' in capsys.readouterr().err
  for a, b in zip(good, found, strict=True):
    np.testing.assert_array_equal(a.num_correct, b.num_correct)


def test_all_counts_of_the_known_trace_blame_sentence_24():
  found = [
    trace
    for trace in math_rollouts.example_traces()
    if (trace.problem, trace.base) == ('2236', 'incorrect')
  ]
  (one,) = changepoint_recorded.find_exhaustive(
    changepoint_recorded.pad(found), 'published', RULES
  )
  assert (one.position, one.position_least) == (25, 25)
  assert one.verdict == Verdict.DROP
  assert changepoint_replay_report.sentences_text(found[0], one) == '24'
  quiet = one._replace(verdict=Verdict.UNDECIDED)
  assert changepoint_replay_report.sentences_text(found[0], quiet) == ''


def test_every_stepwise_policy_is_a_rival_too():
  assert set(changepoint_choices.STEPWISE) <= set(changepoint_choices.POLICIES)
  for make in changepoint_choices.POLICIES.values():
    assert callable(make().find)
  assert set(changepoint_replays.VARIABLES) >= {'location', 'verdict'}


def test_a_drop_that_recovers_is_some_drop_and_a_rise_is_none():
  answered = np.full((2, 30), 100)
  rates = np.full((2, 30), 0.9)
  rates[0, 10:20] = 0.3
  rates[1, :10] = 0.3
  recorded = changepoint_recorded.Recorded(
    np.round(rates * answered).astype(int), answered, answered
  )
  dip, rise = changepoint_recorded.find_exhaustive(recorded, 'published', RULES)
  assert dip.log_e_some_drop > 100 > 0 > rise.log_e_some_drop
  assert rise.verdict != Verdict.DROP

"""One trace, its report, its numbers and its figure; bad input in one line."""

import csv
import json

import numpy as np
import pytest

from scripts.shared import located, reports
from scripts.shared.located_warnings import warnings
from tests.data.shared_data import OWN, SHARED, needs_shared
from tests.scripts import processes
from toyjax import statistics
from toyjax.data import math_rollouts

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))
QUICK = ('--concentration=20', '--max_segments=2', '--num_draws=50')


def _run(trace, workdir, *flags, run=processes.run):
  paths = f'--trace={trace}', f'--workdir={workdir}'
  return run('locate_error', *paths, *flags)


def _rows(workdir):
  with (workdir / 'positions.csv').open() as file:
    return list(csv.DictReader(file))


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
  workdir = tmp_path_factory.mktemp('located') / 'out'
  done = _run(
    *(FOLDER, workdir, *QUICK, '--none=wrong'), run=processes.from_scratch
  )
  assert done.returncode == 0, done.stderr
  return workdir, done.stdout


def test_it_writes_what_it_prints(finished):
  workdir, shown = finished
  names = {path.name for path in workdir.iterdir()} - {'.lock'}
  assert names == {
    'report.md',
    'positions.csv',
    'trajectory.png',
    'manifest.json',
  }
  assert (workdir / 'report.md').read_text().strip() == shown.strip()
  figure = (workdir / 'trajectory.png').read_bytes()
  assert figure.startswith(b'\x89PNG')
  assert len(figure) > 10_000
  assert '17 times 6 is 92.' in shown


def test_few_rollouts_leave_it_undecided_and_no_sentence_is_named(finished):
  workdir, shown = finished
  text = (workdir / 'manifest.json').read_text()
  assert str(workdir.parent) not in text
  summary = json.loads(text)['summary']
  assert summary['verdict'] == 'UNDECIDED'
  assert summary['guilty_sentences'] == []
  assert summary['first_low_accuracy'] is None
  assert '**UNDECIDED**' in shown
  assert 'No sentence is named' in shown
  assert '← guilty' not in shown


def test_positions_hold_the_recorded_shares_and_a_distribution(finished):
  rows = _rows(finished[0])
  # Written by hand from the letters CCWC CCCN CWCE WWWN (none) WWCEE, with
  # N counted as wrong.
  counts = {0: (3, 4), 1: (3, 4), 2: (2, 3), 3: (0, 4), 5: (1, 3)}
  assert [int(row['position']) for row in rows] == list(counts)
  for row in rows:
    correct, answered = counts[int(row['position'])]
    assert (int(row['num_correct']), int(row['num_answered'])) == (
      correct,
      answered,
    )
    np.testing.assert_allclose(
      [float(row[name]) for name in ('share', 'share_lower', 'share_upper')],
      statistics.wilson(correct, answered),
      atol=1e-5,
    )
    assert float(row['lower']) <= float(row['upper'])
  total = sum(float(row['p_first_low']) for row in rows)
  assert total == pytest.approx(1.0, abs=1e-4)


def test_what_the_data_lack_is_said(finished):
  shown = finished[1]
  assert 'No rollouts at 1 position: 4.' in shown
  assert '2 rollouts had no answer and count as wrong.' in shown
  assert '3 failed calls are no rollouts' in shown


def test_a_replay_uses_its_rollouts_and_the_same_seed_repeats(tmp_path):
  flags = (*QUICK, '--num_rollouts=12', '--policy=thompson', '--prior=weak')
  done = _run(FOLDER, tmp_path / 'replay', *flags)
  assert done.returncode == 0, done.stderr
  used = [int(row['rollouts_used']) for row in _rows(tmp_path / 'replay')]
  assert sum(used) == 12
  assert '(a replay by thompson, seed 0)' in done.stdout
  again = _run(FOLDER, tmp_path / 'replay', *flags, '--seed=1')
  assert again.returncode == 1
  assert '--seed=0, not 1' in again.stderr


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--level=2'], 'level'),
    (['--concentration=0'], '0 must be > 0'),
  ],
)
def test_bad_flags_are_named(tmp_path, flags, message):
  done = _run(FOLDER, tmp_path / 'never', *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not (tmp_path / 'never').exists()


def test_bad_folders_end_in_one_line(tmp_path):
  done = _run(tmp_path / 'absent', tmp_path / 'never')
  assert done.returncode == 1
  assert done.stderr.strip().count('\n') == 0
  assert 'absent: missing, or not a folder' in done.stderr
  assert not (tmp_path / 'never').exists()


# ----- Parts -----


def _read(folder):
  return reports.read_one_trace(str(folder), skip_bad=False)


def test_prepare_treats_rollouts_without_an_answer_as_asked():
  trace = _read(FOLDER).trace
  out = located.prepare(trace, none='left_out', numbers='largest')
  wrong = located.prepare(trace, none='wrong', numbers='largest')
  np.testing.assert_array_equal(out.chunk_indices, [0, 1, 2, 3, 5])
  np.testing.assert_array_equal(out.num_answered, [4, 3, 3, 3, 3])
  np.testing.assert_array_equal(wrong.num_answered, [4, 4, 3, 4, 3])
  np.testing.assert_array_equal(out.num_correct, wrong.num_correct)


def test_prepare_keeps_the_ratio_with_the_smallest_numbers():
  trace = math_rollouts.example_traces()[0]
  large = located.prepare(trace, none='left_out', numbers='largest')
  small = located.prepare(trace, none='left_out', numbers='smallest')
  np.testing.assert_array_equal(small.num_answered, large.min_answered)
  np.testing.assert_allclose(
    small.num_correct / small.num_answered,
    large.num_correct / large.num_answered,
  )
  assert np.all(small.num_answered <= large.num_answered)
  assert np.any(small.num_answered < large.num_answered)


def test_several_traces_are_refused(tmp_path):
  for name in ('problem_1', 'problem_2'):
    (tmp_path / name).mkdir()
    for file in FOLDER.glob('*.json'):
      (tmp_path / name / file.name).write_bytes(file.read_bytes())
  with pytest.raises(Exception, match='holds 2 traces, not one'):
    _read(tmp_path)


def test_stretches_shorten_spans_and_tables():
  assert reports.stretches(np.asarray([3, 4, 5, 9])) == '3 to 5, 9'
  assert reports.spans(4, 4) == '4'
  assert reports.shorten('a  b\nc', 9) == 'a b c'
  assert reports.shorten('abcdef', 4) == 'abc…'
  assert reports.share(0, 0) == 'no data'
  table = reports.markdown_table(('a', 'bb'), [('x|y', '1')])
  assert table.split('\n')[2] == '| x\\|y | 1  |'


# ----- The real trace -----


@needs_shared
def test_problem_2236_blames_sentence_24(tmp_path):
  folder = SHARED / 'math_rollouts' / 'raw' / 'problem_2236'
  done = _run(
    folder, tmp_path / 'out', *QUICK, '--num_rollouts=300', '--seed=1'
  )
  assert done.returncode == 0, done.stderr
  summary = json.loads((tmp_path / 'out' / 'manifest.json').read_text())[
    'summary'
  ]
  assert summary['verdict'] == 'DROP'
  assert summary['first_low_accuracy'] == 25
  assert summary['guilty_sentences'] == [24]
  assert summary['interval'] == [25, 25]
  assert "4 doesn't appear in the units place" in done.stdout
  assert '**← guilty**' in done.stdout


def test_warnings_name_lost_copies_and_a_prior_that_does_not_fit():
  trace = _read(FOLDER).trace
  sentences = ('a.', 'b.', 'a.', 'c.', 'd.', 'e.')
  trace = trace._replace(sentences=sentences)
  used = located.prepare(trace, none='left_out', numbers='largest')
  size = len(used.chunk_indices)
  found = located.Located(
    trace=used,
    counts=np.ones((size, 2), int),
    **dict.fromkeys(
      ('posterior', 'mean', 'lower', 'upper', 'many_mean'), np.zeros(size)
    ),
    verdict=located.evidence.Verdict.DROP,
    log_e_drop=5.0,
    log_e_no_drop=0.0,
    place=2,
    interval=located.Interval(2, 2, 0.9),
    confidence=np.zeros(size, bool),
    scatter=(
      located.Scatter(
        20.0, 0.0, 2, located.Interval(2, 3, 0.9), np.zeros(size)
      ),
      located.Scatter(
        np.inf, -9.0, 2, located.Interval(2, 2, 0.9), np.zeros(size)
      ),
    ),
    averaged=located.Interval(2, 3, 0.9),
    averaged_place=2,
    drops=(),
    num_segments=np.asarray([0.0, 0.1, 0.9]),
    tails=located.checks.Tails(1.0, 0.001),
    log_e_prior=4.0,
  )
  settings = {
    'alpha': 0.05,
    'prior': 'published',
    'numbers': 'largest',
    'none': 'left_out',
  }
  text = '\n'.join(warnings(reports.OneTrace(trace, ()), found, settings))
  for part in (
    'contradict the published prior',
    'too high',
    'scatter more',
    'No single change fits',
    'One change is not enough',
    'raise --max_segments',
    '1 position (2) with rollouts',
    'Beside the interval: 2.',
  ):
    assert part in text, part

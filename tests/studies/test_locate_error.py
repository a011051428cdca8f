"""One trace, its report, its numbers and its picture."""

import jax
import numpy as np
import pytest

from tests.data.shared_data import OWN, SHARED, needs_shared
from tests.studies import tasks
from toyjax import statistics
from toyjax.data import math_rollouts
from toyjax.inference.changepoint.checks import Tails
from toyjax.inference.changepoint.evidence import Evidence, Verdict
from toyjax.inference.changepoint.intervals import Band
from toyjax.inference.changepoint.segments_posterior import Posterior
from toyjax.studies import traces
from toyjax.studies.locate_error import STUDY, located, markdown
from toyjax.studies.locate_error.doubts import doubts
from toyjax.studies.locate_error.located import Place, Scatter

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))
QUICK = {'concentration': [20.0], 'max_segments': 2, 'num_draws': 50}


def _perform(trace, workdir, **given):
  return tasks.perform(
    STUDY, trace=str(trace), workdir=str(workdir), **QUICK, **given
  )


@pytest.fixture(scope='module')
def report(tmp_path_factory):
  return _perform(FOLDER, tmp_path_factory.mktemp('out') / 'out', none='wrong')


@pytest.fixture
def trace():
  return traces.read(STUDY.resolve(trace=str(FOLDER))).trace


def test_the_document_is_what_is_printed(report, tmp_path):
  table, text = report.parts
  assert table.name == 'positions'
  assert not table.text()
  report.files['report.md'](tmp_path / 'report.md')
  assert (tmp_path / 'report.md').read_text('utf-8') == f'{text}\n'
  assert '17 times 6 is 92.' in text


def test_few_rollouts_leave_it_undecided_and_no_sentence_is_named(report):
  assert report.notes['verdict'] == 'UNDECIDED'
  assert report.notes['guilty_sentences'] == []
  assert report.notes['first_low_accuracy'] is None
  text = report.parts[1]
  assert '**UNDECIDED**' in text
  assert 'No sentence is named' in text
  assert '← guilty' not in text


def test_positions_hold_the_recorded_shares_and_a_distribution(report):
  rows = report.table('positions').records()
  # Written by hand from the letters CCWC CCCN CWCE WWWN (none) WWCEE, with
  # N counted as wrong.
  counts = {0: (3, 4), 1: (3, 4), 2: (2, 3), 3: (0, 4), 5: (1, 3)}
  assert [row['position'] for row in rows] == list(counts)
  for row in rows:
    known = counts[row['position']]
    assert (row['num_correct'], row['num_answered']) == known
    shares = [row[name] for name in ('share', 'share_lower', 'share_upper')]
    np.testing.assert_array_equal(shares, statistics.wilson(*known))
    assert row['lower'] <= row['upper']
  total = sum(row['p_first_low'] for row in rows)
  assert total == pytest.approx(1.0, abs=1e-12)


def test_the_picture_shows_them(report):
  figure = report.sheet('trajectory').figure()
  (axes,) = figure.axes
  title = axes.get_title(loc='left').split('\n')
  assert title[0].endswith('7: UNDECIDED after 18 rollouts')
  assert title[1] == 'no sentence is named (one change would be at 3)'
  points = axes.containers[0].lines[0].get_xydata()
  rows = report.table('positions').records()
  expected = [(row['position'], row['share']) for row in rows]
  np.testing.assert_allclose(points, expected)


def test_what_the_data_lack_is_said(report):
  text = report.parts[1]
  assert 'No rollouts at 1 position: 4.' in text
  assert '2 rollouts had no answer and count as wrong.' in text
  assert '3 failed calls are no rollouts' in text


def test_a_replay_uses_its_rollouts(tmp_path):
  report = _perform(
    FOLDER, tmp_path, num_rollouts=12, policy='thompson', prior='weak'
  )
  rows = report.table('positions').records()
  assert sum(row['rollouts_used'] for row in rows) == 12
  assert '(a replay by thompson, seed 0)' in report.parts[1]


def test_a_trace_is_read_whatever_the_precision_and_known_by_its_content():
  given = {'trace': str(FOLDER), **QUICK}
  plan = tasks.prepare(STUDY, **given)
  assert plan.dtype == 'float64'
  with jax.enable_x64(True):
    assert tasks.prepare(STUDY, **given).science == plan.science
  assert plan.science['concentration'] == ['20']
  assert plan.science['trace'].startswith('problem_7 ')
  assert str(FOLDER) not in str(plan.science)


@needs_shared
def test_problem_2236_blames_sentence_24(tmp_path):
  folder = SHARED / 'math_rollouts' / 'raw' / 'problem_2236'
  report = _perform(folder, tmp_path, num_rollouts=300, seed=1)
  assert report.notes['verdict'] == 'DROP'
  assert report.notes['first_low_accuracy'] == 25
  assert report.notes['guilty_sentences'] == [24]
  assert report.notes['interval'] == [25, 25]
  assert "4 doesn't appear in the units place" in report.parts[1]
  assert '**← guilty**' in report.parts[1]


# ----- Parts -----


def test_prepare_treats_rollouts_without_an_answer_as_asked(trace):
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


def test_doubts_name_lost_copies_and_a_prior_that_does_not_fit(trace):
  trace = trace._replace(sentences=('a.', 'b.', 'a.', 'c.', 'd.', 'e.'))
  values = STUDY.resolve(trace='.')
  used = located.prepare(trace, none='left_out', numbers='largest')
  zeros = np.zeros(len(used.chunk_indices))
  found = located.Located(
    trace=used,
    counts=np.ones((len(zeros), 2), int),
    posterior=zeros,
    mean=zeros,
    band=Band(zeros, zeros),
    verdict=Verdict.DROP,
    log_e=Evidence(5.0, 0.0),
    place=Place(2, 2, 2, 0.9),
    confidence=zeros.astype(bool),
    scatter=(
      Scatter(20.0, 0.0, Place(2, 2, 3, 0.9), zeros),
      Scatter(np.inf, -9.0, Place(2, 2, 2, 0.9), zeros),
    ),
    averaged=Place(2, 2, 3, 0.9),
    many=Posterior(0.0, zeros, np.asarray([0.0, 0.1, 0.9]), zeros, zeros),
    drops=(),
    tails=Tails(1.0, 0.001),
    log_e_prior=4.0,
  )
  text = '\n'.join(doubts(traces.OneTrace(trace), found, values))
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
  far = found._replace(place=Place(4, 4, 4, 0.9))
  text = '\n'.join(doubts(traces.OneTrace(trace), far, values))
  assert 'None beside the interval.' in text


# ----- Markdown -----


@pytest.mark.parametrize(
  ('text', 'shown'),
  [
    ('17 times 6 is 102.', '17 times 6 is 102.'),
    ('<script>x</script>', '`<script>x</script>`'),
    ('a `b` c', '``a `b` c``'),
    ('`b', '`` `b ``'),
    ('\\frac{1}{2} costs $5', '`\\frac{1}{2} costs $5`'),
    ('# head\n\x1b[1m', '`# head \\x1b[1m`'),
    ('\u202eabc', '`\\u202eabc`'),
    ('', ''),
  ],
)
def test_markdown_shows_the_data_as_they_are(text, shown):
  assert markdown.verbatim(text) == shown


def test_rows_of_markdown_stay_rows():
  table = markdown.table(('a',), [(markdown.verbatim('x|y\nz'),)])
  assert table.split('\n')[2] == '| `x\\|y z` |'
  table = markdown.table(('a', 'bb'), [('x|y', '1')])
  assert table.split('\n')[2] == '| x\\|y | 1  |'


def test_stretches_shorten():
  assert markdown.stretches(np.asarray([3, 4, 5, 9])) == '3 to 5, 9'
  assert markdown.spans(4, 4) == '4'

import json
import pickle

import numpy as np
import pytest

from tests.data.shared_data import SHARED, needs_shared
from toyjax.data import math_rollouts, traces
from toyjax.data.traces import TraceError


def make(num_correct, num_answered, sentences=None):
  correct, answered = np.array(num_correct), np.array(num_answered)
  return traces.Trace(
    model='',
    sampling='',
    base='',
    problem='1',
    sentences=sentences,
    chunk_indices=np.arange(len(correct)),
    num_correct=correct,
    num_wrong=answered - correct,
    num_none=None,
    num_errors=None,
    min_answered=answered,
    accuracies=np.full(len(correct), np.nan),
    tags=tuple('abcdefgh'[: len(correct)]),
  )


def test_error_says_file_field_and_reason_and_survives_pickling():
  error = TraceError('a.json', '[3].answer', 'missing')
  assert str(error) == 'a.json: [3].answer: missing'
  assert str(TraceError('a.json', '', 'missing')) == 'a.json: missing'
  copy = pickle.loads(pickle.dumps(error))
  assert (copy.file, copy.field, copy.reason) == error.args
  assert isinstance(error, ValueError)


def test_without_gaps_keeps_the_map_to_chunk_indices():
  trace = make([3, 0, 2, 0, 1], [4, 0, 4, 0, 4])
  short = traces.without_gaps(trace)
  np.testing.assert_array_equal(short.chunk_indices, [0, 2, 4])
  np.testing.assert_array_equal(short.num_correct, [3, 2, 1])
  assert short.tags == ('a', 'c', 'e')
  assert short.num_none is None


def test_no_answer_at_all_is_data():
  trace = make([0, 0], [0, 0])._replace(num_none=np.array([5, 0]))
  np.testing.assert_array_equal(trace.has_data, [True, False])


def test_guilty_is_the_sentence_before_the_first_low_position():
  trace = make([4, 4, 0, 0], [4, 4, 4, 4])
  assert list(traces.guilty_sentences(trace, 2)) == [1]


def test_after_a_gap_all_sentences_since_the_last_data_are_suspect():
  trace = make([4, 4, 0, 0, 0], [4, 4, 0, 0, 4])
  assert list(traces.guilty_sentences(trace, 4)) == [1, 2, 3]
  short = traces.without_gaps(trace)
  assert list(traces.guilty_sentences(short, 2)) == [1, 2, 3]


def test_low_from_the_start_blames_nobody():
  trace = make([0, 0, 0], [0, 4, 4])
  assert list(traces.guilty_sentences(trace, 0)) == []
  assert list(traces.guilty_sentences(trace, 1)) == []


def test_effect_of_a_sentence_is_negative_where_the_rate_falls():
  trace = make([4, 3, 0, 0, 2], [4, 4, 4, 0, 4])
  np.testing.assert_array_equal(
    traces.sentence_effects(trace), [-0.25, -0.75, np.nan, np.nan, np.nan]
  )
  short = traces.without_gaps(trace)
  np.testing.assert_array_equal(
    traces.sentence_effects(short), [-0.25, -0.75, np.nan, np.nan]
  )


@needs_shared
@pytest.mark.parametrize('problem', ['2236', '330', '4682', '6998'])
def test_published_importances_differ_in_sign(problem):
  folder = SHARED / 'math_rollouts' / 'raw' / f'problem_{problem}'
  (trace,), _ = math_rollouts.read_folder(
    folder, max_rollouts=100, skip_bad=False
  )
  labels = json.loads((folder / 'chunks_labeled.json').read_text())
  effects = traces.sentence_effects(trace)
  resampling, counterfactual, kl = (
    np.array([label[f'{name}'] for label in labels])
    for name in (
      'resampling_importance_accuracy',
      'counterfactual_importance_accuracy',
      'resampling_importance_kl',
    )
  )
  np.testing.assert_allclose(effects[:-1], resampling[:-1], atol=1e-12)
  large = np.abs(resampling) > 0.2
  both = large & (counterfactual != 0.0)
  assert both.any()
  assert (resampling[both] * counterfactual[both] < 0.0).all()
  assert (kl >= 0.0).all()

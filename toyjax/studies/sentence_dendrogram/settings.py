"""The settings of the dendrogram of resampled sentences."""

from toyjax.parsers import Choice, Number
from toyjax.settings import FIXED, MACHINE, Setting
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
  Setting(
    'position',
    None,
    Number(int, 0),
    FIXED,
    'Index of the sentence that was resampled.',
  ),
  Setting(
    'embedding',
    'tfidf',
    Choice(clusters.EMBEDDINGS),
    FIXED,
    'tfidf: TF-IDF of character n-grams, n = 2..5. minilm: the sentence '
    'model all-MiniLM-L6-v2, offline.',
  ),
  Setting(
    'linkage',
    'average',
    Choice(clusters.LINKAGES),
    FIXED,
    'How alike two branches are: the mean, the least or the greatest cosine '
    'between their sentences.',
  ),
  Setting(
    'joined_above',
    None,
    Number(float, -1.0, 1.0),
    FIXED,
    'Cosine above which branches are joined into a cluster. Left out: the '
    'median over all pairs of distinct sentences.',
  ),
)

r"""What else could the model have written at one position of a trace?

Every rollout from a position starts with another draw of its sentence. This
script joins the draws that say the same: each distinct sentence becomes a
vector, a hierarchical clustering joins them by cosine similarity, and the tree
is cut at the median cosine over all pairs of distinct sentences. clusters.csv
counts each cluster with 95 % Wilson intervals; sentences.csv lists every
sentence in full; dendrogram.png shows the tree, its leaves coloured by
P(correct) where the data tell how the rollouts ended, the trace's own
sentence in bold.

  python -m scripts.sentence_dendrogram --position=24 \
    --trace=../shared/data/math_rollouts/raw/problem_2236
  python -m scripts.sentence_dendrogram --position=24 --embedding=minilm \
    --trace=... --workdir=runs/dendrogram_minilm

tfidf needs the optional extra `tfidf`, minilm the extra `text`: pip install
'toyjax[tfidf]' or 'toyjax[text]'.
"""

import pathlib

from toyjax.data import math_rollouts
from toyjax.parsers import SettingError
from toyjax.settings import FIXED, Values, names_of
from toyjax.studies import traces
from toyjax.studies.base import Plan, Task
from toyjax.studies.sentence_dendrogram import clusters
from toyjax.studies.sentence_dendrogram.report import report
from toyjax.studies.sentence_dendrogram.settings import SETTINGS


@traces.setting_errors()
def prepare(values: Values) -> Plan:
  """Returns the plan: sentences are read and joined here, then reported.

  Raises:
    SettingError: where there is no sentence, or no library for the embedding.
  """
  position = values['position']
  read = traces.read(values)
  drawn = math_rollouts.read_resampled(
    read.folder, position=position, skip_bad=values['skip_bad']
  )
  if not drawn.sentences:
    raise SettingError(f'--position={position}: no sentence to read')
  leaves = clusters.count_leaves(drawn.sentences, drawn.endings)
  tree = clusters.join(
    clusters.embed([leaf.sentence for leaf in leaves], values['embedding']),
    [leaf.num_sentences for leaf in leaves],
    method=values['linkage'],
    joined_above=values['joined_above'],
  )
  return Plan(
    folder=pathlib.Path(values['workdir']),
    science={
      **{name: values[name] for name in names_of(SETTINGS, FIXED)},
      'trace': traces.digest(read.folder, drawn),
    },
    run=lambda workdir: report(read, drawn, leaves, tree, values),
  )


STUDY = Task(
  'sentence_dendrogram', SETTINGS, prepare, required=('trace', 'position')
)

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
from typing import Any

from absl import app, flags
import matplotlib.figure
import numpy as np

from scripts.shared import (
  experiments,
  launch,
  reports,
  sentence_clusters,
  tables,
)
from scripts.shared.number_flags import define_float, define_integer
from scripts.shared.path_flags import define_path
from toyjax import manifest
from toyjax.data import math_rollouts
from toyjax.plots import dendrograms

SCIENCE = ('position', 'embedding', 'linkage', 'joined_above', 'skip_bad')

define_path(
  'trace',
  None,
  'Folder of one math-rollouts problem, or one above it, with '
  'chunk_{i}/solutions.json or chunks_resampled.json.',
  required=True,
)
define_integer(
  'position',
  None,
  'Index of the sentence that was resampled.',
  0,
  None,
  required=True,
)
flags.DEFINE_enum(
  'embedding',
  'tfidf',
  sentence_clusters.EMBEDDINGS,
  'tfidf: TF-IDF of character n-grams, n = 2..5. minilm: the sentence '
  'model all-MiniLM-L6-v2, offline.',
)
flags.DEFINE_enum(
  'linkage',
  'average',
  sentence_clusters.LINKAGES,
  'How alike two branches are: the mean, the least or the greatest cosine '
  'between their sentences.',
)
define_float(
  'joined_above',
  None,
  'Cosine above which branches are joined into a cluster. Left out: the median '
  'over all pairs of distinct sentences.',
  lower=-1.0,
  upper=1.0,
)
flags.DEFINE_bool(
  'skip_bad', False, 'Leave out rows that cannot be read, and count them.'
)
reports.define_max_rollouts()
define_path('workdir', 'runs/sentence_dendrogram', 'Folder for results.')


def own_sentence(read: reports.OneTrace, position: int) -> str | None:
  """Returns the trace's own sentence at a position, None where unknown."""
  sentences = read.trace.sentences or ()
  sentence = sentences[position] if position < len(sentences) else None
  return sentence and sentence_clusters.normalise(sentence)


def draw(
  path: pathlib.Path,
  leaves: list[sentence_clusters.Leaf],
  tree: sentence_clusters.Tree,
  original: int | None,
  title: str,
) -> None:
  """Draws the dendrogram into a file."""
  rates = [
    leaf.num_correct / leaf.num_answered if leaf.num_answered else np.nan
    for leaf in leaves
  ]
  figure = matplotlib.figure.Figure((11.0, 1.8 + 0.27 * len(leaves)))
  axes = figure.subplots()
  dendrograms.draw_dendrogram(
    axes,
    linkage=tree.linkage,
    labels=[
      f'{leaf.num_sentences:3d} × {reports.shorten(leaf.sentence, 95)}'
      for leaf in leaves
    ],
    counts=[leaf.num_sentences for leaf in leaves],
    clusters=list(map(int, tree.clusters)),
    rates=rates,
    highlighted=original,
    joined_above=tree.joined_above,
  )
  if np.isfinite(rates).any():
    bar = figure.colorbar(
      dendrograms.rate_colors(),
      ax=axes,
      location='left',
      shrink=min(1.0, 8.0 / len(leaves) + 0.2),
      aspect=15,
    )
    bar.set_label('P(correct) after the sentence')
  axes.set_title(title, fontsize='medium', loc='left')
  figure.savefig(path, dpi=160, bbox_inches='tight')


def make_title(
  drawn: math_rollouts.Resampled,
  tree: sentence_clusters.Tree,
  settings: dict[str, Any],
  original: int | None,
) -> str:
  """Says what is drawn and where it was cut."""
  at = 'median of pairs' if settings['joined_above'] is None else 'as asked'
  found = (
    'bold: the sentence of the trace'
    if original is not None
    else ('the sentence of the trace was not drawn again')
  )
  return (
    f'{len(drawn.sentences)} sentences resampled at position '
    f'{drawn.position}, {settings["embedding"]}, {settings["linkage"]} '
    f'linkage\ncut at cosine {tree.joined_above:.3f} ({at}): '
    f'{tree.clusters.max()} clusters; {found}'
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  with (
    experiments.one_line_errors('sentence_dendrogram'),
    reports.flag_errors(),
  ):
    experiments.setup_jax(num_devices=1, dtype='float32')
    folder = reports.find_problem(FLAGS.trace)
    drawn = math_rollouts.read_resampled(
      folder, position=FLAGS.position, skip_bad=FLAGS.skip_bad
    )
    if not drawn.sentences:
      raise flags.Error(f'--position={FLAGS.position}: no sentence to read')
    read = reports.read_one_trace(
      FLAGS.trace,
      skip_bad=FLAGS.skip_bad,
      max_rollouts=FLAGS.max_rollouts,
    )
    own = own_sentence(read, FLAGS.position)
    leaves = sentence_clusters.count_leaves(drawn.sentences, drawn.endings)
    texts = [leaf.sentence for leaf in leaves]
    original = texts.index(own) if own in texts else None
    tree = sentence_clusters.join(
      sentence_clusters.embed(texts, FLAGS.embedding),
      [leaf.num_sentences for leaf in leaves],
      method=FLAGS.linkage,
      joined_above=FLAGS.joined_above,
    )
    with manifest.Workdir(
      FLAGS.workdir,
      script='sentence_dendrogram',
      science={**settings, 'trace': reports.digest(folder, drawn)},
      extent={},
      layout={},
      environment=experiments.environment(),
    ) as workdir:
      rows = sentence_clusters.cluster_rows(leaves, tree, original)
      tables.write_csv(workdir.path / 'clusters.csv', rows)
      tables.write_csv(
        workdir.path / 'sentences.csv',
        [
          {
            'cluster': int(tree.clusters[i]),
            **leaf._asdict(),
            'is_original': int(i == original),
          }
          for i, leaf in enumerate(leaves)
        ],
      )
      title = make_title(drawn, tree, settings, original)
      draw(workdir.path / 'dendrogram.png', leaves, tree, original, title)
      workdir.note(summary={'joined_above': tree.joined_above})
      print(title + '\n')
      print(reports.cluster_table(rows))
      for line in notes(drawn, own, original):
        print(line)
      if read.left_out:
        print(reports.describe_left_out(read.left_out))


def notes(
  drawn: math_rollouts.Resampled, own: str | None, original: int | None
) -> list[str]:
  """Returns what a reader has to know beside the table."""
  lines = []
  if own is not None:
    where = 'drawn again' if original is not None else 'never drawn again'
    shown = reports.shorten(own, 3000)
    lines.append(f'sentence of the trace ({where}): {shown}')
  if set(drawn.endings) == {math_rollouts.Ending.UNKNOWN}:
    lines.append(
      f'{drawn.source} does not tell how the rollouts ended: no P(correct)'
    )
  if drawn.num_errors:
    lines.append(f'{drawn.num_errors} failed calls drew no sentence')
  if drawn.problems:
    lines.append(
      f'{len(drawn.problems)} rows skipped, the first: '
      + reports.shorten(str(drawn.problems[0]), 300)
    )
  return lines


if __name__ == '__main__':
  launch.run(main)

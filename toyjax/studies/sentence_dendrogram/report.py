"""What is shown of resampled sentences: clusters, sentences, their tree."""

from collections.abc import Sequence

from matplotlib.figure import Figure
import numpy as np

from toyjax import statistics
from toyjax.data.math_rollouts import Ending, Resampled
from toyjax.plots import sheets
from toyjax.plots.changepoint import dendrograms
from toyjax.plots.sheets import Sheet
from toyjax.settings import Values
from toyjax.studies.base import Report
from toyjax.studies.sentence_dendrogram.clusters import (
  Leaf,
  Tree,
  normalise,
)
from toyjax.studies.traces import OneTrace, describe_left_out, share
from toyjax.tables import Column, Row, Table, column
from toyjax.texts import shorten


def report(
  read: OneTrace,
  drawn: Resampled,
  leaves: Sequence[Leaf],
  tree: Tree,
  values: Values,
) -> Report:
  """Returns the tables and the picture of the sentences at one position.

  Args:
    read: the trace.
    drawn: its resampled sentences.
    leaves: the distinct ones.
    tree: how they join.
    values: of all settings.
  """
  sentences = dict(enumerate(read.trace.sentences or ()))
  own = sentences.get(drawn.position)
  own = own and normalise(own)  # None where unknown.
  texts = [leaf.sentence for leaf in leaves]
  original = texts.index(own) if own in texts else None
  title = _title(drawn, tree, values, original)
  clusters = Table(
    'clusters', cluster_rows(leaves, tree, original), title, _SHOWN
  )
  every = Table(
    'sentences',
    [
      {
        'cluster': int(tree.clusters[i]),
        **leaf._asdict(),
        'is_original': int(i == original),
      }
      for i, leaf in enumerate(leaves)
    ],
  )
  remarks = _remarks(read, drawn, own, original)
  return Report(
    (clusters, '\n'.join(remarks), every),
    (Sheet('dendrogram', lambda: _draw(leaves, tree, original, title)),),
    {'joined_above': tree.joined_above},
  )


def cluster_rows(
  leaves: Sequence[Leaf], tree: Tree, original: int | None
) -> list[Row]:
  """Returns a row per cluster: its counts with 95 % Wilson intervals.

  Args:
    leaves: the distinct sentences.
    tree: how they join.
    original: the leaf that is the trace's own sentence, or None.
  """
  total = sum(leaf.num_sentences for leaf in leaves)
  rows: list[Row] = []
  for cluster in range(1, int(tree.clusters.max()) + 1):
    members = np.flatnonzero(tree.clusters == cluster)
    own = [leaves[int(member)] for member in members]
    count, correct, answered, none = (
      sum(numbers) for numbers in zip(*(leaf[1:] for leaf in own))
    )
    inner = tree.similarities[np.ix_(members, members)]
    pairs = inner[np.triu_indices(len(members), 1)]
    rows.append(
      {
        'cluster': cluster,
        'num_sentences': count,
        'total': total,
        'share:': statistics.wilson(count, total),
        'num_distinct': len(own),
        'num_correct': correct if answered else None,
        'num_answered': answered or None,
        'num_none': none if answered else None,
        'p_correct:': (
          statistics.wilson(correct, answered) if answered else None
        ),
        'least_cosine': float(pairs.min()) if len(pairs) else None,
        'has_original': int(original in members),
        'most_frequent': own[0].sentence,
      }
    )
  return rows


def _chance(row: Row) -> str:
  if row['num_answered'] is None:
    return 'unknown'
  return share(row['num_correct'], row['num_answered'])


_SHOWN = (
  Column('cluster', lambda r: f'{r["cluster"]}{"*" * r["has_original"]}'),
  Column('share of draws', lambda r: share(r['num_sentences'], r['total'])),
  column('num_distinct', 'distinct'),
  Column('P(correct)', _chance),
  Column('such as', lambda row: shorten(row['most_frequent'], 60)),
)


def _title(
  drawn: Resampled, tree: Tree, values: Values, original: int | None
) -> str:
  """Says what is drawn and where it was cut."""
  at = 'median of pairs' if values['joined_above'] is None else 'as asked'
  found = (
    'bold: the sentence of the trace'
    if original is not None
    else 'the sentence of the trace was not drawn again'
  )
  return (
    f'{len(drawn.sentences)} sentences resampled at position '
    f'{drawn.position}, {values["embedding"]}, {values["linkage"]} '
    f'linkage\ncut at cosine {tree.joined_above:.3f} ({at}): '
    f'{tree.clusters.max()} clusters; {found}'
  )


def _remarks(
  read: OneTrace, drawn: Resampled, own: str | None, original: int | None
) -> list[str]:
  """Returns what a reader has to know beside the table."""
  lines = ['* holds the sentence of the trace; intervals are 95 % Wilson']
  if own is not None:
    where = 'drawn again' if original is not None else 'never drawn again'
    lines.append(f'sentence of the trace ({where}): {shorten(own, 3000)}')
  if set(drawn.endings) == {Ending.UNKNOWN}:
    lines.append(
      f'{drawn.source} does not tell how the rollouts ended: no P(correct)'
    )
  if drawn.num_errors:
    lines.append(f'{drawn.num_errors} failed calls drew no sentence')
  if drawn.problems:
    lines.append(
      f'{len(drawn.problems)} rows skipped, the first: '
      + shorten(str(drawn.problems[0]), 300)
    )
  if read.left_out:
    lines.append(describe_left_out(read.left_out))
  return lines


def _draw(
  leaves: Sequence[Leaf], tree: Tree, original: int | None, title: str
) -> Figure:
  rates = [
    leaf.num_correct / leaf.num_answered if leaf.num_answered else np.nan
    for leaf in leaves
  ]
  height = 1.8 + 0.27 * len(leaves)
  figure, axes = sheets.single(11.0, height, title, loc='left')
  dendrograms.draw_dendrogram(
    axes,
    linkage=tree.linkage,
    labels=[
      f'{leaf.num_sentences:3d} × {shorten(leaf.sentence, 95)}'
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
  return figure

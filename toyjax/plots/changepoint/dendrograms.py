"""Dendrograms of sentences: which of them say the same."""

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize, to_hex
import numpy as np
from scipy.cluster import hierarchy

from toyjax.plots import palette
from toyjax.plots.texts import LINE, literal

_COLORS = (*palette.CURVES[:-1], palette.SKY)  # Black is the cut.
_MIXED = '#888888'
_UNKNOWN = '#FFFFFF'


def rate_colors() -> ScalarMappable:
  """Returns the colours of rates from 0 (vermilion) to 1 (blue)."""
  return ScalarMappable(Normalize(0.0, 1.0), matplotlib.colormaps['RdYlBu'])


def draw_dendrogram(
  axes: Axes,
  *,
  linkage: np.ndarray,
  labels: Sequence[str],
  counts: Sequence[int],
  clusters: Sequence[int],
  rates: Sequence[float],
  highlighted: int | None,
  joined_above: float,
) -> list[int]:
  """Draws a tree with its leaves at the right, one above the other.

  A branch has the colour of its cluster and is grey above all clusters. A leaf
  is a disc whose area grows with its copies, filled by its rate, or white where
  that is unknown.

  Args:
    axes: where to draw.
    linkage: [L - 1, 4], of scipy, with heights 1 - cosine.
    labels: [L] texts of the leaves, of any origin: no formula is drawn.
    counts: [L] copies of each.
    clusters: [L] their clusters, from 1.
    rates: [L] in [0, 1], NaN where unknown.
    highlighted: the leaf to mark, or None.
    joined_above: the cosine at which the tree is cut into clusters.

  Returns:
    The leaves from top to bottom.
  """
  num_leaves = len(labels)
  if num_leaves > 1:
    tree = hierarchy.dendrogram(linkage, no_plot=True)
    order = list(map(int, tree['leaves']))
    heights, places = _branches(linkage, order)
  else:
    order, heights, places = [0], [], []
  cluster_of_node = _clusters_of_nodes(linkage, clusters)
  lines, colors = [], []
  for node, (height, place) in enumerate(zip(heights, places)):
    lines.append(np.column_stack([1.0 - np.asarray(height), place]))
    cluster = cluster_of_node[num_leaves + node]
    colors.append(_MIXED if cluster is None else _color(cluster))
  axes.add_collection(LineCollection(lines, colors=colors, linewidths=1.3))
  axes.axvline(joined_above, color='black', linestyle='--', linewidth=0.9)
  rows = np.arange(num_leaves)
  colormap = rate_colors().get_cmap()
  fills = [
    to_hex(colormap(rates[leaf])) if np.isfinite(rates[leaf]) else _UNKNOWN
    for leaf in order
  ]
  axes.scatter(
    np.ones(num_leaves),
    rows,
    s=[18.0 + 5.0 * counts[leaf] for leaf in order],
    c=fills,
    edgecolors=[_color(clusters[leaf]) for leaf in order],
    linewidths=1.3,
    zorder=3,
    clip_on=False,
  )
  names = [literal(labels[leaf], length=LINE) for leaf in order]
  axes.set_yticks(rows, names)
  axes.yaxis.tick_right()
  axes.tick_params(axis='y', length=0, pad=14, labelsize='small')
  for text, leaf in zip(axes.get_yticklabels(), order):
    if leaf == highlighted:
      text.set_fontweight('bold')
  lowest = min((1.0 - max(height) for height in heights), default=joined_above)
  left = min(lowest, joined_above)
  axes.set_xlim(left - 0.05 * (1.0 - left) - 0.01, 1.0)
  axes.set_ylim(num_leaves - 0.4, -0.6)
  axes.set_xlabel('cosine similarity at which branches join')
  for side in ('top', 'left', 'right'):
    axes.spines[side].set_visible(False)
  return order


def _color(cluster: int) -> str:
  return _COLORS[(cluster - 1) % len(_COLORS)]


def _branches(
  linkage: np.ndarray, order: Sequence[int]
) -> tuple[list[list[float]], list[list[float]]]:
  """Returns each join's corners, heights and places, in the order of joins."""
  num_leaves = len(order)
  place = dict(zip(order, map(float, range(num_leaves))))
  height = dict.fromkeys(order, 0.0)
  heights, places = [], []
  for node, (first, second, top, _) in enumerate(linkage, num_leaves):
    a, b = int(first), int(second)
    heights.append([height[a], top, top, height[b]])
    places.append([place[a], place[a], place[b], place[b]])
    place[node] = (place[a] + place[b]) / 2.0
    height[node] = top
  return heights, places


def _clusters_of_nodes(
  linkage: np.ndarray, clusters: Sequence[int]
) -> list[int | None]:
  """Returns the cluster of each node, None where it joins several."""
  found: list[int | None] = list(clusters)
  for first, second, *_ in linkage:
    a, b = found[int(first)], found[int(second)]
    found.append(a if a == b else None)
  return found

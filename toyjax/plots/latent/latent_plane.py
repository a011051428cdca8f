"""The latent plane of an autoencoder: feature vectors and activation zones.

For input j the hidden state is the point W_j. Feature i is on in its zone, the
half-plane W_iᵀh + b_i > 0, drawn where it meets the hull of all points W_j.
"""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
from matplotlib import patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch, Polygon
import numpy as np

from toyjax.analysis.autoencoder import latent_zones

# Okabe and Ito's palette without its yellow, which is lost on white paper, then
# its black, a dark red and a grey.
_COLORS = (
  *('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00'),
  *('#56B4E9', '#000000', '#7A0019', '#8C8C8C'),
)
_HULL, _HULL_EDGE, _AXIS = '#F3F3F1', '#A8A8A4', '#C8C8C4'
# Outputs that should be off and are on by more than this are marked: weight
# decay leaves some at a few hundredths.
MARKED = 0.05
_DEAD = 0.05  # Rows this short, relative to the longest, have no direction.
_TOGETHER = 0.06  # Tips this close, likewise, have their names in a row.


def feature_colors(num_features: int) -> list[str]:
  """Returns a colour for each feature, alike in all pictures of a run."""
  if num_features <= len(_COLORS):
    return list(_COLORS[:num_features])
  turbo = matplotlib.colormaps['turbo']
  shades = np.linspace(0.05, 0.95, num_features)
  return [matplotlib.colors.to_hex(turbo(shade)) for shade in shades]


class View(NamedTuple):
  """A square part of the plane.

  Attributes:
    x: of its middle.
    y: of its middle.
    half_width: it spans ±half_width about the middle.
  """

  x: float
  y: float
  half_width: float


def view_of(weights: np.ndarray, *, margin: float) -> View:
  """Returns the view of the origin and of all rows of W [..., 2, N].

  Its half width is `margin` times what these take, and never tiny.
  """
  points = np.moveaxis(np.asarray(weights, float), -2, -1).reshape(-1, 2)
  points = np.concatenate([points, np.zeros((1, 2))])
  low, high = points.min(axis=0), points.max(axis=0)
  x, y = (low + high) / 2.0
  return View(x, y, margin * max(0.5, float((high - low).max()) / 2.0))


def draw_latent_plane(
  axes: Axes,
  *,
  weights: np.ndarray,
  bias: np.ndarray,
  view: View,
  compact: bool,
) -> None:
  """Draws vectors, zones, and how far each point reaches into each zone.

  A zone is shaded inside the hull, and its edge is dashed beyond. The thick end
  of a vector is the part inside its own zone. A ring around the point of input
  j, in the colour of feature i, says that output i is on there and should not
  be; it is the thicker the more. A dead row is a disc at the origin, and its
  zone, all of the hull or nothing, has no edge.

  Args:
    axes: where to draw.
    weights: W [2, N], finite.
    bias: b [N], finite.
    view: the part of the plane that is shown.
    compact: leaves out ticks and the amounts in numbers.
  """
  weights, bias = np.asarray(weights, float), np.asarray(bias, float)
  found = latent_zones.find_zones(weights, bias)
  colors = feature_colors(len(bias))
  sides = np.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]])
  corners = np.asarray(view[:2]) + view.half_width * sides
  for place in (axes.axhline, axes.axvline):
    place(0.0, color=_AXIS, linewidth=0.6, zorder=0)
  axes.add_patch(
    Circle((0, 0), 1.0, fill=False, edgecolor=_AXIS, linestyle=':', zorder=0.5)
  )
  _add_polygon(axes, found.hull, facecolor=_HULL, edgecolor='none', zorder=0.2)
  for i, color in enumerate(colors):
    # A zone of most of the hull is pale, not to drown all others.
    alpha = 0.24 if found.shares[i] < 0.5 else 0.13
    _add_polygon(
      axes, found.zones[i], facecolor=color, edgecolor='none', alpha=alpha
    )
    ends = latent_zones.edge(weights[:, i], bias[i], corners)
    if len(ends):
      axes.plot(
        *ends.T, color=color, linewidth=0.7, linestyle=(0, (4, 3)), alpha=0.65
      )
  _add_polygon(
    axes, found.hull, fill=False, edgecolor=_HULL_EDGE, linewidth=1.0, zorder=2
  )
  _draw_vectors(axes, weights, found, colors, compact)
  _draw_rings(axes, weights, found, colors)
  _draw_labels(axes, weights, found, colors, compact)
  axes.set_xlim(view.x - view.half_width, view.x + view.half_width)
  axes.set_ylim(view.y - view.half_width, view.y + view.half_width)
  axes.set_aspect('equal')
  if compact:
    axes.set_xticks([])
    axes.set_yticks([])
  else:
    axes.set_xlabel('hidden unit 1')
    axes.set_ylabel('hidden unit 2')
  for spine in axes.spines.values():
    spine.set_color(_AXIS)


def legend_below(figure: Figure, fontsize: float) -> None:
  """Puts the legend of a figure's latent planes below them all."""
  figure.legend(
    handles=legend_handles(),
    loc='outside lower center',
    ncols=3,
    fontsize=fontsize,
  )


def legend_handles() -> list[Artist]:
  """Returns what a legend of `draw_latent_plane` explains, in words."""
  blue = _COLORS[0]
  return [
    Line2D([], [], linewidth=1.4, color=blue, marker='>', label='row $W_i$'),
    Patch(
      facecolor=blue,
      alpha=0.24,
      label='zone of feature i: its output is on',
    ),
    Line2D(
      [], [], linewidth=5.0, color=blue, label='how far $W_i$ reaches into it'
    ),
    Line2D(
      [],
      [],
      linestyle='none',
      marker='o',
      markersize=10,
      markerfacecolor='none',
      markeredgecolor='#D55E00',
      markeredgewidth=2.0,
      label=f'another output is on here (> {MARKED:g}), in its colour',
    ),
    Line2D([], [], color=_AXIS, linestyle=':', label='radius 1'),
  ]


def _add_polygon(axes: Axes, region: np.ndarray, **style) -> None:
  if len(region) > 1:
    axes.add_patch(Polygon(region, closed=True, **style))


def _draw_vectors(axes, weights, found, colors, compact) -> None:
  norms = np.linalg.norm(weights, axis=0)
  for i, color in enumerate(colors):
    tip = weights[:, i]
    if norms[i] <= _DEAD * max(norms.max(), 1.0):
      axes.plot(*tip, 'o', color=color, markersize=5 if compact else 7)
      continue
    width = 1.2 if compact else 1.8
    axes.annotate(
      '',
      xy=tip,
      xytext=(0, 0),
      arrowprops=dict(
        arrowstyle='-|>,head_width=0.2,head_length=0.45',
        color=color,
        linewidth=width,
        shrinkA=0,
        shrinkB=0,
        mutation_scale=10 if compact else 16,
      ),
      zorder=4,
    )
    depth = found.depths[i, i]
    if depth > 0:
      start = tip * (1.0 - min(depth / norms[i], 2.0))
      axes.plot(
        *np.stack([start, tip]).T,
        color=color,
        linewidth=3.2 * width,
        alpha=0.55,
        solid_capstyle='butt',
        zorder=3,
      )


def _draw_rings(axes, weights, found, colors) -> None:
  for j, amounts in enumerate(found.activations):
    wrong = [i for i, a in enumerate(amounts) if i != j and a > MARKED]
    for order, i in enumerate(wrong):
      axes.plot(
        *weights[:, j],
        'o',
        markerfacecolor='none',
        markeredgecolor=colors[i],
        markersize=9.0 + 4.5 * order,
        markeredgewidth=0.8 + 2.4 * min(amounts[i], 1.0),
        zorder=5,
      )


def _draw_labels(
  axes: Axes,
  weights: np.ndarray,
  found: latent_zones.Zones,
  colors: Sequence[str],
  compact: bool,
) -> None:
  """Names each row at its tip, and the outputs that are on there."""
  norms = np.linalg.norm(weights, axis=0)
  is_dead = norms <= _DEAD * max(norms.max(), 1.0)
  distances = np.linalg.norm(weights[:, :, None] - weights[:, None, :], axis=0)
  together = distances <= _TOGETHER * max(norms.max(), 1.0)
  white = [patheffects.withStroke(linewidth=2.2, foreground='white')]
  for i, color in enumerate(colors):
    direction = weights[:, i] / norms[i] if norms[i] > 0 else np.zeros(2)
    if is_dead[i]:  # Dead rows stand one beside the other.
      place = 2.0 * np.pi * np.sum(is_dead[:i]) / max(is_dead.sum(), 1)
      direction = np.asarray([np.cos(place - 0.6), np.sin(place - 0.6)])
    else:  # And rows with one tip one behind the other.
      direction = direction * (1.0 + np.sum(together[i, :i] & ~is_dead[:i]))
    text = str(i)
    if not compact:
      own = max(found.activations[i, i], 0.0)
      others = [
        f'+{k}: {a:.2f}'
        for k, a in enumerate(found.activations[i])
        if k != i and a > MARKED
      ]
      text = '\n'.join([f'{i}: {own:.2f}', *others])
    axes.annotate(
      text,
      xy=tuple(weights[:, i]),
      xytext=tuple((10 if compact else 21) * direction),
      textcoords='offset points',
      ha='center',
      va='center',
      color=color,
      fontsize=8 if compact else 9,
      fontweight='bold',
      path_effects=white,
      linespacing=0.95,
      annotation_clip=True,
      zorder=6,
    )

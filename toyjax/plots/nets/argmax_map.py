"""The plane of a two-dimensional embedding: who answers what, where words lie.

zones of `analysis.nets.argmax_map` --draw_zones--> coloured polygons
embeddings --draw_words--> each word at its place, and what it is answered
embeddings at many epochs --draw_paths--> how the words came there
"""

from collections.abc import Mapping, Sequence

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
import numpy as np

from toyjax.analysis.nets.argmax_map import Cell, Zone
from toyjax.plots import texts
from toyjax.plots.latent.latent_plane import feature_colors
from toyjax.plots.point_labels import draw_labels

_EDGE, _FAINT = '#6E6E6A', '#B4B4B0'
_PALE = 0.3
_TIED = '////'
RIGHT, WRONG, UNUSED = 'o', 'X', 's'
MAX_NAMES = 40  # With more words, their names would hide the picture.


def window_of(points: np.ndarray, *, margin: float) -> np.ndarray:
  """Returns a square around all points, its corners [4, 2] counter-clockwise.

  Args:
    points: [..., 2].
    margin: on each side, as a share of the widest extent, which is taken to be
      1 at least.
  """
  points = np.asarray(points, float).reshape(-1, 2)
  low, high = points.min(axis=0), points.max(axis=0)
  half = (0.5 + margin) * max(1.0, float((high - low).max()))
  sides = np.asarray([[-1, -1], [1, -1], [1, 1], [-1, 1]])
  return (low + high) / 2.0 + half * sides


def draw_zones(
  axes: Axes,
  *,
  cells: Sequence[Cell],
  zones: Sequence[Zone],
  num_words: int,
  window: np.ndarray,
) -> None:
  """Draws which word is answered where, and where a unit switches.

  Each zone is a polygon in the colour of its answer, hatched where another
  logit is exactly as large all over it; thin lines are the edges of the cells.

  Args:
    axes: where to draw.
    cells: from `argmax_map.linear_cells`, over the window.
    zones: from `argmax_map.argmax_zones`, of these cells.
    num_words: V.
    window: [4, 2], as `window_of` gives.
  """
  colors = feature_colors(num_words)
  for tied in (False, True):
    chosen = [zone for zone in zones if zone.tied == tied]
    axes.add_collection(
      PolyCollection(
        [zone.corners for zone in chosen],
        facecolors=[(colors[zone.answer], _PALE) for zone in chosen],
        edgecolors=_FAINT if tied else 'none',
        hatch=_TIED if tied else None,
        linewidths=0.0,
        zorder=0.5,
      )
    )
  axes.add_collection(
    PolyCollection(
      [cell.corners for cell in cells],
      facecolors='none',
      edgecolors=_EDGE,
      linewidths=0.6,
      zorder=1,
    )
  )
  set_window(axes, window)


def set_window(axes: Axes, window: np.ndarray) -> None:
  """Shows just this square, undistorted, and names the axes.

  Args:
    axes: of the picture.
    window: [4, 2], as `window_of` gives.
  """
  axes.set_xlim(window[0, 0], window[2, 0])
  axes.set_ylim(window[0, 1], window[2, 1])
  axes.set_aspect('equal')
  axes.set_xlabel('embedding, first number')
  axes.set_ylabel('embedding, second number')


def draw_words(
  axes: Axes,
  *,
  places: np.ndarray,
  vocabulary: Sequence[str],
  predictions: np.ndarray,
  tied: np.ndarray,
  wanted: Mapping[int, Sequence[int]],
) -> None:
  """Draws each word at its embedding's place, and what comes after it.

  Disc: all its pairs are right; cross: one is wrong, what else was wanted
  stands in brackets; small square: the word is no input of a pair. Its colour
  is that of the answer. More than `MAX_NAMES` words have no names.

  Args:
    axes: where to draw; its window is set already.
    places: [V, 2].
    vocabulary: [V].
    predictions: int [V], the next token.
    tied: bool [V], whether that is by an exact tie.
    wanted: input of a pair -> its outputs.
  """
  colors = feature_colors(len(vocabulary))
  words = _words(vocabulary)
  names = []
  for token, word in enumerate(words):
    answer = int(predictions[token])
    outputs = list(wanted.get(token, ()))
    text = f'{word} → {words[answer]}'
    notes = ['tie'] if tied[token] else []
    marker = RIGHT if outputs == [answer] else WRONG
    if not outputs:
      marker, text = UNUSED, word
    elif marker == WRONG:
      others = ', '.join(words[b] for b in outputs if b != answer)
      notes.append(f'{"also" if answer in outputs else "not"} {others}')
    if notes and marker != UNUSED:
      text += f' ({"; ".join(notes)})'
    axes.plot(
      *places[token],
      marker=marker,
      color=colors[answer],
      markersize=6.0 if marker == UNUSED else 9.0,
      markeredgecolor='black',
      markeredgewidth=0.9,
      zorder=4,
    )
    names.append(text)
  if len(vocabulary) <= MAX_NAMES:
    draw_labels(axes, places=places, texts=names, avoid=np.empty((0, 2)))


def draw_paths(
  axes: Axes,
  *,
  places: np.ndarray,
  predictions: np.ndarray,
  vocabulary: Sequence[str],
) -> None:
  """Draws how each word moved in training, from a ring to its name.

  A dot at each observed epoch after the start has the colour of what was
  answered then. More than `MAX_NAMES` words have no names.

  Args:
    axes: where to draw; its window is set already.
    places: [T, V, 2], the first before training.
    predictions: int [T - 1, V], the next token at the epochs after that.
    vocabulary: [V].
  """
  colors = feature_colors(len(vocabulary))
  for token in range(len(vocabulary)):
    path = places[:, token]
    axes.plot(*path.T, color=_FAINT, linewidth=0.8, zorder=1)
    axes.scatter(
      path[1:, 0],
      path[1:, 1],
      s=9.0,
      c=[colors[answer] for answer in predictions[:, token]],
      linewidths=0.0,
      zorder=2,
    )
    axes.plot(
      *path[0],
      marker='o',
      markersize=6.0,
      markerfacecolor='white',
      markeredgecolor='black',
      zorder=1.5,
    )
  if len(vocabulary) <= MAX_NAMES:
    draw_labels(
      axes,
      places=places[-1],
      texts=_words(vocabulary),
      avoid=places.reshape(-1, 2),
    )


def _words(vocabulary: Sequence[str]) -> list[str]:
  return [texts.shorten(word, texts.WORD) for word in vocabulary]


def legend_handles(
  vocabulary: Sequence[str], answers: Sequence[int], *, with_ties: bool
) -> list[Artist]:
  """Returns what a legend explains, in words.

  Args:
    vocabulary: [V].
    answers: the words that are answered somewhere in the picture.
    with_ties: whether a zone is tied.
  """
  colors = feature_colors(len(vocabulary))
  words = _words(vocabulary)
  handles: list[Artist] = [
    Patch(
      facecolor=(colors[answer], _PALE),
      edgecolor=colors[answer],
      label=texts.literal(f'answered “{words[answer]}”', length=texts.LINE),
    )
    for answer in sorted(set(answers))
  ]
  if with_ties:
    handles.append(
      Patch(
        facecolor='white',
        edgecolor=_FAINT,
        hatch=_TIED,
        label='exact tie: the lower index',
      )
    )
  handles.append(
    Line2D(
      [], [], color=_EDGE, linewidth=0.8, label='a unit switches on or off'
    )
  )
  for marker, label in (
    (RIGHT, 'word, answered right'),
    (WRONG, 'word, answered wrong'),
    (UNUSED, 'word that is no input'),
  ):
    handles.append(
      Line2D(
        [],
        [],
        linestyle='none',
        marker=marker,
        color='white',
        markeredgecolor='black',
        markersize=6.0 if marker == UNUSED else 8.0,
        label=label,
      )
    )
  return handles

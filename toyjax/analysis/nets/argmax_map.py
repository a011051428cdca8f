"""Which answer a ReLU net gives where in the plane: exact polygons, in float64.

    params, window [V, 2] --linear_cells--> cells: polygon, pattern, outputs
    cells --argmax_zones--> zones: polygon, answer

Where the units' pattern does not change, each z is a plane and switches along a
line: layer by layer each polygon is cut in two by the lines that cross it, and
at last by the lines on which two logits are equal.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from toyjax.analysis.autoencoder import latent_zones
from toyjax.analysis.nets import dense_layers


class Cell(NamedTuple):
  """One region in which the net is affine.

  Attributes:
    corners: [K, 2] of a convex polygon, counter-clockwise.
    weight: [V, 2] and bias [V]: the answer is weight @ h + bias inside.
    bias: see weight.
    pattern: which units are on, layer by layer.
  """

  corners: np.ndarray
  weight: np.ndarray
  bias: np.ndarray
  pattern: tuple[tuple[bool, ...], ...]


class Zone(NamedTuple):
  """The part of a cell with one answer.

  Attributes:
    corners: [K, 2] of a convex polygon, counter-clockwise.
    answer: index of the largest output there, the lowest of several.
    cell: index of the cell it is part of.
    tied: whether another output is as large in all of the zone.
  """

  corners: np.ndarray
  answer: int
  cell: int
  tied: bool


def linear_cells(
  params: Any, *, window: ArrayLike, names: Sequence[str] | None = None
) -> tuple[Cell, ...]:
  """Finds the regions of the plane in which a net is affine.

  Args:
    params: what `dense_layers.read_stack` reads; with an embedding, its rows
      lie in the plane.
    window: [V, 2] corners of a convex polygon in order, V >= 3.
    names: see `dense_layers.read_stack`.

  Returns:
    The cells; they cover the window. A unit with z = 0 throughout is off. Parts
    smaller than rounding (1e-14 of the window) are left out.

  Raises:
    ValueError: if the net does not take two inputs or the window has no area.
  """
  stack = dense_layers.read_stack(params, names=names)
  window = np.asarray(window, float)
  if stack.layers[0].weight.shape[1] != 2:
    raise ValueError(
      f'the net takes {stack.layers[0].weight.shape[1]} inputs, not 2'
    )
  if window.ndim != 2 or window.shape[1] != 2 or not latent_zones.area(window):
    raise ValueError(f'the window must be a polygon [V, 2]: {window.tolist()}')
  least = 1e-14 * latent_zones.area(window)
  cells = [Cell(window, np.eye(2), np.zeros(2), ())]
  for layer in stack.layers[:-1]:
    cells = [part for cell in cells for part in _cut(cell, layer, least)]
  weight, bias = (array.astype(float) for array in stack.layers[-1])
  return tuple(
    cell._replace(weight=weight @ cell.weight, bias=weight @ cell.bias + bias)
    for cell in cells
  )


def _cut(cell: Cell, layer: dense_layers.Layer, least: float) -> list[Cell]:
  """Returns the parts of a cell in which no unit of the layer switches."""
  weight = layer.weight.astype(float) @ cell.weight
  bias = layer.weight.astype(float) @ cell.bias + layer.bias
  parts: list[tuple[np.ndarray, tuple[bool, ...]]] = [(cell.corners, ())]
  for normal, offset in zip(weight, bias):
    following = []
    for corners, on in parts:
      above = latent_zones.clip(corners, normal, offset)
      below = latent_zones.clip(corners, -normal, -offset)
      if latent_zones.area(above) <= least:
        following.append((corners, (*on, False)))
      elif latent_zones.area(below) <= least:
        following.append((corners, (*on, True)))
      else:
        following += [(below, (*on, False)), (above, (*on, True))]
    parts = following
  return [
    Cell(
      corners,
      np.where(np.asarray(on)[:, None], weight, 0.0),
      np.where(on, bias, 0.0),
      (*cell.pattern, on),
    )
    for corners, on in parts
  ]


def argmax_zones(cells: Sequence[Cell]) -> tuple[Zone, ...]:
  """Cuts each cell by which of its outputs is largest.

  Args:
    cells: from `linear_cells`, of a net with two outputs or more.

  Returns:
    The zones; together they cover the cells. Of outputs that are the same all
    over a cell, as where the last layer is dead, the lowest index is the
    answer, as in argmax.
  """
  whole = sum(latent_zones.area(cell.corners) for cell in cells)
  zones = []
  for index, cell in enumerate(cells):
    num_outputs = len(cell.bias)
    for k in range(num_outputs):
      corners, tied = cell.corners, False
      for j in range(num_outputs):
        normal = cell.weight[k] - cell.weight[j]
        offset = cell.bias[k] - cell.bias[j]
        same = j != k and not normal.any() and not offset
        tied |= same
        if same and j < k:
          corners = corners[:0]
        elif not same and j != k:
          corners = latent_zones.clip(corners, normal, offset)
      if latent_zones.area(corners) > 1e-14 * whole:
        zones.append(Zone(corners, k, index, tied))
  return tuple(zones)

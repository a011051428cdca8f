"""The tilt view: the latent polygon as three of the outputs see it.

Outputs are affine in the hidden state before the ReLU, W_iᵀh + b_i, so the hull
of the latent points is a flat polygon in any three output dimensions. It lies
level where the upright feature is dead, and tilts as its row grows.
"""

import matplotlib.colors
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D
import numpy as np

from toyjax.analysis.autoencoder import latent_zones
from toyjax.plots.latent import latent_plane

_FLOOR, _BELOW = '#9A9A96', '#DADAD6'


def choose_outputs(weights: np.ndarray) -> tuple[int, int, int]:
  """Returns three outputs that show the tilt: two to the sides, the last up.

  Upright is the row that is the shortest at some step; to the sides stand the
  two others that at all steps are far from collinear.

  Args:
    weights: W [T, 2, N] at the steps that are shown, N >= 3.
  """
  norms = np.linalg.norm(weights, axis=1)
  upright = int(np.argmin(norms.min(axis=0)))
  rest = [i for i in range(norms.shape[1]) if i != upright]
  unit = weights / np.maximum(norms, 1e-12)[:, None, :]
  cosines = np.abs(np.einsum('tki,tkj->tij', unit, unit)).max(axis=0)
  pairs = [(cosines[a, b], a, b) for a in rest for b in rest if a < b]
  _, first, second = min(pairs)
  return first, second, upright


def draw_tilt(
  axes: Axes3D,
  *,
  weights: np.ndarray,
  bias: np.ndarray,
  outputs: tuple[int, int, int],
) -> None:
  """Draws the polygon, the floor where the ReLU cuts, and the target.

  The part above the floor is the zone of the upright output and has its colour.

  Args:
    axes: three-dimensional, where to draw.
    weights: W [2, N], finite.
    bias: b [N], finite.
    outputs: three different outputs: to the right, to the back, upright.
  """
  weights, bias = np.asarray(weights, float), np.asarray(bias, float)
  chosen = list(outputs)
  if len(set(chosen)) != 3 or not 0 <= min(chosen) <= max(chosen) < len(bias):
    raise ValueError(f'outputs must be three different features: {outputs}')
  upright = chosen[2]
  colors = latent_plane.feature_colors(len(bias))

  def see(region: np.ndarray) -> np.ndarray:
    return region @ weights[:, chosen] + bias[chosen]

  found = latent_zones.find_zones(weights, bias)
  below = latent_zones.clip(found.hull, -weights[:, upright], -bias[upright])
  for region, color, alpha in (
    (below, _BELOW, 0.75),
    (found.zones[upright], colors[upright], 0.42),
  ):
    if len(region) > 2:
      axes.add_collection3d(
        Poly3DCollection(
          [see(region)],
          facecolors=matplotlib.colors.to_rgba(color, alpha),
          edgecolors='#555555',
          linewidths=0.6,
        )
      )
  points = see(weights.T)
  floor = np.stack([points.min(axis=0), points.max(axis=0)])[:, :2]
  (left, front), (right, back) = floor
  axes.plot(
    [left, right, right, left, left],
    [front, front, back, back, front],
    np.zeros(5),
    color=_FLOOR,
    linewidth=1.0,
    linestyle='--',
  )
  for j, (point, color) in enumerate(zip(points, colors)):
    axes.plot(*np.stack([point, [*point[:2], 0.0]]).T, color=color, lw=0.8)
    axes.plot(*point[:, None], 'o', color=color, markersize=5)
    axes.text(*point, f'  {j}', color=color, fontweight='bold', fontsize=9)
  x, y, _ = points[upright]
  axes.plot([x, x], [y, y], [points[upright][2], 1.0], 'k:', linewidth=1.2)
  axes.plot([x], [y], [1.0], marker='*', color='black', markersize=10)
  axes.set_xlabel(f'output {chosen[0]} before ReLU')
  axes.set_ylabel(f'output {chosen[1]} before ReLU')
  axes.set_zlabel(f'output {upright} before ReLU')
  for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
    axis.set_major_locator(MaxNLocator(5))
  axes.tick_params(labelsize=7.5, pad=0)
  axes.set_box_aspect((1.0, 1.0, 0.8), zoom=0.98)
  axes.view_init(elev=18, azim=-62)

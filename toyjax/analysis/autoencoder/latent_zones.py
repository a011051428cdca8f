"""Where in the latent plane each feature is on: exact zones, in float64.

    W [2, N], b [N] --find_zones--> hull of the points W_j, zone of each feature

On one-hot data input j sits at the latent point h = W_j. Output i is on where
W_iᵀh + b_i > 0: a half-plane whose edge is perpendicular to W_i, at the signed
distance -b_i / |W_i| from the origin. A zone is that half-plane clipped to a
convex region, here the hull of the latent points.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
import scipy.spatial


class Zones(NamedTuple):
  """The zones of one autoencoder with two hidden dimensions.

  Attributes:
    hull: [V, 2] corners of the hull of the latent points, counter-clockwise;
      two where they are collinear, one where they coincide.
    zones: [N] arrays [K, 2], corners of each zone; K = 0 where the feature is
      on nowhere in the hull.
    shares: [N] area of each zone as a share of the hull's, in [0, 1]; NaN where
      the hull has no area.
    activations: [N, N] a[j, i] = W_iᵀW_j + b_i, of output i at input j, before
      the ReLU.
    depths: [N, N] a[j, i] / |W_i|, how far the point of input j lies inside the
      half-plane of feature i, in units of the plane; ±inf where W_i = 0.
  """

  hull: np.ndarray
  zones: tuple[np.ndarray, ...]
  shares: np.ndarray
  activations: np.ndarray
  depths: np.ndarray


def find_zones(weights: ArrayLike, bias: ArrayLike) -> Zones:
  """Finds the activation zone of each feature in the hull of the latent points.

  Args:
    weights: W [2, N], finite.
    bias: b [N], finite.

  Returns:
    The `Zones`. A dead row (W_i = 0) is on in all of the hull where b_i > 0,
    else nowhere.

  Raises:
    ValueError: on other shapes, or numbers that are not finite.
  """
  weights, bias = np.asarray(weights, float), np.asarray(bias, float)
  if weights.ndim != 2 or weights.shape[0] != 2:
    raise ValueError(f'weights must have shape [2, N]: {weights.shape}')
  if bias.shape != weights.shape[1:]:
    raise ValueError(f'bias {bias.shape} does not fit weights {weights.shape}')
  if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
    raise ValueError('weights and bias must be finite')
  hull = convex_hull(weights.T)
  zones = tuple(
    clip(hull, normal, offset) for normal, offset in zip(weights.T, bias)
  )
  hull_area = area(hull)
  areas = np.asarray([area(zone) for zone in zones])
  shares = areas / hull_area if hull_area > 0 else np.full(len(bias), np.nan)
  # [j, i]: input first, as in `relu_autoencoder.responses`.
  activations = weights.T @ weights + bias[None, :]
  norms = np.linalg.norm(weights, axis=0)
  with np.errstate(divide='ignore', invalid='ignore'):
    depths = np.where(
      norms > 0,
      activations / norms,
      np.where(activations > 0, np.inf, -np.inf),
    )
  return Zones(hull, zones, shares, activations, depths)


def convex_hull(points: ArrayLike) -> np.ndarray:
  """Returns the corners [V, 2] of the convex hull, counter-clockwise.

  Args:
    points: [P, 2], P >= 1.

  Returns:
    V >= 3 corners; the two ends where the points are collinear to within
    rounding; one where they coincide.
  """
  points = np.unique(np.asarray(points, float), axis=0)
  centered = points - points.mean(axis=0)
  # Right singular vectors point along and across the points.
  across, along = np.linalg.svd(centered, full_matrices=True)[1:]
  rounding = np.finfo(float).eps * max(np.abs(points).max(), 1e-300)
  if len(points) == 1 or across[0] <= rounding:
    return points[:1]
  if len(points) == 2 or across[1] <= 8.0 * len(points) * rounding:
    places = centered @ along[0]
    return points[[np.argmin(places), np.argmax(places)]]
  return points[scipy.spatial.ConvexHull(points).vertices]


def clip(region: np.ndarray, normal: ArrayLike, offset: float) -> np.ndarray:
  """Clips a convex region to the half-plane {h: normalᵀh + offset > 0}.

  Args:
    region: [V, 2] corners in order, V >= 0; two are a segment, one a point.
    normal: [2]; zero where the half-plane is all or nothing.
    offset: any number.

  Returns:
    [K, 2] corners, in the same order, of the closure of what is left; K = 0
    where nothing is.

  References:
    Sutherland and Hodgman 1974, Reentrant polygon clipping.
  """
  if not len(region):
    return region
  heights = region @ np.asarray(normal, float) + offset
  if heights.max() <= 0:
    return np.zeros((0, 2))
  corners = []
  num_sides = len(region) if len(region) > 2 else len(region) - 1
  for k, corner in enumerate(region):
    if heights[k] >= 0:
      corners.append(corner)
    following = (k + 1) % len(region)
    if k < num_sides and heights[k] * heights[following] < 0:
      share = heights[k] / (heights[k] - heights[following])
      corners.append(corner + share * (region[following] - corner))
  return np.asarray(corners)


def area(region: np.ndarray) -> float:
  """Returns the area of a polygon from its corners [V, 2] in order."""
  if len(region) < 3:
    return 0.0
  x, y = (region - region[0]).T
  return 0.5 * float(np.abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def edge(normal: ArrayLike, offset: float, window: np.ndarray) -> np.ndarray:
  """Returns the part of the line normalᵀh + offset = 0 inside a window.

  Args:
    normal: [2].
    offset: any number.
    window: [V, 2] corners of a convex polygon in order, V >= 3.

  Returns:
    [2, 2] the ends of the segment, or [0, 2] where the line misses the window
    or is none (normal = 0).
  """
  normal = np.asarray(normal, float)
  if not normal.any():
    return np.zeros((0, 2))
  heights = window @ normal + offset
  ends = []
  for k, following in enumerate(np.roll(np.arange(len(window)), -1)):
    if heights[k] == 0.0:
      ends.append(window[k])
    elif heights[k] * heights[following] < 0:
      share = heights[k] / (heights[k] - heights[following])
      ends.append(window[k] + share * (window[following] - window[k]))
  return np.asarray(ends[:2]) if len(ends) >= 2 else np.zeros((0, 2))

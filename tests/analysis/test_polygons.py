"""Polygons of features: every name by hand, and by brute force in float64."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from toyjax.analysis.autoencoder import polygons
from toyjax.analysis.autoencoder.polygons import THRESHOLDS, Polygon

_NAMES = {3: 'TRIANGLE', 5: 'PENTAGON', 6: 'HEXAGON', 7: 'HEPTAGON'}
_NAMES |= {8: 'OCTAGON', 9: 'LARGER', 12: 'LARGER'}
_N = 13


@jax.jit
def _describe(weights):
  return polygons.describe(weights, thresholds=THRESHOLDS)


def describe(*degrees, length=1.0, rest=0.0):
  """Describes features at these angles, the others of 13 being short."""
  angles = np.radians(degrees)
  rows = np.full((2, _N), rest / math.sqrt(2.0))
  places = np.random.default_rng(len(degrees)).permutation(_N)[: len(degrees)]
  rows[:, places] = length * np.stack([np.cos(angles), np.sin(angles)])
  return _describe(jnp.asarray(rows, jnp.float32))


def name(*degrees, **options):
  return Polygon(int(describe(*degrees, **options).outcome)).name


@pytest.mark.parametrize('k', _NAMES)
def test_regular_polygons_have_their_names(k):
  found = describe(*(17.0 + 360.0 * np.arange(k) / k), rest=0.3)
  assert Polygon(int(found.outcome)).name == _NAMES[k]
  assert found.num_represented == found.num_directions == k
  assert found.is_represented.sum() == k


@pytest.mark.parametrize(
  ('degrees', 'expected'),
  [
    ((), 'NOTHING'),
    ((40,), 'SINGLE'),
    ((40, 220), 'DIGON'),
    ((40, 130), 'ORTHOGONAL'),
    ((40, 144), 'ORTHOGONAL'),
    ((40, 147), 'IRREGULAR'),
    ((40, 130, 220), 'DIGON_AND_SINGLE'),
    ((0, 90, 180, 270), 'TWO_DIGONS'),
    ((0, 60, 180, 240), 'IRREGULAR'),
    ((0, 110, 230), 'TRIANGLE'),
    ((0, 90, 180, 225, 270), 'IRREGULAR'),
    ((0, 72, 144, 216, 296), 'PENTAGON'),
    ((0, 72, 144, 216, 300), 'IRREGULAR'),
    ((0, 14, 180), 'MERGED'),
    ((-7, 7), 'MERGED'),
    ((179, -179, 0, 90), 'MERGED'),
  ],
)
def test_figures_have_their_names(degrees, expected):
  assert name(*degrees) == expected


def test_merged_features_count_as_one_direction():
  found = describe(0, 5, 90, 180, 183, 270)
  assert found.num_represented == 6
  assert found.num_directions == 4


def test_lengths_matter_in_polygons_and_not_between_axes():
  angles = np.radians(72.0 * np.arange(5))
  corners = np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
  stretched = corners * np.array([0.8, 1, 1, 1, 1], np.float32)
  assert _describe(stretched).outcome == Polygon.PENTAGON
  stretched = corners * np.array([0.6, 1, 1, 1, 1], np.float32)
  assert _describe(stretched).outcome == Polygon.IRREGULAR
  square = np.array([[1, -0.9, 0, 0], [0, 0, 0.6, -0.6]], np.float32)
  assert _describe(square).outcome == Polygon.TWO_DIGONS


def test_what_is_not_finite_has_diverged():
  weights = np.ones((2, 4), np.float32)
  for value in (np.nan, np.inf):
    weights[1, 2] = value
    assert _describe(weights).outcome == Polygon.DIVERGED


def test_other_dimensions_are_refused():
  with pytest.raises(ValueError, match=r'\[2, N\]'):
    polygons.describe(jnp.ones((3, 4)), thresholds=THRESHOLDS)


def brute_force(weights):
  """Names a figure in float64 by trying all its turns, gap by gap."""
  lengths = np.hypot(*weights)
  kept = weights[:, lengths > THRESHOLDS.represented]
  k = kept.shape[1]
  angles = sorted(math.atan2(y, x) for x, y in kept.T)
  gaps = [b - a for a, b in itertools.pairwise(angles)]
  gaps += [2.0 * math.pi - sum(gaps)] if k else []
  if k == 0:
    return 'NOTHING'
  if k > 1 and min(gaps) < math.pi / 12.0:
    return 'MERGED'
  if k == 1:
    return 'SINGLE'

  def near(pattern):
    turns = (gaps[i:] + gaps[:i] for i in range(k))
    return any(
      max(abs(g - p * math.pi / 2.0) for g, p in zip(turned, pattern))
      <= math.pi / 12.0
      for turned in turns
    )

  axes = {
    'DIGON': (2, 2),
    'ORTHOGONAL': (1, 3),
    'DIGON_AND_SINGLE': (1, 1, 2),
    'TWO_DIGONS': (1, 1, 1, 1),
  }
  for own, pattern in axes.items():
    if k == len(pattern) and near(pattern):
      return own
  even = 2.0 * math.pi / k
  half = (2.0 * math.pi / (k - 1) - even) / 2.0
  norms = np.hypot(*kept)
  regular = all(abs(g - even) <= half for g in gaps)
  regular &= bool(np.all(abs(norms / norms.mean() - 1.0) <= 0.25))
  return _NAMES.get(k, 'IRREGULAR') if regular else 'IRREGULAR'


def test_random_figures_have_the_names_of_brute_force():
  """Of noisy polygons; what lies within rounding of a threshold is rare."""
  rng = np.random.default_rng(2)
  figures = []
  for _ in range(4000):
    k = rng.integers(0, 9)
    step = rng.choice([2.0 * np.pi / max(k, 1), np.pi / 2.0])
    angles = step * np.arange(k) + rng.uniform(0, 7)
    angles += rng.choice([0.02, 0.1, 0.5]) * rng.normal(size=k)
    lengths = 1.0 + rng.choice([0.05, 0.2]) * rng.normal(size=k)
    rows = 0.05 * rng.normal(size=(2, _N))
    places = rng.permutation(_N)[:k]
    rows[:, places] = lengths * np.stack([np.cos(angles), np.sin(angles)])
    figures.append(rows)
  found = jax.jit(jax.vmap(_describe))(np.asarray(figures, np.float32)).outcome
  expected = [brute_force(rows) for rows in figures]
  named = [Polygon(int(code)).name for code in found]
  assert len(set(expected)) >= 12
  differing = sum(a != b for a, b in zip(named, expected))
  assert differing <= 4, differing


@pytest.mark.parametrize('k', [4, 5])
def test_turns_mirrors_and_names_change_nothing(k):
  rng = np.random.default_rng(3)
  angles = 2.0 * np.pi * np.arange(k) / k + 0.05 * rng.normal(size=k)
  rows = np.concatenate(
    [np.stack([np.cos(angles), np.sin(angles)]), np.zeros((2, 2))], 1
  )
  kept = describe_outcome(rows)
  for turn in rng.uniform(0.0, 7.0, 20):
    cos, sin = math.cos(turn), math.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.diag(
      [1, rng.choice([-1, 1])]
    )
    order = rng.permutation(k + 2)
    assert describe_outcome((matrix @ rows)[:, order]) == kept


def describe_outcome(rows):
  return int(_describe(jnp.asarray(rows, jnp.float32)).outcome)

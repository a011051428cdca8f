"""Weights of the ReLU autoencoder made by hand: (weights [2, N], bias [N])."""

import math

import numpy as np

# Rows of this norm, b = 1 - |W|², reconstruct one-hot data wherever they are
# more than 16.3 degrees apart: W_iᵀW_j + b_i = 1 - 25 (1 - cos) <= 0.
LONG = 5.0


def minimum_norm(num_features):
  """Returns the least |W| with which a regular n-gon has zero loss."""
  return 1.0 / math.sqrt(1.0 - math.cos(2.0 * math.pi / num_features))


def _solved_rows(degrees, norm):
  radians = np.deg2rad(degrees)
  weights = norm * np.stack([np.cos(radians), np.sin(radians)])
  return weights, np.ones(len(degrees)) - norm**2


def _append(rows, *others):
  """Joins sets of features."""
  return (
    np.concatenate([rows[0], *[weights for weights, _ in others]], axis=1),
    np.concatenate([rows[1], *[bias for _, bias in others]]),
  )


def regular_polygon(num_features, stretch=1.0):
  """The regular n-gon at `stretch` times its minimum norm (at least 1)."""
  degrees = np.arange(num_features) * 360.0 / num_features
  return _solved_rows(degrees, stretch * max(minimum_norm(num_features), 1.0))


def irregular_solution(num_features):
  """Exact, but all rows lie within 200 degrees."""
  return _solved_rows(np.linspace(0.0, 200.0, num_features), LONG)


def uneven_solution(num_features):
  """Exact, in the directions of a regular n-gon, but one row is longer."""
  degrees = np.arange(num_features) * 360.0 / num_features
  norms = np.where(np.arange(num_features) == 0, 1.2 * LONG, LONG)
  return _solved_rows(degrees, norms)


def symmetric_failure(num_features, num_dead=1):
  """Dead rows with b = 1/n, the rest a regular polygon."""
  dead = np.zeros((2, num_dead)), np.full(num_dead, 1.0 / num_features)
  return _append(regular_polygon(num_features - num_dead), dead)


def dead_and_irregular(num_features):
  """One dead row with b = 1/n, the rest solved but no regular polygon."""
  dead = np.zeros((2, 1)), np.full(1, 1.0 / num_features)
  return _append(irregular_solution(num_features - 1), dead)


def shared_row(num_features, num_inputs, bias=0.2):
  """One weak row on for its own and `num_inputs` - 1 others, the rest solved.

  The weak row points to 0 degrees; what shares it lies within 60 degrees, all
  else within 60 degrees of the opposite side: outputs b ± .25 and beyond.
  """
  near = np.linspace(-60.0, 60.0, num_inputs - 1)
  far = np.linspace(120.0, 240.0, num_features - num_inputs)
  solved = _solved_rows(np.concatenate([near, far]), LONG)
  weak = np.array([[0.5 / LONG], [0.0]]), np.array([bias])
  return _append(solved, weak)


def merged_pair(num_features):
  """Two equal rows, both rebuilt as one half, the rest solved."""
  degrees = np.arange(num_features - 1) * 360.0 / (num_features - 1)
  weights, bias = _solved_rows(degrees, LONG)
  bias[0] -= 0.5
  return _append((weights, bias), (weights[:, :1], bias[:1]))


def off_feature(num_features):
  """One row and bias of zero, the rest a regular polygon."""
  zero = np.zeros((2, 1)), np.zeros(1)
  return _append(regular_polygon(num_features - 1, stretch=1.5), zero)


def off_and_merged(num_features):
  return _append(merged_pair(num_features - 1), (np.zeros((2, 1)), np.zeros(1)))


def off_and_dead(num_features):
  off, dead = np.zeros(1), np.full(1, 1.0 / num_features)
  rest = regular_polygon(num_features - 2, stretch=1.5)
  return _append(rest, (np.zeros((2, 1)), off), (np.zeros((2, 1)), dead))


def dim_outputs(num_features, output=0.8):
  """Every output on for its own input alone, but too low."""
  weights, bias = regular_polygon(num_features, stretch=1.5)
  return weights, bias + output - 1.0


def leaky_output(num_features, leak=0.3):
  """One output raised, so that its two neighbours' inputs turn it on too."""
  weights, bias = regular_polygon(num_features)
  bias[0] += leak
  return weights, bias


def shared_row_and_dim_output(num_features):
  """A shared row beside a learned but wrong output."""
  weights, bias = shared_row(num_features, 3)
  bias[0] -= 0.3
  return weights, bias


def two_shared_rows(num_features):
  """Two different weak rows, both on for several inputs, the rest solved."""
  weights, bias = shared_row(num_features - 1, 3)
  turned = weights[:, -1:] * [[0.8], [0.0]] + [[0.0], [0.06]]
  return _append((weights, bias), (turned, bias[-1:]))


def collapsed(num_features):
  """All rows are dead: every input gives the mean 1/n."""
  return np.zeros((2, num_features)), np.full(num_features, 1 / num_features)

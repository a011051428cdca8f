"""Slow float64 truth for intervals, bands and evidence of one change.

Written from the definitions with loops; nothing here calls JAX or toyjax.
"""

import itertools
import math

import numpy as np
import scipy.optimize
import scipy.stats

# ----- The model -----


def log_beta(a, b):
  return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_marginal(shapes, successes, failures):
  return log_beta(shapes[0] + successes, shapes[1] + failures) - log_beta(
    *shapes
  )


def sides(successes, failures, change):
  """Returns (S₁, F₁), (S₂, F₂)."""
  return [
    (float(sum(successes[part])), float(sum(failures[part])))
    for part in (slice(None, change), slice(change, None))
  ]


def log_joint(successes, failures, before, after, weights):
  """Returns log p(τ, outcomes) for each τ."""
  found = []
  for change, weight in enumerate(np.asarray(weights) / np.sum(weights)):
    first, second = sides(successes, failures, change)
    log_weight = math.log(weight) if weight > 0 else -math.inf
    found.append(
      log_weight + log_marginal(before, *first) + log_marginal(after, *second)
    )
  return np.asarray(found)


def log_sum(logs):
  largest = max(logs)
  return largest + math.log(sum(math.exp(log - largest) for log in logs))


def trajectory_cdf(x, position, log_joints, successes, failures, before, after):
  """Returns P(p_t <= x) by adding up the Beta of every τ."""
  total = log_sum(log_joints)
  found = 0.0
  for change, log in enumerate(log_joints):
    first, second = sides(successes, failures, change)
    shapes, counts = (before, first) if position < change else (after, second)
    chance = scipy.stats.beta.cdf(
      x, shapes[0] + counts[0], shapes[1] + counts[1]
    )
    found += math.exp(log - total) * chance
  return found


# ----- Sets of positions -----


def intervals(size):
  return [(i, j) for i in range(size) for j in range(i, size)]


def shortest_central(probs, level):
  """Returns the shortest of all intervals with at most so much on each side."""
  tail = (1.0 - level) / 2.0 + 1e-12
  fits = [
    (upper - lower, lower, upper)
    for lower, upper in intervals(len(probs))
    if sum(probs[:lower]) <= tail and sum(probs[upper + 1 :]) <= tail
  ]
  return min(fits)[1:]


def fewest_positions(probs, level):
  """Returns the best of all subsets: fewest, then the largest mass."""
  best = None
  for members in itertools.product([False, True], repeat=len(probs)):
    mass = sum(p for p, member in zip(probs, members) if member)
    if mass >= level - 1e-12:
      best = max(best or (-math.inf,), (-sum(members), mass, members))
  return best[2], best[1]


# ----- Largest likelihoods -----


def log_likelihood(successes, failures, rates):
  """Returns Σ k log p + f log (1 - p), 0 log 0 = 0."""
  total = 0.0
  for k, f, p in zip(successes, failures, rates):
    for count, chance in ((k, p), (f, 1.0 - p)):
      if count > 0:
        total += count * math.log(chance) if chance > 0 else -math.inf
  return total


def pool_adjacent_violators(successes, failures):
  """Returns the isotonic fit at positions with rollouts, NaN elsewhere."""
  blocks = []
  for position, (k, f) in enumerate(zip(successes, failures)):
    if k + f == 0:
      continue
    blocks.append([k, k + f, [position]])
    while (
      len(blocks) > 1
      and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]
    ):
      k_last, n_last, members = blocks.pop()
      blocks[-1][0] += k_last
      blocks[-1][1] += n_last
      blocks[-1][2] += members
  rates = np.full(len(successes), np.nan)
  for k, n, members in blocks:
    rates[members] = k / n
  return rates


def best_rising_on_grid(successes, failures, num_levels):
  """Returns the largest likelihood over non-decreasing rates on a grid.

  Exact for the grid, by dynamic programming over positions.
  """
  grid = np.linspace(0.0, 1.0, num_levels)
  best = np.zeros(num_levels)
  for k, f in zip(successes, failures):
    own = np.asarray([log_likelihood([k], [f], [p]) for p in grid])
    best = np.maximum.accumulate(best) + own
  return best.max()


def best_with_drop(first, second, smallest_drop):
  """Returns the largest likelihood over p₁ - p₂ >= δ, by direct search.

  The likelihood is concave on a triangle: its maximum is the free one where
  that is inside, else on the edge p₁ = p₂ + δ; the edge by golden section.
  """
  (k1, f1), (k2, f2) = first, second
  free = (
    k1 / (k1 + f1) if k1 + f1 else 1.0,
    k2 / (k2 + f2) if k2 + f2 else 0.0,
  )
  if free[0] - free[1] >= smallest_drop:
    return log_likelihood([k1, k2], [f1, f2], free)

  def loss(p):
    return -log_likelihood([k1, k2], [f1, f2], (min(p + smallest_drop, 1.0), p))

  found = scipy.optimize.minimize_scalar(
    loss,
    bounds=(0.0, 1.0 - smallest_drop),
    method='bounded',
    options={'xatol': 1e-12},
  )
  return max(-found.fun, -loss(0.0), -loss(1.0 - smallest_drop))


def best_with_drop_on_grid(first, second, smallest_drop, num_levels):
  """Returns the largest likelihood over all pairs of a grid."""
  grid = np.linspace(0.0, 1.0, num_levels)
  return max(
    log_likelihood([first[0], second[0]], [first[1], second[1]], pair)
    for pair in itertools.product(grid, grid)
    if pair[0] - pair[1] >= smallest_drop - 1e-12
  )

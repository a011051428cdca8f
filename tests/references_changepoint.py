"""Slow float64 truth for one changepoint, by enumeration.

Nothing here calls JAX or toyjax. Sequences of outcomes are lists of
(position, success); shapes are (successes, failures).
"""

import math


def _log_beta(a, b):
  return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def log_joint(rollouts, weights, before, after):
  """Returns log w_τ p(outcomes | τ) for each τ, from the Beta integrals."""
  total = sum(weights)
  found = []
  for change, weight in enumerate(weights):
    if weight == 0:
      found.append(-math.inf)
      continue
    log_p = math.log(weight / total)
    for side, (a, b) in ((True, before), (False, after)):
      own = [y for t, y in rollouts if (t < change) == side]
      wins = sum(own)
      log_p += _log_beta(a + wins, b + len(own) - wins) - _log_beta(a, b)
    found.append(log_p)
  return found


def posterior(rollouts, weights, before, after):
  """Returns p(τ | outcomes)."""
  joint = log_joint(rollouts, weights, before, after)
  top = max(joint)
  scaled = [math.exp(value - top) for value in joint]
  return [value / sum(scaled) for value in scaled]


def chance(rollouts, weights, before, after, position):
  """Returns p(next rollout at a position succeeds | outcomes)."""
  now = log_joint(rollouts, weights, before, after)
  then = log_joint([*rollouts, (position, 1)], weights, before, after)
  top = max(now)
  return sum(math.exp(value - top) for value in then) / sum(
    math.exp(value - top) for value in now
  )


def entropy(probs):
  """Returns -Σ p ln p."""
  return -sum(p * math.log(p) for p in probs if p > 0)


def information_gain(rollouts, weights, before, after, position):
  """Returns H(τ) - E[H(τ | y)] of a rollout, by its definition."""
  problem = (weights, before, after)
  p = chance(rollouts, *problem, position)
  gain = entropy(posterior(rollouts, *problem))
  for outcome, weight in ((1, p), (0, 1 - p)):
    gain -= weight * entropy(
      posterior([*rollouts, (position, outcome)], *problem)
    )
  return gain

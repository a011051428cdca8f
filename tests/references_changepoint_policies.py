"""Slow float64 truth for policies, batches, stopping and limits of changes.

Plain Python and NumPy, from the definitions. Positions are 0-based; a prior is
((a1, b1), (a2, b2), weights); outcomes are lists of (position, 0 or 1).
"""

import itertools
import math

import numpy as np
import scipy.optimize


def log_beta(a, b):
  return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def joint(prior, outcomes):
  """Returns p(τ, outcomes) for each τ, by the Beta integrals."""
  (a1, b1), (a2, b2), weights = prior
  values = []
  for change, weight in enumerate(weights):
    before = [y for t, y in outcomes if t < change]
    after = [y for t, y in outcomes if t >= change]
    log_prob = 0.0
    for (a, b), ys in (((a1, b1), before), ((a2, b2), after)):
      log_prob += log_beta(a + sum(ys), b + len(ys) - sum(ys)) - log_beta(a, b)
    values.append(weight / sum(weights) * math.exp(log_prob))
  return np.array(values)


def posterior(prior, outcomes):
  values = joint(prior, outcomes)
  return values / values.sum()


def entropy(probs):
  return -sum(p * math.log(p) for p in probs if p > 0)


def joint_information(prior, outcomes, picks):
  """Returns H(τ) - E[H(τ | new outcomes)], over all 2^q of them."""
  evidence = joint(prior, outcomes).sum()
  expected = 0.0
  for ys in itertools.product((0, 1), repeat=len(picks)):
    after = joint(prior, outcomes + list(zip(picks, ys)))
    expected += after.sum() / evidence * entropy(after / after.sum())
  return entropy(posterior(prior, outcomes)) - expected


def greedy_picks(prior, outcomes, num_picks, pending=(), costs=None):
  """Returns the greedy batch by joint information of picks and pending."""
  size = len(prior[2])
  costs = [1.0] * size if costs is None else costs
  picks = []
  for _ in range(num_picks):
    known = list(pending) + picks
    base = joint_information(prior, outcomes, known)
    gains = [
      (joint_information(prior, outcomes, [*known, t]) - base) / costs[t]
      if prior[2][t] > 0
      else -math.inf
      for t in range(size)
    ]
    picks.append(int(np.argmax(gains)))
  return picks


# ----- Searches: `roll(t)` makes the next rollout -----


class Budget:
  """Rollouts with given uniforms, until they are used up."""

  def __init__(self, rates, uniforms):
    self.rates, self.uniforms = rates, uniforms
    self.used = 0
    self.nodes = 0

  def node(self, position, enough):
    """Rolls out until enough(successes, number); None where cut short."""
    right = number = 0
    self.nodes += self.used < len(self.uniforms)
    while not (number and enough(right, number)):
      if self.used == len(self.uniforms):
        return None
      right += int(self.uniforms[self.used] < self.rates[position])
      number += 1
      self.used += 1
    return right, number


def omega(budget, num_positions, num_per_node, low_share):
  low, high = 0, num_positions
  while low < high:
    middle = (low + high) // 2
    result = budget.node(middle, lambda right, number: number >= num_per_node)
    if result is None:
      return middle, False
    if result[0] / result[1] <= low_share:
      high = middle
    else:
      low = middle + 1
  return low, True


def adaptive(budget, num_positions, settings):
  (successes, most, least, multiple, hard, easy) = settings
  first = budget.node(
    0, lambda right, number: right >= successes or number >= most
  )
  if first is None:
    return num_positions // 2, False
  if first[0] < successes:
    return 0, True
  share = first[0] / first[1]
  number = max(math.ceil(first[1] / multiple) * multiple, least)
  low, high, is_first = 1, num_positions, True
  while low < high:
    middle = (low + high) // 2
    node = middle
    if is_first and share < hard:
      node -= (high - low) // 4
    if is_first and share > easy:
      node += (high - low) // 4
    is_first = False
    result = budget.node(node, lambda right, done: done >= number)
    if result is None:
      return middle, False
    if result[0] / result[1] < share / 2:
      high = node
    else:
      low = node + 1
  return low, True


def pivotal(budget, num_positions, num_per_node, least_gap):
  """As published, by recursion; a node is tested once."""
  shares = {}

  def test(position):
    if position not in shares:
      result = budget.node(position, lambda right, done: done >= num_per_node)
      if result is None:
        raise StopIteration
      shares[position] = result[0] / result[1]
    return shares[position]

  def divide(left, right):
    if right - left < 2 or abs(test(left) - test(right)) < least_gap - 1e-9:
      return
    middle = left + (right - left) // 2
    test(middle)
    divide(left, middle)
    divide(middle, right)

  complete = True
  try:
    test(0)
    test(num_positions - 1)
    divide(0, num_positions - 1)
  except StopIteration:
    complete = False
  tested = sorted(shares)
  best, location = least_gap - 1e-9, num_positions
  for left, right in itertools.pairwise(tested):
    if shares[left] - shares[right] > best:
      best = shares[left] - shares[right]
      location = right - (right - left - 1) // 2
  return location, complete


def first_cliff(right, number, least_drop, num_errors):
  for t in range(1, len(right)):
    p, q = right[t - 1] / number, right[t] / number
    error = math.sqrt(p * (1 - p) / number + q * (1 - q) / number)
    if p - q > least_drop + num_errors * error:
      return t
  return len(right)


# ----- Limits -----


def mutual_information_bits(x, p1, p2):
  """Returns I(input; output) where the input is 1 with chance x."""

  def h(p):
    return -sum(v * math.log2(v) for v in (p, 1 - p) if v > 0)

  return h(x * p1 + (1 - x) * p2) - x * h(p1) - (1 - x) * h(p2)


def capacity_bits(p1, p2):
  best = scipy.optimize.minimize_scalar(
    lambda x: -mutual_information_bits(x, p1, p2),
    bounds=(0.0, 1.0),
    method='bounded',
    options={'xatol': 1e-10},
  )
  return -best.fun, best.x

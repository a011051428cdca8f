"""Slow float64 truth for several changes: every segmentation in turn.

Nothing here calls JAX or toyjax. A model is a dict: `shapes`, K pairs;
`num_weights`, K numbers; `change_weights`, T numbers; `n`, the positions;
`concentration`, ρ or None. Counts are two lists [T].
"""

import itertools
import math

import numpy as np
import scipy.special
import scipy.stats

# Cells of the rates' comparison, a multiple of 10: falls are tenths.
NUM_CELLS = 2000
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)
_NODES, _WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2


def log_beta(a, b):
  return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def segmentations(model):
  """Returns (segments ((start, end), ...), prior probability) of them all."""
  n, weights = model['n'], model['change_weights']
  found, room = [], []
  for k in range(len(model['num_weights'])):
    ways = []
    for places in itertools.combinations(range(n), k):
      weight = math.prod(weights[c] for c in places)
      if weight > 0.0:
        starts = (0, *places)
        ways.append((tuple(zip(starts, (*places, n))), weight))
    total = sum(weight for _, weight in ways)
    room.append(model['num_weights'][k] if ways else 0.0)
    found += [(segments, k, weight / total) for segments, weight in ways]
  return [
    (segments, share * room[k] / sum(room)) for segments, k, share in found
  ]


def _densities(model, counts, k, start, end, p):
  """Returns Beta prior times likelihood of the segment's outcomes at rates."""
  a, b = model['shapes'][k]
  rho = model['concentration']
  log_beta = scipy.special.betaln
  total = (a - 1) * np.log(p) + (b - 1) * np.log1p(-p) - log_beta(a, b)
  for t in range(start, end):
    s, f = counts[0][t], counts[1][t]
    if rho is None:
      total = total + s * np.log(p) + f * np.log1p(-p)
    else:
      total = total + log_beta(rho * p + s, rho * (1 - p) + f)
      total = total - log_beta(rho * p, rho * (1 - p))
  return np.exp(total)


def segment(model, counts, k, start, end):
  """Returns the marginal of a segment's outcomes and E[p | outcomes]."""
  a, b = model['shapes'][k]
  if model['concentration'] is None:
    s = sum(counts[0][start:end])
    f = sum(counts[1][start:end])
    mean = (a + s) / (a + b + s + f)
    return math.exp(log_beta(a + s, b + f) - log_beta(a, b)), mean
  # Gauss-Legendre in p itself, right for whole shape parameters.
  terms = _WEIGHTS * _densities(model, counts, k, start, end, _NODES)
  return terms.sum(), float(terms @ _NODES) / terms.sum()


def infer(model, counts):
  """Returns the posterior over segmentations and all that follows."""
  cache = {}

  def look_up(k, start, end):
    if (k, start, end) not in cache:
      cache[k, start, end] = segment(model, counts, k, start, end)
    return cache[k, start, end]

  max_segments, n = len(model['num_weights']), model['n']
  ways = segmentations(model)
  joint, priors = [], np.zeros(max_segments)
  by_number = np.zeros(max_segments)
  for segments, prior in ways:
    likelihood = math.prod(
      look_up(k, *ends)[0] for k, ends in enumerate(segments)
    )
    joint.append(prior * likelihood)
    by_number[len(segments) - 1] += joint[-1]
    priors[len(segments) - 1] += prior
  evidence = sum(joint)
  probs = np.asarray(joint) / evidence
  changes, means = np.zeros(n), np.zeros(n)
  predictive = np.zeros((len(ways), n))
  rho = model['concentration']
  for i, (segments, _) in enumerate(ways):
    for start, _ in segments[1:]:
      changes[start] += probs[i]
    for k, (start, end) in enumerate(segments):
      for t in range(start, end):
        mean = look_up(k, start, end)[1]
        means[t] += probs[i] * mean
        s, f = counts[0][t], counts[1][t]
        predictive[i, t] = (
          mean if rho is None else (rho * mean + s) / (rho + s + f)
        )
  return {
    'evidence': evidence,
    'evidence_by_number': [
      value / prior if prior else 0.0 for value, prior in zip(by_number, priors)
    ],
    'num_segments': by_number / evidence,
    'changes': changes,
    'means': means,
    'ways': [segments for segments, _ in ways],
    'probs': probs,
    'predictive': predictive,
  }


def information_gains(model, counts):
  """Returns H(z) - E[H(z | y_t)], each posterior from its own counts."""

  def entropy(probs):
    probs = probs[probs > 0.0]
    return -float(np.sum(probs * np.log(probs)))

  now = infer(model, counts)
  gains = []
  for t in range(model['n']):
    gain = entropy(now['probs'])
    for y in (0, 1):
      more = [list(counts[0]), list(counts[1])]
      more[1 - y][t] += 1
      then = infer(model, more)
      # Of outcomes in their order: p(y | data) is a ratio of evidences.
      gain -= then['evidence'] / now['evidence'] * entropy(then['probs'])
    gains.append(gain)
  return np.asarray(gains)


def falls(model, counts, smallest_fall):
  """Returns P(fall at t) and P(first fall at t), none last, on fine cells."""
  n, posterior = model['n'], infer(model, counts)
  cells = (np.arange(NUM_CELLS) + 0.5) / NUM_CELLS
  shift = round(smallest_fall * NUM_CELLS)
  densities = {}

  def density(k, ends):
    if (k, ends) not in densities:
      row = _densities(model, counts, k, *ends, cells)
      densities[k, ends] = row / row.sum()
    return densities[k, ends]

  def below(row):
    """Returns the mass at old rates <= new + fall, half of the tie's cell."""
    total = np.cumsum(row) - row / 2
    return np.append(total, np.full(shift, row.sum()))[shift:]

  at, first = np.zeros(n), np.zeros(n + 1)
  for segments, prob in zip(posterior['ways'], posterior['probs']):
    rows = [density(k, ends) for k, ends in enumerate(segments)]
    alive = rows[0]
    for k in range(1, len(rows)):
      place = segments[k][0]
      at[place] += prob * (1.0 - float(rows[k] @ below(rows[k - 1])))
      kept = rows[k] * below(alive)
      first[place] += prob * (alive.sum() - kept.sum())
      alive = kept
    first[n] += prob * alive.sum()
  return at, first


def locate_drops(starts, rates, smallest_fall, recovery):
  """Returns the three places of one trace by its definitions; -1 for none."""
  drops = [
    k for k in range(1, len(rates)) if rates[k - 1] - rates[k] > smallest_fall
  ]
  if not drops:
    return -1, -1, -1
  largest = max(drops, key=lambda k: rates[k - 1] - rates[k])
  last = -1
  for k in drops:
    bar = rates[k] + recovery * (rates[k - 1] - rates[k])
    if all(rates[j] < bar for j in range(k + 1, len(rates))):
      last = starts[k]
  return starts[drops[0]], starts[largest], last


def beta_binomial_log_prob(successes, failures, mean, concentration):
  """Returns ln p of outcomes in one order, from SciPy's beta-binomial."""
  total = successes + failures
  law = scipy.stats.betabinom(
    total, concentration * mean, concentration * (1 - mean)
  )
  return law.logpmf(successes) - math.log(math.comb(total, successes))

"""Slow float64 truth, written from the definitions with plain Python loops.

Nothing here calls JAX or toyjax. Weights are [M][N] as in the paper, column i
being the row W_i of Wᵀ; every function takes array-likes.
"""

import math

import numpy as np

# ----- The ReLU autoencoder, y = ReLU(WᵀWx + b) -----


def _lists(*arrays):
  return [np.asarray(array, np.float64).tolist() for array in arrays]


def _pre_activations(weights, bias, x):
  num_hidden, num_features = len(weights), len(bias)
  hidden = [
    sum(weights[k][j] * x[j] for j in range(num_features))
    for k in range(num_hidden)
  ]
  pre = [
    sum(weights[k][i] * hidden[k] for k in range(num_hidden)) + bias[i]
    for i in range(num_features)
  ]
  return hidden, pre


def reconstruct(weights, bias, x):
  """Returns y of one example."""
  weights, bias, x = _lists(weights, bias, x)
  _, pre = _pre_activations(weights, bias, x)
  return [max(value, 0.0) for value in pre]


def loss(weights, bias, batch, *, importance_decay, reduction):
  """Returns the mean or the sum of r^i (y_i - x_i)²."""
  total = 0.0
  for x in batch:
    y = reconstruct(weights, bias, x)
    for i in range(len(y)):
      total += importance_decay**i * (y[i] - float(x[i])) ** 2
  return total / _count(batch, reduction)


def gradient(weights, bias, batch, *, importance_decay, reduction):
  """Returns ∂L/∂W and ∂L/∂b; W acts twice, as encoder and as decoder.

  With δ_i = 2 (y_i - x_i) where output i is on, else 0:
  ∂L/∂b_j = I_j δ_j and ∂L/∂W_kj = I_j δ_j h_k + x_j Σ_i I_i δ_i W_ki.
  """
  weights, bias, batch = _lists(weights, bias, batch)
  num_hidden, num_features = len(weights), len(bias)
  weight_grad = np.zeros((num_hidden, num_features))
  bias_grad = np.zeros(num_features)
  for x in batch:
    hidden, pre = _pre_activations(weights, bias, x)
    delta = [
      importance_decay**i * 2.0 * (pre[i] - x[i]) if pre[i] > 0.0 else 0.0
      for i in range(num_features)
    ]
    for j in range(num_features):
      bias_grad[j] += delta[j]
      for k in range(num_hidden):
        back = sum(delta[i] * weights[k][i] for i in range(num_features))
        weight_grad[k, j] += delta[j] * hidden[k] + x[j] * back
  count = _count(batch, reduction)
  return weight_grad / count, bias_grad / count


def _count(batch, reduction):
  return len(batch) * len(batch[0]) if reduction == 'mean' else 1


# ----- Optimizers, as PyTorch's manual writes them -----


class Optimizer:
  """One optimizer for one array; `step` returns the next parameters."""

  def __init__(self, name, learning_rate, **hyperparameters):
    self.rule = getattr(self, f'_{name}')
    self.learning_rate = learning_rate
    self.h = hyperparameters
    self.num_steps = 0
    self.first = self.second = 0.0  # Moments, all zero at the start.

  def step(self, params, grad):
    self.num_steps += 1
    return self.rule(params, grad)

  def _sgd(self, params, grad):
    return params - self.learning_rate * grad

  def _momentum(self, params, grad):
    self.first = self.h['momentum'] * self.first + grad
    return params - self.learning_rate * self.first

  def _rmsprop(self, params, grad):
    decay = self.h['decay']
    self.second = decay * self.second + (1.0 - decay) * grad**2
    return params - self.learning_rate * grad / (
      np.sqrt(self.second) + self.h['eps']
    )

  def _adam(self, params, grad):
    b1, b2 = self.h['b1'], self.h['b2']
    self.first = b1 * self.first + (1.0 - b1) * grad
    self.second = b2 * self.second + (1.0 - b2) * grad**2
    mean = self.first / (1.0 - b1**self.num_steps)
    square = self.second / (1.0 - b2**self.num_steps)
    return params - self.learning_rate * mean / (
      np.sqrt(square) + self.h['eps']
    )

  def _adamw(self, params, grad):
    shrunk = params * (1.0 - self.learning_rate * self.h['weight_decay'])
    return self._adam(shrunk, grad)


def train(
  weights,
  bias,
  batch,
  num_steps,
  *,
  make_optimizer,
  importance_decay,
  reduction,
):
  """Yields (weights, bias, loss before the step) after each full-batch step."""
  weights, bias = np.asarray(weights, float), np.asarray(bias, float)
  settings = {'importance_decay': importance_decay, 'reduction': reduction}
  weight_optimizer, bias_optimizer = make_optimizer(), make_optimizer()
  for _ in range(num_steps):
    before = loss(weights, bias, batch, **settings)
    weight_grad, bias_grad = gradient(weights, bias, batch, **settings)
    weights = weight_optimizer.step(weights, weight_grad)
    bias = bias_optimizer.step(bias, bias_grad)
    yield weights, bias, before


# ----- How a run on one-hot data ended -----


def one_hot_sse(weights, bias):
  """Returns the sum of squared errors over the n one-hot samples."""
  identity = np.eye(len(bias))
  return loss(weights, bias, identity, importance_decay=1.0, reduction='sum')


def diagnose(weights, bias, earlier_sse, solved_sse, thresholds):
  """Labels a run from its weights.

  Returns:
    The outcome's name, the fates' names and the number of inputs that each
    output is on for.
  """
  weights, bias = _lists(weights, bias)
  num_features = len(bias)
  features = range(num_features)
  outputs = [
    [max(value, 0.0) for value in _pre_activations(weights, bias, x)[1]]
    for x in np.eye(num_features).tolist()
  ]
  if not all(np.isfinite(array).all() for array in (weights, bias, outputs)):
    return 'DIVERGED', ['UNDEFINED'] * num_features, None

  rows = list(zip(*weights))
  norms = [math.hypot(*row) for row in rows]
  on_for = [
    {
      j
      for j in features
      if outputs[j][i] > thresholds.on_fraction / num_features
    }
    for i in features
  ]
  twins = [
    {
      j
      for j in features
      if math.dist(rows[i], rows[j])
      <= thresholds.merged_distance * max(norms[i], norms[j])
    }
    for i in features
  ]
  fates = []
  for i in features:
    if i not in on_for[i]:
      fates.append('OFF')
    elif on_for[i] == {i}:
      fates.append('LEARNED')
    elif (
      len(twins[i]) >= 2
      and on_for[i] == twins[i]
      and norms[i] >= thresholds.dead_norm
    ):
      fates.append('MERGED')
    else:
      fates.append('SHARED')
  num_on = [len(inputs) for inputs in on_for]
  return (
    _outcome(
      rows, bias, outputs, fates, num_on, earlier_sse, solved_sse, thresholds
    ),
    fates,
    num_on,
  )


def _outcome(
  rows, bias, outputs, fates, num_on, earlier_sse, solved_sse, thresholds
):
  num_features = len(rows)
  errors = [
    sum((outputs[j][i] - (i == j)) ** 2 for j in range(num_features))
    for i in range(num_features)
  ]
  sse = sum(errors)
  if sse < solved_sse:
    regular = _is_regular_polygon(rows, thresholds)
    return 'SOLVED_REGULAR' if regular else 'SOLVED_IRREGULAR'
  if sse <= (1.0 - thresholds.resolved_decrease) * earlier_sse:
    return 'UNRESOLVED'

  dead = [
    i
    for i in range(num_features)
    if math.hypot(*rows[i]) < thresholds.dead_norm
    and abs(num_features * bias[i] - 1.0) < thresholds.dead_bias
    and num_on[i] == num_features
  ]
  live = [i for i in range(num_features) if i not in dead]
  if (
    dead
    and all(fates[i] == 'LEARNED' for i in live)
    and _is_regular_polygon([rows[i] for i in live], thresholds)
  ):
    return 'SYMMETRIC_FAILURE'

  failed = [i for i in range(num_features) if fates[i] != 'LEARNED']
  if len(failed) == 1 and fates[failed[0]] == 'SHARED':
    rest = sum(errors[i] for i in range(num_features) if i != failed[0])
    if rest < solved_sse and errors[failed[0]] >= thresholds.shared_sse:
      return 'ASYMMETRIC_FAILURE'
  kinds = {fates[i] for i in failed}
  if len(kinds) > 1:
    return 'MIXED'
  if kinds in ({'MERGED'}, {'OFF'}):
    return kinds.pop()
  return 'OTHER'


def _is_regular_polygon(rows, thresholds):
  if len(rows) < 2 or len(rows[0]) != 2:
    return False
  norms = [math.hypot(*row) for row in rows]
  mean_norm = sum(norms) / len(norms)
  turns = sorted(math.atan2(y, x) / (2.0 * math.pi) for x, y in rows)
  gaps = [b - a for a, b in zip(turns, [*turns[1:], turns[0] + 1.0])]
  return all(
    abs(norm / mean_norm - 1.0) <= thresholds.regularity for norm in norms
  ) and all(abs(gap * len(rows) - 1.0) <= thresholds.regularity for gap in gaps)


# ----- Weights made by hand: (weights [2, N], bias [N]) -----

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

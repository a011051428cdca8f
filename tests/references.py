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

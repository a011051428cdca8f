"""The text net in float64, with plain Python loops; nothing calls JAX.

Weights are in PyTorch's layout, [outputs][inputs]: z = W a + b.
"""

import math


def forward(embedding, layers, token):
  """Returns all inputs a of layers and all pre-activations z."""
  a, inputs, outputs = list(embedding[token]), [], []
  for k, (weight, bias) in enumerate(layers):
    if k:
      a = [max(value, 0.0) for value in a]
    inputs.append(a)
    a = [
      sum(w * value for w, value in zip(row, a)) + b
      for row, b in zip(weight, bias)
    ]
    outputs.append(a)
  return inputs, outputs


def softmax(logits):
  """Returns the probabilities of one token's logits."""
  shifted = [math.exp(value - max(logits)) for value in logits]
  return [value / sum(shifted) for value in shifted]


def loss(embedding, layers, pairs):
  """Returns the mean cross entropy over the pairs."""
  total = 0.0
  for token, target in pairs:
    _, outputs = forward(embedding, layers, token)
    total -= math.log(softmax(outputs[-1])[target])
  return total / len(pairs)


def gradient(embedding, layers, pairs):
  """Returns the gradients of the loss, in the shapes of the parameters.

  δ_last = p - onehot; ∂W_k = δ_k a_kᵀ; δ_{k-1} = (W_kᵀ δ_k) where z_{k-1} > 0.
  """
  embedding_grad = [[0.0] * len(embedding[0]) for _ in embedding]
  layer_grads = [
    ([[0.0] * len(row) for row in weight], [0.0] * len(bias))
    for weight, bias in layers
  ]
  for token, target in pairs:
    inputs, outputs = forward(embedding, layers, token)
    delta = softmax(outputs[-1])
    delta[target] -= 1.0
    delta = [value / len(pairs) for value in delta]
    for k in reversed(range(len(layers))):
      weight, _ = layers[k]
      weight_grad, bias_grad = layer_grads[k]
      for i, d in enumerate(delta):
        bias_grad[i] += d
        for j, value in enumerate(inputs[k]):
          weight_grad[i][j] += d * value
      delta = [
        sum(weight[i][j] * d for i, d in enumerate(delta))
        for j in range(len(inputs[k]))
      ]
      if k:
        delta = [d if z > 0.0 else 0.0 for d, z in zip(delta, outputs[k - 1])]
    for j, d in enumerate(delta):
      embedding_grad[token][j] += d
  return embedding_grad, layer_grads

"""The tiny text net in PyTorch, many models at once.

It shares no code with toyjax and draws its own weights and orders.
"""

from collections.abc import Sequence
import itertools
import math
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional


class Models(NamedTuple):
  """How all models stand at the observed epochs.

  Attributes:
    params: embedding [S, K, V, E], then of each layer the weight
      [S, K, inputs, outputs] and the bias [S, K, outputs].
    logits: [S, K, V, V], those after each token.
    dead_layers: bool [S, K, L], whether all units of a hidden layer are off
      (z <= 0) for all inputs of pairs.
    loss: [S, K] mean cross entropy over the pairs, in nats.
    finite: bool [S, K], whether the loss and all parameters are.
  """

  params: list[np.ndarray]
  logits: np.ndarray
  dead_layers: np.ndarray
  loss: np.ndarray
  finite: np.ndarray


def draw(
  vocabulary_size: int,
  embed_dim: int,
  hidden_dims: Sequence[int],
  *,
  num_seeds: int,
  generator: torch.Generator,
) -> list[torch.Tensor]:
  """Draws each model as nn.Embedding and nn.Linear draw one.

  The embedding is N(0, 1), weights and biases are U(±1/√inputs).
  """
  params = [
    torch.randn(num_seeds, vocabulary_size, embed_dim, generator=generator)
  ]
  widths = (embed_dim, *hidden_dims, vocabulary_size)
  for inputs, outputs in itertools.pairwise(widths):
    bound = 1.0 / math.sqrt(inputs)
    for shape in ((inputs, outputs), (outputs,)):
      uniform = torch.rand(num_seeds, *shape, generator=generator)
      params.append((2.0 * uniform - 1.0) * bound)
  return params


def forward(
  params: Sequence[torch.Tensor], tokens: torch.Tensor
) -> tuple[list[torch.Tensor], torch.Tensor]:
  """Returns z [S, B, M] of each hidden layer and the logits [S, B, V].

  Args:
    params: as `draw` gives.
    tokens: [S, B].
  """
  embedding, *layers = params
  index = tokens[:, :, None].expand(-1, -1, embedding.shape[2])
  x, outputs = embedding.gather(1, index), []
  for k in range(0, len(layers), 2):
    x = torch.relu(x) if k else x
    x = torch.baddbmm(layers[k + 1][:, None], x, layers[k])
    outputs.append(x)
  return outputs[:-1], outputs[-1]


def losses(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
  """Returns the mean cross entropy [S] of each model; targets are [S, B]."""
  each = functional.cross_entropy(
    logits.flatten(0, 1), targets.flatten(), reduction='none'
  )
  return each.view(targets.shape).mean(dim=1)


def make_optimizer(
  name: str, params: list[torch.Tensor], learning_rate: float
) -> torch.optim.Optimizer:
  """Builds SGD, or Adam with PyTorch's defaults (.9, .999, 1e-8)."""
  if name == 'sgd':
    return torch.optim.SGD(params, lr=learning_rate, fused=True)
  if name == 'adam':
    return torch.optim.Adam(params, lr=learning_rate, fused=True)
  raise ValueError(f'{name!r} is neither sgd nor adam')


def train(
  params: list[torch.Tensor],
  pairs: np.ndarray,
  epochs: Sequence[int],
  *,
  optimizer: str,
  learning_rate: float,
  batch_size: int,
  shuffle: bool,
  generator: torch.Generator,
) -> Models:
  """Trains all models as one batch of independent ones.

  The losses are summed over the models: each gets the gradient of its own, and
  the optimizers act on each number alone.

  Args:
    params: as `draw` gives; not changed.
    pairs: [P, 2] inputs and outputs.
    epochs: increasing, when to look; 0 is before training.
    optimizer: sgd or adam.
    learning_rate: > 0.
    batch_size: pairs an update.
    shuffle: whether each model draws a new order in each epoch.
    generator: of the orders.
  """
  params = [leaf.clone().requires_grad_() for leaf in params]
  num_seeds, num_pairs = len(params[0]), len(pairs)
  inputs, targets = torch.from_numpy(np.array(pairs, np.int64)).T
  update = make_optimizer(optimizer, params, learning_rate)
  listed = torch.arange(num_pairs).expand(num_seeds, -1)
  seen = []
  for epoch in range(epochs[-1] + 1):
    if epoch in epochs:
      seen.append(_look(params, inputs, targets))
    order = listed
    if shuffle:
      order = torch.rand(listed.shape, generator=generator).argsort(dim=1)
    for batch in order.split(batch_size, dim=1):
      update.zero_grad()
      _, logits = forward(params, inputs[batch])
      losses(logits, targets[batch]).sum().backward()
      update.step()
  *others, leaves = zip(*seen)
  return Models(
    [np.stack(leaf, axis=1) for leaf in zip(*leaves)],
    *(np.stack(other, axis=1) for other in others),
  )


@torch.no_grad()
def _look(
  params: list[torch.Tensor], inputs: torch.Tensor, targets: torch.Tensor
) -> tuple:
  """Returns `Models` at one epoch, the parameters last."""
  num_seeds, vocabulary_size, _ = params[0].shape
  tokens = torch.arange(vocabulary_size).expand(num_seeds, -1)
  hidden, logits = forward(params, tokens)
  dead = [(z[:, inputs] <= 0.0).all(dim=2).all(dim=1) for z in hidden]
  loss = losses(logits[:, inputs], targets.expand(num_seeds, -1))
  finite = torch.isfinite(loss)
  for leaf in params:
    finite &= torch.isfinite(leaf).flatten(1).all(dim=1)
  return (
    logits.numpy(),
    torch.stack(dead, dim=1).numpy(),
    loss.numpy(),
    finite.numpy(),
    [leaf.detach().clone().numpy() for leaf in params],
  )

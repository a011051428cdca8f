"""The training of sparse_data in PyTorch, with an axis of instances."""

from collections.abc import Mapping

import numpy as np
import torch


def train(
  num_features: int,
  num_hidden: int,
  *,
  instances: int,
  batch_size: int,
  num_steps: int,
  density: float,
  decay: float,
  learning_rate: float,
  optimizer: Mapping[str, float],
  seed: int,
) -> dict[str, np.ndarray]:
  """Trains all instances at once on batches of their own, in one thread.

  Args:
    num_features: n.
    num_hidden: m.
    instances: seeds.
    batch_size: fresh samples of each at each step.
    num_steps: of the run.
    density: probability that a feature is there.
    decay: r of the importances r^i.
    learning_rate: of AdamW.
    optimizer: b1, b2, eps and weight_decay.
    seed: of weights and batches.

  Returns:
    The final weights [S, M, N] and biases [S, N].
  """
  torch.set_num_threads(1)
  generator = torch.Generator().manual_seed(seed)
  std = (2.0 / (num_hidden + num_features)) ** 0.5
  shape = (instances, num_hidden, num_features)
  weights = std * torch.randn(shape, generator=generator)
  weights.requires_grad_()
  bias = torch.zeros(instances, num_features, requires_grad=True)
  importance = decay ** torch.arange(num_features)
  adamw = torch.optim.AdamW(
    [weights, bias],
    lr=learning_rate,
    betas=(optimizer['b1'], optimizer['b2']),
    eps=optimizer['eps'],
    weight_decay=optimizer['weight_decay'],
  )
  shape = (batch_size, instances, num_features)
  for _ in range(num_steps):
    values = torch.rand(shape, generator=generator)
    there = torch.rand(shape, generator=generator) <= density
    x = torch.where(there, values, torch.zeros(()))
    hidden = torch.einsum('bsn,smn->bsm', x, weights)
    y = torch.relu(torch.einsum('bsm,smn->bsn', hidden, weights) + bias)
    errors = importance * (y - x) ** 2
    # The sum over instances: each gets the gradient of its own mean.
    loss = errors.mean(dim=(0, 2)).sum()
    adamw.zero_grad(set_to_none=True)
    loss.backward()
    adamw.step()
  return {'weights': weights.detach().numpy(), 'bias': bias.detach().numpy()}

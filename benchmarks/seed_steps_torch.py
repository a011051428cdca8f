"""The toys of seed_steps in PyTorch, with an axis of models."""

from collections.abc import Callable

import numpy as np
import torch
from torch.nn import functional

from benchmarks import adamw_runs, torch_models
from benchmarks import seed_steps_problems as problems


def _autoencoder_loss(params: list[torch.Tensor]) -> torch.Tensor:
  errors = torch_models.squared_errors(params[0], params[1])
  return errors.mean(dim=(1, 2)).sum()


def _text_loss(params: list[torch.Tensor]) -> torch.Tensor:
  embedding, *layers = params
  tokens, next_tokens = torch.tensor(
    problems.TEXT_PAIRS, device=embedding.device
  ).T
  x = embedding[:, tokens]
  x = torch.relu(torch.baddbmm(layers[1][:, None], x, layers[0]))
  x = torch.relu(torch.baddbmm(layers[3][:, None], x, layers[2]))
  logits = torch.baddbmm(layers[5][:, None], x, layers[4])
  losses = functional.cross_entropy(
    logits.flatten(0, 1), next_tokens.repeat(len(x)), reduction='sum'
  )
  return losses / len(tokens)


def torch_program(
  problem: problems.Problem,
  params: list[np.ndarray],
  num_steps: int,
  device: str,
) -> problems.Program:
  """Returns PyTorch's training of all seeds as one batch.

  The losses are summed over the models: each gets the gradient of its own, and
  the optimizer acts on each number alone, in one fused kernel.
  """
  is_text = problem.name == problems.TEXT
  loss: Callable[[list[torch.Tensor]], torch.Tensor] = (
    _text_loss if is_text else _autoencoder_loss
  )
  # As X W = W for X = I, the weights are [S, N, M] here.
  start = [
    torch.from_numpy(leaf if is_text or i else leaf.swapaxes(1, 2).copy()).to(
      device
    )
    for i, leaf in enumerate(params)
  ]

  def run() -> list[torch.Tensor]:
    leaves = [leaf.clone().requires_grad_() for leaf in start]
    optimizer: torch.optim.Optimizer
    if is_text:
      optimizer = torch.optim.SGD(
        leaves, lr=problems.TEXT_LEARNING_RATE, fused=True
      )
    else:
      optimizer = torch.optim.AdamW(
        leaves,
        lr=adamw_runs.LEARNING_RATE,
        betas=adamw_runs.BETAS,
        eps=adamw_runs.EPS,
        weight_decay=adamw_runs.WEIGHT_DECAY,
        fused=True,
      )
    for _ in range(num_steps):
      optimizer.zero_grad()
      loss(leaves).backward()
      optimizer.step()
    if device == 'cuda':
      torch.cuda.synchronize()
    ends = [leaf.detach() for leaf in leaves]
    return ends if is_text else [ends[0].transpose(1, 2), ends[1]]

  return problems.Program(run, 0.0)

"""The ReLU autoencoder in PyTorch, many models at once.

Only the numbers of the experiment are shared with toyjax, no code.
"""

from collections.abc import Sequence
import math

import numpy as np
import torch

from benchmarks import adamw_runs


def squared_errors(weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
  """Returns the squared errors [S, input, output] for the inputs X = I.

  Args:
    weights: [S, N, M], the hidden activation of each input, as X W = W.
    bias: [S, N].
  """
  outputs = torch.relu(
    torch.baddbmm(bias[:, None, :], weights, weights.transpose(1, 2))
  )
  return (outputs - torch.eye(bias.shape[1])) ** 2


def train(
  num_features: int,
  steps: Sequence[int],
  *,
  num_seeds: int,
  generator: torch.Generator,
) -> dict[str, np.ndarray]:
  """Trains all seeds as one batch of independent models.

  The weights are Xavier-normal for one model, whatever the number of models.
  The losses are summed over the models: each gets the gradient of its own, and
  AdamW acts on each number alone.

  Returns:
    'sse' and 'earlier_sse' [S, K], 'weights' [S, K, M, N] and 'bias' [S, K, N]
    at the observed steps, the earlier SSE at nine tenths of them.
  """
  num_hidden = adamw_runs.NUM_HIDDEN
  std = math.sqrt(2.0 / (num_features + num_hidden))
  shape = (num_seeds, num_features, num_hidden)
  weights = (std * torch.randn(shape, generator=generator)).requires_grad_()
  bias = torch.zeros(num_seeds, num_features, requires_grad=True)
  optimizer = torch.optim.AdamW(
    [weights, bias],
    lr=adamw_runs.LEARNING_RATE,
    betas=adamw_runs.BETAS,
    eps=adamw_runs.EPS,
    weight_decay=adamw_runs.WEIGHT_DECAY,
    fused=True,
  )
  seen_at = {*steps, *(step * 9 // 10 for step in steps)}
  seen = {}
  for step in range(1, steps[-1] + 1):
    optimizer.zero_grad()
    squared_errors(weights, bias).mean(dim=(1, 2)).sum().backward()
    optimizer.step()
    if step in seen_at:
      with torch.no_grad():
        sse = squared_errors(weights, bias).sum(dim=(1, 2))
        seen[step] = (sse, weights.transpose(1, 2).clone(), bias.clone())

  def stack(part: int, at: Sequence[int]) -> np.ndarray:
    return torch.stack([seen[step][part] for step in at], dim=1).numpy()

  return {
    'sse': stack(0, steps),
    'earlier_sse': stack(0, [step * 9 // 10 for step in steps]),
    'weights': stack(1, steps),
    'bias': stack(2, steps),
  }

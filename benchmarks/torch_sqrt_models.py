"""The ReLU net of one variable in PyTorch, many models at once.

It shares no code with toyjax and draws its own weights.
"""

from collections.abc import Sequence
import itertools
import math
from typing import NamedTuple

import numpy as np
import torch

CHUNK_SIZE = 512  # Models trained at once: their activations fit a cache.


class Models(NamedTuple):
  """How all models stand at the observed steps.

  Attributes:
    params: of each layer the weight [S, K, outputs, inputs] and the bias
      [S, K, outputs].
    outputs: [S, K, B] answers on the points.
    is_on: bool [S, K, H, B], whether a hidden unit is (z > 0) there, the units
      of the first layer first.
    finite: bool [S, K], whether the mean squared error and all parameters are.
  """

  params: list[np.ndarray]
  outputs: np.ndarray
  is_on: np.ndarray
  finite: np.ndarray


def draw(
  widths: Sequence[int],
  *,
  scale: float,
  num_seeds: int,
  dtype: torch.dtype,
  generator: torch.Generator,
) -> list[torch.Tensor]:
  """Draws each model as nn.Linear draws one: all are U(±scale/√inputs).

  Args:
    widths: of the hidden layers.
    scale: factor of weights and biases, 1 in nn.Linear.
    num_seeds: S.
    dtype: of the parameters; the draws are float32.
    generator: of the draws.

  Returns:
    Of each layer the weight [S, outputs, inputs] and the bias [S, outputs].
  """
  params = []
  for inputs, outputs in itertools.pairwise((1, *widths, 1)):
    bound = scale / math.sqrt(inputs)
    for shape in ((outputs, inputs), (outputs,)):
      uniform = torch.rand(num_seeds, *shape, generator=generator)
      params.append(((2.0 * uniform - 1.0) * bound).to(dtype))
  return params


def forward(
  params: Sequence[torch.Tensor], x: torch.Tensor
) -> tuple[list[torch.Tensor], torch.Tensor]:
  """Returns z [S, M, B] of each hidden layer and the answers [S, B].

  Args:
    params: as `draw` gives.
    x: [B].
  """
  a = x.expand(len(params[0]), 1, -1)
  values: list[torch.Tensor] = []
  for weight, bias in zip(params[::2], params[1::2]):
    a = torch.relu(values[-1]) if values else a
    values.append(torch.baddbmm(bias[:, :, None], weight, a))
  return values[:-1], values[-1][:, 0]


def losses(outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
  """Returns the mean squared error [S] of answers [S, B] to targets [B]."""
  return ((outputs - targets) ** 2).mean(dim=1)


def train(
  params: Sequence[torch.Tensor],
  x: np.ndarray,
  targets: np.ndarray,
  steps: Sequence[int],
  *,
  learning_rate: float,
  betas: tuple[float, float],
  eps: float,
) -> Models:
  """Trains all models with Adam on full batches, `CHUNK_SIZE` at a time.

  The losses are summed over the models: each gets the gradient of its own, and
  Adam acts on each number alone.

  Args:
    params: as `draw` gives; not changed.
    x: [B] points.
    targets: [B] the function there.
    steps: increasing, when to look; 0 is before training.
    learning_rate: > 0.
    betas: of Adam.
    eps: of Adam.
  """
  dtype = params[0].dtype
  points, values = (torch.from_numpy(a).to(dtype) for a in (x, targets))
  seen = []
  for chunk in zip(*(leaf.split(CHUNK_SIZE) for leaf in params)):
    leaves = [leaf.clone().requires_grad_() for leaf in chunk]
    update = torch.optim.Adam(
      leaves, lr=learning_rate, betas=betas, eps=eps, fused=True
    )
    seen.append(_train_chunk(leaves, update, points, values, steps))
  trained, *others = zip(*seen)
  return Models(
    [np.concatenate(leaf) for leaf in zip(*trained)],
    *(np.concatenate(other) for other in others),
  )


def _train_chunk(
  params: list[torch.Tensor],
  update: torch.optim.Optimizer,
  x: torch.Tensor,
  targets: torch.Tensor,
  steps: Sequence[int],
) -> Models:
  """Trains models in place; see `train`."""
  seen = []
  for step in range(steps[-1] + 1):
    if step in steps:
      seen.append(_look(params, x, targets))
    if step < steps[-1]:
      update.zero_grad()
      losses(forward(params, x)[1], targets).sum().backward()
      update.step()
  leaves, *others = zip(*seen)
  return Models(
    [np.stack(leaf, axis=1) for leaf in zip(*leaves)],
    *(np.stack(other, axis=1) for other in others),
  )


@torch.no_grad()
def _look(
  params: list[torch.Tensor], x: torch.Tensor, targets: torch.Tensor
) -> Models:
  """Returns the models at one step, without the axis K."""
  hidden, outputs = forward(params, x)
  finite = torch.isfinite(losses(outputs, targets))
  for leaf in params:
    finite &= torch.isfinite(leaf).flatten(1).all(dim=1)
  return Models(
    [leaf.detach().clone().numpy() for leaf in params],
    outputs.numpy(),
    (torch.cat(hidden, dim=1) > 0.0).numpy(),
    finite.numpy(),
  )

"""The trials of large_trials in PyTorch, with an axis of seeds.

Products are `bmm` and `baddbmm` over the seeds, and the optimizer is one fused
kernel. The losses are summed over the seeds: each gets the gradient of its own.
"""

from collections.abc import Callable, Mapping
import functools

import numpy as np
import torch
from torch.nn import functional

from benchmarks import large_trials_problems as problems

Params = Mapping[str, torch.Tensor]
Batch = tuple[torch.Tensor, ...]
Gradients = Mapping[str, torch.Tensor]
Loss = Callable[[Params, Batch], torch.Tensor]


def _mlp_loss(params: Params, batch: Batch) -> torch.Tensor:
  x, labels = batch
  x = torch.relu(torch.baddbmm(params['b1'][:, None], x, params['w1']))
  x = torch.relu(torch.baddbmm(params['b2'][:, None], x, params['w2']))
  logits = torch.baddbmm(params['b3'][:, None], x, params['w3'])
  return _cross_entropy(logits, labels)


def _transformer_loss(params: Params, batch: Batch) -> torch.Tensor:
  tokens, labels = batch  # [S, B, T] and [S, B].
  embedding = params['embedding']
  num_seeds, num_vocabulary, width = embedding.shape
  # One table for all seeds, each with its own part.
  offsets = num_vocabulary * torch.arange(num_seeds)[:, None, None]
  x = functional.embedding(tokens + offsets, embedding.flatten(0, 1))
  x = (x + params['positions'][:, None]).flatten(1, 2)
  num_batch, num_tokens = tokens.shape[1:]
  num_heads = problems.NUM_HEADS

  def heads(name: str) -> torch.Tensor:
    shape = (num_seeds * num_batch, num_tokens, num_heads, width // num_heads)
    return torch.bmm(x, params[name]).reshape(shape).transpose(1, 2)

  mixed = functional.scaled_dot_product_attention(
    heads('queries'), heads('keys'), heads('values'), is_causal=True
  )
  x = torch.baddbmm(x, mixed.transpose(1, 2).reshape(x.shape), params['mix'])
  hidden = torch.baddbmm(params['up_bias'][:, None], x, params['up'])
  x = torch.baddbmm(x, torch.relu(hidden), params['down'])
  last = x.unflatten(1, (num_batch, num_tokens))[:, :, -1]
  return _cross_entropy(torch.bmm(last, params['unembedding']), labels)


def _autoencoder_loss(params: Params, batch: Batch) -> torch.Tensor:
  (x,) = batch
  bias = params['decoder_bias'][:, None]
  encoder_bias = torch.baddbmm(
    params['encoder_bias'][:, None], bias, params['encoder'], alpha=-1
  )
  latents = torch.relu(torch.baddbmm(encoder_bias, x, params['encoder']))
  decoded = torch.baddbmm(bias, latents, params['decoder'])
  errors = (decoded - x).square().sum() + problems.L1_PENALTY * latents.sum()
  return errors / x.shape[1]


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
  losses = functional.cross_entropy(
    logits.flatten(0, 1), labels.flatten(), reduction='sum'
  )
  return losses / labels.shape[1]


LOSSES: Mapping[str, Loss] = {
  'mlp_32': _mlp_loss,
  'mlp_64': _mlp_loss,
  'transformer': _transformer_loss,
  'autoencoder': _autoencoder_loss,
}


def _autoencoder_gradients(params: Params, batch: Batch) -> Gradients:
  (x,) = batch
  scale = 1.0 / x.shape[1]
  bias = params['decoder_bias'][:, None]
  centred = x - bias
  latents = torch.baddbmm(
    params['encoder_bias'][:, None], centred, params['encoder']
  ).relu_()
  g = torch.baddbmm(bias - x, latents, params['decoder']).mul_(2.0 * scale)
  into_latents = torch.bmm(g, params['decoder'].mT)
  into_latents.add_(problems.L1_PENALTY * scale).mul_(latents > 0)
  into_bias = into_latents.sum(1)
  into_x = torch.bmm(into_bias[:, None], params['encoder'].mT)[:, 0]
  return {
    'encoder': torch.bmm(centred.mT, into_latents),
    'encoder_bias': into_bias,
    'decoder': torch.bmm(latents.mT, g),
    'decoder_bias': g.sum(1) - into_x,
  }


def _mlp_gradients(params: Params, batch: Batch) -> Gradients:
  x, labels = batch
  first = torch.baddbmm(params['b1'][:, None], x, params['w1']).relu_()
  second = torch.baddbmm(params['b2'][:, None], first, params['w2']).relu_()
  logits = torch.baddbmm(params['b3'][:, None], second, params['w3'])
  g3 = torch.softmax(logits, -1)
  g3.sub_(functional.one_hot(labels, g3.shape[-1])).div_(x.shape[1])
  g2 = torch.bmm(g3, params['w3'].mT).mul_(second > 0)
  g1 = torch.bmm(g2, params['w2'].mT).mul_(first > 0)
  gradients = {}
  for i, inputs, g in ((1, x, g1), (2, first, g2), (3, second, g3)):
    gradients[f'w{i}'] = torch.bmm(inputs.mT, g)
    gradients[f'b{i}'] = g.sum(1)
  return gradients


MANUAL: Mapping[str, Callable[[Params, Batch], Gradients]] = {
  'mlp_32': _mlp_gradients,
  'mlp_64': _mlp_gradients,
  'autoencoder': _autoencoder_gradients,
}


def _by_autograd(loss: Loss, params: Params, batch: Batch) -> Gradients:
  leaves = {name: leaf.requires_grad_() for name, leaf in params.items()}
  found = torch.autograd.grad(loss(leaves, batch), list(leaves.values()))
  return dict(zip(leaves, found))


def _by_func(loss: Loss, params: Params, batch: Batch) -> Gradients:
  def one_seed(params: Params, batch: Batch) -> torch.Tensor:
    alone = {name: leaf[None] for name, leaf in params.items()}
    return loss(alone, tuple(part[None] for part in batch))

  return torch.func.vmap(torch.func.grad(one_seed))(dict(params), batch)


@functools.cache
def _gradients(name: str, kind: str) -> Callable[[Params, Batch], Gradients]:
  """Returns (params, batch) -> gradients, compiled at most once."""
  if kind == 'manual':
    return MANUAL[name]
  if kind == 'func':
    return functools.partial(_by_func, LOSSES[name])
  loss = LOSSES[name]
  if kind == 'compile':
    loss = torch.compile(loss)
  return functools.partial(_by_autograd, loss)


def train(
  name: str,
  params: Mapping[str, np.ndarray],
  rows: np.ndarray,
  *,
  kind: str,
  block: int,
  num_threads: int,
) -> dict[str, np.ndarray]:
  """Trains all seeds, `block` of them as one batch, and then the next.

  Args:
    name: of the problem.
    params: initial weights, each [S, ...].
    rows: rows of the data in each batch, int [S, steps, B].
    kind: how gradients are taken: 'autograd', 'manual', 'func' or 'compile'.
    block: seeds in a batch.
    num_threads: of PyTorch's own.

  Returns:
    The final weights.
  """
  torch.set_num_threads(num_threads)
  gradients = _gradients(name, kind)
  data = [torch.from_numpy(part) for part in problems.PROBLEMS[name]().data]
  data = [x if x.is_floating_point() else x.long() for x in data]
  all_rows = torch.from_numpy(rows.astype(np.int64))
  ends: list[dict[str, np.ndarray]] = []
  for start in range(0, len(rows), block):
    own = slice(start, start + block)
    leaves = {
      key: torch.from_numpy(leaf[own]).clone() for key, leaf in params.items()
    }
    optimizer = torch.optim.Adam(
      leaves.values(),
      lr=problems.LEARNING_RATE,
      betas=problems.BETAS,
      eps=problems.EPS,
      fused=True,
    )
    for step in range(rows.shape[1]):
      batch = tuple(part[all_rows[own, step]] for part in data)
      found = gradients(leaves, batch)
      for key, leaf in leaves.items():
        leaf.grad = found[key]
      optimizer.step()
    ends.append({key: leaf.detach().numpy() for key, leaf in leaves.items()})
  return {key: np.concatenate([end[key] for end in ends]) for key in params}

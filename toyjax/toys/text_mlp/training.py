"""Passes over all pairs: one step of the dynamics is one epoch."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from toyjax.base import Array, Dynamics, PRNGKey, Toy
from toyjax.descent import DescentState, descend


class EpochInfo(NamedTuple):
  """What an epoch tells.

  Attributes:
    loss: [] mean over the pairs of the loss before the update that saw them; at
      B = P the loss before the epoch.
  """

  loss: Array


def descend_in_epochs(
  toy: Toy,
  optimizer: optax.GradientTransformation,
  *,
  pairs: np.ndarray,
  batch_size: int,
  shuffle: bool,
) -> Dynamics:
  """Returns the dynamics of training in epochs, each pair seen once in each.

  ⌈P/B⌉ updates an epoch; the last batch holds what is left, as PyTorch's
  DataLoader does it by default.

  Args:
    toy: from `make`; its own `sample` is not used.
    optimizer: any optax gradient transformation.
    pairs: int [P, 2], the pairs the toy was made with.
    batch_size: B >= 1: P or more is the full batch, 1 one pair at a time.
    shuffle: whether each epoch draws a new order; else that of the list.

  Returns:
    A `Dynamics` over `DescentState` and `EpochInfo`.

  Raises:
    ValueError: on batch_size < 1.
  """
  if batch_size < 1:
    raise ValueError(f'batch_size must be >= 1: {batch_size}')
  num_pairs = len(pairs)

  def step(key: PRNGKey, state: DescentState) -> tuple[DescentState, EpochInfo]:
    ordered = jnp.asarray(pairs)
    if shuffle and batch_size < num_pairs:
      ordered = ordered[jax.random.permutation(key, num_pairs)]
    total = jnp.zeros((), state.params.embedding.dtype)
    for start in range(0, num_pairs, batch_size):
      batch = ordered[start : start + batch_size]
      update = descend(toy._replace(sample=_always(batch)), optimizer)
      state, info = update.step(key, state)
      total += info.loss * len(batch)
    return state, EpochInfo(total / num_pairs)

  return Dynamics(descend(toy, optimizer).init, step)


def _always(batch: Array) -> Callable[[PRNGKey], Array]:
  def sample(key: PRNGKey) -> Array:
    del key
    return batch

  return sample

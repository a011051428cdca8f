"""The tiny text net trained by both sides, and by both from the same weights.

configuration --toyjax, PyTorch--> Runs: fates and losses at each epoch
"""

from collections.abc import Sequence
import time
from typing import Any, NamedTuple

import jax
import numpy as np
import torch

from benchmarks import text_fates, text_runs, torch_text_models
from benchmarks.text_fates import Fates
from benchmarks.text_runs import Configuration
from toyjax import statistics
from toyjax.data import word_pairs
from toyjax.studies.text_failure.settings import split_batches

# By the source's rule, and with runs that are tied within `NEAR` set apart.
TIES = ('exact', 'near')
NEAR = 1e-5  # Logits; those of dead layers close in by 3 % an epoch.


class Runs(NamedTuple):
  """The runs of one side.

  Attributes:
    fates: one for the start, then one for each observed epoch.
    loss: [S, 1 + K], in nats.
    epochs_per_second: runs times epochs per second of training.
  """

  fates: list[Fates]
  loss: np.ndarray
  epochs_per_second: float


def set_near_apart(fates: Fates, words: word_pairs.WordPairs) -> Fates:
  """Sets apart what is tied within `NEAR`; see `text_fates.set_apart`."""
  return text_fates.set_apart(fates, inputs=words.pairs[:, 0], tolerance=NEAR)


def run_toyjax(
  configuration: Configuration,
  epochs: Sequence[int],
  *,
  num_seeds: int,
  seed: int,
) -> tuple[Runs, text_runs.Labels]:
  """Trains with toyjax; the time includes compilation."""
  words = word_pairs.get(configuration.pairs)
  start = time.perf_counter()
  labels = text_runs.train(
    configuration, epochs, num_seeds=num_seeds, seed=seed
  )
  elapsed_seconds = time.perf_counter() - start
  runs = Runs(
    [text_runs.judge(labels, k, words) for k in range(len(epochs) + 1)],
    np.asarray(labels.diagnosis.loss),
    num_seeds * epochs[-1] / elapsed_seconds,
  )
  return runs, labels


def train_torch(
  configuration: Configuration,
  epochs: Sequence[int],
  params: list[torch.Tensor],
  generator: torch.Generator,
) -> tuple[Runs, torch_text_models.Models]:
  """Trains PyTorch's models and counts from their own logits."""
  words = word_pairs.get(configuration.pairs)
  order, batch_size = split_batches(configuration.batches)
  start = time.perf_counter()
  models = torch_text_models.train(
    params,
    words.pairs,
    [0, *epochs],
    optimizer=configuration.optimizer,
    learning_rate=configuration.learning_rate,
    batch_size=batch_size or len(words.pairs),
    shuffle=order == 'shuffled',
    generator=generator,
  )
  elapsed_seconds = time.perf_counter() - start
  fates = [
    text_fates.judge(
      models.logits[:, k],
      models.dead_layers[:, k],
      models.finite[:, k],
      vocabulary=words.vocabulary,
      pairs=words.pairs,
    )
    for k in range(len(epochs) + 1)
  ]
  speed = len(params[0]) * epochs[-1] / elapsed_seconds
  return Runs(fates, models.loss, speed), models


def run_torch(
  configuration: Configuration,
  epochs: Sequence[int],
  *,
  num_seeds: int,
  generator: torch.Generator,
) -> tuple[Runs, int]:
  """Trains models that PyTorch draws.

  Returns:
    The runs, and at how many places, a run at an epoch, toyjax's labels of its
    weights differ from these.
  """
  words = word_pairs.get(configuration.pairs)
  params = torch_text_models.draw(
    len(words.vocabulary),
    configuration.embed_dim,
    (configuration.hidden_dim,) * text_runs.NUM_HIDDEN_LAYERS,
    num_seeds=num_seeds,
    generator=generator,
  )
  runs, models = train_torch(configuration, epochs, params, generator)
  labels = text_runs.label_torch(models.params, words.pairs)
  num_different = sum(
    int(text_fates.differ(mine, text_runs.judge(labels, k, words)).sum())
    for k, mine in enumerate(runs.fates)
  )
  return runs, num_different


def compare_same_start(
  configuration: Configuration,
  epochs: Sequence[int],
  labels: text_runs.Labels,
  *,
  num_runs: int,
) -> list[dict[str, Any]]:
  """Trains toyjax's first starting weights with PyTorch, run against run.

  Args:
    configuration: whose batches are full.
    epochs: those that toyjax was observed at.
    labels: of `run_toyjax`.
    num_runs: how many of its runs, at most.

  Returns:
    A row for each epoch, the start first: the configuration, epoch, total, and
    for exact and near ties the number and the share, with its 95 % Wilson
    interval, of runs that the two label differently.
  """
  words = word_pairs.get(configuration.pairs)
  labels = jax.tree.map(lambda leaf: leaf[:num_runs], labels)
  start = [
    torch.from_numpy(np.array(leaf[:, 0]))
    for leaf in jax.tree.leaves(labels.params)
  ]
  runs, _ = train_torch(configuration, epochs, start, torch.Generator())
  rows = []
  for k, epoch in enumerate([0, *epochs]):
    sides = text_runs.judge(labels, k, words), runs.fates[k]
    row: dict[str, Any] = {
      **configuration._asdict(),
      'epoch': epoch,
      'total': len(start[0]),
    }
    for ties in TIES:
      if ties == 'near':
        sides = set_near_apart(sides[0], words), set_near_apart(sides[1], words)
      differ = int(text_fates.differ(*sides).sum())
      row |= {
        f'{ties}_differ': differ,
        f'{ties}:fraction': statistics.wilson(differ, len(start[0])),
      }
    rows.append(row)
  return rows

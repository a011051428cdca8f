"""The text net in PyTorch: draws, gradients, and toyjax from the same start."""

import itertools

import numpy as np
import pytest

pytest.importorskip(
  'torch', reason='needs the extra bench: pip install toyjax[bench]'
)

import torch

from benchmarks import text_runs, text_torch_runs, torch_text_models
from tests import references_text_mlp as references
from tests.toys import text_net

pytestmark = pytest.mark.usefixtures('one_thread')
SIX = text_net.SIX


def _draw(num_seeds, *sizes, seed=0):
  return torch_text_models.draw(
    *sizes,
    num_seeds=num_seeds,
    generator=torch.Generator().manual_seed(seed),
  )


def test_each_model_has_the_init_of_one():
  embedding, *layers = _draw(20_000, 7, 4, (3, 2))
  assert abs(embedding.std().item() - 1.0) < 5e-3
  assert abs(embedding.mean().item()) < 7e-3
  widths = itertools.pairwise((4, 3, 2, 7))
  for (weight, bias), (inputs, outputs) in zip(
    zip(layers[::2], layers[1::2]), widths, strict=True
  ):
    assert weight.shape[1:] == (inputs, outputs)
    assert bias.shape[1:] == (outputs,)
    for leaf in (weight, bias):
      assert leaf.abs().max().item() <= inputs**-0.5
      assert abs(leaf.std().item() * (3 * inputs) ** 0.5 - 1.0) < 2e-2


def test_a_step_is_that_of_the_slow_reference():
  start = _draw(3, 7, 2, (2, 2), seed=3)
  models = torch_text_models.train(
    start,
    SIX.pairs,
    [0, 1],
    optimizer='sgd',
    learning_rate=0.5,
    batch_size=6,
    shuffle=False,
    generator=torch.Generator(),
  )
  for index in range(3):
    embedding, *leaves = (leaf[index].double().numpy() for leaf in start)
    layers = [
      (weight.T.tolist(), bias.tolist())
      for weight, bias in zip(leaves[::2], leaves[1::2])
    ]
    net = embedding.tolist(), layers
    assert models.loss[index, 0] == pytest.approx(
      references.loss(*net, SIX.pairs.tolist()), rel=1e-5
    )
    by_embedding, by_layers = references.gradient(*net, SIX.pairs.tolist())
    gradients = [
      np.asarray(by_embedding),
      *itertools.chain.from_iterable(
        (np.transpose(weight), np.asarray(bias)) for weight, bias in by_layers
      ),
    ]
    for leaf, gradient, seen in zip(start, gradients, models.params):
      expected = leaf[index].numpy() - 0.5 * gradient
      np.testing.assert_allclose(seen[index, 1], expected, atol=1e-6)
  assert models.finite.all()


def test_a_shuffled_epoch_takes_every_pair_once():
  """With a rate near 0 an epoch of single pairs is P steps of the mean."""
  start = _draw(4, 7, 2, (2, 2))
  ends = []
  for rate, size, shuffle in ((1e-3, 1, True), (6e-3, 6, False)):
    models = torch_text_models.train(
      start,
      SIX.pairs,
      [1],
      optimizer='sgd',
      learning_rate=rate,
      batch_size=size,
      shuffle=shuffle,
      generator=torch.Generator().manual_seed(1),
    )
    ends.append(models.params)
  off = max(np.abs(one - full).max() for one, full in zip(*ends))
  moved = max(
    np.abs(full[:, 0] - leaf.numpy()).max()
    for full, leaf in zip(ends[1], start)
  )
  assert off < 0.02 * moved


def test_both_sides_train_alike_from_the_same_weights():
  configuration = text_runs.parse_configuration('six:2:2:adam:0.01:full')
  runs, labels = text_torch_runs.run_toyjax(
    configuration, [40], num_seeds=64, seed=0
  )
  rows = text_torch_runs.compare_same_start(
    configuration, [40], labels, num_runs=50
  )
  assert [row['epoch'] for row in rows] == [0, 40]
  assert all(row['total'] == 50 for row in rows)
  assert all(row['exact_differ'] == row['near_differ'] == 0 for row in rows)
  assert len(set(runs.fates[1].outcome.tolist())) > 1


def test_toyjax_labels_its_weights_alike():
  configuration = text_runs.parse_configuration('four:2:2:sgd:0.1:shuffled1')
  runs, num_different = text_torch_runs.run_torch(
    configuration,
    [30],
    num_seeds=50,
    generator=torch.Generator().manual_seed(0),
  )
  assert num_different == 0
  assert runs.loss.shape == (50, 2)
  assert runs.loss[:, 1].mean() < runs.loss[:, 0].mean()

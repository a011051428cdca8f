"""The net of one variable in PyTorch: draws, gradients, and toyjax's labels."""

import csv
import itertools
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip(
  'torch', reason='needs the extra bench: pip install toyjax[bench]'
)

import torch

from benchmarks import agreement, sqrt_torch_runs, torch_sqrt_models
from tests.scripts import processes
from toyjax.studies import sqrt_failure
from toyjax.toys import sqrt_mlp

pytestmark = pytest.mark.usefixtures('one_thread')
X = np.linspace(0.0, 4.0, 17)
ROOTS = np.sqrt(X)


def _draw(num_seeds, *widths, scale=1.0):
  return torch_sqrt_models.draw(
    widths,
    scale=scale,
    num_seeds=num_seeds,
    dtype=torch.float64,
    generator=torch.Generator().manual_seed(0),
  )


def _train(start, steps):
  return torch_sqrt_models.train(
    start,
    X,
    ROOTS,
    steps,
    learning_rate=1e-2,
    betas=(0.9, 0.999),
    eps=1e-8,
  )


def _linears(params, index):
  """Returns one model as PyTorch's own modules."""
  layers = []
  for weight, bias in zip(params[::2], params[1::2]):
    layer = torch.nn.Linear(*weight.shape[:0:-1], dtype=weight.dtype)
    with torch.no_grad():
      layer.weight.copy_(weight[index])
      layer.bias.copy_(bias[index])
    layers += [layer, torch.nn.ReLU()]
  return torch.nn.Sequential(*layers[:-1])


def test_each_model_has_the_init_of_one():
  params = _draw(20_000, 3, 2, scale=0.5)
  for (weight, bias), (inputs, outputs) in zip(
    zip(params[::2], params[1::2]),
    itertools.pairwise((1, 3, 2, 1)),
    strict=True,
  ):
    assert weight.shape[1:] == (outputs, inputs)
    assert bias.shape[1:] == (outputs,)
    for leaf in (weight, bias):
      assert leaf.abs().max().item() <= 0.5 * inputs**-0.5
      assert abs(leaf.std().item() * 2 * (3 * inputs) ** 0.5 - 1.0) < 2e-2


def test_many_models_train_as_one_does():
  """Against nn.Linear modules that are trained one at a time."""
  start = _draw(4, 3, 2)
  models = _train(start, [0, 5])
  x = torch.from_numpy(X)[:, None]
  for index in range(4):
    net = _linears(start, index)
    update = torch.optim.Adam(net.parameters(), lr=1e-2)
    np.testing.assert_allclose(
      models.outputs[index, 0], net(x)[:, 0].detach().numpy(), atol=1e-12
    )
    for _ in range(5):
      update.zero_grad()
      torch.nn.functional.mse_loss(
        net(x)[:, 0], torch.from_numpy(ROOTS)
      ).backward()
      update.step()
    outputs = net(x)[:, 0].detach().numpy()
    np.testing.assert_allclose(models.outputs[index, 1], outputs, atol=1e-9)
    on = torch.cat([net[:2](x), net[:4](x)], dim=1) > 0
    np.testing.assert_array_equal(models.is_on[index, 1], on.T.numpy())
  assert models.finite.all()
  assert models.is_on.shape == (4, 2, 5, 17)


def test_chunks_change_nothing(monkeypatch):
  start = _draw(7, 2, 2)
  whole = _train(start, [3])
  monkeypatch.setattr(torch_sqrt_models, 'CHUNK_SIZE', 3)
  np.testing.assert_allclose(
    _train(start, [3]).outputs, whole.outputs, atol=1e-12
  )


def _stage():
  values = sqrt_failure.STUDY.resolve(
    num_points=17, num_steps=60, observe_steps=[30, 60], solved_rmse=0.3
  )
  (stage,) = sqrt_failure.STUDY.stages(values)
  return stage


def test_toyjax_answers_and_labels_alike():
  stage = _stage()
  runs, num_different = sqrt_torch_runs.run_torch(
    stage, num_seeds=200, generator=torch.Generator().manual_seed(0)
  )
  assert num_different == 0
  assert runs.rmse.shape == (200, 3)
  assert len(set(runs.fates[1].outcome.tolist())) >= 3
  assert np.median(runs.rmse[:, 2]) < np.median(runs.rmse[:, 0])
  start = _draw(3, 2, 2)
  leaves = [jnp.asarray(leaf.numpy(), jnp.float32) for leaf in start]
  net = sqrt_mlp.Params(tuple(map(sqrt_mlp.Dense, leaves[::2], leaves[1::2])))
  answers = jax.vmap(jax.vmap(sqrt_mlp.apply, (None, 0)), (0, None))
  np.testing.assert_allclose(
    jax.jit(answers)(net, jnp.asarray(X, jnp.float32)),
    _train(start, [0]).outputs[:, 0],
    atol=1e-5,
  )


def test_labels_of_other_weights_count_as_different(monkeypatch):
  """The cross-check can fail: weights of opposite sign are other nets."""
  label = sqrt_torch_runs.label_torch

  def turned(models, *args):
    params = [-leaf for leaf in models.params]
    return label(models._replace(params=params), *args)

  monkeypatch.setattr(sqrt_torch_runs, 'label_torch', turned)
  stage = _stage()
  _, num_different = sqrt_torch_runs.run_torch(
    stage, num_seeds=50, generator=torch.Generator().manual_seed(0)
  )
  assert num_different > 50


def _python(*arguments):
  return subprocess.run(
    [sys.executable, *arguments],
    cwd=processes.ROOT,
    capture_output=True,
    text=True,
    timeout=processes.TIMEOUT,
  )


# The second net starts from lower weights and biases.
OTHER_INIT = """
from absl import app
from benchmarks import sqrt_torch_agreement, torch_sqrt_models
draw = torch_sqrt_models.draw
def lower(widths, **settings):
  return [leaf - float(widths == (3,)) for leaf in draw(widths, **settings)]
torch_sqrt_models.draw = lower
app.run(sqrt_torch_agreement.main)
"""


def test_what_differs_is_a_miss_and_nothing_else(tmp_path):
  run = _python(
    '-c',
    OTHER_INIT,
    '--num_seeds=128',
    '--num_steps=20',
    '--observe_steps=20',
    '--hidden_dim=2,3',
    '--num_hidden_layers=1',
    '--num_points=8',
    f'--workdir={tmp_path}',
  )
  assert run.returncode == 1, run.stderr
  assert 'NOT every share agrees' in run.stdout
  assert 'NOT every distribution of errors agrees' in run.stdout
  assert run.stdout.count('labels otherwise: 0 of 128') == 2
  shares, errors = (
    list(csv.DictReader((tmp_path / name).read_text().splitlines()))
    for name in ('sqrt_torch_agreement.csv', 'sqrt_torch_agreement_rmse.csv')
  )
  for rows in (shares, errors):
    missed = {
      row['net'] for row in rows if abs(float(row['standard_errors'])) > 4
    }
    assert {row['net'] for row in rows} == {'1-2-1', '1-3-1'}
    assert missed == {'1-3-1'}
  for side in agreement.SIDES:
    # Each run of both nets has an outcome and a number of dead units.
    assert sum(int(row[f'{side}_count']) for row in shares) == 2 * 2 * 128
  assert [row['step'] for row in errors] == ['0', '20'] * 2


def test_what_the_other_side_does_not_know_is_one_line():
  run = _python('-m', 'benchmarks.sqrt_torch_agreement', '--target=sin')
  assert run.returncode == 1
  assert run.stderr.splitlines() == [
    'sqrt_torch_agreement: --target=sin: the PyTorch side knows only sqrt'
  ]

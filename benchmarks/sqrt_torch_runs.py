"""The net of one variable trained by toyjax and by PyTorch, and how it stands.

settings, hidden_dim --toyjax, PyTorch--> Runs: fates and errors at each step
"""

from collections.abc import Mapping
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks import sqrt_fates, torch_sqrt_models
from benchmarks.sqrt_fates import Fates
from benchmarks.torch_sqrt_models import Models
from toyjax import sweeps
from toyjax.stages import Stage
from toyjax.studies.sqrt_failure import trial
from toyjax.toys import sqrt_mlp

CHUNK_SIZE = 1024  # Of toyjax.
# What the PyTorch side knows, of the flags that say what is trained.
KNOWN = {
  'target': 'sqrt',
  'optimizer': 'adam',
  'init': 'torch_linear',
  'spacing': 'even',
}


class Runs(NamedTuple):
  """The runs of one side.

  Attributes:
    fates: one for each observed step.
    rmse: [S, 1 + K] root mean squared error, before training and at the steps.
    steps_per_second: runs times steps per second of training.
  """

  fates: list[Fates]
  rmse: np.ndarray
  steps_per_second: float


def run_toyjax(stage: Stage, *, num_seeds: int) -> Runs:
  """Trains the very runs of sqrt_failure; the time includes compilation."""
  start = time.perf_counter()
  results = sweeps.sweep(
    stage.trial,
    stage.xs(num_seeds),
    chunk_size=CHUNK_SIZE,
  )
  elapsed_seconds = time.perf_counter() - start
  initial_rmse = np.sqrt(results['initial_loss'])
  return Runs(
    [Fates(*pair) for pair in zip(results['outcome'].T, results['num_dead'].T)],
    np.concatenate([initial_rmse[:, None], results['rmse']], axis=1),
    num_seeds * stage.num_steps / elapsed_seconds,
  )


def run_torch(
  stage: Stage,
  *,
  num_seeds: int,
  generator: torch.Generator,
) -> tuple[Runs, int]:
  """Trains models that PyTorch draws, and counts from their own answers.

  Returns:
    The runs, and at how many places, a run at a step, toyjax's labels of its
    weights differ from these.
  """
  settings = stage.values
  flags = {name: values.item() for name, values in stage.axes.items()}
  steps = settings['observe_steps']
  earlier_steps = [step * 9 // 10 for step in steps]
  seen_at = sorted({0, *earlier_steps, *steps})
  x = np.linspace(settings['low'], settings['high'], settings['num_points'])
  targets = np.sqrt(x)
  params = torch_sqrt_models.draw(
    trial.widths(settings),
    scale=flags['init_scale'],
    num_seeds=num_seeds,
    dtype=getattr(torch, settings['dtype']),
    generator=generator,
  )
  start = time.perf_counter()
  models = torch_sqrt_models.train(
    params,
    x,
    targets,
    seen_at,
    learning_rate=flags['learning_rate'],
    betas=(flags['adam_b1'], flags['adam_b2']),
    eps=flags['adam_eps'],
  )
  elapsed_seconds = time.perf_counter() - start
  errors = np.mean((models.outputs.astype(float) - targets) ** 2, axis=2)
  fates, num_different = [], 0
  for step, earlier_step in zip(steps, earlier_steps):
    k, earlier = seen_at.index(step), seen_at.index(earlier_step)
    fates.append(
      sqrt_fates.judge(
        models.outputs[:, k],
        models.outputs[:, earlier],
        models.is_on[:, k],
        models.finite[:, k],
        x=x,
        targets=targets,
        solved_rmse=settings['solved_rmse'],
        thresholds=sqrt_mlp.THRESHOLDS,
      )
    )
    decrease = 1.0 - errors[:, k] / errors[:, earlier]
    labels = label_torch(models, k, decrease, settings)
    num_different += int(sqrt_fates.differ(fates[-1], labels).sum())
  places = [seen_at.index(step) for step in [0, *steps]]
  speed = num_seeds * seen_at[-1] / elapsed_seconds
  return Runs(fates, np.sqrt(errors[:, places]), speed), num_different


def label_torch(
  models: Models,
  k: int,
  decrease: np.ndarray,
  settings: Mapping[str, Any],
) -> Fates:
  """Returns toyjax's diagnosis of PyTorch's weights.

  Args:
    models: of PyTorch.
    k: place of the step.
    decrease: [S], see `sqrt_mlp.diagnose`.
    settings: low, high, num_points, solved_rmse.
  """
  leaves = [jnp.asarray(leaf[:, k]) for leaf in models.params]
  layers = tuple(map(sqrt_mlp.Dense, leaves[::2], leaves[1::2]))
  dtype = leaves[0].dtype
  x = jnp.linspace(
    settings['low'], settings['high'], settings['num_points'], dtype=dtype
  )
  values = sqrt_mlp.target_values(x, target='sqrt', coefficients=())

  diagnose = trial.diagnosis(x, values, settings['solved_rmse'])
  found = jax.device_get(
    jax.jit(jax.vmap(diagnose))(
      sqrt_mlp.Params(layers), jnp.asarray(decrease, dtype)
    )
  )
  return Fates(found.outcome, found.num_dead)

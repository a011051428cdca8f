r"""How often does gradient descent fail on the toy ReLU autoencoder?

The model y = ReLU(W'Wx + b) squeezes n features into m < n hidden dimensions
and sees each feature alone (X = I, full batch). For m = 2 and n >= 3 there are
exact solutions: a regular n-gon of feature directions is one. Yet training can
stall with a feature unlearned: dead at b = 1/n, shared over a few inputs,
merged with another, or off. This script trains every seed, says how each one
stands at the observed steps, and counts: outcomes.png and summary.csv give
shares with 95 % Wilson intervals, survival.png the share not yet solved at
every step. Many failures heal with time: read the curves, not one step.
Flags with lists span a grid; all its configurations share their seeds.

  python -m scripts.optimization_failure --workdir=runs/first
  python -m scripts.optimization_failure --num_features=7 --num_seeds=1024 \
    --learning_rate=1e-3,3e-3,1e-2 --workdir=runs/rates
"""

import functools
import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  autoencoder_trial,
  experiments,
  failure_report,
  grids,
)
from scripts.shared.autoencoder_trial import OPTIMIZER_FLAGS
from scripts.shared.failure_grid import (
  LISTS,
  group_xs,
  make_groups,
)
from scripts.shared.list_flags import choice, define_list, number
from toyjax import manifest, optimizers, store
from toyjax.toys import relu_autoencoder

SCALARS = ('schedule', 'warmup_steps', 'num_steps', 'observe_steps')
SCIENCE = (*LISTS, *SCALARS, 'solved_sse', 'seed', 'dtype')

positive = number(float, 0.0, exclusive=True)
not_negative = number(float, 0.0)

define_list('num_features', [6, 7, 8], number(int, 2), 'n, features.')
define_list('num_hidden', [2], number(int, 1), 'm, hidden dimensions.')
define_list(
  'optimizer',
  ['adamw'],
  choice(tuple(optimizers.HYPERPARAMETERS)),
  f'Among {", ".join(optimizers.HYPERPARAMETERS)}.',
)
define_list('learning_rate', [1e-3], positive, 'Peak learning rate.')
define_list('weight_decay', [1e-2], not_negative, "AdamW's decoupled decay.")
define_list(
  'adam_eps', [1e-8], not_negative, "Adam's, AdamW's and RMSprop's epsilon."
)
define_list('adam_b1', [0.9], not_negative, "Adam's and AdamW's beta 1.")
define_list('adam_b2', [0.999], not_negative, "Adam's and AdamW's beta 2.")
define_list('momentum', [0.9], not_negative, "Momentum's mu.")
define_list('rmsprop_decay', [0.99], not_negative, "RMSprop's rho.")
define_list(
  'init',
  ['glorot_normal'],
  choice(tuple(relu_autoencoder.INITS)),
  f'Among {", ".join(relu_autoencoder.INITS)}; always drawn per seed.',
)
define_list(
  'init_scale', [1.0], positive, "Multiplies the init's standard deviation."
)
define_list(
  'loss_reduction',
  ['mean'],
  choice(relu_autoencoder.LOSS_REDUCTIONS),
  'mean (over samples and features) or sum.',
)
flags.DEFINE_enum(
  'schedule', 'constant', optimizers.SCHEDULES, 'Of the learning rate.'
)
flags.DEFINE_integer(
  'warmup_steps', 2500, 'Warm-up of the warmup_cosine schedule.', 0
)
flags.DEFINE_integer('num_steps', 25_000, 'Steps of each run.', 2)
define_list(
  'observe_steps',
  [1000, 2500, 5000, 10_000, 15_000, 25_000],
  number(int, 2),
  'Increasing steps at which runs are labelled and stored; those past '
  '--num_steps are an error, unless this flag is left alone.',
)
flags.DEFINE_float(
  'solved_sse',
  1e-2,
  'A run is solved when its sum of squared errors over the n samples is below.',
  lower_bound=0.0,
)
experiments.define_sweep_flags(
  num_seeds=4096, workdir='runs/optimization_failure'
)


def train(
  group: grids.Group,
  settings: dict[str, Any],
  path: pathlib.Path,
  chunk_size: int,
) -> None:
  """Trains the runs of a group that the store does not have yet."""
  grids.run_group(
    group,
    autoencoder_trial.make_trial(group.static, settings),
    group_xs(group, settings, flags.FLAGS.num_seeds),
    path=path / 'results.zarr',
    chunk_size=chunk_size,
    map_name=flags.FLAGS.map,
    variables=autoencoder_trial.VARIABLES,
    coordinates={
      'step': store.Coordinate('step', np.asarray(settings['observe_steps']))
    },
    attrs={
      'solved_sse': settings['solved_sse'],
      **relu_autoencoder.THRESHOLDS._asdict(),
    },
    summarize=autoencoder_trial.count_last_step,
    work_per_run=settings['num_steps'],
  )


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked against each other.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  num_steps, steps = settings['num_steps'], settings['observe_steps']
  if FLAGS['observe_steps'].using_default_value:
    kept = [step for step in steps if step < num_steps]
    settings['observe_steps'] = steps = [*kept, num_steps]
  if steps != sorted(steps):
    raise flags.Error(f'--observe_steps must increase: {steps}')
  if steps[-1] > num_steps:
    raise flags.Error(
      f'--observe_steps={steps[-1]} lies past the end, --num_steps={num_steps}'
    )
  for name in ('adam_b1', 'adam_b2', 'momentum', 'rmsprop_decay'):
    if max(settings[name]) >= 1.0:
      raise flags.Error(f'--{name}={max(settings[name])} must be < 1')
  for name, hyperparameter in OPTIMIZER_FLAGS.items():
    users = [
      optimizer
      for optimizer in settings['optimizer']
      if hyperparameter in optimizers.HYPERPARAMETERS[optimizer]
    ]
    if len(settings[name]) > 1 and not users:
      raise flags.Error(
        f'--{name} lists {len(settings[name])} values that '
        f'{", ".join(settings["optimizer"])} does not use'
      )
  warmup_steps = settings['warmup_steps']
  if settings['schedule'] != 'constant' and warmup_steps >= num_steps:
    raise flags.Error(
      f'--warmup_steps={warmup_steps} must be < --num_steps={num_steps}'
    )
  return settings


def stored_settings(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
  """Returns the manifest of a folder and the settings to label it with.

  Only --solved_sse may differ from what the folder was made with.
  """
  found = manifest.read(path)
  if found is None:
    raise manifest.WorkdirError(f'{path} holds no results to read')
  settings = dict(found['science'])
  for name, stored in settings.items():
    flag = flags.FLAGS[name]
    if flag.present and flag.value != stored:
      if name != 'solved_sse':
        raise manifest.WorkdirError(
          f'{path} holds results for --{name}={stored}; with --from_store '
          'only --solved_sse may differ'
        )
      settings[name] = flag.value
  return found, settings


def print_estimate(
  settings: dict[str, Any], flag_values: Any, chunk_size: int
) -> None:
  """Prints what the sweep will take, group by group."""
  seconds, disk, memory = 0.0, 0, 0
  for group in make_groups(settings):
    cost = experiments.estimate(
      functools.partial(autoencoder_trial.make_trial, group.static, settings),
      group_xs(group, settings, flag_values.num_seeds),
      num_steps=settings['num_steps'],
      chunk_size=chunk_size,
      map_name=flag_values.map,
    )
    seconds += cost.elapsed_seconds
    disk += cost.disk_bytes * len(settings['observe_steps'])
    memory = max(memory, cost.memory_bytes)
    print(
      f'{group.name}: {cost.num_runs:,} runs x {settings["num_steps"]:,} steps '
      f'at {cost.steps_per_second:.3g} steps/s'
    )
  print(
    f'about {seconds / 60:.1f} minutes, {memory / 2**30:.2f} GiB of arrays '
    f'in memory, at most {disk / 2**20:.1f} MiB on disk; nothing was written'
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('optimization_failure'):
    if FLAGS.from_store:
      found, settings = stored_settings(FLAGS.workdir)
    else:
      settings = read_settings()
    experiments.setup_jax(
      num_devices=FLAGS.num_devices, dtype=settings['dtype']
    )
    chunk_size = experiments.find_chunk_size(FLAGS.chunk_size, path)
    if FLAGS.from_store:
      identity = {k: found[k] for k in ('science', 'extent', 'layout')}
    else:
      identity = {
        'science': settings,
        'extent': {'num_seeds': FLAGS.num_seeds},
        'layout': {'chunk_size': chunk_size, 'map': FLAGS.map},
      }
    if FLAGS.dry_run:
      print_estimate(settings, FLAGS, chunk_size)
      return
    with manifest.Workdir(
      path,
      script='optimization_failure',
      environment=experiments.environment(),
      **identity,
    ) as workdir:
      groups = make_groups(settings)
      if not FLAGS.from_store:
        for group in groups:
          train(group, settings, path, chunk_size)
      failure_report.write(
        path,
        groups,
        settings,
        columns=LISTS,
        relabel=FLAGS.from_store,
      )
      workdir.note(
        summary={
          'solved_sse': settings['solved_sse'],
          'thresholds': relu_autoencoder.THRESHOLDS._asdict(),
        }
      )


if __name__ == '__main__':
  app.run(main)

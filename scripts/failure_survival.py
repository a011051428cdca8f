r"""How long until the toy ReLU autoencoder solves, and what changes that?

Every seed is trained on X = I under a default and under each other value of
each factor, one factor at a time: the first value of a list is the default, the
others are varied. Every step is looked at: when is a run in symmetric failure
(dead rows with b = 1/n, the rest a regular polygon; one_dead has exactly one
dead row), when does it leave, when does it solve (SSE < --solved_sse), and when
is each feature learned? Runs that diverge stay unsolved to the last step.

summary.csv has one row a level: share solved with its Wilson interval, its
difference from the default paired by seed, median times. events.csv counts, at
each of --report_steps, what runs passed, how many failures passed symmetric
failure and how many runs recovered from it. hazards.csv and learning.csv have
rates by interval and the times of the k-th feature. survival.png, escape.png
and hazards.png show one factor a panel.

  python -m scripts.failure_survival --workdir=runs/survival_n7
  python -m scripts.failure_survival --num_features=8 --workdir=runs/survival_n8
  python -m scripts.failure_survival --num_seeds=10000 --optimizer=adamw,adam \
    --learning_rate=1e-3 --adam_eps=1e-8 --adam_b2=0.999 --weight_decay=1e-2 \
    --init_scale=1 --loss_reduction=mean --dtype=float32 --workdir=runs/main
"""

import contextlib
import functools
import pathlib
from typing import Any

from absl import app, flags
import jax
import numpy as np

from scripts.shared import (
  estimates,
  experiments,
  grids,
  launch,
  optimizer_flags,
  precision,
  stored_folder,
  survival_levels,
  survival_report,
  survival_trial,
)
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import (
  MOST_FEATURES,
  define_float,
  define_integer,
)
from toyjax import manifest, store
from toyjax.analysis import events
from toyjax.toys import relu_autoencoder

FIXED = ('adam_b1', 'momentum', 'rmsprop_decay')
SCIENCE = (
  'num_features',
  'num_hidden',
  'init',
  'schedule',
  'warmup_steps',
  'num_steps',
  'solved_sse',
  'near_factor',
  *FIXED,
  *survival_levels.FACTORS,
  'seed',
)

positive = number(float, 0.0, exclusive=True)
not_negative = number(float, 0.0)

define_integer('num_features', 7, 'n, features.', 2, upper=MOST_FEATURES)
define_integer('num_hidden', 2, 'm, hidden dimensions.', 1, upper=MOST_FEATURES)
define_list(
  'optimizer',
  ['adamw', 'adam', 'rmsprop', 'momentum', 'sgd', 'momentum@0.1', 'sgd@1'],
  survival_levels.parse_optimizer,
  'Names; name@rate has a learning rate of its own, since 1e-3 suits Adam.',
)
define_list(
  'learning_rate',
  [1e-3, 1e-4, 3e-4, 3e-3, 1e-2, 3e-2],
  positive,
  'Learning rate; 1e-3 is that of the study and of Elhage et al. 2022.',
)
define_list(
  'adam_eps',
  [1e-8, 1e-12, 1e-10, 1e-6, 1e-4, 1e-2],
  not_negative,
  "Adam's, AdamW's and RMSprop's epsilon; 1e-8 is Kingma and Ba's.",
)
define_list(
  'adam_b2',
  [0.999, 0.9, 0.99, 0.9999],
  not_negative,
  "Adam's and AdamW's beta 2, whose memory is 1 / (1 - beta 2) steps.",
)
define_list(
  'weight_decay',
  [1e-2, 0.0, 1e-3, 1e-1],
  not_negative,
  "AdamW's decoupled decay; 1e-2 is PyTorch's default.",
)
define_list(
  'init_scale',
  [1.0, 0.25, 0.5, 2.0, 4.0],
  positive,
  "Multiplies the init's standard deviation.",
)
define_list(
  'loss_reduction',
  ['mean', 'sum'],
  choice(relu_autoencoder.LOSS_REDUCTIONS),
  'mean (over samples and features) or sum.',
)
define_list(
  'dtype',
  ['float32', 'float64'],
  choice(('float32', 'float64')),
  'Precision of the training; draws are the same.',
)
define_float('adam_b1', 0.9, "Adam's and AdamW's beta 1.", 0.0)
define_float('momentum', 0.9, "Momentum's mu.", 0.0)
define_float('rmsprop_decay', 0.99, "RMSprop's rho, as in PyTorch.", 0.0)
flags.DEFINE_enum(
  'init', 'glorot_normal', list(relu_autoencoder.INITS), 'Drawn for each seed.'
)
define_integer('num_steps', 25_000, 'Steps of each run.', 2)
define_float(
  'solved_sse', 1e-2, 'A run is solved when its SSE first is below.', 0.0
)
define_float(
  'near_factor',
  4.0,
  'A run has left symmetric failure when it fails the test under tolerances '
  'this many times as wide.',
  lower=1.0,
)
define_list(
  'report_steps',
  [5000, 25_000],
  number(int, 1),
  'Steps up to which events.csv counts; those past --num_steps are left out.',
)
experiments.define_sweep_flags(
  num_seeds=512, workdir='runs/failure_survival', with_dtype=False
)


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {'schedule': 'constant', 'warmup_steps': 0}
  for name in SCIENCE:
    if name not in settings:
      settings[name] = FLAGS[name].value
  for dtype in settings['dtype']:
    # What is varied is trained under the first.
    own = settings if dtype == settings['dtype'][0] else first_of(settings)
    precision.check(own, dtype, below_one=optimizer_flags.BELOW_ONE)
  survival_levels.make_levels(settings)  # Raises where they do not fit.
  return settings


def first_of(settings: dict[str, Any]) -> dict[str, Any]:
  """Returns the settings with the first value of each list."""
  return {
    name: value[0] if isinstance(value, list) else value
    for name, value in settings.items()
  }


def train(
  group: grids.Group,
  settings: dict[str, Any],
  workdir: manifest.Workdir,
  chunk_size: int,
) -> None:
  """Trains the runs of a group that the store does not have yet."""
  wide = group.static['dtype'] == 'float64'
  with jax.enable_x64(True) if wide else contextlib.nullcontext():
    grids.run_group(
      group,
      survival_trial.make_trial(group.static, settings),
      group_xs(group, settings, flags.FLAGS.num_seeds),
      path=workdir.path / 'results.zarr',
      identity=workdir.identity,
      chunk_size=chunk_size,
      map_name=flags.FLAGS.map,
      variables=survival_trial.VARIABLES,
      coordinates={
        'place_name': store.Coordinate(
          'place', np.asarray([int(p) for p in events.Place])
        )
      },
      attrs={
        'solved_sse': settings['solved_sse'],
        **relu_autoencoder.THRESHOLDS._asdict(),
      },
      summarize=survival_trial.count_outcomes,
      work_per_run=settings['num_steps'],
    )


def group_xs(
  group: grids.Group, settings: dict[str, Any], num_seeds: int
) -> dict[str, Any]:
  """Returns the runs of a group, in its own precision."""
  return grids.group_xs(
    group,
    seed=settings['seed'],
    num_seeds=num_seeds,
    dtype=group.static['dtype'],
  )


def print_estimate(
  groups: list[grids.Group], settings: dict[str, Any], chunk_size: int
) -> None:
  """Prints what the sweep will take, group by group."""
  seconds, disk = 0.0, 0
  num_seeds = flags.FLAGS.num_seeds
  for group in groups:
    wide = group.static['dtype'] == 'float64'
    with jax.enable_x64(True) if wide else contextlib.nullcontext():
      cost = estimates.estimate(
        functools.partial(survival_trial.make_trial, group.static, settings),
        group_xs(group, settings, estimates.few_seeds(num_seeds)),
        num_runs=num_seeds * group.num_configurations,
        num_steps=settings['num_steps'],
        chunk_size=chunk_size,
        map_name=flags.FLAGS.map,
      )
    seconds += cost.elapsed_seconds
    disk += cost.disk_bytes
    print(
      f'{group.name}: {cost.num_runs:,} runs x {settings["num_steps"]:,} steps '
      f'at {cost.steps_per_second:.3g} steps/s'
    )
  print(
    f'about {seconds / 60:.1f} minutes, at most {disk / 2**20:.1f} MiB on '
    'disk; nothing was written'
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('failure_survival'):
    if FLAGS.from_store:
      found, settings = stored_folder.stored_settings(path, 'failure_survival')
    else:
      settings = read_settings()
    with stored_folder.understood(path):
      levels = survival_levels.make_levels(settings)
      groups = survival_levels.make_groups(levels)
    experiments.setup_jax(num_devices=FLAGS.num_devices, dtype='float32')
    chunk_size = experiments.find_chunk_size(FLAGS.chunk_size, path)
    identity = {
      'extent': {'num_seeds': FLAGS.num_seeds},
      'layout': {'chunk_size': chunk_size, 'map': FLAGS.map},
    }
    if FLAGS.from_store:
      identity = {name: found[name] for name in identity}
    if FLAGS.dry_run:
      print_estimate(groups, settings, chunk_size)
      return
    if not FLAGS.from_store:
      grids.require_room(groups, FLAGS.num_seeds)
    with manifest.Workdir(
      path,
      script='failure_survival',
      science=settings,
      environment=experiments.environment(),
      **identity,
    ) as workdir:
      for group in groups:
        if FLAGS.from_store:
          grids.open_finished(
            path / stored_folder.STORE, group, found['extent'].get('num_seeds')
          )
        else:
          train(group, settings, workdir, chunk_size)
      horizons = [k for k in FLAGS.report_steps if k < settings['num_steps']]
      survival_report.write(
        path, levels, settings, [*sorted(horizons), settings['num_steps']]
      )
      workdir.note(thresholds=relu_autoencoder.THRESHOLDS._asdict())


if __name__ == '__main__':
  launch.run(main)

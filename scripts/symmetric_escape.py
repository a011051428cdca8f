r"""Does Adam leave symmetric failure because its second moment decays?

The idea: in symmetric failure gradients shrink, so the second moment in Adam's
denominator decays over 1 / (1 - beta 2) steps until steps are long enough to
break the symmetry. The test: train until a run first enters symmetric failure
(dead rows with b = 1/n, the rest a regular polygon), keep weights and moments
of that step, and go on from there in several ways, all from the same states:

  kept        nothing is changed: the control
  frozen      the second moment stays what it was at entry: it cannot decay
  reset       both moments and the count of steps start anew
  adam_b2=..  another memory, adam_eps=.. another floor, weight_decay=..

If the idea holds, frozen and a longer memory must leave later, a shorter memory
sooner. escape.csv has shares and median times with intervals, and how often a
variant left before the control, paired by run; escape.png shows survival curves
and what happens to the dead row.

  python -m scripts.symmetric_escape --workdir=runs/escape_n7
"""

import pathlib
from typing import Any

from absl import app, flags
import numpy as np

from scripts.shared import (
  escape_report,
  escape_trial,
  estimates,
  experiments,
  grids,
  launch,
  memory,
  optimizer_flags,
  precision,
  stored_folder,
)
from scripts.shared.list_flags import define_list, number
from scripts.shared.number_flags import (
  MOST_FEATURES,
  define_float,
  define_integer,
)
from toyjax import loops, manifest, optimizers, store
from toyjax.analysis.events import ESCAPED

SCIENCE = (
  'num_features',
  'optimizer',
  'learning_rate',
  'adam_b1',
  'adam_b2',
  'adam_eps',
  'weight_decay',
  'place',
  'search_steps',
  'num_steps',
  'solved_sse',
  'near_factor',
  'seed',
)
VARIED = ('adam_b2', 'adam_eps', 'weight_decay')
NUM_SEEN = 40  # Log-spaced steps at which the dead row is looked at.

not_negative = number(float, 0.0)

define_integer(
  'num_features', 7, 'n, features; m is 2.', 3, upper=MOST_FEATURES
)
flags.DEFINE_enum('optimizer', 'adamw', ['adamw', 'adam'], 'Which Adam.')
define_float(
  'learning_rate', 1e-3, 'Learning rate, throughout.', 0.0, exclusive=True
)
define_float('adam_b1', 0.9, 'Beta 1, throughout.', 0.0)
define_list(
  'adam_b2',
  [0.999, 0.9, 0.99, 0.9999],
  not_negative,
  'Beta 2: the first until entry and by default, the others from entry on.',
)
define_list(
  'adam_eps',
  [1e-8, 1e-12, 1e-6, 1e-4, 1e-3],
  not_negative,
  'Epsilon: the first until entry and by default, the others from entry on.',
)
define_list(
  'weight_decay',
  [1e-2, 0.0],
  not_negative,
  "AdamW's decay: the first until entry and by default.",
)
flags.DEFINE_enum(
  'place',
  'one_dead',
  [place.name.lower() for place in ESCAPED],
  'Enter symmetric failure with exactly one dead row, or with any number.',
)
define_integer('search_steps', 5000, 'Steps to look for an entry.', 1)
define_integer('num_steps', 10_000, 'Steps from entry on.', 2)
define_float('solved_sse', 1e-2, 'SSE below which a run is solved.', 0.0)
define_float(
  'near_factor',
  4.0,
  'A run has left when it fails the test under tolerances this many times as '
  'wide.',
  lower=1.0,
)
experiments.define_sweep_flags(num_seeds=1024, workdir='runs/symmetric_escape')


def make_variants(settings: dict[str, Any]) -> dict[str, dict[str, float]]:
  """Returns the numbers of each way to go on, by name, the control first."""
  used = optimizers.HYPERPARAMETERS[settings['optimizer']]
  names = [n for n in VARIED if n != 'weight_decay' or n in used]
  kept = {name: settings[name][0] for name in names}
  kept |= {'reset': 0.0, 'freeze': 0.0}
  variants = {'kept': kept}
  variants['frozen'] = kept | {'freeze': 1.0}
  variants['reset'] = kept | {'reset': 1.0}
  for name in names:
    for value in settings[name][1:]:
      variants[f'{name}={grids.text_of(value)}'] = kept | {name: value}
  return variants


def make_static(settings: dict[str, Any]) -> dict[str, Any]:
  return {
    'num_features': settings['num_features'],
    'num_hidden': 2,
    'optimizer': settings['optimizer'],
    'init': 'glorot_normal',
    'loss_reduction': 'mean',
  }


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags; raises flags.Error on what does not fit."""
  names = (*SCIENCE, 'dtype')
  settings: dict[str, Any] = {n: flags.FLAGS[n].value for n in names}
  precision.check(
    settings, settings['dtype'], below_one=optimizer_flags.BELOW_ONE
  )
  return settings


def run(
  settings: dict[str, Any],
  path: pathlib.Path,
  chunk_size: int,
  identity: dict[str, Any],
) -> None:
  """Finds the entries, then goes on from each in every way."""
  FLAGS = flags.FLAGS
  static = make_static(settings)
  own = settings | {'schedule': 'constant', 'warmup_steps': 0}
  constant = {
    'learning_rate': settings['learning_rate'],
    'init_scale': 1.0,
    'adam_b1': settings['adam_b1'],
  }
  variants = make_variants(settings)

  def group(name: str, points: list[dict[str, float]]) -> grids.Group:
    axes = {n: np.asarray([p[n] for p in points]) for n in points[0]}
    return grids.Group(name, static, axes)

  def sweep(group, trial, xs, variables, coordinates, num_steps, counted):
    grids.run_group(
      group,
      trial,
      xs,
      path=path / 'results.zarr',
      identity=identity,
      chunk_size=chunk_size,
      map_name=FLAGS.map,
      variables=variables,
      coordinates=coordinates,
      attrs={},
      summarize=lambda chunk: {counted: int(np.sum(chunk[counted] >= 0))},
      work_per_run=num_steps,
    )

  entry = group('entry', [constant | variants['kept']])

  def entry_xs(num_seeds: int) -> dict[str, Any]:
    return grids.group_xs(
      entry, seed=settings['seed'], num_seeds=num_seeds, dtype=FLAGS.dtype
    )

  if FLAGS.dry_run:
    few = entry_xs(estimates.few_seeds(FLAGS.num_seeds))
    print_estimate(static, own, few, chunk_size, len(variants))
    return
  xs = entry_xs(FLAGS.num_seeds)
  search = escape_trial.make_search(static, own)
  variables = escape_trial.SEARCH_VARIABLES
  sweep(
    entry, search, xs, variables, {}, settings['search_steps'], 'entry_step'
  )

  states = escape_report.read_entries(path)
  num = len(states['seed_index'])
  if not num:
    raise flags.Error(
      f'none of {FLAGS.num_seeds} runs entered symmetric failure within '
      f'{settings["search_steps"]} steps'
    )
  going = group('escape', [constant | v for v in variants.values()])
  xs = escape_trial.going_xs(
    going, states, seed=settings['seed'], dtype=FLAGS.dtype
  )
  observe_at = loops.log_spaced(settings['num_steps'], NUM_SEEN)
  steps = store.Coordinate('step', np.asarray(observe_at))
  sweep(
    going,
    escape_trial.make_go_on(static, own, observe_at),
    xs,
    escape_trial.VARIABLES,
    {'step': steps},
    settings['num_steps'],
    'escape_step',
  )


def print_estimate(
  static: dict[str, Any],
  settings: dict[str, Any],
  few: dict[str, Any],
  chunk_size: int,
  num_variants: int,
) -> None:
  """Prints what both sweeps take at most, when every run enters."""
  cost = estimates.estimate(
    lambda steps: escape_trial.make_search(
      static, settings | {'search_steps': steps}
    ),
    few,
    num_runs=flags.FLAGS.num_seeds,
    num_steps=settings['search_steps'],
    chunk_size=chunk_size,
    map_name=flags.FLAGS.map,
  )
  longest = num_variants * settings['num_steps'] / settings['search_steps']
  print(
    f'{cost.num_runs:,} runs at {cost.steps_per_second:.3g} steps/s: '
    f'{cost.elapsed_seconds / 60:.1f} minutes to find the entries, at most '
    f'{cost.elapsed_seconds * longest / 60:.1f} to go on in {num_variants} '
    'ways; nothing was written'
  )


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('symmetric_escape'):
    if FLAGS.from_store:
      found, settings = stored_folder.stored_settings(path, 'symmetric_escape')
    else:
      settings = read_settings()
    with stored_folder.understood(path):
      variants = list(make_variants(settings))
    experiments.setup_jax(num_devices=FLAGS.num_devices, dtype=FLAGS.dtype)
    chunk_size = experiments.find_chunk_size(FLAGS.chunk_size, path)
    identity = {
      # More seeds would shift the rows of the second sweep.
      'extent': {},
      'layout': {
        'chunk_size': chunk_size,
        'map': FLAGS.map,
        'num_seeds': FLAGS.num_seeds,
      },
    }
    if FLAGS.from_store:
      identity = {name: found[name] for name in identity}
    if FLAGS.dry_run:
      run(settings, path, chunk_size, {})
      return
    memory.require_runs(FLAGS.num_seeds, 0)
    with manifest.Workdir(
      path,
      script='symmetric_escape',
      science=settings,
      environment=experiments.environment(),
      **identity,
    ) as workdir:
      if not FLAGS.from_store:
        run(settings, path, chunk_size, workdir.identity)
      escape_report.write(path, variants, settings)


if __name__ == '__main__':
  launch.run(main)

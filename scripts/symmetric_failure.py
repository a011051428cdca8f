r"""Is symmetric failure of the ReLU autoencoder a minimum? How long it holds.

In symmetric failure one feature is dead, W_d = 0 and b_d = 1/n, behind a
regular polygon of the others (X = I, m = 2): SSE 1 - 1/n. The study this
project continues called it a local minimum. This script settles it.

  verdicts.csv   exact second order on both sides of the kinks, closed forms,
                 and a path on which the SSE falls: minimum, flat or saddle
  descents.csv   float64 descents from small kicks: how many get below 1 - 1/n
  escape.csv     training from symmetric failure plus noise: Kaplan-Meier
                 medians of the step at which runs leave, and who never does
  tilt.csv       the condition for a weak row to grow, in general and in the
                 study's form, against what the gradient does
  dead.csv       where dead rows of training runs have their bias, and where
                 they would come to rest with all else frozen
  frozen.csv     the frozen experiment on exact symmetric failure with the
                 biases of the dead feature's two neighbours raised

  python -m scripts.symmetric_failure --workdir=runs/symmetric
  python -m scripts.symmetric_failure --num_features=7 --num_seeds=8192 \
    --start_noise=1e-4,1e-3,1e-2 --workdir=runs/noise
"""

import pathlib
from typing import Any

from absl import app, flags
import jax

from scripts.shared import (
  experiments,
  launch,
  optimizer_flags,
  precision,
  stored_folder,
  symmetric_report,
  symmetric_sweeps,
  symmetric_trial,
)
from scripts.shared.list_flags import choice, define_list, number
from scripts.shared.number_flags import (
  MOST_FEATURES,
  MOST_POINTS,
  define_float,
  define_integer,
)
from toyjax import manifest

LISTS = (
  'num_features',
  'optimizer',
  'learning_rate',
  'sgd_learning_rate',
  'weight_decay',
  'adam_b1',
  'adam_b2',
  'adam_eps',
  *symmetric_sweeps.START,
)
OTHER_LISTS = (
  'kick',
  'nudge',
  'state_features',
  'state_decay',
  'state_steps',
)
SCALARS = (
  'num_steps',
  'escape_share',
  'solved_sse',
  'num_descents',
  'descent_iterations',
  'num_random_states',
  'num_state_seeds',
)
SCIENCE = (*LISTS, *OTHER_LISTS, *SCALARS, 'seed', 'dtype')

positive = number(float, 0.0, exclusive=True)
not_negative = number(float, 0.0)

define_list(
  'num_features',
  list(range(3, 13)),
  number(int, 3, MOST_FEATURES),
  'n, features, one dead.',
)
define_list(
  'optimizer',
  ['adam', 'adamw', 'sgd'],
  choice(tuple(symmetric_trial.TRACED)),
  f'Among {", ".join(symmetric_trial.TRACED)}; of the mean squared error.',
)
define_list(
  'learning_rate', [1e-3], positive, "Adam's and AdamW's rate; the study's."
)
define_list(
  'sgd_learning_rate', [1.0], positive, "SGD's rate; the chaos map's order."
)
define_list('weight_decay', [1e-2], not_negative, "AdamW's decay; the study's.")
define_list('adam_b1', [0.9], not_negative, 'Beta 1 (Kingma and Ba 2015).')
define_list('adam_b2', [0.999], not_negative, 'Beta 2 (Kingma and Ba 2015).')
define_list('adam_eps', [1e-8], not_negative, 'Epsilon (Kingma and Ba 2015).')
define_list(
  'norm_factor',
  [1.0, 1.1],
  number(float, 1.0),
  'Norms of live rows in units of the least one: 1 is on the kinks.',
)
define_list(
  'start_noise',
  [1e-3],
  not_negative,
  'Standard deviation of what is added to every weight and bias of a start.',
)
define_integer('num_steps', 25_000, 'Steps of each escape run.', 2)
define_float(
  'escape_share',
  0.9,
  'A run has escaped when its SSE is below this share of 1 - 1/n.',
  lower=0.0,
  upper=1.0,
)
define_float('solved_sse', 1e-2, 'A run is solved below this SSE.', 0.0)
define_list(
  'kick',
  [1e-2, 1e-3, 1e-4],
  positive,
  'Standard deviations of the kicks that float64 descents start from.',
)
define_integer(
  'num_descents', 32, 'Descents of each kind.', 1, upper=MOST_POINTS
)
define_integer(
  'descent_iterations', 200, 'Steps of each descent.', 1, upper=MOST_POINTS
)
define_list(
  'nudge',
  [0.0, 0.05, 0.1, 0.2],
  not_negative,
  "Raises of the two neighbours' biases; the study's chaos map: 0 to .2.",
)
define_list(
  'state_features',
  [6, 7, 8],
  number(int, 5, MOST_FEATURES),
  'n of the training runs and random states whose weak row is looked at.',
)
define_list(
  'state_decay', [0.0, 1e-2], not_negative, "AdamW's decay in those runs."
)
define_list(
  'state_steps',
  [500, 1000, 2500, 5000, 10_000],
  number(int, 1),
  'Increasing steps of the training runs at which states are taken.',
)
define_integer('num_state_seeds', 1024, 'Training runs a setting.', 1)
define_integer(
  'num_random_states', 4096, 'Random states for each n.', 1, upper=MOST_POINTS
)
experiments.define_sweep_flags(num_seeds=512, workdir='runs/symmetric_failure')


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  FLAGS = flags.FLAGS
  settings: dict[str, Any] = {name: FLAGS[name].value for name in SCIENCE}
  steps = settings['state_steps']
  if steps != sorted(steps):
    raise flags.Error(f'--state_steps must increase: {steps}')
  exact = {name: settings[name] for name in ('kick', 'nudge')}
  precision.check(exact, 'float64')
  precision.check(
    {name: v for name, v in settings.items() if name not in exact},
    settings['dtype'],
    below_one=optimizer_flags.BELOW_ONE,
  )
  return settings


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('symmetric_failure'):
    if FLAGS.from_store:
      found, settings = stored_folder.stored_settings(path, 'symmetric_failure')
    else:
      settings = read_settings()
    with stored_folder.understood(path):
      dtype = settings['dtype']
      escape_groups = symmetric_sweeps.escape_groups(settings)
      training_groups = symmetric_sweeps.training_groups(settings)
    experiments.setup_jax(num_devices=FLAGS.num_devices, dtype=dtype)
    chunk_size = experiments.find_chunk_size(FLAGS.chunk_size, path)
    identity = {
      'extent': {'num_seeds': FLAGS.num_seeds},
      'layout': {'chunk_size': chunk_size, 'map': FLAGS.map},
    }
    if FLAGS.from_store:
      identity = {name: found[name] for name in identity}
    if FLAGS.dry_run:
      symmetric_sweeps.print_estimate(
        settings,
        num_seeds=FLAGS.num_seeds,
        chunk_size=chunk_size,
        map_name=FLAGS.map,
      )
      return
    if not FLAGS.from_store:
      symmetric_sweeps.require_room(settings, FLAGS.num_seeds)
    with manifest.Workdir(
      path,
      script='symmetric_failure',
      science=settings,
      environment=experiments.environment(),
      **identity,
    ) as workdir:
      if FLAGS.from_store:
        symmetric_sweeps.require_finished(
          settings,
          path / 'results.zarr',
          identity['extent'].get('num_seeds'),
        )
      else:
        symmetric_sweeps.run(
          settings,
          path / 'results.zarr',
          identity=workdir.identity,
          num_seeds=FLAGS.num_seeds,
          chunk_size=chunk_size,
          map_name=FLAGS.map,
        )
      with jax.enable_x64(True):  # Exact points, kinks and all.
        symmetric_report.write(
          path,
          settings,
          escape_groups=escape_groups,
          training_groups=training_groups,
          columns=LISTS,
        )


if __name__ == '__main__':
  launch.run(main)

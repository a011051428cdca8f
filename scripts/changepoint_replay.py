r"""Do a few rollouts find the change that exhaustive sampling finds?

Of each recorded trace we know how many rollouts from each position were right,
k of n. A replay draws new rollouts with the chance k/n at a position, as the
policy asks for them: at most --num_rollouts of them, where exhaustive sampling
took some 100 at every position. Its answer is compared with the most probable
index of the first low accuracy given all recorded rollouts under the same
prior; the guilty sentence is the one before that index. So a hit means that
the few rollouts agree with the many under one model, not that the model is
right: where the rate rises, one change is a rise and no sentence is guilty. The
verdicts DROP, NO_DROP and UNDECIDED ask for that, with a false-alarm rate for
all traces that never fall; NO_DROP is about one lasting drop, not about one
that recovers.

--policy and --prior take lists; all of them meet the same draws. replay.csv
has a row for each trace under each of them and one for all traces, every share
with its count and 95 % Wilson interval. The intervals are about more replays of
these traces, not about other traces. replay.png shows those shares,
trajectories.png the first replay of every trace.

  python -m scripts.changepoint_replay --workdir=runs/replay
  python -m scripts.changepoint_replay --policy=eig,uniform,thompson \
    --prior=published,weak --workdir=runs/policies
"""

import pathlib
from typing import Any

from absl import app, flags

from scripts.shared import (
  changepoint_choices,
  changepoint_recorded,
  changepoint_replay_figures,
  changepoint_replay_report,
  changepoint_replay_runs,
  experiments,
  launch,
  memory,
  precision,
  tables,
)
from scripts.shared.list_flags import choice, define_list
from scripts.shared.number_flags import (
  MOST_POINTS,
  define_float,
  define_integer,
  define_num_devices,
  define_seed,
)
from scripts.shared.path_flags import define_path
from toyjax import manifest
from toyjax.data import traces
from toyjax.plots.texts import printable

SCIENCE = (
  *('policy', 'prior', 'num_rollouts', 'level', 'alpha', 'smallest_drop'),
  *('null_shape', 'seed', 'dtype'),
)

define_path(
  'counts',
  changepoint_recorded.SHIPPED,
  'CSV of recorded counts (columns model, base, problem, chunk_idx, k, n ...), '
  f'or {changepoint_recorded.SHIPPED!r}: 20 traces of Qwen-14B from '
  'math-rollouts.',
)
flags.DEFINE_bool(
  'skip_bad', False, 'Leave out rows that cannot be read, and count them.'
)
define_list(
  'policy',
  ['eig'],
  choice(tuple(changepoint_choices.POLICIES)),
  f'Among {", ".join(changepoint_choices.POLICIES)}.',
)
define_list(
  'prior',
  ['published'],
  choice(tuple(changepoint_choices.PRIORS)),
  'Of the rates before and after: '
  + '; '.join(
    f'{name} Beta{before} and Beta{after}'
    for name, (before, after) in changepoint_choices.PRIORS.items()
  )
  + '.',
)
define_integer(
  'num_rollouts',
  100,
  'Budget of a replay; 100 is what the published method spends.',
  1,
  upper=MOST_POINTS,
)
define_integer(
  'num_repeats',
  200,
  'Replays of each trace. A larger number extends an existing --workdir.',
  1,
)
define_float(
  'level', 0.8, 'Of the credible sets; .8 is the published one.', 0.0, 1.0
)
define_float(
  'alpha',
  0.05,
  'Largest chance of DROP for a trace that never falls, and of NO_DROP for one '
  'with one drop of --smallest_drop.',
  0.0,
  1.0,
)
define_float(
  'smallest_drop',
  0.3,
  'Difference of the two rates that NO_DROP excludes. Our choice: a smaller '
  'one takes more rollouts to exclude.',
  0.0,
  1.0,
)
define_float(
  'null_shape',
  0.5,
  'a of the Beta(a, a) of a constant rate, in the e-value for NO_DROP; 1/2 is '
  "Krichevsky and Trofimov's (1981), valid like any other.",
  0.0,
)
define_integer(
  'within', 2, 'A replay this close to the exhaustive index is near.', 0
)
flags.DEFINE_list(
  'focus',
  ['2236', '330', '4682'],
  'Problems to tell more about: those that the published study names.',
)
define_seed('Seed of the draws.')
define_integer('chunk_size', 512, 'Replays computed and stored at a time.', 1)
flags.DEFINE_enum(
  'map', 'vmap', ['vmap', 'lanes'], 'How a device maps replays; see BUILD.md.'
)
define_path(
  'workdir',
  'runs/changepoint_replay',
  'Folder for results. The same command on the same folder resumes.',
)
define_num_devices('Host devices to use; 0 means one for each core.')
flags.DEFINE_enum(
  'dtype', 'float32', ['float32', 'float64'], 'Precision of the replays.'
)


def read_settings() -> dict[str, Any]:
  """Returns the scientific flags, checked.

  Raises:
    flags.Error: naming the flag that does not fit.
  """
  settings: dict[str, Any] = {name: flags.FLAGS[name].value for name in SCIENCE}
  for name in ('level', 'alpha'):
    if not 0.0 < settings[name] < 1.0:
      raise flags.Error(f'--{name}={settings[name]} must be in (0, 1)')
  precision.check(
    settings,
    settings['dtype'],
    below_one=('level', 'alpha', 'smallest_drop'),
  )
  if settings['null_shape'] <= 0.0:
    raise flags.Error(f'--null_shape={settings["null_shape"]} must be > 0')
  return settings


def report(
  path: pathlib.Path,
  found: tuple[traces.Trace, ...],
  replays: list[changepoint_replay_report.Combination],
  settings: dict[str, Any],
) -> None:
  """Writes replay.csv and the figures, prints the tables."""
  FLAGS = flags.FLAGS
  listed = []
  for one in replays:
    print(
      f'\n{one.label}: {FLAGS.num_repeats} replays of each trace, at most '
      f'{settings["num_rollouts"]} rollouts; intervals of '
      f'{settings["level"]:g}, alpha {settings["alpha"]:g}, smallest drop '
      f'{settings["smallest_drop"]:g}\n'
    )
    own = changepoint_replay_report.rows(one, found, within=FLAGS.within)
    changepoint_replay_report.print_table(own, alpha=settings['alpha'])
    listed += own
  print(f'\n{replays[0].label}, some problems:\n')
  for line in changepoint_replay_report.focus_lines(
    replays[0], found, FLAGS.focus
  ):
    print(printable(line))
  tables.write_csv(path / 'replay.csv', listed)
  changepoint_replay_figures.draw_overview(
    path / 'replay.png', listed, level=settings['level']
  )
  changepoint_replay_figures.draw_trajectories(
    path / 'trajectories.png', replays[0], found, level=settings['level']
  )
  print(f'\nreplay.csv, replay.png and trajectories.png are in {path}')


def main(argv: list[str]) -> None:
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors('changepoint_replay'):
    settings = read_settings()
    found, counts = changepoint_recorded.read_traces(
      FLAGS.counts, skip_bad=FLAGS.skip_bad
    )
    layout = {'chunk_size': FLAGS.chunk_size, 'map': FLAGS.map}
    num_devices = experiments.find_num_devices(FLAGS.num_devices, path)
    if FLAGS.map == 'vmap':
      # A device's share is one batch, whose size may move last bits.
      layout['num_devices'] = num_devices
    experiments.setup_jax(num_devices=num_devices, dtype=settings['dtype'])
    memory.require_runs(
      FLAGS.num_repeats * len(found) * len(settings['prior']), 8
    )
    with manifest.Workdir(
      path,
      script='changepoint_replay',
      science={'counts': counts, **settings},
      extent={'num_repeats': FLAGS.num_repeats},
      layout=layout,
      environment=experiments.environment(),
    ) as workdir:
      recorded = changepoint_recorded.pad(found)
      replays = list(
        changepoint_replay_runs.combinations(
          recorded,
          settings,
          workdir,
          num_repeats=FLAGS.num_repeats,
          chunk_size=FLAGS.chunk_size,
          map_name=FLAGS.map,
        )
      )
      report(path, found, replays, settings)
      workdir.note(
        summary={
          'within': FLAGS.within,
          'priors': {
            name: changepoint_choices.PRIORS[name] for name in settings['prior']
          },
        }
      )


if __name__ == '__main__':
  launch.run(main)

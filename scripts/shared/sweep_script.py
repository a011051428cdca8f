"""A script that sweeps seeds over a grid of flags: from flags to a folder.

Sweep --run--> train what is missing, or --from_store, or --dry_run; then report
"""

from collections.abc import Callable, Mapping, Sequence
import functools
import pathlib
from typing import Any, NamedTuple

from absl import flags
import jax

from scripts.shared import (
  estimates,
  experiments,
  grids,
  memory,
  precision,
  stored_folder,
)
from toyjax import chunks, manifest, run_sizes, store, sweeps
from toyjax.plots.texts import printable

flags.disclaim_key_flags()

# All scientific flags, as they stand in the manifest.
Settings = dict[str, Any]


class Description(NamedTuple):
  """What a group's store says beside its numbers.

  Attributes:
    coordinates: see `grids.run_group`.
    attrs: see `grids.run_group`.
  """

  coordinates: Mapping[str, store.Coordinate]
  attrs: Mapping[str, Any]


class Sweep(NamedTuple):
  """All that one script sweeps and reports.

  Attributes:
    script: its name.
    read_settings: reads the scientific flags, checked against each other;
      raises flags.Error naming the flag that does not fit.
    may_differ: flags that --from_store may change, since no run hangs on them.
    make_groups: settings -> groups of the grid.
    make_trial: (static flags, settings, number of steps or None for all) ->
      trial; with a number it is observed at the end only.
    variables: a description of each result.
    describe: (group, settings) -> `Description`.
    summarize: see `sweeps.sweep`.
    num_steps: name of the setting that holds the number of steps.
    observe_steps: name of the setting that lists the observed steps.
    report: (folder, groups, settings, whether to label again) -> tables,
      figures and text; returns what the manifest notes about them.
  """

  script: str
  read_settings: Callable[[], Settings]
  may_differ: Sequence[str]
  make_groups: Callable[[Settings], list[grids.Group]]
  make_trial: Callable[[Mapping[str, Any], Settings, int | None], chunks.Trial]
  variables: Mapping[str, store.Variable]
  describe: Callable[[grids.Group, Settings], Description]
  summarize: sweeps.Summarize
  num_steps: str
  observe_steps: str
  report: Callable[
    [pathlib.Path, list[grids.Group], Settings, bool], dict[str, Any]
  ]


def run(sweep: Sweep) -> None:
  """Does what the flags say; foreseeable ends are one line on stderr."""
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  with experiments.one_line_errors(sweep.script):
    if FLAGS.from_store:
      found, settings = stored_folder.stored_settings(
        path, sweep.script, sweep.may_differ
      )
      with stored_folder.understood(path):
        groups, _ = sweep.make_groups(settings), settings['dtype']
    else:
      settings = sweep.read_settings()
      groups = sweep.make_groups(settings)
    precision.check(settings, settings['dtype'])
    experiments.setup_jax(
      num_devices=FLAGS.num_devices, dtype=settings['dtype']
    )
    chunk_size = experiments.find_chunk_size(
      FLAGS.chunk_size,
      path,
      functools.partial(_largest_run, sweep, groups, settings),
    )
    if FLAGS.from_store:
      identity = {k: found[k] for k in ('science', 'extent', 'layout')}
    else:
      identity = {
        'science': settings,
        'extent': {'num_seeds': FLAGS.num_seeds},
        'layout': {'chunk_size': chunk_size, 'map': FLAGS.map},
      }
    if FLAGS.dry_run:
      _print_estimate(sweep, groups, settings, chunk_size)
      return
    if not FLAGS.from_store:
      _require_same_report(sweep, path, settings)
      _require_room(sweep, groups, settings, chunk_size)
    with manifest.Workdir(
      path,
      script=sweep.script,
      environment=experiments.environment(),
      **identity,
    ) as workdir:
      for group in groups:
        if FLAGS.from_store:
          grids.open_finished(
            path / stored_folder.STORE,
            group,
            identity['extent'].get('num_seeds'),
          )
        else:
          _train(sweep, group, settings, workdir, chunk_size)
      workdir.note(
        summary=sweep.report(path, groups, settings, FLAGS.from_store)
      )


def group_xs(
  group: grids.Group, settings: Mapping[str, Any], num_seeds: int
) -> dict[str, Any]:
  """Returns the runs of a group, as `grids.group_xs`."""
  return grids.group_xs(
    group,
    seed=settings['seed'],
    num_seeds=num_seeds,
    dtype=settings['dtype'],
  )


def _train(
  sweep: Sweep,
  group: grids.Group,
  settings: Settings,
  workdir: manifest.Workdir,
  chunk_size: int,
) -> None:
  """Trains the runs of a group that the store does not have yet."""
  grids.run_group(
    group,
    sweep.make_trial(group.static, settings, None),
    group_xs(group, settings, flags.FLAGS.num_seeds),
    path=workdir.path / stored_folder.STORE,
    identity=workdir.identity,
    chunk_size=chunk_size,
    map_name=flags.FLAGS.map,
    variables=sweep.variables,
    **sweep.describe(group, settings)._asdict(),
    summarize=sweep.summarize,
    work_per_run=settings[sweep.num_steps],
  )


def _require_same_report(
  sweep: Sweep, path: pathlib.Path, settings: Settings
) -> None:
  """Says how to report a folder otherwise, where only the report differs.

  Raises:
    WorkdirError: where a flag in `may_differ` differs, and no other.
  """
  found = manifest.read(path)
  if found is None or found['script'] != sweep.script:
    return
  was = found['science']
  names = [name for name in settings if settings[name] != was.get(name)]
  if names and set(names) <= set(sweep.may_differ):
    raise manifest.WorkdirError(
      f'{path} was reported with --{names[0]}={was.get(names[0])}; add '
      '--from_store to report its runs otherwise, or choose another --workdir'
    )


def _sizes(group: grids.Group, settings: Settings) -> list[Any]:
  return [*group.static.values(), settings.get('num_points')]


def _largest_run(
  sweep: Sweep, groups: Sequence[grids.Group], settings: Settings
) -> int:
  """Returns the bytes of a run of the largest group; 0 where all are tiny."""
  return max(
    run_sizes.run_bytes(
      sweep.make_trial(group.static, settings, None),
      jax.tree.map(lambda leaf: leaf[0], group_xs(group, settings, 1)),
    )
    if memory.is_large(_sizes(group, settings))
    else 0
    for group in groups
  )


def _require_room(
  sweep: Sweep,
  groups: Sequence[grids.Group],
  settings: Settings,
  chunk_size: int,
) -> None:
  """Refuses runs that have no room in memory, before they have a folder."""
  num_seeds = flags.FLAGS.num_seeds
  for group in groups:
    memory.require_room(
      functools.partial(sweep.make_trial, group.static, settings, None),
      group_xs(group, settings, 1),
      _sizes(group, settings),
      num_runs=num_seeds * group.num_configurations,
      chunk_size=chunk_size,
    )


def _print_estimate(
  sweep: Sweep,
  groups: Sequence[grids.Group],
  settings: Settings,
  chunk_size: int,
) -> None:
  """Prints what the sweep will take, group by group."""
  seconds, disk, most_memory = 0.0, 0, 0
  num_seeds = flags.FLAGS.num_seeds
  num_steps = settings[sweep.num_steps]
  for group in groups:
    cost = estimates.estimate(
      functools.partial(sweep.make_trial, group.static, settings),
      group_xs(group, settings, estimates.few_seeds(num_seeds)),
      num_runs=num_seeds * group.num_configurations,
      num_steps=num_steps,
      chunk_size=chunk_size,
      map_name=flags.FLAGS.map,
    )
    seconds += cost.elapsed_seconds
    disk += cost.disk_bytes * len(settings[sweep.observe_steps])
    most_memory = max(most_memory, cost.memory_bytes)
    print(
      f'{printable(group.name)}: {cost.num_runs:,} runs x {num_steps:,} steps '
      f'at {cost.steps_per_second:.3g} steps/s'
    )
  print(
    f'about {seconds / 60:.1f} minutes, {most_memory / 2**30:.2f} GiB of '
    f'arrays in memory, at most {disk / 2**20:.1f} MiB on disk; nothing was '
    'written'
  )

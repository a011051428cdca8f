"""From a study and its flags to a folder of runs and a report of them.

Study --define--> flags --run--> train what is missing, report, manifest
                                 or --from_store, or --dry_run
"""

from collections.abc import Iterable, Mapping, Sequence
import functools
import importlib
import pathlib
import threading
from typing import Any

from absl import app, flags

from toyjax import manifest, processors, stages, training
from toyjax.ahead import made_ahead
from toyjax.checks import StoreError
from toyjax.command import errors, folders, launch, machine, programs, room
from toyjax.command.flags import define as define_settings
from toyjax.command.flags import given
from toyjax.runs import Runs, open_finished, open_runs
from toyjax.settings import MACHINE, REPORTED, Values, names_of, require_held
from toyjax.stages import Stage
from toyjax.stored_runs import MissingError
from toyjax.studies import options
from toyjax.studies.base import STORE, Report, Study, Task, train
from toyjax.studies.folders import understood

flags.disclaim_key_flags()

_MOST_COMPILED = 4  # Stages at a time.


def define(study: Study | Task, into: flags.FlagValues = flags.FLAGS) -> None:
  """Defines all flags of a study.

  Args:
    study: whose.
    into: what holds the flags.
  """
  define_settings([options.KEEP_PROGRAMS], into=into)
  if isinstance(study, Task):
    define_settings(study.settings, required=study.required, into=into)
    return
  machine_rows = options.machine_settings(f'runs/{study.name}')
  for rows in (
    study.settings,
    options.seed_settings(study.num_seeds, grows=study.grows),
    machine_rows,
  ):
    define_settings(rows, into=into)


def start(study: Study | Task) -> None:
  """Is the whole of a script: flags, then what they say."""
  define(study)
  launch.run(functools.partial(main, study))


def main(study: Study | Task, argv: Sequence[str]) -> None:
  """Does what the parsed flags say; foreseeable ends are one line on stderr."""
  if len(argv) > 1:
    raise app.UsageError(f'arguments without a flag: {argv[1:]}')
  with errors.one_line_errors(study.name):
    if isinstance(study, Task):
      run_task(study)
    else:
      run(study)


def _set_up(num_devices: int, dtype: str) -> None:
  machine.setup_jax(num_devices=num_devices, dtype=dtype)
  if flags.FLAGS.keep_programs:
    programs.keep()


def run_task(task: Task) -> None:
  """Does what the flags of a task say."""
  values = given(task.settings)
  if values.get('from_store'):
    path = flags.FLAGS.workdir
    found, science = folders.stored_values(path, task)
    values |= {**science, **found['extent'], **found['layout']}
  plan = task.prepare(task.resolve(**values))
  _set_up(plan.num_devices, plan.dtype)
  layout = dict(plan.layout)
  if 'chunk_size' in layout:
    layout['chunk_size'] = machine.find_chunk_size(
      layout['chunk_size'], plan.folder
    )
  if plan.forecast is not None:
    room.print_forecast(plan.forecast, layout['chunk_size'], layout['map'])
    return
  plan.check()
  try:
    with manifest.Workdir(
      plan.folder,
      script=task.name,
      science=plan.science,
      extent=plan.extent,
      layout=layout,
      environment=machine.environment(),
    ) as workdir:
      shown = plan.run(workdir)
      _show([shown] if isinstance(shown, Report) else shown, workdir)
  except manifest.WorkdirError as error:
    message = str(error).replace('--workdir', f'--{plan.folder_flag}')
    raise manifest.WorkdirError(message) from None


def run(study: Study) -> None:
  """Does what the flags of a sweep say."""
  FLAGS = flags.FLAGS
  path = pathlib.Path(FLAGS.workdir)
  if FLAGS.from_store:
    found, values = folders.stored_values(path, study)
    # What no folder holds is as it is given.
    for name in names_of(study.settings, MACHINE):
      values[name] = FLAGS[name].value
    with understood(path):
      todo = study.stages(values)
      reported = [s for s in study.settings if s.role == REPORTED]
      for dtype in study.dtypes(values):
        require_held(reported, values, dtype)
  else:
    values = study.resolve(**given(study.settings))
    todo = study.stages(values)
  dtype = min(stage.dtype for stage in todo)  # Wider stages see to theirs.
  _set_up(FLAGS.num_devices, dtype)
  chunk_size = machine.find_chunk_size(
    FLAGS.chunk_size, path, functools.partial(room.largest_run, todo)
  )
  if FLAGS.dry_run:
    room.print_estimate(todo, FLAGS.num_seeds, chunk_size, FLAGS.map)
    return
  if FLAGS.from_store:
    identity = {k: found[k] for k in ('science', 'extent', 'layout')}
  else:
    seeds = {'num_seeds': FLAGS.num_seeds}
    layout = {'chunk_size': chunk_size, 'map': FLAGS.map}
    identity = {
      'science': study.science(values),
      'extent': seeds if study.grows else {},
      'layout': layout if study.grows else layout | seeds,
    }
    _require_same_report(study, path, identity['science'])
    room.require_room(todo, FLAGS.num_seeds, chunk_size)
  with manifest.Workdir(
    path,
    script=study.name,
    environment=machine.environment(),
    **identity,
  ) as workdir:
    if FLAGS.from_store:
      sizes = {**identity['layout'], **identity['extent']}
      _require_finished(todo, path, sizes.get('num_seeds'))
    else:
      _train(study, todo, values, workdir)
    finished = study.open(path / STORE, values, relabel=FLAGS.from_store)
    _show([study.report(finished, values)], workdir)


def _show(reports: Iterable[Report], workdir: manifest.Workdir) -> None:
  """Writes all that reports hold, and prints what is to be read."""
  folder = workdir.path
  written = []
  for report in reports:
    for table in report.tables:
      table.write(folder)
      written += [f'{table.name}.csv'] * bool(table.rows and table.name)
    for name, write in report.files.items():
      write(folder / name)
      written.append(name)
    for part in report.parts:
      if text := part if isinstance(part, str) else part.text():
        print(f'\n{text}')
    for sheet in report.sheets:
      sheet.save(folder)
      written.append(f'{sheet.name}.png')
    if report.notes:
      workdir.note(summary=report.notes)
  names = ' and '.join(
    [', '.join(written[:-1]), written[-1]][len(written) < 2 :]
  )
  print(f'\n{names} {"is" if len(written) < 2 else "are"} in {folder}')


def _train(
  study: Study,
  todo: Sequence[Stage],
  values: Values,
  workdir: manifest.Workdir,
) -> None:
  """Trains the runs of all stages that the store does not have yet.

  While one stage runs the next ones are compiled.
  """
  path = workdir.path / STORE
  layout = workdir.manifest['layout']
  num_seeds = flags.FLAGS.num_seeds

  def compiled(stage: Stage) -> training.Ready | None:
    if stage.make_xs is not None or _is_finished(path, stage, num_seeds):
      return None
    with stages.precision_of(stage):
      return training.compiled(
        stage,
        num_seeds,
        chunk_size=layout['chunk_size'],
        map_name=layout['map'],
      )

  # Reports need it, which takes a second to import; compilers leave a core.
  threading.Thread(target=importlib.import_module, args=['scipy.stats']).start()
  num_threads = min(processors.num_cores(), _MOST_COMPILED)
  ahead = made_ahead(compiled, todo, num_threads=num_threads)
  for i, (stage, ready) in enumerate(ahead):
    finished: list[Runs] = []
    if stage.make_xs is not None:  # It goes on from what there is by now.
      finished = study.open(path, values, stages=todo[:i])
    with stages.precision_of(stage):
      train(workdir, stage, stage.xs(num_seeds, finished), ready=ready)


def _is_finished(path: pathlib.Path, stage: Stage, num_seeds: int) -> bool:
  try:
    return len(open_runs(path, stage).runs) == stage.num_runs(num_seeds)
  except (MissingError, StoreError):
    return False  # Training begins it, or says what is wrong with it.


def _require_finished(
  todo: Sequence[Stage], path: pathlib.Path, num_seeds: int | None
) -> None:
  for stage in todo:
    # How many runs a later stage has, those before it decide.
    open_finished(path / STORE, stage, None if stage.make_xs else num_seeds)


def _require_same_report(
  study: Study, path: pathlib.Path, values: Values
) -> None:
  """Says how to report a folder otherwise, where only the report differs.

  Raises:
    WorkdirError: where a reported setting differs, and no other.
  """
  found = manifest.read(path)
  if found is None or found['script'] != study.name:
    return
  was: Mapping[str, Any] = found['science']
  names = [name for name in values if values[name] != was.get(name)]
  if names and set(names) <= set(study.reported):
    raise manifest.WorkdirError(
      f'{path} was reported with --{names[0]}={was.get(names[0])}; add '
      '--from_store to report its runs otherwise, or choose another --workdir'
    )

"""A finished folder, as its own script and others read it.

folder --find--> manifest, which its stores agree with
folder of optimization_failure --read--> manifest, groups
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import pathlib
from typing import Any

from absl import flags

from scripts.shared import experiments, failure_grid, grids
from toyjax import checks, manifest

flags.disclaim_key_flags()

STORE = 'results.zarr'


def find(path: str | pathlib.Path, script: str) -> dict[str, Any]:
  """Returns the manifest of a folder, after a look at what it holds.

  Args:
    path: the folder.
    script: that made it.

  Raises:
    WorkdirError: where it holds nothing, belongs to another script, or its
      manifest says something else than its runs.
    StoreError: where a group says nothing that can be read.
  """
  path = pathlib.Path(path)
  found = manifest.read(path)
  if found is None:
    raise manifest.WorkdirError(f'{path} holds no results to read')
  if found['script'] != script:
    raise manifest.WorkdirError(
      f'{path} belongs to {found["script"]!r}, not to {script!r}'
    )
  folders = sorted(path.glob(f'{STORE}/*/{checks.FOLDER}'))
  for folder in [path / STORE / folder.parts[-3] for folder in folders]:
    record = checks.read_record(folder)
    if record is None or record.identity is None:
      continue
    for text in checks.unlike(record.identity, manifest.identity(found)):
      raise manifest.WorkdirError(
        f'{folder} holds runs of {text} as in {path / manifest.FILENAME}, '
        'which was changed: correct it'
      )
  return found


def stored_settings(
  path: str | pathlib.Path, script: str, may_differ: Sequence[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
  """Returns the manifest of a folder and the settings to report it with.

  Args:
    path: the folder.
    script: that made it, and now reads it with --from_store.
    may_differ: flags that only the report hangs on; what is given wins.

  Raises:
    WorkdirError: as `find`, and where any other flag is given a value that is
      not the folder's.
    StoreError: as `find`.
  """
  found = find(path, script)
  settings = dict(found['science'])
  for name, stored in (
    *found['layout'].items(),
    *found['extent'].items(),
    *found['science'].items(),
  ):
    if name not in flags.FLAGS:
      continue
    flag = flags.FLAGS[name]
    if not flag.present or flag.value == stored:
      continue
    if name not in may_differ:
      allowed = ' and '.join(f'--{other}' for other in may_differ)
      only = f'only {allowed} may differ' if allowed else 'nothing may differ'
      raise manifest.WorkdirError(
        f'{path} holds results for --{name}={checks.show(stored)}; with '
        f'--from_store {only}'
      )
    settings[name] = flag.value
  return found, settings


@contextlib.contextmanager
def understood(path: str | pathlib.Path) -> Iterator[None]:
  """Says in one line that settings of a manifest are not a script's.

  Those of a folder whose stores do not repeat them can be anything.

  Raises:
    WorkdirError: where what is done raises what a wrong type or a missing name
      raises.
  """
  try:
    yield
  except (flags.Error, manifest.WorkdirError, checks.StoreError):
    raise
  except (LookupError, TypeError, ValueError, AttributeError) as error:
    reason = f'{type(error).__name__}: {checks.reason(error)}'
    raise manifest.WorkdirError(
      f"{pathlib.Path(path) / manifest.FILENAME}: 'science' is not that of "
      f'its script ({reason})'
    ) from None


def require_settings(found: Mapping[str, Any], names: Sequence[str]) -> None:
  """Raises KeyError where the science of a manifest lacks one of the names."""
  for name in names:
    found['science'][name]


def read(workdir: str) -> tuple[dict[str, Any], list[grids.Group]]:
  """Returns the manifest of a folder of optimization_failure, and its groups.

  Raises:
    WorkdirError: where the folder is none of that script.
    StoreError: where it is damaged.
  """
  found = find(workdir, 'optimization_failure')
  with understood(workdir):
    require_settings(found, ('observe_steps', 'dtype'))
    return found, failure_grid.make_groups(found['science'])


def choose_group(groups: Sequence[grids.Group], name: str) -> grids.Group:
  """Returns the group of that name; '' names the only one.

  Raises:
    flags.Error: naming those there are.
  """
  chosen = [group for group in groups if name in ('', group.name)]
  if len(chosen) != 1:
    names = ', '.join(group.name for group in groups)
    raise flags.Error(f'--group={name}: choose one of {names}')
  return chosen[0]


def open_group(
  workdir: str, group: grids.Group, store: str = STORE
) -> grids.StoredRuns:
  """Opens the finished runs of a group of one of the folder's stores.

  Raises:
    flags.Error: where it is not there, or is of another folder's runs.
    StoreError: where it is damaged, or holds more runs than the manifest says.
  """
  try:
    runs = grids.open_runs(pathlib.Path(workdir) / store, group)
  except grids.MissingError as error:
    raise flags.Error(str(error)) from None
  found = manifest.read(workdir) or {}
  if store == STORE:
    num_seeds = found.get('extent', {}).get('num_seeds')
    if num_seeds is not None:
      grids.require_size(runs, group.num_configurations * num_seeds)
  elif runs.identity is not None:
    # What was made of this folder's runs has all of their settings.
    was = runs.identity.get('science', {})
    shared = {name: was.get(name) for name in found['science']}
    for difference in checks.unlike(shared, found['science']):
      raise flags.Error(
        f'{runs.folder} was made of runs of {difference} as in {workdir}; make '
        'it again'
      )
  return runs


@contextlib.contextmanager
def output(
  path: pathlib.Path,
  *,
  script: str,
  science: Mapping[str, Any],
  extent: Mapping[str, int],
  layout: Mapping[str, Any],
) -> Iterator[manifest.Workdir]:
  """A `manifest.Workdir` for what a script draws, named by its --output."""
  try:
    with manifest.Workdir(
      path,
      script=script,
      science=science,
      extent=extent,
      layout=layout,
      environment=experiments.environment(),
    ) as workdir:
      yield workdir
  except manifest.WorkdirError as error:
    message = str(error).replace('--workdir', '--output')
    raise manifest.WorkdirError(message) from None

"""A finished folder of optimization_failure, as other scripts read it.

folder --read--> manifest, groups --open_group--> data set of one group
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import pathlib
from typing import Any

from absl import flags
import xarray

from scripts.shared import experiments, failure_grid, grids
from toyjax import manifest

flags.disclaim_key_flags()


def read(workdir: str) -> tuple[dict[str, Any], list[grids.Group]]:
  """Returns the manifest of a folder of optimization_failure, and its groups.

  Raises:
    WorkdirError: where the folder is none of that script.
  """
  found = manifest.read(workdir)
  if found is None:
    raise manifest.WorkdirError(f'{workdir} holds no results to read')
  if found.get('script') != 'optimization_failure':
    raise manifest.WorkdirError(
      f'{workdir} belongs to {found.get("script")!r}, not to '
      "'optimization_failure'"
    )
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
  workdir: str, group: grids.Group, store: str = 'results.zarr'
) -> xarray.Dataset:
  """Opens a group of one of the folder's stores.

  Raises:
    flags.Error: where it is not there.
  """
  path = pathlib.Path(workdir) / store
  try:
    return xarray.open_zarr(path, group=group.name, chunks=None)
  except (FileNotFoundError, KeyError):
    raise flags.Error(f'{path} holds no group {group.name} yet') from None


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

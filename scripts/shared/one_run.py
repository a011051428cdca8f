"""One run of a sweep on its own: flags with one value, its x, its folder.

flags of a sweep --require_single--> one configuration --x_of--> the very run
"""

from collections.abc import Callable, Mapping, Sequence
import pathlib
import re
from typing import Any

from absl import flags
import numpy as np

from scripts.shared import grids, memory, sweep_script
from scripts.shared.number_flags import (
  define_integer,
  define_num_devices,
  define_seed,
)
from scripts.shared.path_flags import define_path
from toyjax import chunks, sweeps

flags.disclaim_key_flags()


def define(*, folder: str) -> None:
  """Defines which run, on what, and where its files go."""
  define_seed('Seed of the sweep that the net is a run of.')
  define_integer('seed_index', 0, "The net's place in that sweep.", 0)
  flags.DEFINE_enum(
    'dtype', 'float32', ['float32', 'float64'], 'Precision of the training.'
  )
  flags.DEFINE_enum(
    'map', 'lanes', chunks.MAPS, 'How the sweep maps the run over seeds.'
  )
  define_num_devices('Host (CPU) devices; 0 means one for each core.')
  define_path(
    'workdir',
    '',
    f"Folder for the text and pictures; '' is runs/{folder} and below it a "
    'name made of the flags that are not left alone.',
  )


def require_single(names: Sequence[str]) -> None:
  """Checks that each of these list flags holds one value.

  Raises:
    flags.Error: naming the first that does not.
  """
  for name in names:
    values = flags.FLAGS[name].value or []
    if len(values) > 1:
      raise flags.Error(
        f'--{name}={",".join(map(str, values))} holds {len(values)} values; '
        'one net has one'
      )


def x_of(
  group: grids.Group, settings: Mapping[str, Any], seed_index: int
) -> dict[str, Any]:
  """Returns the run [1] of one seed index, as `sweep_script.group_xs` has it.

  Args:
    group: of one configuration.
    settings: all scientific flags.
    seed_index: of the run.
  """
  indices = np.asarray([seed_index], np.int32)
  return {
    **sweep_script.group_xs(group, settings, 1),
    'key': sweeps.seed_keys(settings['seed'], indices),
    'seed_index': indices,
  }


def require_room(
  make_trial: Callable[[], chunks.Trial],
  group: grids.Group,
  settings: Mapping[str, Any],
) -> None:
  """Refuses a run that has no room in memory, before it has a folder.

  Args:
    make_trial: returns x -> results.
    group: of one configuration.
    settings: all scientific flags.

  Raises:
    flags.Error: saying how much it takes.
  """
  memory.require_room(
    make_trial,
    x_of(group, settings, settings['seed_index']),
    [*group.static.values(), settings.get('num_points')],
    num_runs=1,
    chunk_size=1,
  )


def folder_of(folder: str, names: Sequence[str]) -> pathlib.Path:
  """Returns --workdir, or a folder of its own for each set of flags.

  Args:
    folder: below runs.
    names: the flags that tell runs apart.
  """
  if flags.FLAGS.workdir:
    return pathlib.Path(flags.FLAGS.workdir)
  parts = []
  for name in names:
    flag = flags.FLAGS[name]
    if flag.value != flag.default:
      values = flag.value if isinstance(flag.value, list) else [flag.value]
      # Of a file its name is enough.
      texts = [str(value).rpartition('/')[2] for value in values]
      parts.append(f'{name}={",".join(texts)}')
  own = re.sub(r'[^\w=.,!-]', '-', '_'.join(parts)) or 'default'
  return pathlib.Path('runs') / folder / own

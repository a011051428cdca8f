"""A study without a script: run it in memory, read its folder, run one seed.

Study, values --run, read, run_one--> [Runs], for `study.report`
"""

import pathlib

import numpy as np

from toyjax import stages, sweeps
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.studies.base import Study
from toyjax.studies.folders import open_folder


def run(
  study: Study,
  values: Values,
  *,
  num_seeds: int,
  chunk_size: int | None = None,
  map_name: str = 'lanes',
  progress: bool = False,
) -> list[Runs]:
  """Runs a study in memory: no folder, no flag.

  The same seeds give the same runs as its script; JAX's settings are yours.

  Args:
    study: which.
    values: from `study.resolve`.
    num_seeds: seeds a configuration.
    chunk_size: runs at a time; None suits the device.
    map_name: see `chunks.compile_chunk`.
    progress: whether to show a bar on stderr.

  Returns:
    All runs, one `Runs` for each configuration, for `study.report`.
  """
  found: list[Runs] = []
  for stage in study.stages(values):
    with stages.precision_of(stage):
      xs = stage.xs(num_seeds, found)
      arrays = sweeps.sweep(
        stage.trial,
        xs,
        chunk_size=chunk_size,
        map_name=map_name,
        work_per_run=stage.num_steps,
        summarize=stage.summarize,
        progress=stage.name if progress else None,
      )
    arrays |= {
      name: np.asarray(xs[name]) for name in ('seed_index', *stage.axes)
    }
    number = np.arange(len(xs['seed_index'])) % stage.num_configurations
    found += study.split(stage, arrays, number, values)
  return found


def read(folder: str | pathlib.Path, study: Study) -> list[Runs]:
  """Returns the finished runs of a folder, as its script labelled them.

  Args:
    folder: that the script of the study wrote.
    study: which.

  Raises:
    WorkdirError: where the folder is none of the study.
    StoreError: where it is damaged.
  """
  return open_folder(folder, study).read()


def run_one(
  study: Study, values: Values, *, seed_index: int, map_name: str = 'lanes'
) -> Runs:
  """Runs one seed of a study of one configuration, bit for bit as a sweep.

  Args:
    study: of one stage.
    values: from `study.resolve`, with one value for each swept setting.
    seed_index: which seed.
    map_name: see `chunks.compile_chunk`.

  Raises:
    ValueError: where the values are several configurations.
  """
  stage, *others = study.stages(values)
  if others or stage.num_configurations > 1:
    number = sum(each.num_configurations for each in (stage, *others))
    raise ValueError(f'{number} configurations, not one')
  with stages.precision_of(stage):
    xs = stages.one_x(stage, seed_index)
    arrays = sweeps.sweep(stage.trial, xs, map_name=map_name)
  arrays |= {name: np.asarray(xs[name]) for name in ('seed_index', *stage.axes)}
  (found,) = study.split(stage, arrays, np.zeros(1, int), values)
  return found

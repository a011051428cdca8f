"""Folders of sweeps, and tasks that read them, without a process or a flag."""

from collections.abc import Callable, Mapping
import contextlib
import pathlib
from typing import Any

import jax
import numpy as np
import pytest

from toyjax import manifest, store
from toyjax.settings import Values
from toyjax.studies import base, optimization_failure
from toyjax.studies.base import Plan, Report, Study, Task

_LAYOUT = {'chunk_size': 64, 'map': 'lanes'}


def workdir(
  path: pathlib.Path, script: str, science: Values, num_seeds: int
) -> manifest.Workdir:
  """Returns the folder of a sweep."""
  return manifest.Workdir(
    path,
    script=script,
    science=science,
    extent={'num_seeds': num_seeds},
    layout=_LAYOUT,
    environment={'versions': {}},
  )


def train(path: pathlib.Path, study: Study, num_seeds: int, **given) -> None:
  """Trains a sweep into a folder, as its script does."""
  values = study.resolve(**given)
  with workdir(path, study.name, study.science(values), num_seeds) as made:
    for stage in study.stages(values):
      base.train(made, stage, stage.xs(num_seeds), progress=False)


def trained(num_seeds: int, **given) -> Callable:
  """Returns the fixture of a module that reads a sweep of autoencoders."""

  @pytest.fixture(scope='module')
  def workdir(tmp_path_factory):
    path = tmp_path_factory.mktemp('runs') / 'small'
    train(path, optimization_failure.STUDY, num_seeds, **given)
    return path

  return workdir


def write(
  path: pathlib.Path,
  group: str,
  results: Mapping[str, np.ndarray],
  variables: Mapping[str, store.Variable],
  *,
  num_configurations: int = 1,
  attrs: Mapping[str, Any],
  identity: Mapping[str, Any] | None = None,
) -> None:
  """Writes finished runs, results [S, ...], into a group of a store."""
  num_runs = len(next(iter(results.values())))
  seed_index = np.arange(num_runs, dtype=np.int32) // num_configurations
  opened = store.RunStore(
    path,
    group,
    num_runs=num_runs,
    chunk_size=64,
    results={name: values[0] for name, values in results.items()},
    variables={name: variables[name] for name in results},
    coordinates={'seed_index': store.Coordinate(store.RUN, seed_index)},
    attrs=attrs,
    identity=identity,
  )
  opened.write(0, results)


def prepare(task: Task, **given) -> Plan:
  """Returns the plan of a task."""
  return task.prepare(task.resolve(**given))


def perform(task: Task, **given) -> Report:
  """Does what a task does in its folder, but for the files of its report."""
  plan = prepare(task, **given)
  is_wide = plan.dtype == 'float64'
  with (
    jax.enable_x64(True) if is_wide else contextlib.nullcontext(),
    manifest.Workdir(
      plan.folder,
      script=task.name,
      science=plan.science,
      extent=plan.extent,
      layout=plan.layout,
      environment={'versions': {}},
    ) as made,
  ):
    return plan.run(made)

"""Reads the stored runs of the ReLU autoencoder, grid point by grid point.

results.zarr --read--> labels [S, K] by configuration
"""

from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import autoencoder_trial, grids, optimizer_flags

LAST = ('sse', 'num_shared', 'num_merged', 'num_off', 'shared_over')


class Configuration(NamedTuple):
  """All runs of one point of the grid.

  Attributes:
    label: what tells it from the others.
    flags: value of each list flag; None where its optimizer does not use it.
    group: name of its group in the store.
    seeds: int [S], index of each seed.
    outcomes: [S, K] codes at the observed steps.
    last: name -> [S], the variables in `LAST` at the last observed step.
    solved_at: [S] step of the first crossing, -1 where there was none.
    every_step: whether crossings were looked for at every step, or only at
      the observed ones.
  """

  label: str
  flags: dict[str, Any]
  group: str
  seeds: np.ndarray
  outcomes: np.ndarray
  last: dict[str, np.ndarray]
  solved_at: np.ndarray
  every_step: bool


def read(
  path: pathlib.Path,
  groups: Sequence[grids.Group],
  settings: Mapping[str, Any],
  *,
  columns: Sequence[str],
  relabel: bool,
) -> Iterator[Configuration]:
  """Yields the configurations of all groups with their labels.

  Args:
    path: of the store.
    groups: the groups of the store, in order.
    settings: all scientific flags.
    columns: the list flags, in the order of the columns.
    relabel: whether to label the stored weights again, with the present code
      and `settings['solved_sse']`.
  """
  for group in groups:
    runs = grids.open_runs(path, group)
    if relabel:
      labels = autoencoder_trial.relabel(
        {name: runs.read(name) for name in autoencoder_trial.RELABELLED},
        settings['solved_sse'],
      )
    else:
      labels = {name: runs.read(name) for name in ('outcome', *LAST)}
    last = {name: labels[name][:, -1] for name in LAST}
    solved_at = runs.read('first_solved_step')
    every_step = settings['solved_sse'] == runs.attrs['solved_sse']
    if not every_step:
      solved_at = _first_observed(
        labels['sse'] < settings['solved_sse'], settings['observe_steps']
      )
    number = runs.runs % group.num_configurations
    for c, (flags, label) in enumerate(points(group, settings, columns)):
      yield Configuration(
        label=label,
        flags=flags,
        group=group.name,
        seeds=runs.runs[number == c] // group.num_configurations,
        outcomes=labels['outcome'][number == c],
        last={name: values[number == c] for name, values in last.items()},
        solved_at=solved_at[number == c],
        every_step=every_step,
      )


def points(
  group: grids.Group, settings: Mapping[str, Any], columns: Sequence[str]
) -> Iterator[tuple[dict[str, Any], str]]:
  """Yields the flags and the label of each configuration, see `grids`."""
  return grids.points(
    group,
    settings,
    columns,
    short={**optimizer_flags.SHORT, 'num_features': 'n', 'num_hidden': 'm'},
    always=('num_features', 'num_hidden'),
  )


def _first_observed(solved: np.ndarray, steps: Sequence[int]) -> np.ndarray:
  """Returns the first observed step at which a run is solved, else -1."""
  first = np.asarray(steps)[np.argmax(solved, axis=1)]
  return np.where(solved.any(axis=1), first, -1)

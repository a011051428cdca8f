"""Reads the stored runs of the nets of one variable, grid point by grid point.

results.zarr --read--> labels [S, K], errors [S], nets by configuration
"""

from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import (
  flat_params,
  grids,
  optimizer_flags,
  sqrt_flags,
  sqrt_trial,
)
from toyjax.toys import sqrt_mlp


class Configuration(NamedTuple):
  """All runs of one point of the grid.

  Attributes:
    label: what tells it from the others.
    flags: value of each list flag; None where its optimizer does not use it.
    widths: of the hidden layers.
    outcomes: [S, K] codes at the observed steps.
    rmse: [S] root mean squared error at the last step.
    num_dead: [S] hidden units off everywhere, at the last step.
    nets: parameters at the last step, with a leading axis S.
  """

  label: str
  flags: dict[str, Any]
  widths: tuple[int, ...]
  outcomes: np.ndarray
  rmse: np.ndarray
  num_dead: np.ndarray
  nets: sqrt_mlp.Params


def read(
  path: pathlib.Path,
  groups: Sequence[grids.Group],
  settings: Mapping[str, Any],
  *,
  relabel: bool,
) -> Iterator[Configuration]:
  """Yields the configurations of all groups with their labels.

  Args:
    path: of the store.
    groups: the groups of the store, in order.
    settings: all scientific flags.
    relabel: whether to label the runs again, with the present code and
      `settings['solved_rmse']`.
  """
  for group in groups:
    runs = grids.open_finished(path, group)
    stored = {
      name: runs.read(name)
      for name in ('outcome', 'weights', *sqrt_trial.MEASURED)
    }
    outcomes = stored['outcome']
    if relabel:
      outcomes = sqrt_trial.relabel(stored, settings['solved_rmse'])
    toy = sqrt_trial.make_toy(group.static, settings)
    points = grids.points(
      group,
      settings,
      sqrt_flags.LISTS,
      short=optimizer_flags.SHORT,
      always=tuple(sqrt_flags.SHAPES),
    )
    for c, (flags, label) in enumerate(points):
      own = runs.runs % group.num_configurations == c
      yield Configuration(
        label=label,
        flags=flags,
        widths=sqrt_trial.widths(group.static, settings),
        outcomes=outcomes[own],
        rmse=stored['rmse'][own, -1],
        num_dead=stored['num_dead'][own, -1],
        nets=flat_params.unflatten(stored['weights'][own], toy),
      )

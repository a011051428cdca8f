"""Reads the stored runs of failure_survival, level by level.

results.zarr --read--> LevelRuns: events [S] of one level
"""

from collections.abc import Sequence
import pathlib
from typing import NamedTuple

import numpy as np

from scripts.shared import grids, survival_levels
from scripts.shared.survival_levels import Level
from toyjax import statistics
from toyjax.analysis import events
from toyjax.analysis.events import ESCAPED, Place

NAMES = (
  'outcome',
  'first_step',
  'escape_step',
  'first_learned',
  'times_lost',
  'longest_stay',
)

NUM_HAZARDS = 12  # Intervals of equal length.


class LevelRuns(NamedTuple):
  """All runs of one level, by seed.

  Attributes:
    level: the level.
    seeds: int [S], index of each seed.
    found: stored arrays in `NAMES`, each [S, ...].
    last_step: steps of each run.
  """

  level: Level
  seeds: np.ndarray
  found: dict[str, np.ndarray]
  last_step: int

  @property
  def num_seeds(self) -> int:
    """S."""
    return len(self.found['outcome'])

  def first(self, place: Place) -> np.ndarray:
    """First step at a place, [S], -1 for never."""
    return self.found['first_step'][:, place]

  def solved_by(self, step: int) -> np.ndarray:
    """Whether each run solved up to a step, bool [S]."""
    first = self.first(Place.SOLVED)
    return (first >= 0) & (first <= step)

  def times_to_solve(self) -> tuple[np.ndarray, np.ndarray]:
    """Times and whether observed, for `statistics.kaplan_meier`."""
    start = np.zeros(self.num_seeds, int)
    return events.waits(start, self.first(Place.SOLVED), self.last_step)

  def times_to_escape(self, place: Place) -> tuple[np.ndarray, np.ndarray]:
    """The same from entering a place in `ESCAPED`; runs that never do miss."""
    start = self.first(place)
    end = self.found['escape_step'][:, ESCAPED.index(place)]
    return events.waits(start[start >= 0], end[start >= 0], self.last_step)


def read(
  path: pathlib.Path, levels: Sequence[Level], last_step: int
) -> list[LevelRuns]:
  """Reads all levels; runs that have not finished are left out."""
  runs, found = {}, {}
  for group in survival_levels.make_groups(levels):
    stored = grids.open_finished(path, group)
    runs[group.name] = divmod(stored.runs, group.num_configurations)
    found[group.name] = {name: stored.read(name) for name in NAMES}
  levels_runs = []
  for level in levels:
    seeds, number = runs[level.group]
    own = number == level.configuration
    values = {name: v[own] for name, v in found[level.group].items()}
    levels_runs.append(LevelRuns(level, seeds[own], values, last_step))
  return levels_runs


def curve(times: np.ndarray, observed: np.ndarray) -> statistics.Survival:
  """Kaplan-Meier's curve, empty where nobody was at risk."""
  if not times.size:
    empty = np.zeros(0)
    return statistics.Survival(empty, empty, empty, empty)
  return statistics.kaplan_meier(times, observed)


def hazard_edges(last_step: int) -> np.ndarray:
  """Ends of the intervals over which hazards are taken."""
  return np.linspace(0.0, last_step, NUM_HAZARDS + 1)

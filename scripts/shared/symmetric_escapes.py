"""How long runs stay in symmetric failure: rows from the stored escapes."""

from collections.abc import Iterator, Mapping, Sequence
import pathlib
from typing import Any, NamedTuple

import numpy as np

from scripts.shared import grids
from toyjax import statistics
from toyjax.toys.relu_autoencoder import Outcome


class Arm(NamedTuple):
  """All runs of one n, optimizer and start.

  Attributes:
    flags: value of each flag; None where the optimizer does not use it.
    escaped: [S] step of the escape, -1 where there was none.
    solved: [S] step of the solution, -1 where there was none.
    outcomes: [S] codes at the end.
    sse: [S] at the end.
    dead_bias: [S] bias of the dead row at the end.
  """

  flags: dict[str, Any]
  escaped: np.ndarray
  solved: np.ndarray
  outcomes: np.ndarray
  sse: np.ndarray
  dead_bias: np.ndarray


def read(
  path: pathlib.Path, groups: Sequence[grids.Group], columns: Sequence[str]
) -> Iterator[Arm]:
  """Yields the arms of all groups of the store, finished runs alone."""
  for group in groups:
    runs = grids.open_finished(path, group)
    number = runs.runs % group.num_configurations
    for c in range(group.num_configurations):
      point = group.static | {k: v[c].item() for k, v in group.axes.items()}
      yield Arm(
        {name: point.get(name) for name in columns},
        *(
          runs.read(name)[number == c]
          for name in (
            'escaped_step',
            'solved_step',
            'outcome',
            'sse',
            'dead_bias',
          )
        ),
      )


def curve(steps: np.ndarray, num_steps: int) -> statistics.Survival:
  """Kaplan-Meier of first crossings; -1 is censored at the last step."""
  seen = steps >= 0
  return statistics.kaplan_meier(np.where(seen, steps, num_steps), seen)


def row(arm: Arm, num_steps: int) -> dict[str, Any]:
  """Returns what summary.csv says of an arm."""
  total = len(arm.escaped)
  never = int(np.sum(arm.escaped < 0))
  share = statistics.wilson(never, total)
  escape = statistics.median_time(curve(arm.escaped, num_steps))
  solve = statistics.median_time(curve(arm.solved, num_steps))
  still = arm.outcomes == Outcome.SYMMETRIC_FAILURE
  stuck = arm.dead_bias[arm.escaped < 0] * arm.flags['num_features']
  return {
    **arm.flags,
    'total': total,
    'num_never_escaped': never,
    'fraction': share.estimate,
    'lower': share.lower,
    'upper': share.upper,
    'median_escape_step': escape.estimate,
    'median_escape_lower': escape.lower,
    'median_escape_upper': escape.upper,
    'num_solved': int(np.sum(arm.solved >= 0)),
    'median_solved_step': solve.estimate,
    'median_solved_lower': solve.lower,
    'median_solved_upper': solve.upper,
    'num_symmetric_at_end': int(np.sum(still)),
    'num_diverged': int(np.sum(arm.outcomes == Outcome.DIVERGED)),
    'stuck_bias_times_n': float(np.median(stuck)) if stuck.size else None,
  }


def short(name: str, flags: Mapping[str, Any]) -> str:
  """Names an arm for people: the optimizer and its decay."""
  decay = flags['weight_decay']
  return name if decay is None else f'{name}, decay {decay:g}'

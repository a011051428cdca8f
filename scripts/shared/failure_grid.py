"""The grid of optimization_failure: its groups, from its settings.

settings (all scientific flags) --make_groups--> groups
"""

from collections.abc import Mapping
from typing import Any

from scripts.shared import grids, optimizer_flags
from scripts.shared.optimizer_flags import OPTIMIZER_FLAGS

# Flags built into the compiled program, and flags that are traced.
SHAPES = {'num_features': 'n', 'num_hidden': 'm'}
CHOICES = ('optimizer', 'init', 'loss_reduction')
ALWAYS_TRACED = ('learning_rate', 'init_scale')
LISTS = (*SHAPES, *CHOICES, *ALWAYS_TRACED, *OPTIMIZER_FLAGS)
SCALARS = ('schedule', 'warmup_steps', 'num_steps', 'observe_steps')
# All that a folder is of.
SCIENCE = (*LISTS, *SCALARS, 'solved_sse', 'seed', 'dtype')


def make_groups(settings: Mapping[str, Any]) -> list[grids.Group]:
  """Returns the groups of the grid; each traces the flags it really uses."""

  def traced(static: Mapping[str, Any]) -> list[str]:
    return [*ALWAYS_TRACED, *optimizer_flags.used(static['optimizer'])]

  return list(
    grids.make_groups(settings, shapes=SHAPES, choices=CHOICES, traced=traced)
  )

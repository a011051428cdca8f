"""The grid of optimization_failure: its groups and runs, from its settings.

settings (all scientific flags) --make_groups--> groups --group_xs--> runs
"""

from collections.abc import Mapping
from typing import Any

from scripts.shared import grids
from scripts.shared.autoencoder_trial import OPTIMIZER_FLAGS
from toyjax import optimizers

# Flags built into the compiled program, and flags that are traced.
SHAPES = {'num_features': 'n', 'num_hidden': 'm'}
CHOICES = ('optimizer', 'init', 'loss_reduction')
ALWAYS_TRACED = ('learning_rate', 'init_scale')
LISTS = (*SHAPES, *CHOICES, *ALWAYS_TRACED, *OPTIMIZER_FLAGS)


def make_groups(settings: Mapping[str, Any]) -> list[grids.Group]:
  """Returns the groups of the grid; each traces the flags it really uses."""

  def traced(static: Mapping[str, Any]) -> list[str]:
    used = optimizers.HYPERPARAMETERS[static['optimizer']]
    return [
      *ALWAYS_TRACED,
      *(name for name, inner in OPTIMIZER_FLAGS.items() if inner in used),
    ]

  return list(
    grids.make_groups(settings, shapes=SHAPES, choices=CHOICES, traced=traced)
  )


def group_xs(
  group: grids.Group, settings: Mapping[str, Any], num_seeds: int
) -> dict[str, Any]:
  """Returns the runs of a group, as `grids.group_xs`."""
  return grids.group_xs(
    group,
    seed=settings['seed'],
    num_seeds=num_seeds,
    dtype=settings['dtype'],
  )

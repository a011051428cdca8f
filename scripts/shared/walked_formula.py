"""One net of one variable: trained as the sweep trains it, and its formula.

seed index --train--> Trained: weights, outcome, exact pieces
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from absl import flags
import jax
import numpy as np

from scripts.shared import (
  flat_params,
  grids,
  one_run,
  sqrt_formulas,
  sqrt_trial,
)
from toyjax import chunks, sweeps
from toyjax.analysis import linear_regions, region_errors
from toyjax.analysis.linear_regions import Region
from toyjax.toys import sqrt_mlp

flags.disclaim_key_flags()


class Trained(NamedTuple):
  """One net after its last step.

  Attributes:
    params: NumPy arrays.
    results: what the trial says, by the names of `sqrt_trial.VARIABLES`; those
      by step hold the last step alone.
    regions: its straight pieces on the interval, merged; none of a net that is
      not finite.
    parts: the same cut wherever a unit switches.
    num_everywhere: its straight pieces on the whole line.
    target: the function's name.
    coefficients: of a polynomial; else none.
    widths: of the hidden layers.
  """

  params: sqrt_mlp.Params
  results: dict[str, np.ndarray]
  regions: tuple[Region, ...]
  parts: tuple[Region, ...]
  num_everywhere: int
  target: str
  coefficients: tuple[float, ...]
  widths: tuple[int, ...]

  @property
  def outcome(self) -> sqrt_mlp.Outcome:
    """How the run ended."""
    return sqrt_mlp.Outcome(int(self.results['outcome']))

  def target_values(self, x: np.ndarray) -> np.ndarray:
    """Returns the target at x, in float64 where JAX has it."""
    return np.asarray(
      sqrt_mlp.target_values(
        jax.numpy.asarray(x),
        target=self.target,
        coefficients=self.coefficients,
      )
    )

  def squared_errors(self) -> np.ndarray:
    """Returns the exact integrals of the squared error over each region."""
    return region_errors.integrated_squared_errors(
      self.regions, target=self.target, coefficients=self.coefficients
    )


def make_trial(group: grids.Group, settings: Mapping[str, Any]) -> chunks.Trial:
  """Returns the training of one net, observed at its end."""
  return sqrt_trial.make_trial(
    group.static, {**settings, 'observe_steps': [settings['num_steps']]}
  )


def train(
  group: grids.Group,
  settings: Mapping[str, Any],
  *,
  seed_index: int,
  map_name: str,
) -> Trained:
  """Trains one net, bit for bit the run of that seed index in a sweep.

  So it was for all of 256 runs each of nets 1-2-2-1 and 1-4-4-1, whatever the
  sweep's size and observed steps. Other compiler options may give other last
  bits to loops of other lengths.

  Args:
    group: of one configuration.
    settings: all scientific flags.
    seed_index: the run's place in the sweep.
    map_name: see `chunks.compile_chunk`.
  """
  static = group.static
  found = sweeps.sweep(
    make_trial(group, settings),
    one_run.x_of(group, settings, seed_index),
    map_name=map_name,
  )
  results = {
    name: values[0] if name in ('weights', 'initial_loss') else values[0, -1]
    for name, values in found.items()
  }
  params = flat_params.unflatten(
    results['weights'], sqrt_trial.make_toy(static, settings)
  )
  low, high = settings['low'], settings['high']
  pieces = sqrt_formulas.pieces_of(params, low, high)
  regions, parts = (
    linear_regions.linear_regions_1d(params, low=low, high=high, merge=merge)
    if pieces.everywhere
    else ()
    for merge in (True, False)
  )
  return Trained(
    params=params,
    results=results,
    regions=regions,
    parts=parts,
    num_everywhere=len(pieces.everywhere),
    target=static['target'],
    coefficients=tuple(sqrt_trial.coefficients(static, settings)),
    widths=sqrt_trial.widths(static, settings),
  )

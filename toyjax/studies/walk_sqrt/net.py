"""One net of one variable: trained as the sweep trains it, and its formula.

values of one net --train--> Trained: weights, outcome, exact pieces
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import jax
import numpy as np

from toyjax.analysis.nets import linear_regions
from toyjax.analysis.nets.linear_regions import Region
from toyjax.runs import Runs
from toyjax.settings import Values
from toyjax.stages import Stage
from toyjax.studies import running, sqrt_failure
from toyjax.studies.sqrt_failure import figures, formulas, trial
from toyjax.toys import sqrt_mlp


class Trained(NamedTuple):
  """One net after its last step.

  Attributes:
    run: the run alone, with all settings.
    params: NumPy arrays.
    pieces: see `formulas.pieces_of`; none of a net that is not finite.
    regions: those on the interval, merged; likewise.
    parts: the same cut wherever a unit switches; likewise.
  """

  run: Runs
  params: sqrt_mlp.Params
  pieces: formulas.Pieces
  regions: tuple[Region, ...]
  parts: tuple[Region, ...]

  @property
  def values(self) -> Values:
    """All settings, each with the one value of the net."""
    return self.run.values

  @property
  def outcome(self) -> sqrt_mlp.Outcome:
    """How the run ended."""
    return sqrt_mlp.Outcome(int(self.last('outcome')))

  @property
  def shape(self) -> str:
    """The widths of all layers, such as 1-2-2-1."""
    return figures.shape(trial.widths(self.values))

  @property
  def target(self) -> str:
    """The target as text."""
    if self.values['target'] == 'polynomial':
      return polynomial(self.values['coefficients'])
    return figures.TARGETS[self.values['target']]

  def last(self, name: str) -> np.generic:
    """Returns what was observed after the last step, by its name in a store."""
    return self.run.last(name)[0]

  def target_values(self, x: np.ndarray) -> np.ndarray:
    """Returns the target at x, in float64 where JAX has it."""
    return np.asarray(
      sqrt_mlp.target_values(jax.numpy.asarray(x), **trial.target(self.values))
    )


def polynomial(coefficients: Iterable[Any]) -> str:
  """Returns a polynomial as text, the constant first."""
  terms = [
    f'{c:.6g}' + (('', ' x')[k] if k < 2 else f' x^{k}')
    for k, c in enumerate(coefficients)
    if c
  ]
  return ' + '.join(terms).replace('+ -', '- ')


def _of_sweep(values: Values) -> Values:
  return {**values, 'observe_steps': [values['num_steps']]}


def stage_of(values: Values) -> Stage:
  """Returns the stage of the sweep that the net is of, observed at its end."""
  (stage,) = sqrt_failure.STUDY.stages(_of_sweep(values))
  return stage


def train(values: Values) -> Trained:
  """Trains one net, bit for bit the run of its seed index in a sweep.

  So it was for all of 256 runs each of nets 1-2-2-1 and 1-4-4-1, whatever the
  sweep's size and observed steps. Other compiler options may give other last
  bits to loops of other lengths.

  Args:
    values: of all settings of the walk.
  """
  run = running.run_one(
    sqrt_failure.STUDY,
    _of_sweep(values),
    seed_index=values['seed_index'],
    map_name=values['map'],
  )
  params = formulas.net(formulas.first_nets(run, 1), 0)
  low, high = values['low'], values['high']
  pieces = formulas.pieces_of(params, low, high)
  regions, parts = (
    linear_regions.linear_regions_1d(params, low=low, high=high, merge=merge)
    if pieces.everywhere
    else ()
    for merge in (True, False)
  )
  return Trained(run, params, pieces, regions, parts)

"""How nets of one variable stand, counted from their answers in plain NumPy.

Beside the thresholds it shares nothing with toyjax: a second opinion on its
labels.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from toyjax.toys.sqrt_mlp import Thresholds

# The first class, in this order, that fits.
OUTCOMES = (
  'DIVERGED',
  'REACHED',
  'UNRESOLVED',
  'CONSTANT',
  'ONE_LINE',
  'DEAD_UNITS',
  'ALL_LIVE',
)


class Fates(NamedTuple):
  """How the runs of one side stand at one step.

  Attributes:
    outcome: int [S], place in `OUTCOMES`.
    num_dead: int [S], hidden units that are off at every point.
  """

  outcome: np.ndarray
  num_dead: np.ndarray


def bends(x: np.ndarray, values: np.ndarray) -> np.ndarray:
  """Returns how far values [..., B] lie off their own best line in x [B].

  The norm of what is left beside an orthonormal basis of all lines.
  """
  basis, _ = np.linalg.qr(np.stack([np.ones_like(x), x], axis=1))
  return np.linalg.norm(values - values @ basis @ basis.T, axis=-1)


def judge(
  outputs: np.ndarray,
  earlier_outputs: np.ndarray,
  is_on: np.ndarray,
  finite: np.ndarray,
  *,
  x: np.ndarray,
  targets: np.ndarray,
  solved_rmse: float,
  thresholds: Thresholds,
) -> Fates:
  """Says how each run stands, from its answers on the B points.

  Args:
    outputs: [S, B].
    earlier_outputs: [S, B], after nine tenths of the steps.
    is_on: bool [S, H, B], whether a hidden unit is.
    finite: bool [S], whether error and parameters are.
    x: [B] points.
    targets: [B] the function there.
    solved_rmse: root mean squared error below which a run reached its level.
    thresholds: what still moves, what is constant, what is one line.
  """
  x, targets = x.astype(np.float64), targets.astype(np.float64)
  # Runs that diverged are labelled before any of these numbers is asked for.
  runs = np.where(finite[:, None], outputs, 0.0).astype(np.float64)
  error = np.mean((runs - targets) ** 2, axis=1)
  with np.errstate(over='ignore', invalid='ignore'):
    earlier = np.mean((earlier_outputs.astype(float) - targets) ** 2, axis=1)
  num_dead = np.sum(~is_on.any(axis=2), axis=1)
  outcome = np.select(
    [
      ~finite,
      error < solved_rmse**2,
      error <= (1.0 - thresholds.resolved_decrease) * earlier,
      np.ptp(runs, axis=1) < thresholds.constant_fraction * np.ptp(targets),
      bends(x, runs) < thresholds.line_fraction * bends(x, targets),
      num_dead > 0,
    ],
    range(6),
    default=6,
  )
  return Fates(outcome, num_dead)


def count(fates: Fates, num_units: int) -> Mapping[str, int]:
  """Returns name -> number of runs, for everything that is compared."""
  counts = {
    name: int(np.sum(fates.outcome == code))
    for code, name in enumerate(OUTCOMES)
  }
  for number in range(num_units + 1):
    counts[f'dead units: {number}'] = int(np.sum(fates.num_dead == number))
  return counts


def differ(a: Fates, b: Fates) -> np.ndarray:
  """Returns bool [S], which runs two sides label differently."""
  return (a.outcome != b.outcome) | (a.num_dead != b.num_dead)

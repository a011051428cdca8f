"""The chaos map: its dynamics, endings, dimensions and Lyapunov exponents."""

from toyjax.analysis.chaos.dynamics import (
  LOSS_REDUCTIONS,
  mirror_rows,
  raised_rows,
  reflect,
  symmetric_failure,
  training_map,
)

__all__ = [
  'LOSS_REDUCTIONS',
  'mirror_rows',
  'raised_rows',
  'reflect',
  'symmetric_failure',
  'training_map',
]

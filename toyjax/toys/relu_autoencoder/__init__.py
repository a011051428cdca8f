"""The toy ReLU autoencoder of superposition: y = ReLU(WᵀWx + b).

    toy = relu_autoencoder.make(num_features=7, num_hidden=2, ...)
    ... train with toyjax.descend and toyjax.unroll ...
    relu_autoencoder.diagnose(params, ...)      # how it ended, on one-hot data

References:
  Elhage et al. 2022, Toy models of superposition. Henighan et al. 2023,
  Superposition, memorization, and double descent.
"""

from toyjax.toys.relu_autoencoder.model import (
  INITS,
  LOSS_REDUCTIONS,
  Params,
  apply,
  make,
  sse_from_one_hot_loss,
)
from toyjax.toys.relu_autoencoder.outcomes import (
  THRESHOLDS,
  Diagnosis,
  Fate,
  Outcome,
  Thresholds,
  classify,
  diagnose,
  is_symmetric,
  one_hot_sse,
  responses,
)

__all__ = [
  'INITS',
  'LOSS_REDUCTIONS',
  'THRESHOLDS',
  'Diagnosis',
  'Fate',
  'Outcome',
  'Params',
  'Thresholds',
  'apply',
  'classify',
  'diagnose',
  'is_symmetric',
  'make',
  'one_hot_sse',
  'responses',
  'sse_from_one_hot_loss',
]

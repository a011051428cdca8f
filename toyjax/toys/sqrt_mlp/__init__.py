"""A small ReLU net fitted to y = √x, or another function of one variable.

    toy = sqrt_mlp.make(target='sqrt', low=0.0, high=4.0, widths=(2, 2), ...)
    ... train with toyjax.descend and toyjax.unroll ...
    sqrt_mlp.diagnose(params, ...)              # how it ended
    sqrt_mlp.newton_sqrt(2.0, ...)              # the classical counterpart

References:
  The walked square-root net 1 → 2 → 2 → 1 of the reference, section 3.2.
"""

from toyjax.toys.sqrt_mlp.model import (
  INITS,
  SPACINGS,
  TARGETS,
  Dense,
  Params,
  apply,
  check_interval,
  hidden_values,
  make,
  target_values,
)
from toyjax.toys.sqrt_mlp.newton import (
  NEWTON_OPERATIONS,
  NewtonErrors,
  newton_errors,
  newton_sqrt,
  num_net_operations,
)
from toyjax.toys.sqrt_mlp.outcomes import (
  THRESHOLDS,
  Diagnosis,
  Outcome,
  Thresholds,
  classify,
  diagnose,
  label,
)

__all__ = [
  'INITS',
  'NEWTON_OPERATIONS',
  'SPACINGS',
  'TARGETS',
  'THRESHOLDS',
  'Dense',
  'Diagnosis',
  'NewtonErrors',
  'Outcome',
  'Params',
  'Thresholds',
  'apply',
  'check_interval',
  'classify',
  'diagnose',
  'hidden_values',
  'label',
  'make',
  'newton_errors',
  'newton_sqrt',
  'num_net_operations',
  'target_values',
]

"""The sparse autoencoder: f = ReLU((x - b_d) W_e + b_e), x̂ = f W_d + b_d.

    toy = sparse_autoencoder.make(num_inputs=16, num_latents=64, ...)
    dynamics = descend(toy, optimizer)
    ... train intervene(dynamics, None, sparse_autoencoder.unit_rows) ...
    sparse_autoencoder.diagnose(params, ...)    # against the true features

References:
  Bricken et al. 2023, Towards monosemanticity. Gao et al. 2024, Scaling and
  evaluating sparse autoencoders.
"""

from toyjax.toys.sparse_autoencoder.latents import (
  THRESHOLDS,
  Latent,
  Metrics,
  Thresholds,
  encode_all,
  firing_frequencies,
  is_dead,
  label_latents,
  latent_rules,
  measure,
)
from toyjax.toys.sparse_autoencoder.model import (
  Params,
  apply,
  decode,
  directions,
  encode,
  encoder_of,
  make,
  unit_rows,
)
from toyjax.toys.sparse_autoencoder.outcomes import (
  Diagnosis,
  Outcome,
  classify,
  diagnose,
)

__all__ = [
  'THRESHOLDS',
  'Diagnosis',
  'Latent',
  'Metrics',
  'Outcome',
  'Params',
  'Thresholds',
  'apply',
  'classify',
  'decode',
  'diagnose',
  'directions',
  'encode',
  'encode_all',
  'encoder_of',
  'firing_frequencies',
  'is_dead',
  'label_latents',
  'latent_rules',
  'make',
  'measure',
  'unit_rows',
]

"""Studies that sweep seeds keep the contract of all studies."""

from tests.studies.contract import SweepContract, session_of

NAMES = (
  'optimization_failure',
  'sparse_autoencoder',
  'sqrt_failure',
  'single_polygons',
  'superposition',
  'feature_dimensionality',
  'superposition_phase',
  'resampling_trial',
  'latent_resampling',
  'hand_written_gradient',
  'double_descent',
  'symmetric_escape',
  'text_failure',
  'failure_survival',
  'symmetric_failure',
)

session = session_of(NAMES)


class TestSweeps(SweepContract):
  pass

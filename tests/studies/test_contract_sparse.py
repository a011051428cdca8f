"""Studies of sparse features and of remedies keep the contract of all."""

from tests.studies.contract import SweepContract, session_of

NAMES = (
  'sparse_autoencoder',
  'single_polygons',
  'superposition',
  'feature_dimensionality',
  'superposition_phase',
  'resampling_trial',
  'latent_resampling',
  'hand_written_gradient',
  'double_descent',
)

session = session_of(NAMES)


class TestSparse(SweepContract):
  pass

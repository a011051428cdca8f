"""Studies that read a folder keep the contract of all studies."""

from tests.studies.contract import StudyContract, session_of

NAMES = (
  'certify_failure',
  'descend_runaways',
  'failure_sizes',
  'latent_atlas',
  'replay_seed',
)

session = session_of(NAMES)


class TestReaders(StudyContract):
  pass

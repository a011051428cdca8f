"""Studies that sweep seeds keep the contract of all studies."""

from tests.studies.contract import SweepContract, session_of

NAMES = (
  'optimization_failure',
  'sqrt_failure',
  'symmetric_escape',
  'text_failure',
  'failure_survival',
  'symmetric_failure',
)

session = session_of(NAMES)


class TestSweeps(SweepContract):
  pass

"""All other studies keep the contract of all studies."""

from benchmarks.same_results_cases import CASES
from tests.studies import (
  test_contract_chaos_map,
  test_contract_readers,
  test_contract_sparse,
  test_contract_sweeps,
)
from tests.studies.contract import StudyContract, session_of
from tests.studies.promises import PROMISES
from toyjax.studies import names

NAMES = (
  'changepoint_replay',
  'changepoint_study',
  'locate_error',
  'sentence_dendrogram',
  'walk_sqrt',
  'walk_text',
)

session = session_of(NAMES)


class TestOthers(StudyContract):
  pass


def test_every_study_is_held_to_the_contract():
  held = [
    *(*test_contract_chaos_map.NAMES, *test_contract_readers.NAMES),
    *(*test_contract_sweeps.NAMES, *test_contract_sparse.NAMES, *NAMES),
  ]
  assert sorted(held) == sorted(CASES) == sorted(PROMISES) == names()

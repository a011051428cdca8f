"""The map keeps the contract of studies that have a store to report from."""

from tests.studies.contract import StoreContract, session_of

NAMES = ('chaos_map',)

session = session_of(NAMES)


class TestMap(StoreContract):
  pass

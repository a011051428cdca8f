"""What tests of data share: where it is, how two traces are compared."""

import pathlib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[2]
OWN = ROOT / 'tests' / 'data_files'
SHARED = ROOT.parent / 'shared' / 'data'

needs_shared = pytest.mark.skipif(
  not SHARED.is_dir(),
  reason='the real data sets are not there: no folder ../shared/data beside '
  'the repository',
)


def assert_same(first, second):
  for name, value in first._asdict().items():
    np.testing.assert_array_equal(value, getattr(second, name), name)
